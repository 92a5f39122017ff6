// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "relay.hpp"

namespace waxwing::upstream {
namespace {

TEST(KeptBody, HoldsWhatFitsAndGivesItsShareBack) {
  ReplayBudget budget{.left = 100};
  {
    KeptBody body(budget, 50);
    body.keep(as_bytes("hello, "));
    body.keep(as_bytes("world"));
    EXPECT_TRUE(body.whole());
    EXPECT_EQ(as_text(body.view()), "hello, world");
    EXPECT_EQ(budget.left, 88U);
  }
  EXPECT_EQ(budget.left, 100U);
}

TEST(KeptBody, GivesUpWholeOnceItIsTooLong) {
  ReplayBudget budget{.left = 100};
  KeptBody body(budget, 10);
  body.keep(as_bytes("0123456789"));
  EXPECT_TRUE(body.whole());
  body.keep(as_bytes("x"));
  EXPECT_FALSE(body.whole());
  EXPECT_TRUE(body.view().empty());
  EXPECT_EQ(budget.left, 100U);
  body.keep(as_bytes("a"));
  EXPECT_FALSE(body.whole()) << "a part of a body is never taken for all of it";
}

TEST(KeptBody, GivesUpWhenOthersHoldTheBudget) {
  ReplayBudget budget{.left = 4};
  KeptBody first(budget, 10);
  first.keep(as_bytes("abcd"));
  KeptBody second(budget, 10);
  second.keep(as_bytes("e"));
  EXPECT_TRUE(first.whole());
  EXPECT_FALSE(second.whole());
  EXPECT_EQ(budget.left, 0U);
}

TEST(KeptBody, DoesNotBeginWithABodyThatSaysItIsTooLong) {
  ReplayBudget budget{.left = 100};
  KeptBody body(budget, 10);
  body.expect(net::BodyLength::known(11));
  body.keep(as_bytes("a"));
  EXPECT_FALSE(body.whole());
}

}  // namespace
}  // namespace waxwing::upstream
