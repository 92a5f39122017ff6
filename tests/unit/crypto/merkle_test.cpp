// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/merkle.hpp"

#include <gtest/gtest.h>

#include <array>
#include <bit>
#include <stdexcept>

#include "waxwing/base/encoding.hpp"

namespace waxwing::crypto {
namespace {

std::vector<MerkleHash> leaves(std::size_t count) {
  std::vector<MerkleHash> hashes;
  for (std::size_t i = 0; i < count; ++i) {
    const ByteArray<2> entry{static_cast<std::byte>(i >> 8U), static_cast<std::byte>(i)};
    hashes.push_back(merkle_leaf(entry));
  }
  return hashes;
}

/// MTH of RFC 6962 section 2.1, word by word.
MerkleHash by_definition(std::span<const MerkleHash> entries) {
  if (entries.size() == 1) return entries[0];
  const std::size_t k = std::bit_floor(entries.size() - 1);
  constexpr std::byte kPrefix{1};
  return sha256({std::span(&kPrefix, 1), by_definition(entries.first(k)), by_definition(entries.subspan(k))});
}

// The eight entries used by the tests of certificate transparency logs.
TEST(Merkle, MatchesThePublishedTree) {
  std::vector<MerkleHash> hashes;
  for (const char* entry :
       {"", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f"}) {
    hashes.push_back(merkle_leaf(from_hex(entry).value()));
  }
  EXPECT_EQ(to_hex(hashes[0]), "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d");
  EXPECT_EQ(to_hex(MerkleTree(hashes).root()), "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328");
}

TEST(Merkle, RootIsTheRfcDefinitionForEverySize) {
  for (std::size_t n = 1; n <= 70; ++n) {
    const auto hashes = leaves(n);
    EXPECT_EQ(MerkleTree(hashes).root(), by_definition(hashes)) << n;
  }
}

TEST(Merkle, EveryPathLeadsToTheRoot) {
  for (std::size_t n = 1; n <= 70; ++n) {
    const auto hashes = leaves(n);
    const MerkleTree tree(hashes);
    for (std::size_t i = 0; i < n; ++i) {
      const auto root = merkle_root_from_path(hashes[i], i, n, tree.path(i));
      ASSERT_TRUE(root) << n << ' ' << i;
      EXPECT_EQ(*root, tree.root());
    }
  }
}

TEST(Merkle, AnotherIndexLeadsElsewhere) {
  const auto hashes = leaves(13);
  const MerkleTree tree(hashes);
  for (std::size_t i = 0; i < 13; ++i) {
    for (std::size_t claimed = 0; claimed < 13; ++claimed) {
      if (claimed == i) continue;
      const auto root = merkle_root_from_path(hashes[i], claimed, 13, tree.path(i));
      EXPECT_FALSE(root && *root == tree.root()) << i << ' ' << claimed;
    }
  }
}

TEST(Merkle, RefusesPathsOfAnotherLengthAndIndexesBeyondTheTree) {
  for (std::size_t n = 1; n <= 20; ++n) {
    const auto hashes = leaves(n);
    const MerkleTree tree(hashes);
    for (std::size_t i = 0; i < n; ++i) {
      auto path = tree.path(i);
      path.emplace_back();
      EXPECT_EQ(merkle_root_from_path(hashes[i], i, n, path).error().code(), Code::malformed);
      path.pop_back();
      if (!path.empty()) {
        path.pop_back();
        EXPECT_EQ(merkle_root_from_path(hashes[i], i, n, path).error().code(), Code::malformed);
      }
    }
    EXPECT_FALSE(merkle_root_from_path(hashes[0], n, n, tree.path(0)));
  }
  EXPECT_FALSE(merkle_root_from_path(leaves(1)[0], 0, 0, {}));
}

TEST(Merkle, HugeTreesNeedNoMoreThanSixtyFourNodes) {
  const std::vector<MerkleHash> path(64);
  EXPECT_TRUE(merkle_root_from_path(leaves(1)[0], 0, ~std::uint64_t{0}, path));
  EXPECT_FALSE(merkle_root_from_path(leaves(1)[0], 0, ~std::uint64_t{0}, std::span(path).first(63)));
}

TEST(Merkle, WantsALeaf) {
  EXPECT_THROW(MerkleTree({}), std::invalid_argument);
  EXPECT_THROW(static_cast<void>(MerkleTree(leaves(3)).path(3)), std::out_of_range);
}

}  // namespace
}  // namespace waxwing::crypto
