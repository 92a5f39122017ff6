// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <vector>

#include "waxwing/base/error.hpp"
#include "waxwing/crypto/merkle.hpp"
#include "waxwing/exchange/document.hpp"

namespace waxwing::exchange {

/// Bound of the protocol on the nonces under one root.
inline constexpr std::uint64_t kMaxNonces = std::uint64_t{1} << 20U;

/// The nonces of one closed interval: one root for one hardware report, one path per waiter.
class NonceTree {
 public:
  [[nodiscard]] const crypto::MerkleHash& root() const { return tree_.root(); }
  [[nodiscard]] std::uint64_t size() const { return tree_.size(); }
  /// Precondition: index < size().
  [[nodiscard]] NoncePath path(std::uint64_t index) const;

 private:
  friend class NonceBatch;
  explicit NonceTree(crypto::MerkleTree tree) : tree_(std::move(tree)) {}
  crypto::MerkleTree tree_;
};

/// The nonces that wait for the next hardware report.
///
///     WAXWING_ASSIGN(const auto place, batch.add(nonce));   // per waiter
///     const NonceTree tree = batch.close();                 // the report is due; the batch is empty again
///     document.nonce_path = tree.path(place);
class NonceBatch {
 public:
  /// Holds at most `limit` nonces (and never more than kMaxNonces).
  explicit NonceBatch(std::uint64_t limit);

  /// The place in the batch; Code::rate_limited when it is full. Equal nonces are told apart by their place.
  [[nodiscard]] Result<std::uint64_t> add(const Nonce& nonce);
  [[nodiscard]] std::uint64_t size() const { return leaves_.size(); }
  [[nodiscard]] bool empty() const { return leaves_.empty(); }
  /// Precondition: !empty().
  [[nodiscard]] NonceTree close();

 private:
  std::uint64_t limit_;
  std::vector<crypto::MerkleHash> leaves_;
};

}  // namespace waxwing::exchange
