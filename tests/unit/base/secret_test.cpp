// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/base/secret.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <concepts>
#include <ostream>
#include <type_traits>

#include "waxwing/base/plaintext.hpp"

namespace waxwing {
namespace {

const SecretAccess kAccess{};

template <class T>
concept Printable = requires(std::ostream& out, const T& value) { out << value; };

ByteArray<4> some() {
  return {std::byte{1}, std::byte{2}, std::byte{3}, std::byte{4}};
}

TEST(SecretTest, CannotBeCopiedPrintedOrConverted) {
  static_assert(!std::copyable<Secret<32>> && std::movable<Secret<32>>);
  static_assert(!std::copyable<SecretBytes> && std::movable<SecretBytes>);
  static_assert(!std::copyable<Plaintext> && std::movable<Plaintext>);
  static_assert(!Printable<Secret<32>> && !Printable<SecretBytes> && !Printable<Plaintext>);
  static_assert(!std::is_convertible_v<Secret<32>, ByteView> && !std::is_convertible_v<SecretBytes, ByteView>);
  static_assert(!std::is_convertible_v<Plaintext, std::string_view> && !std::is_convertible_v<Plaintext, ByteView>);
  // `{}` is no access: the token has to be spelt out.
  static_assert(!std::is_convertible_v<std::initializer_list<int>, SecretAccess>);
}

TEST(SecretTest, MovingWipesTheSource) {
  Secret<4> a(some());
  const Secret<4> b = std::move(a);
  EXPECT_TRUE(all_zero(a.expose(kAccess)));  // NOLINT(bugprone-use-after-move)
  EXPECT_FALSE(all_zero(b.expose(kAccess)));
  Secret<4> c;
  c = b.clone(kAccess);
  EXPECT_TRUE(c == b);
}

TEST(SecretTest, DestructionWipes) {
  alignas(Secret<4>) std::byte storage[sizeof(Secret<4>)];
  auto* secret = ::new (storage) Secret<4>(some());
  secret->~Secret();
  EXPECT_TRUE(all_zero(storage));
}

TEST(SecretTest, ComparesWholeValues) {
  Secret<4> a(some());
  for (std::size_t bit = 0; bit < 32; ++bit) {
    ByteArray<4> other = some();
    other[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    EXPECT_FALSE(a == Secret<4>(other));
  }
  EXPECT_TRUE(a == Secret<4>(some()));
  EXPECT_FALSE(SecretBytes(ByteView(some())) == SecretBytes(ByteView(some()).first(3)));
  EXPECT_TRUE(SecretBytes() == SecretBytes(std::size_t{0}));
}

TEST(SecretBytesTest, TakingATextWipesIt) {
  std::string text = "sk-0123456789-a-key-longer-than-any-small-string-buffer";
  const char* memory = text.data();
  const std::size_t size = text.size();
  const SecretBytes secret = SecretBytes::take(text);
  EXPECT_TRUE(text.empty());
  EXPECT_EQ(secret.size(), size);
  EXPECT_TRUE(std::all_of(memory, memory + size, [](char c) { return c == '\0'; }));
}

TEST(SecretBytesTest, MovedFromIsEmpty) {
  SecretBytes a{ByteView(some())};
  SecretBytes b;
  b = std::move(a);
  EXPECT_TRUE(a.empty());  // NOLINT(bugprone-use-after-move)
  EXPECT_EQ(b.size(), 4U);
}

TEST(PlaintextTest, GrowsShrinksAndClears) {
  Plaintext text;
  text.append(std::string_view("hello, "));
  text.append(std::string_view("world"));
  EXPECT_EQ(text.text(), "hello, world");
  text.drop_front(7);
  EXPECT_EQ(text.text(), "world");
  Plaintext moved = std::move(text);
  EXPECT_TRUE(text.empty());  // NOLINT(bugprone-use-after-move)
  moved.clear();
  EXPECT_TRUE(moved.empty());
  moved.resize(3);
  EXPECT_EQ(moved.size(), 3U);
}

TEST(PlaintextTest, ClearingWipesWhatItHeld) {
  Plaintext text(std::string_view("a prompt longer than nothing"));
  const ByteView held = text.view();
  text.clear();
  // The capacity stays, so the memory is still ours to look at.
  EXPECT_TRUE(all_zero({held.data(), held.size()}));
}

TEST(BytesTest, ConstantTimeEqualIsEquality) {
  EXPECT_TRUE(constant_time_equal({}, {}));
  EXPECT_FALSE(constant_time_equal(some(), {}));
  EXPECT_TRUE(constant_time_equal(some(), some()));
}

TEST(BytesTest, AllZeroSeesEachByte) {
  ByteArray<33> bytes{};
  EXPECT_TRUE(all_zero(bytes));
  EXPECT_TRUE(all_zero({}));
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    bytes[i] = std::byte{0x80};
    EXPECT_FALSE(all_zero(bytes));
    bytes[i] = std::byte{};
  }
}

}  // namespace
}  // namespace waxwing
