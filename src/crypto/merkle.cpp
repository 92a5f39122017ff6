// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/merkle.hpp"

#include <stdexcept>
#include <utility>

namespace waxwing::crypto {
namespace {

MerkleHash node(const MerkleHash& left, const MerkleHash& right) {
  static constexpr std::byte kPrefix{1};
  return sha256({std::span(&kPrefix, 1), left, right});
}

}  // namespace

MerkleHash merkle_leaf(ByteView entry) {
  static constexpr std::byte kPrefix{0};
  return sha256({std::span(&kPrefix, 1), entry});
}

MerkleTree::MerkleTree(std::vector<MerkleHash> leaves) {
  if (leaves.empty()) throw std::invalid_argument("a Merkle tree needs a leaf");
  levels_.push_back(std::move(leaves));
  while (levels_.back().size() > 1) {
    const std::vector<MerkleHash>& below = levels_.back();
    std::vector<MerkleHash> level;
    level.reserve((below.size() + 1) / 2);
    for (std::size_t i = 0; i + 1 < below.size(); i += 2) level.push_back(node(below[i], below[i + 1]));
    // The RFC splits at the largest power of two: a node without a sibling moves up unchanged.
    if (below.size() % 2 != 0) level.push_back(below.back());
    levels_.push_back(std::move(level));
  }
}

const MerkleHash& MerkleTree::root() const {
  return levels_.back().front();
}

std::uint64_t MerkleTree::size() const {
  return levels_.front().size();
}

std::vector<MerkleHash> MerkleTree::path(std::uint64_t index) const {
  if (index >= size()) throw std::out_of_range("no such leaf");
  std::vector<MerkleHash> path;
  for (const std::vector<MerkleHash>& level : levels_) {
    const std::uint64_t sibling = index ^ 1U;
    if (sibling < level.size()) path.push_back(level[sibling]);
    index /= 2;
  }
  return path;
}

Result<MerkleHash> merkle_root_from_path(const MerkleHash& leaf, std::uint64_t index, std::uint64_t size,
                                         std::span<const MerkleHash> path) {
  if (index >= size) return fail(Code::malformed, "Merkle path: index beyond the tree");
  MerkleHash hash = leaf;
  // `last` is the index of the level's last node: at it, an even index has no sibling.
  for (std::uint64_t last = size - 1; last > 0; last /= 2, index /= 2) {
    if (index % 2 == 0 && index == last) continue;
    if (path.empty()) return fail(Code::malformed, "Merkle path: too short");
    hash = index % 2 != 0 ? node(path.front(), hash) : node(hash, path.front());
    path = path.subspan(1);
  }
  if (!path.empty()) return fail(Code::malformed, "Merkle path: too long");
  return hash;
}

}  // namespace waxwing::crypto
