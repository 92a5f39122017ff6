// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/exchange/document.hpp"

#include <gtest/gtest.h>

#include <string>
#include <utility>
#include <vector>

#include "samples.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/exchange/nonce_batch.hpp"

namespace waxwing::exchange {
namespace {

using test::filled;
using test::replaced;
using test::sample_document;

bool same(const AttestationDocument& a, const AttestationDocument& b) {
  const auto same_item = [](const EvidenceItem& x, const EvidenceItem& y) {
    return x.kind == y.kind && x.data == y.data && x.endorsements == y.endorsements;
  };
  return a.statement == b.statement && a.nonce_path == b.nonce_path &&
         std::ranges::equal(a.evidence, b.evidence, same_item);
}

Code code_of(const std::string& json) {
  const auto parsed = parse_document(json, Limits::evidence());
  return parsed ? Code::internal : parsed.error().code();
}

TEST(AttestationDocument, ParseAfterEncodeIsIdentity) {
  const auto parsed = parse_document(encode_document(sample_document()), Limits::evidence());
  ASSERT_TRUE(parsed) << parsed.error().describe();
  EXPECT_TRUE(same(*parsed, sample_document()));
}

TEST(AttestationDocument, KeepsTheStatementsBytesAsReceived) {
  AttestationDocument document = sample_document();
  document.statement = to_bytes(as_bytes("  { not even JSON, \xff "));
  EXPECT_EQ(parse_document(encode_document(document), Limits::evidence()).value().statement, document.statement);
}

TEST(AttestationDocument, RefusesUnknownAndMissingMembers) {
  const std::string json = encode_document(sample_document());
  for (const auto& [from, to] :
       std::vector<std::pair<std::string, std::string>>{{R"({"statement")", R"({"more":1,"statement")"},
                                                        {R"({"kind")", R"({"more":1,"kind")"},
                                                        {R"({"index")", R"({"more":1,"index")"},
                                                        {R"("index":2,)", ""},
                                                        {R"(,"endorsements":null)", ""},
                                                        {R"("nonce_path":)", R"("noncepath":)"},
                                                        {R"("index":2)", R"("index":-2)"},
                                                        {R"("index":2)", R"("index":2.0)"},
                                                        {R"("index":2)", R"("index":"2")"},
                                                        {R"("size":5)", R"("size":18446744073709551616)"}}) {
    EXPECT_EQ(code_of(replaced(json, from, to)), Code::malformed) << to;
  }
}

TEST(AttestationDocument, RefusesNoEvidenceAndTooMuch) {
  AttestationDocument document = sample_document();
  document.evidence.clear();
  EXPECT_EQ(code_of(encode_document(document)), Code::malformed);
  document.evidence.resize(9, sample_document().evidence[0]);
  EXPECT_EQ(code_of(encode_document(document)), Code::malformed);
}

TEST(AttestationDocument, RefusesAStatementThatIsEmptyOrBeyond64KiB) {
  AttestationDocument document = sample_document();
  document.statement.clear();
  EXPECT_EQ(code_of(encode_document(document)), Code::malformed);
  document.statement.resize(kMaxStatementSize);
  EXPECT_TRUE(parse_document(encode_document(document), Limits::evidence()));
  document.statement.resize(kMaxStatementSize + 1);
  EXPECT_EQ(code_of(encode_document(document)), Code::malformed);
}

TEST(AttestationDocument, RefusesMoreThanOneMiB) {
  std::string json = encode_document(sample_document());
  json.append(kMaxDocumentSize - json.size(), ' ');
  EXPECT_TRUE(parse_document(json, Limits::evidence()));
  EXPECT_EQ(code_of(json + ' '), Code::too_large);
}

TEST(AttestationDocument, RefusesNodesThatAreNotHashes) {
  AttestationDocument document = sample_document();
  const std::string node = to_base64(document.nonce_path.nodes[0]);
  EXPECT_EQ(code_of(replaced(encode_document(document), node, to_base64(filled<31>(1)))), Code::malformed);
  document.nonce_path.nodes.resize(21);
  EXPECT_EQ(code_of(encode_document(document)), Code::malformed);
}

TEST(AttestationDocument, EveryTruncationIsRefused) {
  const std::string json = encode_document(sample_document());
  for (std::size_t n = 0; n < json.size(); ++n)
    EXPECT_FALSE(parse_document(json.substr(0, n), Limits::evidence())) << n;
}

TEST(AttestationDocument, EveryFlippedBitIsRefusedOrSaysSomethingElse) {
  const std::string json = encode_document(sample_document());
  for (std::size_t bit = 0; bit < json.size() * 8; ++bit) {
    std::string flipped = json;
    flipped[bit / 8] = static_cast<char>(flipped[bit / 8] ^ (1 << (bit % 8)));
    const auto parsed = parse_document(flipped, Limits::evidence());
    if (parsed) {
      EXPECT_FALSE(same(*parsed, sample_document())) << bit;
    }
  }
}

TEST(SnpEndorsements, ParseAfterEncodeIsIdentity) {
  for (const std::optional<Bytes>& crl : {std::optional<Bytes>(), std::optional(to_bytes(as_bytes("crl")))}) {
    const SnpEndorsements endorsements{{to_bytes(as_bytes("ek")), to_bytes(as_bytes("ask"))}, crl};
    EXPECT_EQ(parse_snp_endorsements(encode_snp_endorsements(endorsements), Limits::evidence()).value(), endorsements);
  }
}

TEST(SnpEndorsements, RefusesWhatIsNotAShortListOfCertificates) {
  const Limits limits = Limits::evidence();
  const std::string one = to_base64(filled<4>(1));
  for (const std::string& json :
       {std::string("null"), std::string("[]"), std::string(R"({"chain":[],"crl":null})"),
        std::string(R"({"chain":[""],"crl":null})"), R"({"chain":[")" + one + R"("]})",
        R"({"chain":[")" + one + R"("],"crl":""})", R"({"chain":[")" + one + R"("],"crl":null,"more":1})",
        R"({"chain":")" + one + R"(","crl":null})",
        encode_snp_endorsements({std::vector<Bytes>(limits.certificates + 1, Bytes(4)), {}}),
        encode_snp_endorsements({{Bytes(limits.certificate + 1)}, {}})}) {
    const auto parsed = parse_snp_endorsements(json, Limits::evidence());
    ASSERT_FALSE(parsed) << json.substr(0, 80);
    EXPECT_EQ(parsed.error().code(), Code::malformed);
  }
}

TEST(Nonce, TravelsInTheTarget) {
  const Nonce nonce = filled<32>(0xfb);
  const std::string target = attestation_target(nonce);
  EXPECT_EQ(target, "/.well-known/waxwing/attestation?nonce=-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_v7-_s");
  EXPECT_EQ(parse_nonce(target.substr(target.find('=') + 1)).value(), nonce);
}

TEST(Nonce, OfAnotherLengthOrSpellingIsABadRequest) {
  for (const std::string& bad :
       {std::string(), to_base64url(filled<31>(1)), to_base64url(filled<33>(1)), to_base64(filled<32>(0xfb))}) {
    const auto parsed = parse_nonce(bad);
    ASSERT_FALSE(parsed) << bad;
    EXPECT_EQ(parsed.error().code(), Code::bad_request);
  }
}

TEST(NonceBatch, EveryWaiterGetsAPathToTheOneRoot) {
  for (std::uint64_t n = 1; n <= 40; ++n) {
    NonceBatch batch(n);
    for (std::uint64_t i = 0; i < n; ++i) {
      EXPECT_EQ(batch.add(filled<32>(static_cast<std::uint8_t>(i))).value(), i);
    }
    const NonceTree tree = batch.close();
    EXPECT_TRUE(batch.empty());
    for (std::uint64_t i = 0; i < n; ++i) {
      EXPECT_EQ(nonce_root(filled<32>(static_cast<std::uint8_t>(i)), tree.path(i)).value(), tree.root());
    }
  }
}

TEST(NonceBatch, ALoneNonceHasAPathWithoutNodes) {
  NonceBatch batch(1);
  ASSERT_TRUE(batch.add(filled<32>(9)));
  EXPECT_EQ(batch.close().path(0), NoncePath(0, 1, {}));
}

TEST(NonceBatch, RefusesMoreThanItsLimit) {
  NonceBatch batch(2);
  ASSERT_TRUE(batch.add(filled<32>(1)));
  ASSERT_TRUE(batch.add(filled<32>(2)));
  const auto refused = batch.add(filled<32>(3));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code(), Code::rate_limited);
  EXPECT_EQ(batch.size(), 2U);
}

TEST(NoncePath, ForeignNonceLeadsToAnotherRoot) {
  NonceBatch batch(3);
  for (std::uint8_t i = 0; i < 3; ++i) ASSERT_TRUE(batch.add(filled<32>(i)));
  const NonceTree tree = batch.close();
  EXPECT_NE(nonce_root(filled<32>(7), tree.path(1)).value(), tree.root());
}

TEST(NoncePath, RefusesShapesThatCannotBe) {
  const Nonce nonce = filled<32>(1);
  const auto refuses = [&](const NoncePath& path) {
    const auto root = nonce_root(nonce, path);
    return !root && root.error().code() == Code::malformed;
  };
  EXPECT_TRUE(refuses({0, 0, {}}));
  EXPECT_TRUE(refuses({1, 1, {}}));
  EXPECT_TRUE(refuses({0, 2, {}}));
  EXPECT_TRUE(refuses({0, 1, {filled<32>(2)}}));
  EXPECT_FALSE(refuses({0, kMaxNonces, std::vector<crypto::MerkleHash>(20)}));
  EXPECT_TRUE(refuses({0, kMaxNonces + 1, std::vector<crypto::MerkleHash>(21)}));
}

TEST(ReportData, IsTheFormulaOfTheProtocol) {
  const auto root = filled<32>(0x5a);
  const Bytes statement = to_bytes(as_bytes("statement"));
  Bytes input = to_bytes(as_bytes(std::string_view("waxwing/1 report-data\0", 22)));
  append(input, root);
  append(input, crypto::sha512(statement));
  EXPECT_EQ(report_data(root, statement), crypto::sha512(input));

  Bytes device = to_bytes(as_bytes(std::string_view("waxwing/1 device\0", 17)));
  append(device, root);
  EXPECT_EQ(device_nonce(root), crypto::sha256(device));
}

}  // namespace
}  // namespace waxwing::exchange
