// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/nonce_batch.hpp"

#include <algorithm>
#include <utility>

namespace waxwing::exchange {

NoncePath NonceTree::path(std::uint64_t index) const {
  return {index, tree_.size(), tree_.path(index)};
}

NonceBatch::NonceBatch(std::uint64_t limit) : limit_(std::min(limit, kMaxNonces)) {}

Result<std::uint64_t> NonceBatch::add(const Nonce& nonce) {
  if (leaves_.size() >= limit_) return fail(Code::rate_limited, "too many nonces wait for the next report");
  leaves_.push_back(crypto::merkle_leaf(nonce));
  return leaves_.size() - 1;
}

NonceTree NonceBatch::close() {
  return NonceTree(crypto::MerkleTree(std::exchange(leaves_, {})));
}

}  // namespace waxwing::exchange
