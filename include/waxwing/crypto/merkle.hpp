// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/crypto/hash.hpp"

namespace waxwing::crypto {

/// RFC 6962 section 2.1 over SHA-256: a leaf is SHA-256(0x00 || entry), a node SHA-256(0x01 || left || right).
using MerkleHash = Sha256Digest;

[[nodiscard]] MerkleHash merkle_leaf(ByteView entry);

/// A tree over leaf hashes: the root once, then an audit path per leaf. Precondition: at least one leaf.
class MerkleTree {
 public:
  explicit MerkleTree(std::vector<MerkleHash> leaves);
  [[nodiscard]] const MerkleHash& root() const;
  [[nodiscard]] std::uint64_t size() const;
  /// Audit path of leaf `index` (section 2.1.1), from the leaf up. Precondition: index < size().
  [[nodiscard]] std::vector<MerkleHash> path(std::uint64_t index) const;

 private:
  std::vector<std::vector<MerkleHash>> levels_;
};

/// The root that a leaf, its index, the tree's size and the audit path lead to (RFC 9162 section 2.1.3.2). The
/// number of nodes must be exactly what (index, size) needs: Code::malformed otherwise, or when index >= size.
[[nodiscard]] Result<MerkleHash> merkle_root_from_path(const MerkleHash& leaf, std::uint64_t index, std::uint64_t size,
                                                       std::span<const MerkleHash> path);

}  // namespace waxwing::crypto
