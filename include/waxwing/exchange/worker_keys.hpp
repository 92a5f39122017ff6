// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/clock.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/base/random.hpp"
#include "waxwing/crypto/aead.hpp"
#include "waxwing/crypto/kem.hpp"
#include "waxwing/exchange/statement.hpp"

namespace waxwing::exchange {

/// A worker's private key with the time it may be used. Made from a random source only (by WorkerKeys, or by generate()
/// for a lone key), never from bytes of a peer; the private half is wiped with the object.
class WorkerKey {
 public:
  [[nodiscard]] const WorkerId& worker() const { return worker_; }
  [[nodiscard]] std::uint8_t id() const { return id_; }
  [[nodiscard]] crypto::KemId kem() const { return private_key_.id(); }
  [[nodiscard]] const crypto::KemPrivateKey& private_key() const { return private_key_; }
  /// The AEADs offered with it (KDF: HKDF-SHA256); a request that names another is a key error.
  [[nodiscard]] const std::vector<crypto::AeadId>& aeads() const { return aeads_; }
  /// End of grace, fixed when the key was made: from here on it opens nothing.
  [[nodiscard]] BootTime closes_at() const { return closes_at_; }

 private:
  friend Result<WorkerKey> generate(const WorkerId& worker, std::uint8_t id, crypto::KemId kem,
                                    std::vector<crypto::AeadId> aeads, BootTime closes_at, Random& random);
  WorkerKey(const WorkerId& worker, std::uint8_t id, crypto::KemPrivateKey key, std::vector<crypto::AeadId> aeads,
            BootTime closes_at)
      : worker_(worker), id_(id), private_key_(std::move(key)), aeads_(std::move(aeads)), closes_at_(closes_at) {}

  WorkerId worker_;
  std::uint8_t id_;
  crypto::KemPrivateKey private_key_;
  std::vector<crypto::AeadId> aeads_;
  BootTime closes_at_;
};

/// The mint. Product code goes through WorkerKeys, which owns ids and times.
[[nodiscard]] Result<WorkerKey> generate(const WorkerId& worker, std::uint8_t id, crypto::KemId kem,
                                         std::vector<crypto::AeadId> aeads, BootTime closes_at, Random& random);

/// Owners: the WorkerKeys that made it, the rings that list it and requests that are being opened with it.
using WorkerKeyPtr = std::shared_ptr<const WorkerKey>;

/// The keys of one moment, immutable: what threads open requests with and what a statement lists.
class WorkerKeyRing {
 public:
  /// Changes with every new list; a new list needs a new statement and new evidence.
  [[nodiscard]] std::uint64_t version() const { return version_; }
  [[nodiscard]] const WorkerId& worker() const { return worker_; }
  /// Whether requests may name that worker: the present one, or the one before while a key of it is in grace.
  [[nodiscard]] bool knows(const WorkerId& worker, Now now) const;
  /// Code::key_unknown for an id that is not open (any more).
  [[nodiscard]] Result<WorkerKeyPtr> find(const WorkerId& worker, std::uint8_t id, Now now) const;
  /// Body of application/ohttp-keys: the present worker's open keys, current first.
  [[nodiscard]] const Bytes& encoded() const { return encoded_; }
  /// How long the current keys stay open, whole seconds, 0 when they are closed: the statement's life (expires_at -
  /// issued_at) when it is issued now.
  [[nodiscard]] std::chrono::seconds life(Now now) const;

 private:
  friend class WorkerKeys;
  std::uint64_t version_ = 0;
  WorkerId worker_{};
  std::vector<WorkerKeyPtr> keys_;
  Bytes encoded_;
};

struct WorkerKeysOptions {
  /// One key per KEM, in the order offered. X25519 only when configured.
  std::vector<crypto::KemId> kems{crypto::KemId::x_wing};
  std::vector<crypto::AeadId> aeads{crypto::AeadId::aes_256_gcm, crypto::AeadId::chacha20_poly1305};
  std::chrono::seconds rotation = std::chrono::hours(1);
  std::chrono::seconds grace = std::chrono::minutes(10);
};

/// Makes, rotates and forgets keys. One owner (the gateway's attestation task), which publishes ring() to other
/// threads.
///
///     WAXWING_ASSIGN(auto keys, WorkerKeys::create(options, random, now));
///     if (keys.due(now)) { WAXWING_TRY(keys.update(random, now)); publish(keys.ring()); }
class WorkerKeys {
 public:
  /// Code::config_invalid for options that make no sense (no KEM, AES-128-GCM, a time that is not positive).
  [[nodiscard]] static Result<WorkerKeys> create(WorkerKeysOptions options, Random& random, Now now);

  [[nodiscard]] std::shared_ptr<const WorkerKeyRing> ring() const { return ring_; }
  /// When update() has something to do: the next rotation or the next end of grace.
  [[nodiscard]] BootTime next_change() const;
  [[nodiscard]] bool due(Now now) const { return now.boot >= next_change(); }
  /// Drops keys whose grace is over; makes new ones when the hour is over. Ids go up by one from a random first one;
  /// when all 256 are used, a new worker id is drawn, so a pair (worker, id) is never used again in a process's life.
  [[nodiscard]] Result<void> update(Random& random, Now now);
  /// New worker id and new keys at once, and none of the old ones stays open: the machine was cloned or restored.
  [[nodiscard]] Result<void> replace(Random& random, Now now);

 private:
  explicit WorkerKeys(WorkerKeysOptions options) : options_(std::move(options)) {}
  Result<void> rotate(Random& random, Now now);
  void begin_worker(Random& random);
  void publish();

  WorkerKeysOptions options_;
  WorkerId worker_{};
  std::uint8_t next_id_ = 0;
  unsigned ids_left_ = 0;
  BootTime rotates_at_{};
  std::uint64_t version_ = 0;
  std::vector<WorkerKeyPtr> current_;
  std::vector<WorkerKeyPtr> previous_;
  std::shared_ptr<const WorkerKeyRing> ring_;
};

}  // namespace waxwing::exchange
