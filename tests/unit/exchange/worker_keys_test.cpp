// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/worker_keys.hpp"

#include <gtest/gtest.h>

#include <chrono>
#include <set>
#include <utility>
#include <vector>

#include "samples.hpp"
#include "waxwing/crypto/key_config.hpp"

namespace waxwing::exchange {
namespace {

using namespace std::chrono_literals;
using crypto::AeadId;
using crypto::KemId;

class WorkerKeysTest : public ::testing::Test {
 protected:
  WorkerKeys make(WorkerKeysOptions options = {}) { return WorkerKeys::create(options, random_, now()).value(); }
  Now now() const { return clock_.now(); }
  /// Moves the clock to each change on the way and lets it happen.
  void run(WorkerKeys& keys, std::chrono::nanoseconds time) {
    const BootTime end = now().boot + time;
    while (keys.next_change() <= end) {
      clock_.advance(keys.next_change() - now().boot);
      ASSERT_TRUE(keys.update(random_, now()));
    }
    clock_.advance(end - now().boot);
  }
  static std::vector<crypto::KeyConfig> listed(const WorkerKeys& keys) {
    return crypto::parse_key_list(keys.ring()->encoded()).value();
  }

  FakeClock clock_{test::noon()};
  test::CountingRandom random_;
};

TEST_F(WorkerKeysTest, OffersXWingWithTheTwoStrongSuites) {
  const WorkerKeys keys = make();
  const auto list = listed(keys);
  ASSERT_EQ(list.size(), 1U);
  EXPECT_EQ(list[0].public_key.id(), KemId::x_wing);
  EXPECT_EQ(list[0].aeads, (std::vector{AeadId::aes_256_gcm, AeadId::chacha20_poly1305}));
  const auto key = keys.ring()->find(keys.ring()->worker(), list[0].key_id, now());
  ASSERT_TRUE(key);
  EXPECT_TRUE(std::ranges::equal((*key)->private_key().public_key(), list[0].public_key.bytes()));
}

TEST_F(WorkerKeysTest, RotatesAfterAnHourAndListsTheCurrentKeyFirst) {
  WorkerKeys keys = make();
  const auto before = keys.ring();
  run(keys, 59min);
  EXPECT_EQ(keys.ring(), before) << "nothing changes without reason";
  run(keys, 1min);
  const auto after = keys.ring();
  EXPECT_GT(after->version(), before->version());
  EXPECT_EQ(after->worker(), before->worker());
  const auto list = listed(keys);
  ASSERT_EQ(list.size(), 2U);
  EXPECT_EQ(list[0].key_id, static_cast<std::uint8_t>(list[1].key_id + 1));
}

TEST_F(WorkerKeysTest, OldKeyOpensForTenMinutesOfGraceAndIsThenGone) {
  WorkerKeys keys = make();
  const WorkerId worker = keys.ring()->worker();
  const std::uint8_t old = listed(keys)[0].key_id;
  run(keys, 1h + 9min + 59s);
  EXPECT_TRUE(keys.ring()->find(worker, old, now()));
  run(keys, 1s);
  const auto gone = keys.ring()->find(worker, old, now());
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code(), Code::key_unknown);
  EXPECT_EQ(listed(keys).size(), 1U);
}

TEST_F(WorkerKeysTest, NothingHoldsAPrivateKeyPastItsGrace) {
  WorkerKeys keys = make();
  const std::weak_ptr<const WorkerKey> first =
      keys.ring()->find(keys.ring()->worker(), listed(keys)[0].key_id, now()).value();
  run(keys, 1h + 9min);
  EXPECT_FALSE(first.expired());
  run(keys, 1min);
  EXPECT_TRUE(first.expired()) << "the object, and with it the wiped key, is destroyed";
}

TEST_F(WorkerKeysTest, KeyIsClosedOnTimeEvenInARingThatNobodyRenewed) {
  const WorkerKeys keys = make();
  const auto ring = keys.ring();
  const std::uint8_t id = listed(keys)[0].key_id;
  clock_.advance(70min - 1ns);
  EXPECT_TRUE(ring->find(ring->worker(), id, now()));
  clock_.advance(1ns);
  EXPECT_FALSE(ring->find(ring->worker(), id, now()));
}

TEST_F(WorkerKeysTest, LateUpdateDropsWhatIsPastItsGrace) {
  WorkerKeys keys = make();
  clock_.advance(5h);
  ASSERT_TRUE(keys.update(random_, now()));
  EXPECT_EQ(listed(keys).size(), 1U);
}

TEST_F(WorkerKeysTest, WallClockHasNoSay) {
  WorkerKeys keys = make();
  const auto before = keys.ring();
  clock_.set_wall(test::noon() + 1000h);
  ASSERT_TRUE(keys.update(random_, now()));
  EXPECT_EQ(keys.ring(), before);
}

TEST_F(WorkerKeysTest, LifeIsTheTimeLeftToTheCurrentKey) {
  WorkerKeys keys = make();
  EXPECT_EQ(keys.ring()->life(now()), 70min);
  run(keys, 59min);
  EXPECT_EQ(keys.ring()->life(now()), 11min);
  run(keys, 1min);
  EXPECT_EQ(keys.ring()->life(now()), 70min);
  const auto ring = keys.ring();
  clock_.advance(100h);
  EXPECT_EQ(ring->life(now()), 0s);
}

TEST_F(WorkerKeysTest, OneKeyPerKemInTheOrderConfigured) {
  WorkerKeys keys = make({.kems = {KemId::x_wing, KemId::x25519}});
  run(keys, 1h);
  const auto list = listed(keys);
  ASSERT_EQ(list.size(), 4U);
  EXPECT_EQ(list[0].public_key.id(), KemId::x_wing);
  EXPECT_EQ(list[1].public_key.id(), KemId::x25519);
}

TEST_F(WorkerKeysTest, PairOfWorkerAndIdIsNeverUsedAgain) {
  WorkerKeys keys = make({.kems = {KemId::x25519}, .rotation = 60s, .grace = 30s});
  std::set<std::pair<WorkerId, std::uint8_t>> seen;
  std::set<WorkerId> workers;
  for (int i = 0; i < 600; ++i) {
    const auto ring = keys.ring();
    EXPECT_TRUE(seen.emplace(ring->worker(), listed(keys)[0].key_id).second) << i;
    workers.insert(ring->worker());
    clock_.advance(60s);
    ASSERT_TRUE(keys.update(random_, now()));
  }
  EXPECT_EQ(workers.size(), 3U) << "256 ids each";
}

TEST_F(WorkerKeysTest, FormerWorkerIsKnownWhileAKeyOfItIsInGrace) {
  WorkerKeys keys = make({.kems = {KemId::x25519}, .rotation = 60s, .grace = 30s});
  const WorkerId former = keys.ring()->worker();
  std::uint8_t last = 0;
  while (keys.ring()->worker() == former) {
    last = listed(keys)[0].key_id;
    clock_.advance(60s);
    ASSERT_TRUE(keys.update(random_, now()));
  }
  EXPECT_EQ(listed(keys).size(), 1U) << "the new worker lists its own keys only";
  EXPECT_TRUE(keys.ring()->knows(former, now()));
  EXPECT_TRUE(keys.ring()->find(former, last, now()));
  clock_.advance(30s);
  EXPECT_FALSE(keys.ring()->knows(former, now()));
  EXPECT_TRUE(keys.ring()->knows(keys.ring()->worker(), now()));
  EXPECT_FALSE(keys.ring()->knows(WorkerId{}, now()));
}

TEST_F(WorkerKeysTest, FirstIdIsRandom) {
  std::set<std::uint8_t> first;
  for (int i = 0; i < 20; ++i) first.insert(listed(make({.kems = {KemId::x25519}}))[0].key_id);
  EXPECT_GT(first.size(), 10U);
}

TEST_F(WorkerKeysTest, ReplaceLeavesNothingOfTheOldWorker) {
  WorkerKeys keys = make();
  const auto before = keys.ring();
  const std::uint8_t old = listed(keys)[0].key_id;
  ASSERT_TRUE(keys.replace(random_, now()));
  EXPECT_NE(keys.ring()->worker(), before->worker());
  EXPECT_GT(keys.ring()->version(), before->version());
  EXPECT_FALSE(keys.ring()->knows(before->worker(), now()));
  EXPECT_FALSE(keys.ring()->find(before->worker(), old, now()));
  EXPECT_EQ(listed(keys).size(), 1U);
}

TEST_F(WorkerKeysTest, RefusesOptionsThatMakeNoSense) {
  const std::vector<WorkerKeysOptions> bad = {
      {.kems = {}},
      {.kems = {KemId::x_wing, KemId::x_wing}},
      {.aeads = {}},
      {.aeads = {AeadId::aes_128_gcm}},
      {.aeads = {AeadId::aes_256_gcm, AeadId::aes_128_gcm}},
      {.rotation = 0s},
      {.grace = 0s},
  };
  for (const auto& options : bad) {
    const auto keys = WorkerKeys::create(options, random_, now());
    ASSERT_FALSE(keys);
    EXPECT_EQ(keys.error().code(), Code::config_invalid);
  }
}

}  // namespace
}  // namespace waxwing::exchange
