// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/worker_keys.hpp"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <utility>

#include "waxwing/crypto/key_config.hpp"

namespace waxwing::exchange {
namespace {

constexpr unsigned kIds = 256;

bool makes_sense(const WorkerKeysOptions& o) {
  const bool kems_differ = std::set(o.kems.begin(), o.kems.end()).size() == o.kems.size();
  const bool aeads_differ = std::set(o.aeads.begin(), o.aeads.end()).size() == o.aeads.size();
  const bool no_weak_aead = std::ranges::find(o.aeads, crypto::AeadId::aes_128_gcm) == o.aeads.end();
  return !o.kems.empty() && kems_differ && !o.aeads.empty() && aeads_differ && no_weak_aead && o.rotation.count() > 0 &&
         o.grace.count() > 0;
}

bool is_open(const WorkerKeyPtr& key, Now now) {
  return now.boot < key->closes_at();
}

}  // namespace

Result<WorkerKey> generate(const WorkerId& worker, std::uint8_t id, crypto::KemId kem,
                           std::vector<crypto::AeadId> aeads, BootTime closes_at, Random& random) {
  WAXWING_ASSIGN(auto key, crypto::KemPrivateKey::generate(kem, random));
  return WorkerKey(worker, id, std::move(key), std::move(aeads), closes_at);
}

bool WorkerKeyRing::knows(const WorkerId& worker, Now now) const {
  return worker == worker_ || std::ranges::any_of(keys_, [&](const WorkerKeyPtr& key) {
           return key->worker() == worker && is_open(key, now);
         });
}

Result<WorkerKeyPtr> WorkerKeyRing::find(const WorkerId& worker, std::uint8_t id, Now now) const {
  const auto found = std::ranges::find_if(
      keys_, [&](const WorkerKeyPtr& key) { return key->id() == id && key->worker() == worker && is_open(key, now); });
  if (found == keys_.end()) return fail(Code::key_unknown, "no open key has that id");
  return *found;
}

std::chrono::seconds WorkerKeyRing::life(Now now) const {
  if (keys_.empty()) return std::chrono::seconds(0);
  const auto left = std::chrono::floor<std::chrono::seconds>(keys_.front()->closes_at() - now.boot);
  return std::max(left, std::chrono::seconds(0));
}

Result<WorkerKeys> WorkerKeys::create(WorkerKeysOptions options, Random& random, Now now) {
  if (!makes_sense(options)) return fail(Code::config_invalid, "worker keys: options that contradict each other");
  WorkerKeys keys(std::move(options));
  WAXWING_TRY(keys.replace(random, now));
  return keys;
}

BootTime WorkerKeys::next_change() const {
  BootTime next = rotates_at_;
  for (const WorkerKeyPtr& key : previous_) next = std::min(next, key->closes_at());
  return next;
}

Result<void> WorkerKeys::update(Random& random, Now now) {
  if (!due(now)) return {};
  std::erase_if(previous_, [&](const WorkerKeyPtr& key) { return !is_open(key, now); });
  if (now.boot >= rotates_at_) WAXWING_TRY(rotate(random, now));
  publish();
  return {};
}

Result<void> WorkerKeys::replace(Random& random, Now now) {
  // First of all the old keys go, whatever comes after.
  current_.clear();
  previous_.clear();
  begin_worker(random);
  publish();
  WAXWING_TRY(rotate(random, now));
  publish();
  return {};
}

void WorkerKeys::begin_worker(Random& random) {
  worker_ = random.array<WorkerId{}.size()>();
  next_id_ = std::to_integer<std::uint8_t>(random.array<1>()[0]);
  ids_left_ = kIds;
}

Result<void> WorkerKeys::rotate(Random& random, Now now) {
  if (ids_left_ < options_.kems.size()) begin_worker(random);
  const BootTime rotates_at = now.boot + options_.rotation;
  std::vector<WorkerKeyPtr> fresh;
  for (const crypto::KemId kem : options_.kems) {
    WAXWING_ASSIGN(auto key, generate(worker_, next_id_, kem, options_.aeads, rotates_at + options_.grace, random));
    fresh.push_back(std::make_shared<const WorkerKey>(std::move(key)));
    ++next_id_;
    --ids_left_;
  }
  // Late is possible, after a suspended machine: what is past its grace goes at once.
  previous_.insert(previous_.begin(), current_.begin(), current_.end());
  std::erase_if(previous_, [&](const WorkerKeyPtr& key) { return !is_open(key, now); });
  current_ = std::move(fresh);
  rotates_at_ = rotates_at;
  return {};
}

void WorkerKeys::publish() {
  auto ring = std::make_shared<WorkerKeyRing>();
  ring->version_ = ++version_;
  ring->worker_ = worker_;
  ring->keys_ = current_;
  ring->keys_.insert(ring->keys_.end(), previous_.begin(), previous_.end());

  std::vector<Bytes> configs;
  for (const WorkerKeyPtr& key : ring->keys_) {
    // Ids are unique within one worker only.
    if (key->worker() != worker_) continue;
    configs.push_back(crypto::encode_key_config(key->id(), key->kem(), key->private_key().public_key(), key->aeads()));
  }
  if (!configs.empty()) ring->encoded_ = crypto::encode_key_list(configs);
  ring_ = std::move(ring);
}

}  // namespace waxwing::exchange
