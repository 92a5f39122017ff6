// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Each test takes evidence that passes and changes one thing; the named check, and it alone, must fail. (The mutation
// run switches each check off in turn and expects a test here to notice.)
#include "waxwing/evidence/tdx/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <functional>

#include "support/tdx_scene.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::evidence::tdx {
namespace {

using crypto::SignatureScheme;
using simulate::serial_of;
using simulate::TdxSerial;
using test::TdxScene;
using Names = std::vector<std::string>;

constexpr auto kEcdsa = SignatureScheme::ecdsa;
constexpr std::chrono::hours kDay(24);
constexpr std::chrono::seconds kSecond(1);
const Names kAccepted = {"accepted"};

crypto::SigningKey stranger() {
  return crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p256).value();
}

/// Another certificate for the root's key; whoever issued it is trusted, and ends every chain.
void replace_root(TdxScene& scene, const Bytes& root) {
  scene.roots.certificates = {{crypto::Certificate::from_der(root).value(), "SIMULATED"}};
  scene.set_chain({scene.platform.chain()[0], scene.platform.chain()[1], root});
  for (auto* chain : {&scene.parts.pck_crl_chain, &scene.parts.tcb_info.chain, &scene.parts.qe_identity.chain})
    chain->back() = root;
}

/// What the policy would see.
TcbResult standing(TdxScene& scene) {
  scene.publish();
  const auto verified = scene.verify();
  if (!verified) throw std::runtime_error(verified.error().describe());
  return verified->tcb();
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  const std::size_t at = text.find(from);
  if (at == std::string::npos) throw std::runtime_error("not in the text");
  return text.replace(at, from.size(), to);
}

TEST(TdxVerify, AcceptsBothVersionsAndBothReports) {
  for (const auto& [version, type] :
       {std::pair{4, BodyType::td10}, std::pair{5, BodyType::td10}, std::pair{5, BodyType::td15}}) {
    TdxScene scene;
    scene.quote.version = static_cast<std::uint16_t>(version);
    scene.quote.body_type = type;
    const auto verified = scene.verify();
    ASSERT_TRUE(verified) << verified.error().describe();
    EXPECT_EQ(verified->anchor_label(), "SIMULATED");
    EXPECT_EQ(verified->anchor_sha256(), crypto::sha256(scene.root.root()));
    EXPECT_EQ(verified->pck_sha256(), crypto::sha256(scene.platform.chain()[0]));
    EXPECT_EQ(verified->evaluation_number(), 20U);
    EXPECT_EQ(verified->platform().fmspc, scene.platform.platform().fmspc);
    EXPECT_EQ(verified->platform().components, scene.platform.platform().components);
    EXPECT_EQ(verified->platform().pcesvn, 13);
    EXPECT_EQ(verified->platform().cpu_svn, scene.platform.platform().cpu_svn);
    EXPECT_EQ(verified->tcb().status, TcbStatus::up_to_date);
    EXPECT_EQ(verified->tcb().module_status, TcbStatus::up_to_date);
    EXPECT_TRUE(verified->tcb().shortfalls.empty() && verified->tcb().advisory_ids.empty());
    EXPECT_EQ(verified->tcb().tcb_date, TdxScene::time());
  }
}

TEST(TdxVerify, IntelsRootIsPinnedByItsDigest) {
  const Roots roots = intel_roots();
  ASSERT_EQ(roots.pinned.size(), 1U);
  EXPECT_EQ(to_hex(roots.pinned[0].certificate_sha256),
            "44a0196b2b99f889b8e149e95b807a350e7424964399e885a7cbb8ccfab674d3");
  EXPECT_TRUE(roots.pinned[0].label.empty() && roots.certificates.empty());
}

TEST(TdxVerify, NotAfterIsTheEarliestEnd) {
  TdxScene scene;
  EXPECT_EQ(scene.verify()->not_after(), TdxScene::time() + 30 * kDay);
  scene.qe.next_update = TdxScene::time() + 9 * kDay;
  scene.publish();
  EXPECT_EQ(scene.verify()->not_after(), TdxScene::time() + 9 * kDay);
  scene.info.next_update = TdxScene::time() + 8 * kDay;
  scene.publish();
  EXPECT_EQ(scene.verify()->not_after(), TdxScene::time() + 8 * kDay);
  scene.parts.pck_crl = scene.root.pck_crl(TdxScene::time(), TdxScene::time() + 7 * kDay, {}).value();
  EXPECT_EQ(scene.verify()->not_after(), TdxScene::time() + 7 * kDay);
  scene.parts.root_ca_crl = scene.root.root_crl(TdxScene::time(), TdxScene::time() + 6 * kDay, {}).value();
  EXPECT_EQ(scene.verify()->not_after(), TdxScene::time() + 6 * kDay);
  auto builder = scene.root.tcb_signer_builder();
  builder.validity(TdxScene::time(), TdxScene::time() + 5 * kDay);
  scene.parts.qe_identity.chain[0] = builder.sign(scene.root.keys().root, kEcdsa).value();
  EXPECT_EQ(scene.verify()->not_after(), TdxScene::time() + 5 * kDay);
}

TEST(TdxVerify, EvidenceDigestIgnoresWhichOfTwoSignaturesItCarries) {
  TdxScene scene;
  const auto first = scene.verify();
  const auto second = scene.verify();  // ECDSA is randomised
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->quote().signature, second->quote().signature);
  EXPECT_EQ(first->evidence_sha256(), second->evidence_sha256());
}

// --- the PCK chain --------------------------------------------------------------------------------------------------

TEST(TdxPck, RefusesAnythingButThreeCertificates) {
  TdxScene scene;
  const std::vector<Bytes> whole = scene.platform.chain();
  for (const std::size_t size : {std::size_t{1}, std::size_t{2}}) {
    scene.set_chain({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_EQ(scene.verdict(), Names{"tdx.pck.certificates"}) << size;
  }
  scene.set_chain({whole[0], whole[1], whole[2], whole[2]});
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.certificates"});
  scene.quote.pck_chain_pem = "no certificate";
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.certificates"});
  scene.quote.pck_chain_pem.clear();
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.certificates"});
}

TEST(TdxPck, RefusesRootThatNobodyNamed) {
  TdxScene scene;
  scene.roots = intel_roots();
  EXPECT_EQ(scene.verdict(), Names{"tdx.root.pinned"});
  scene.roots = {};
  EXPECT_EQ(scene.verdict(), Names{"tdx.root.pinned"});
  scene.roots.pinned.push_back({crypto::sha256(scene.root.root()), "PINNED"});
  EXPECT_EQ(scene.verify()->anchor_label(), "PINNED");
}

TEST(TdxPck, RefusesAnotherCertificateOfTheSameRootKey) {
  TdxScene scene;
  auto builder = scene.root.root_builder();
  builder.serial(99);
  const Bytes twin = builder.sign(scene.root.keys().root, kEcdsa).value();
  scene.set_chain({scene.platform.chain()[0], scene.platform.chain()[1], twin});
  const Names failed = scene.verdict();
  EXPECT_EQ(failed, (Names{"tdx.root.pinned", "tdx.pck-crl.issuer", "tdx.tcb-info.chain", "tdx.qe-identity.chain"}));
}

TEST(TdxPck, RefusesOtherNamesAndAuthorities) {
  TdxScene scene;
  auto named = scene.pck_builder(scene.platform.platform());
  named.subject(simulate::intel_name("Intel SGX TCB Signing"));
  scene.set_pck(named, scene.root.keys().pck_ca);
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.names"});
  auto authority = scene.pck_builder(scene.platform.platform());
  authority.extension(crypto::basic_constraints_ca());
  scene.set_pck(authority, scene.root.keys().pck_ca);
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.names"});
}

TEST(TdxPck, RefusesRootOfAnotherName) {
  TdxScene scene;
  auto builder = scene.root.root_builder();
  builder.subject(simulate::intel_name("Intel SGX Root"));
  replace_root(scene, builder.sign(scene.root.keys().root, kEcdsa).value());
  const Names failed = scene.verdict();
  EXPECT_EQ(std::ranges::count(failed, "tdx.pck.names"), 1);
  EXPECT_EQ(std::ranges::count(failed, "accepted"), 0);
}

TEST(TdxPck, RefusesBrokenPaths) {
  TdxScene scene;
  scene.set_pck(scene.pck_builder(scene.platform.platform()), stranger());
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.path"});

  auto by_root = scene.pck_builder(scene.platform.platform());
  by_root.issuer(simulate::intel_name("Intel SGX Root CA"));
  scene.set_pck(by_root, scene.root.keys().root);
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.path"});

  crypto::CertificateBuilder plain;
  plain.serial(serial_of(TdxSerial::pck_ca))
      .subject(simulate::intel_name("Intel SGX PCK Platform CA"))
      .issuer(simulate::intel_name("Intel SGX Root CA"))
      .validity(TdxScene::time() - kDay, TdxScene::time() + kDay)
      .public_key(scene.root.keys().pck_ca.public_key());
  scene.set_chain(
      {scene.platform.chain()[0], plain.sign(scene.root.keys().root, kEcdsa).value(), scene.platform.chain()[2]});
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.path"});

  const auto& chain = scene.platform.chain();
  scene.set_chain({chain[0], chain[2], chain[1]});  // not in order
  EXPECT_NE(scene.verdict(), kAccepted);
}

TEST(TdxPck, RefusesOtherAlgorithms) {
  TdxScene scene;
  const auto p384 = crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p384).value();
  // A root's own signature is not looked at, so this changes the algorithm and nothing else.
  replace_root(scene, scene.root.root_builder().sign(p384, kEcdsa).value());
  EXPECT_EQ(scene.verdict(), Names{"tdx.pck.algorithms"});
}

TEST(TdxPck, ValidityHoldsAtBothEnds) {
  const WallTime now = TdxScene::time();
  const auto verdict = [now](WallTime from, WallTime until) {
    TdxScene scene;
    auto builder = scene.pck_builder(scene.platform.platform());
    builder.validity(from, until);
    scene.set_pck(builder, scene.root.keys().pck_ca);
    scene.now = now;
    return scene.verdict();
  };
  EXPECT_EQ(verdict(now, now + kDay), kAccepted);
  EXPECT_EQ(verdict(now - kDay, now), kAccepted);
  EXPECT_EQ(verdict(now + kSecond, now + kDay), Names{"tdx.pck.validity"});
  EXPECT_EQ(verdict(now - kDay, now - kSecond), Names{"tdx.pck.validity"});
}

/// A PCK certificate with these values of Intel's extension.
Names verdict_with_extensions(TdxScene& scene, const std::vector<Bytes>& values) {
  crypto::CertificateBuilder builder;
  builder.serial(serial_of(TdxSerial::pck))
      .subject(simulate::intel_name("Intel SGX PCK Certificate"))
      .issuer(simulate::intel_name("Intel SGX PCK Platform CA"))
      .validity(TdxScene::time(), TdxScene::time() + kDay)
      .public_key(scene.platform.pck_key().public_key());
  for (const Bytes& value : values)
    builder.extension("1.2.840.113741.1.13.1", crypto::Criticality::non_critical, value);
  scene.set_pck(builder, scene.root.keys().pck_ca);
  return scene.verdict();
}

bool refuses_extensions(TdxScene& scene, const std::vector<Bytes>& values) {
  const Names failed = verdict_with_extensions(scene, values);
  return std::ranges::count(failed, "tdx.pck.extensions") == 1 && std::ranges::count(failed, "accepted") == 0;
}

TEST(TdxPck, RefusesMissingRepeatedAndMalformedExtensions) {
  TdxScene scene;
  const Bytes whole = simulate::sgx_extension(scene.platform.platform());
  EXPECT_EQ(verdict_with_extensions(scene, {whole}), kAccepted);
  EXPECT_TRUE(refuses_extensions(scene, {}));
  EXPECT_TRUE(refuses_extensions(scene, {whole, whole}));
  EXPECT_TRUE(refuses_extensions(scene, {Bytes()}));
  Bytes longer = whole;
  longer.push_back(std::byte{0});
  EXPECT_TRUE(refuses_extensions(scene, {longer}));

  // The last member (SGX type) once more, lengths mended: nothing else changes.
  constexpr std::ptrdiff_t kLast = 17;  // SEQUENCE, OID of ten bytes, ENUMERATED
  Bytes twice = whole;
  twice.insert(twice.end(), whole.end() - kLast, whole.end());
  const std::size_t size = twice.size() - 4;
  twice[2] = static_cast<std::byte>(size >> 8U);
  twice[3] = static_cast<std::byte>(size);
  EXPECT_EQ(verdict_with_extensions(scene, {twice}), Names{"tdx.pck.extensions"});
}

TEST(TdxExhaustive, PckRefusesItsExtensionCutAtAnyByte) {
  TdxScene scene;
  const Bytes whole = simulate::sgx_extension(scene.platform.platform());
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_TRUE(refuses_extensions(scene, {to_bytes(ByteView(whole).first(size))})) << size;
}

// --- revocation -----------------------------------------------------------------------------------------------------

/// One of the two lists, with the names of its checks.
struct List {
  Bytes simulate::CollateralParts::* place;
  Result<Bytes> (simulate::TdxRoot::*make)(WallTime, WallTime, std::span<const Bytes>) const;
  std::string prefix;
};
const List kRootList = {&simulate::CollateralParts::root_ca_crl, &simulate::TdxRoot::root_crl, "tdx.root-crl."};
const List kPckList = {&simulate::CollateralParts::pck_crl, &simulate::TdxRoot::pck_crl, "tdx.pck-crl."};

Names verdict_of(const List& list, WallTime from, WallTime until, const std::vector<Bytes>& revoked = {}) {
  TdxScene scene;
  scene.parts.*(list.place) = (scene.root.*(list.make))(from, until, revoked).value();
  return scene.verdict();
}

TEST(TdxRevocation, ListsAreCurrentAtBothEnds) {
  const WallTime now = TdxScene::time();
  for (const List& list : {kRootList, kPckList}) {
    EXPECT_EQ(verdict_of(list, now, now + kDay), kAccepted);
    EXPECT_EQ(verdict_of(list, now - kDay, now), kAccepted);
    EXPECT_EQ(verdict_of(list, now + kSecond, now + kDay), Names{list.prefix + "validity"});
    EXPECT_EQ(verdict_of(list, now - kDay, now - kSecond), Names{list.prefix + "validity"});
  }
}

TEST(TdxRevocation, RefusesWhatIsRevoked) {
  const WallTime now = TdxScene::time();
  const auto verdict = [now](const List& list, TdxSerial serial) {
    return verdict_of(list, now, now + kDay, {serial_of(serial)});
  };
  for (const TdxSerial serial : {TdxSerial::root, TdxSerial::pck_ca, TdxSerial::tcb_signer})
    EXPECT_EQ(verdict(kRootList, serial), Names{"tdx.root-crl.revocation"});
  EXPECT_EQ(verdict(kRootList, TdxSerial::pck), kAccepted);  // another authority's number
  EXPECT_EQ(verdict(kPckList, TdxSerial::pck), Names{"tdx.pck-crl.revocation"});
  EXPECT_EQ(verdict(kPckList, TdxSerial::pck_ca), kAccepted);
}

TEST(TdxRevocation, RefusesListsOfOthers) {
  const WallTime now = TdxScene::time();
  TdxScene scene;
  const auto forged = [now](std::string_view issuer, const crypto::SigningKey& key) {
    crypto::CrlBuilder builder;
    builder.issuer(simulate::intel_name(issuer)).this_update(now).next_update(now + kDay);
    return builder.sign(key, kEcdsa).value();
  };
  const Bytes root_crl = scene.parts.root_ca_crl;
  for (const Bytes& crl : {forged("Intel SGX Root CA", stranger()),
                           forged("Intel SGX PCK Platform CA", scene.root.keys().root), scene.parts.pck_crl}) {
    scene.parts.root_ca_crl = crl;
    EXPECT_EQ(scene.verdict(), Names{"tdx.root-crl.signature"});
  }
  scene.parts.root_ca_crl = root_crl;
  for (const Bytes& crl : {forged("Intel SGX PCK Platform CA", stranger()),
                           forged("Intel SGX PCK Processor CA", scene.root.keys().pck_ca), root_crl}) {
    scene.parts.pck_crl = crl;
    EXPECT_EQ(scene.verdict(), Names{"tdx.pck-crl.signature"});
  }
}

TEST(TdxRevocation, TheListsOwnChainIsThePcksAuthority) {
  TdxScene scene;
  const std::vector<Bytes> chain = scene.parts.pck_crl_chain;
  const auto other = simulate::TdxRoot::create(TdxScene::time()).value();
  auto processor = scene.root.pck_ca_builder();
  processor.subject(simulate::intel_name("Intel SGX PCK Processor CA"));
  auto rekeyed = scene.root.pck_ca_builder();
  rekeyed.public_key(stranger().public_key());
  const Bytes by_name = processor.sign(scene.root.keys().root, kEcdsa).value();
  const Bytes by_key = rekeyed.sign(scene.root.keys().root, kEcdsa).value();
  for (const std::vector<Bytes>& wrong : std::vector<std::vector<Bytes>>{
           {chain[0]}, {chain[1], chain[0]}, {other.pck_ca(), other.root()}, {by_name, chain[1]}, {by_key, chain[1]}}) {
    scene.parts.pck_crl_chain = wrong;
    EXPECT_EQ(scene.verdict(), Names{"tdx.pck-crl.issuer"});
  }
}

// --- the two signed documents ---------------------------------------------------------------------------------------

struct Document {
  simulate::SignedText simulate::CollateralParts::* place;
  std::string prefix;
};
const Document kTcbInfo = {&simulate::CollateralParts::tcb_info, "tdx.tcb-info."};
const Document kQeIdentity = {&simulate::CollateralParts::qe_identity, "tdx.qe-identity."};

/// The verdict on a document with another text, signed or as it was signed before.
Names verdict_of(const Document& document, const std::function<std::string(std::string)>& change, bool sign = true) {
  TdxScene scene;
  simulate::SignedText& place = scene.parts.*(document.place);
  if (sign)
    scene.publish(place, change(place.text));
  else
    place.text = change(place.text);
  return scene.verdict();
}

TEST(TdxDocuments, RefuseAnotherSigner) {
  for (const Document& document : {kTcbInfo, kQeIdentity}) {
    const Names refused{document.prefix + "chain"};
    TdxScene scene;
    simulate::SignedText& text = scene.parts.*(document.place);
    const std::vector<Bytes> chain = text.chain;
    const auto by_root = [&scene](crypto::CertificateBuilder builder) {
      return builder.sign(scene.root.keys().root, kEcdsa).value();
    };
    const auto now = TdxScene::time();
    text.chain = {by_root(scene.root.tcb_signer_builder().subject(simulate::intel_name("Intel SGX PCK Certificate"))),
                  chain[1]};
    EXPECT_EQ(scene.verdict(), refused);
    text.chain = {by_root(scene.root.tcb_signer_builder().extension(crypto::basic_constraints_ca())), chain[1]};
    EXPECT_EQ(scene.verdict(), refused);
    text.chain = {by_root(scene.root.tcb_signer_builder().validity(now + kSecond, now + kDay)), chain[1]};
    EXPECT_EQ(scene.verdict(), refused);
    text.chain = {by_root(scene.root.tcb_signer_builder().validity(now - kDay, now - kSecond)), chain[1]};
    EXPECT_EQ(scene.verdict(), refused);
    text.chain = {by_root(scene.root.tcb_signer_builder().validity(now, now)), chain[1]};
    EXPECT_EQ(scene.verdict(), kAccepted);
    text.chain = {scene.root.tcb_signer_builder().sign(stranger(), kEcdsa).value(), chain[1]};
    EXPECT_EQ(scene.verdict(), refused);
    text.chain = {chain[0]};
    EXPECT_EQ(scene.verdict(), refused);
    text.chain = {chain[0], chain[1], chain[1]};
    EXPECT_EQ(scene.verdict(), refused);
    const auto other = simulate::TdxRoot::create(now).value();
    text.chain = {other.tcb_signer(), other.root()};
    EXPECT_EQ(scene.verdict(), refused);
  }
}

TEST(TdxDocuments, RefuseEveryByteThatWasNotSigned) {
  for (const Document& document : {kTcbInfo, kQeIdentity}) {
    const Names refused{document.prefix + "signature"};
    EXPECT_EQ(verdict_of(document, [](const std::string& text) { return text + "\n"; }, false), refused);
    EXPECT_EQ(verdict_of(document, [](const std::string& text) { return replaced(text, ",", ", "); }, false), refused);
    EXPECT_EQ(verdict_of(
                  document, [](const std::string& text) { return replaced(text, "OutOfDate", "UpToDate"); }, false),
              refused);
    TdxScene scene;
    scene.parts.tcb_info.signature.swap(scene.parts.qe_identity.signature);
    EXPECT_EQ(scene.verdict(), (Names{"tdx.tcb-info.signature", "tdx.qe-identity.signature"}));
  }
}

TEST(TdxDocuments, RefuseOtherTypesAndVersions) {
  for (const Document& document : {kTcbInfo, kQeIdentity}) {
    const Names refused{document.prefix + "type"};
    EXPECT_EQ(verdict_of(document, [](const std::string& text) { return replaced(text, "\"id\":\"T", "\"id\":\"S"); }),
              refused);
    for (const std::string_view version : {"\"version\":1,", "\"version\":4,"})
      EXPECT_EQ(verdict_of(document,
                           [&](const std::string& text) {
                             const std::size_t at = text.find("\"version\":");
                             return std::string(text).replace(at, version.size(), version);
                           }),
                refused);
  }
  EXPECT_EQ(
      verdict_of(kQeIdentity, [](const std::string& text) { return replaced(text, "\"version\":2", "\"version\":3"); }),
      kAccepted);
}

TEST(TdxDocuments, RefuseWhatIsNotWellFormed) {
  const auto tcb_info = [](std::string_view from, std::string_view to) {
    return verdict_of(kTcbInfo, [&](const std::string& text) { return replaced(text, from, to); });
  };
  const Names refused{"tdx.tcb-info.format"};
  EXPECT_EQ(tcb_info("\"tdxModule\":", "\"module\":"), refused);
  EXPECT_EQ(tcb_info("\"pcesvn\":13", "\"pcesvn\":65536"), refused);
  EXPECT_EQ(tcb_info("\"pcesvn\":13", "\"pcesvn\":-1"), refused);
  EXPECT_EQ(tcb_info("\"pcesvn\":13", "\"pcesvn\":\"13\""), refused);
  EXPECT_EQ(tcb_info("{\"svn\":4,\"category\":\"\",\"type\":\"\"},", ""), refused);  // fifteen components
  EXPECT_EQ(tcb_info("\"svn\":4", "\"svn\":256"), refused);
  EXPECT_EQ(tcb_info("\"nextUpdate\":\"2026-01-31T00:00:00Z\"", "\"nextUpdate\":\"2026-01-31\""), refused);
  EXPECT_EQ(tcb_info("00:00:00Z\",\"nextUpdate\"", "00:00:00+00:00\",\"nextUpdate\""), refused);
  EXPECT_EQ(tcb_info("\"pceId\":\"0000\"", "\"pceId\":\"000000\""), refused);
  EXPECT_EQ(tcb_info("\"tcbType\":0", "\"pceId\":\"0000\""), refused);  // twice
  EXPECT_EQ(tcb_info("\"advisoryIDs\":[]", "\"advisoryIDs\":[1]"), refused);
  EXPECT_EQ(tcb_info("\"tcbType\":0", "\"tcbType\":0,\"whatever\":[{}]"), kAccepted);
  EXPECT_EQ(tcb_info("\"advisoryIDs\":[]", "\"ids\":[]"), kAccepted);
  const auto qe = [](std::string_view from, std::string_view to) {
    return verdict_of(kQeIdentity, [&](const std::string& text) { return replaced(text, from, to); });
  };
  EXPECT_EQ(qe("\"mrsigner\":\"", "\"mrsigner\":\"00"), Names{"tdx.qe-identity.format"});
  EXPECT_EQ(qe("\"isvprodid\":2", "\"isvprodid\":2.0"), Names{"tdx.qe-identity.format"});
  EXPECT_EQ(qe("\"isvprodid\":2", "\"isvprodid\":2,\"x\":null"), kAccepted);
  EXPECT_EQ(verdict_of(kQeIdentity, [](const std::string&) { return std::string("no JSON"); }),
            Names{"tdx.qe-identity.format"});
}

TEST(TdxDocuments, AreCurrentAtBothEnds) {
  const WallTime now = TdxScene::time();
  const auto tcb_info = [](WallTime from, WallTime until) {
    TdxScene scene;
    scene.info.issue_date = from;
    scene.info.next_update = until;
    scene.publish();
    return scene.verdict();
  };
  const auto qe = [](WallTime from, WallTime until) {
    TdxScene scene;
    scene.qe.issue_date = from;
    scene.qe.next_update = until;
    scene.publish();
    return scene.verdict();
  };
  EXPECT_EQ(tcb_info(now, now), kAccepted);
  EXPECT_EQ(tcb_info(now + kSecond, now + kDay), Names{"tdx.tcb-info.validity"});
  EXPECT_EQ(tcb_info(now - kDay, now - kSecond), Names{"tdx.tcb-info.validity"});
  EXPECT_EQ(qe(now, now), kAccepted);
  EXPECT_EQ(qe(now + kSecond, now + kDay), Names{"tdx.qe-identity.validity"});
  EXPECT_EQ(qe(now - kDay, now - kSecond), Names{"tdx.qe-identity.validity"});
}

TEST(TdxDocuments, AreAboutThisPlatform) {
  TdxScene scene;
  scene.info.fmspc[0] ^= std::byte{1};
  scene.publish();
  EXPECT_EQ(scene.verdict(), Names{"tdx.tcb-info.fmspc"});
  scene.info.fmspc[0] ^= std::byte{1};
  scene.info.pce_id[1] = std::byte{1};
  scene.publish();
  EXPECT_EQ(scene.verdict(), Names{"tdx.tcb-info.pce-id"});
}

TEST(TdxDocuments, TheLowerEvaluationCounts) {
  TdxScene scene;
  scene.info.evaluation_number = 21;
  scene.qe.evaluation_number = 19;
  scene.publish();
  EXPECT_EQ(scene.verify()->evaluation_number(), 19U);
}

// --- signatures -----------------------------------------------------------------------------------------------------

TEST(TdxSignatures, RefuseWhatThePckDidNotSign) {
  TdxScene scene;
  scene.platform.name_attestation_key(scene.quote);
  ASSERT_TRUE(scene.platform.sign_qe_report(scene.quote) && scene.platform.sign_body(scene.quote));
  ASSERT_EQ(scene.verdict(simulate::encode_quote(scene.quote)), kAccepted);
  Quote wrong = scene.quote;
  wrong.qe_report_signature[40] ^= std::byte{1};
  EXPECT_EQ(scene.verdict(simulate::encode_quote(wrong)), Names{"tdx.qe.signature"});
  wrong.qe_report_signature = {};
  EXPECT_EQ(scene.verdict(simulate::encode_quote(wrong)), Names{"tdx.qe.signature"});
}

TEST(TdxSignatures, RefuseAttestationKeyThatTheEnclaveDoesNotName) {
  TdxScene scene;
  scene.platform.name_attestation_key(scene.quote);
  const auto verdict = [&scene](std::size_t at) {
    Quote wrong = scene.quote;
    wrong.qe_report.report_data[at] ^= std::byte{1};
    if (!scene.platform.sign_qe_report(wrong) || !scene.platform.sign_body(wrong)) return Names{};
    return scene.verdict(simulate::encode_quote(wrong));
  };
  EXPECT_EQ(verdict(0), Names{"tdx.qe.report-data"});
  EXPECT_EQ(verdict(31), Names{"tdx.qe.report-data"});
  EXPECT_EQ(verdict(32), Names{"tdx.qe.report-data"});  // the tail is zero
  EXPECT_EQ(verdict(63), Names{"tdx.qe.report-data"});
}

TEST(TdxSignatures, RefuseEnclaveThatIntelDoesNotName) {
  const auto verdict = [](const std::function<void(QeReport&)>& change) {
    TdxScene scene;
    change(scene.quote.qe_report);
    return scene.verdict();
  };
  const Names refused{"tdx.qe.identity"};
  EXPECT_EQ(verdict([](QeReport& report) { report.mr_signer[31] ^= std::byte{1}; }), refused);
  EXPECT_EQ(verdict([](QeReport& report) { report.isv_prod_id = 1; }), refused);
  EXPECT_EQ(verdict([](QeReport& report) { report.misc_select[0] = std::byte{1}; }), refused);
  EXPECT_EQ(verdict([](QeReport& report) { report.attributes[0] |= std::byte{0x20}; }), refused);
  EXPECT_EQ(verdict([](QeReport& report) { report.attributes[0] = std::byte{0x01}; }), refused);
  EXPECT_EQ(verdict([](QeReport& report) { report.attributes[0] |= std::byte{0x04}; }), kAccepted);  // outside the mask
  EXPECT_EQ(verdict([](QeReport& report) { report.attributes[15] = std::byte{0xFF}; }), kAccepted);
}

TEST(TdxSignatures, RefuseEnclaveUnderDebugger) {
  TdxScene scene;
  scene.qe.attributes_mask[0] = std::byte{0xF9};  // even if the identity does not ask
  scene.publish();
  scene.quote.qe_report.attributes[0] |= std::byte{0x02};
  EXPECT_EQ(scene.verdict(), Names{"tdx.qe.debug"});
}

TEST(TdxSignatures, RefuseQuoteThatTheAttestationKeyDidNotSign) {
  TdxScene scene;
  scene.platform.name_attestation_key(scene.quote);
  ASSERT_TRUE(scene.platform.sign_qe_report(scene.quote) && scene.platform.sign_body(scene.quote));
  Quote wrong = scene.quote;
  wrong.signature[5] ^= std::byte{1};
  EXPECT_EQ(scene.verdict(simulate::encode_quote(wrong)), Names{"tdx.quote.signature"});
  wrong = scene.quote;
  wrong.body.report_data[0] ^= std::byte{1};
  EXPECT_EQ(scene.verdict(simulate::encode_quote(wrong)), Names{"tdx.quote.signature"});
  wrong = scene.quote;
  std::swap_ranges(wrong.signature.begin(), wrong.signature.begin() + 32, wrong.signature.begin() + 32);
  EXPECT_EQ(scene.verdict(simulate::encode_quote(wrong)), Names{"tdx.quote.signature"});
}

// --- how the platform stands ----------------------------------------------------------------------------------------

TEST(TdxStanding, RefusesModulesThatAreNotIntels) {
  const auto verdict = [](const std::function<void(TdxScene&)>& change) {
    TdxScene scene;
    change(scene);
    scene.publish();
    return scene.verdict();
  };
  const Names refused{"tdx.module.identity"};
  EXPECT_EQ(verdict([](TdxScene& s) { s.quote.body.mr_signer_seam[0] = std::byte{1}; }), refused);
  EXPECT_EQ(verdict([](TdxScene& s) { s.quote.body.seam_attributes[0] = std::byte{1}; }), refused);
  EXPECT_EQ(verdict([](TdxScene& s) {
              s.quote.body.seam_attributes[7] = std::byte{1};
              s.info.module_identities[0].attributes_mask = {};
            }),
            refused);
  EXPECT_EQ(verdict([](TdxScene& s) { s.info.module_identities.clear(); }),
            (Names{"tdx.module.identity", "tdx.module.level"}));
  EXPECT_EQ(verdict([](TdxScene& s) { s.quote.body.tee_tcb_svn[1] = std::byte{2}; }),
            (Names{"tdx.module.identity", "tdx.module.level"}));
  EXPECT_EQ(verdict([](TdxScene& s) {
              s.quote.body.tee_tcb_svn[1] = std::byte{0x0A};
              s.info.module_identities[0].id = "TDX_0a";
            }),
            kAccepted);
  // The identity of the major version stands before the general one.
  EXPECT_EQ(verdict([](TdxScene& s) { s.info.module.mr_signer.fill(std::byte{1}); }), kAccepted);
  EXPECT_EQ(verdict([](TdxScene& s) {
              s.quote.body.tee_tcb_svn[1] = std::byte{0};
              s.info.module.mr_signer.fill(std::byte{1});
            }),
            refused);
}

TEST(TdxStanding, RefusesWhatIsBelowAllLevels) {
  const auto verdict = [](const std::function<void(TdxScene&)>& change) {
    TdxScene scene;
    change(scene);
    scene.publish();
    return scene.verdict();
  };
  EXPECT_EQ(verdict([](TdxScene& s) { s.quote.body.tee_tcb_svn[2] = std::byte{2}; }), Names{"tdx.tcb.level"});
  EXPECT_EQ(verdict([](TdxScene& s) { s.info.levels.clear(); }), Names{"tdx.tcb.level"});
  EXPECT_EQ(verdict([](TdxScene& s) { s.quote.body.tee_tcb_svn[0] = std::byte{4}; }), Names{"tdx.module.level"});
  EXPECT_EQ(verdict([](TdxScene& s) { s.quote.qe_report.isv_svn = 1; }), Names{"tdx.qe.level"});
  EXPECT_EQ(verdict([](TdxScene& s) { s.qe.levels.clear(); }), Names{"tdx.qe.level"});
}

TEST(TdxStanding, SaysWhichComponentIsHowFarBehind) {
  TdxScene scene;
  scene.info.levels[0].sgx[2] = {9, "OS/VMM", "TXT SINIT"};
  scene.info.levels[0].pcesvn = 14;
  scene.info.levels[0].tdx[2].svn = 5;
  scene.info.module_identities[0].levels[0].svn = 8;
  scene.qe.levels[0].svn = 6;
  const TcbResult result = standing(scene);
  std::vector<std::string> texts;
  for (const Shortfall& shortfall : result.shortfalls) texts.push_back(to_string(shortfall));
  EXPECT_EQ(texts, (std::vector<std::string>{"SGX component 3 (OS/VMM, TXT SINIT): 2, newest 9", "PCE: 13, newest 14",
                                             "TDX component 3: 4, newest 5", "TDX module: 7, newest 8",
                                             "quoting enclave: 4, newest 6"}));
  EXPECT_EQ(result.status, TcbStatus::out_of_date);
  EXPECT_EQ(result.advisory_ids,
            (std::vector<std::string>{"SIMULATED-SA-00002", "SIMULATED-SA-00001", "SIMULATED-SA-00003"}));
  EXPECT_EQ(result.tcb_date, TdxScene::time() - 365 * kDay);
}

TEST(TdxStanding, EveryPartOfALevelCounts) {
  const auto status = [](const std::function<void(TdxScene&)>& change) {
    TdxScene scene;
    change(scene);
    return standing(scene).platform_status;
  };
  for (std::size_t i = 0; i < kComponents; ++i) {
    EXPECT_EQ(status([i](TdxScene& s) { ++s.info.levels[0].sgx[i].svn; }), TcbStatus::out_of_date) << i;
    // The first two TDX components are the module's, which has levels of its own.
    EXPECT_EQ(status([i](TdxScene& s) { s.info.levels[0].tdx[i].svn = 200; }),
              i < 2 ? TcbStatus::up_to_date : TcbStatus::out_of_date)
        << i;
  }
  EXPECT_EQ(status([](TdxScene& s) { ++s.info.levels[0].pcesvn; }), TcbStatus::out_of_date);
}

TEST(TdxStanding, ModuleOfMajorVersionZeroIsJudgedByThePlatformsLevel) {
  TdxScene scene;
  scene.quote.body.tee_tcb_svn = {std::byte{5}, std::byte{0}, std::byte{4}};
  TcbResult result = standing(scene);
  EXPECT_EQ(result.status, TcbStatus::up_to_date);
  EXPECT_EQ(result.module_status, std::nullopt);
  scene.info.levels[1].tdx[0].svn = 3;
  scene.quote.body.tee_tcb_svn[0] = std::byte{4};
  result = standing(scene);
  EXPECT_EQ(result.status, TcbStatus::out_of_date);
}

TEST(TdxStanding, LevelsAreComparedFromTheHighestWhateverTheirOrder) {
  TdxScene scene;
  std::ranges::reverse(scene.info.levels);
  std::ranges::reverse(scene.info.module_identities[0].levels);
  std::ranges::reverse(scene.qe.levels);
  const TcbResult result = standing(scene);
  EXPECT_EQ(result.status, TcbStatus::up_to_date);
  EXPECT_TRUE(result.shortfalls.empty());
}

TEST(TdxStanding, PartsMakeTheWholeWorse) {
  using S = TcbStatus;
  struct Row {
    S platform;
    S part;
    S whole;
  };
  const Row rows[] = {
      {S::up_to_date, S::up_to_date, S::up_to_date},
      {S::up_to_date, S::out_of_date, S::out_of_date},
      {S::sw_hardening_needed, S::up_to_date, S::sw_hardening_needed},
      {S::sw_hardening_needed, S::out_of_date, S::out_of_date},
      {S::configuration_needed, S::up_to_date, S::configuration_needed},
      {S::configuration_needed, S::out_of_date, S::out_of_date_configuration_needed},
      {S::configuration_and_sw_hardening_needed, S::up_to_date, S::configuration_and_sw_hardening_needed},
      {S::configuration_and_sw_hardening_needed, S::out_of_date, S::out_of_date_configuration_needed},
      {S::out_of_date, S::out_of_date, S::out_of_date},
      {S::out_of_date, S::revoked, S::revoked},
      {S::out_of_date_configuration_needed, S::out_of_date, S::out_of_date_configuration_needed},
      {S::up_to_date, S::revoked, S::revoked},
      {S::revoked, S::up_to_date, S::revoked},
      {S::revoked, S::out_of_date, S::revoked},
      {S::up_to_date, S::sw_hardening_needed, S::up_to_date},
  };
  for (const Row& row : rows) {
    TdxScene scene;
    scene.quote.body_type = BodyType::td10;  // where no relaunch can be advised
    scene.info.levels[0].standing.status = row.platform;
    scene.info.module_identities[0].levels[0].standing.status = row.part;
    EXPECT_EQ(standing(scene).status, row.whole) << to_string(row.platform) << " with " << to_string(row.part);
    scene.info.module_identities[0].levels[0].standing.status = S::up_to_date;
    scene.qe.levels[0].standing.status = row.part;
    EXPECT_EQ(standing(scene).status, row.whole) << to_string(row.platform) << " with " << to_string(row.part);
  }
}

TEST(TdxStanding, RefusesStatusThatIsNotKnown) {
  const auto verdict = [](const std::function<void(TdxScene&)>& change) {
    TdxScene scene;
    change(scene);
    scene.publish();
    return scene.verdict();
  };
  const Names refused{"tdx.tcb.status"};
  EXPECT_EQ(verdict([](TdxScene& s) { s.info.levels[0].standing.status.reset(); }), refused);
  EXPECT_EQ(verdict([](TdxScene& s) { s.info.module_identities[0].levels[0].standing.status.reset(); }), refused);
  EXPECT_EQ(verdict([](TdxScene& s) { s.qe.levels[0].standing.status.reset(); }), refused);
  EXPECT_EQ(verdict([](TdxScene& s) { s.info.levels[0].standing.status = TcbStatus::td_relaunch_advised; }), refused);
  // One that does not apply does not matter.
  EXPECT_EQ(verdict([](TdxScene& s) { s.info.levels[1].standing.status.reset(); }), kAccepted);
}

/// The module was old when the trust domain was launched, and has been replaced since.
TdxScene patched_under_way() {
  TdxScene scene;
  scene.quote.body.tee_tcb_svn[0] = std::byte{5};
  return scene;
}

TEST(TdxStanding, RelaunchIsAdvisedWhereOnlyTheLaunchingModuleIsOld) {
  TdxScene scene = patched_under_way();
  EXPECT_EQ(standing(scene).status, TcbStatus::td_relaunch_advised);
  scene.info.levels[0].standing.status = TcbStatus::configuration_needed;
  EXPECT_EQ(standing(scene).status, TcbStatus::td_relaunch_advised_configuration_needed);
  scene.info.levels[0].standing.status = TcbStatus::sw_hardening_needed;
  EXPECT_EQ(standing(scene).status, TcbStatus::td_relaunch_advised);
  TdxScene first_module = patched_under_way();
  first_module.quote.body.tee_tcb_svn2 = {std::byte{5}, std::byte{0}, std::byte{4}};
  EXPECT_EQ(standing(first_module).status, TcbStatus::td_relaunch_advised);
}

TEST(TdxStanding, NoRelaunchHelpsWhereMoreThanTheLaunchingModuleIsOld) {
  const auto status = [](const std::function<void(TdxScene&)>& change) {
    TdxScene scene = patched_under_way();
    change(scene);
    return standing(scene).status;
  };
  const auto kOld = TcbStatus::out_of_date;
  EXPECT_EQ(status([](TdxScene& s) { s.quote.body_type = BodyType::td10; }), kOld);
  EXPECT_EQ(status([](TdxScene& s) { s.quote.body.tee_tcb_svn2[0] = std::byte{6}; }), kOld);
  EXPECT_EQ(status([](TdxScene& s) { s.quote.body.tee_tcb_svn2[1] = std::byte{2}; }), kOld);
  EXPECT_EQ(status([](TdxScene& s) { s.quote.body.tee_tcb_svn2[2] = std::byte{3}; }), kOld);
  EXPECT_EQ(status([](TdxScene& s) { s.quote.body.tee_tcb_svn2 = {std::byte{4}, std::byte{0}, std::byte{4}}; }), kOld);
  EXPECT_EQ(status([](TdxScene& s) { s.quote.qe_report.isv_svn = 2; }), kOld);
  EXPECT_EQ(status([](TdxScene& s) { s.info.levels[0].standing.status = TcbStatus::out_of_date; }), kOld);
  EXPECT_EQ(status([](TdxScene& s) { s.info.module_identities[0].levels[1].standing.status = TcbStatus::revoked; }),
            TcbStatus::revoked);
}

TEST(TdxStanding, EveryStatusHasItsOwnName) {
  for (int i = 0; i <= static_cast<int>(TcbStatus::revoked); ++i) {
    const auto status = static_cast<TcbStatus>(i);
    EXPECT_EQ(tcb_status_from_string(to_string(status)), status);
  }
  EXPECT_EQ(tcb_status_from_string("uptodate"), std::nullopt);
  EXPECT_EQ(tcb_status_from_string(""), std::nullopt);
}

// --- the bundle -----------------------------------------------------------------------------------------------------

TEST(TdxCollateral, RefusesBundlesThatLackAMember) {
  const std::string whole = simulate::encode_collateral(TdxScene().parts);
  ASSERT_TRUE(parse_collateral(whole, Limits::evidence()));
  for (const std::string_view name :
       {"pck_crl_issuer_chain", "root_ca_crl", "pck_crl", "tcb_info", "tcb_info_signature", "tcb_info_issuer_chain",
        "qe_identity", "qe_identity_signature", "qe_identity_issuer_chain"}) {
    const std::string key = "\"" + std::string(name) + "\":";
    EXPECT_FALSE(parse_collateral(replaced(whole, key, "\"renamed\":"), Limits::evidence())) << name;
    EXPECT_FALSE(parse_collateral(replaced(whole, key, key + "\"\",\"x\":"), Limits::evidence())) << name;
    EXPECT_FALSE(parse_collateral(replaced(whole, key, key + "null,\"x\":"), Limits::evidence())) << name;
    // The two documents are read once their signature holds.
    const bool is_document = name == "tcb_info" || name == "qe_identity";
    EXPECT_EQ(parse_collateral(replaced(whole, key, key + "\"zz\",\"x\":"), Limits::evidence()).has_value(),
              is_document)
        << name;
  }
}

TEST(TdxCollateral, IsBounded) {
  const std::string whole = simulate::encode_collateral(TdxScene().parts);
  Limits limits = Limits::evidence();
  limits.document = whole.size() - 1;
  EXPECT_EQ(parse_collateral(whole, limits).error().code(), Code::too_large);
  limits = Limits::evidence();
  limits.certificate = 8;
  EXPECT_EQ(parse_collateral(whole, limits).error().code(), Code::too_large);
  limits = Limits::evidence();
  limits.certificates = 1;
  EXPECT_FALSE(parse_collateral(whole, limits));
  EXPECT_EQ(parse_collateral("[]", Limits::evidence()).error().code(), Code::evidence_malformed);
  EXPECT_EQ(parse_collateral("", Limits::evidence()).error().code(), Code::evidence_malformed);
}

TEST(TdxExhaustive, CollateralRefusesItsOwnPrefixAtEveryByte) {
  const std::string whole = simulate::encode_collateral(TdxScene().parts);
  for (std::size_t size = 0; size < whole.size(); ++size)
    ASSERT_FALSE(parse_collateral(std::string_view(whole).substr(0, size), Limits::evidence())) << size;
}

TEST(TdxVerify, RefusesAfterAnEarlierFailureOfTheSameList) {
  TdxScene scene;
  const auto quote = parse_unverified(scene.evidence()).value();
  const auto collateral = parse_collateral(simulate::encode_collateral(scene.parts), Limits::evidence()).value();
  Checklist checks;
  checks.require("tdx.format.length", false, "", "", "");
  EXPECT_FALSE(verify(quote, collateral, scene.roots, scene.now, checks));
}

// --- every bit ------------------------------------------------------------------------------------------------------

Bytes flipped_at(const Bytes& whole, std::size_t bit) {
  Bytes flipped = whole;
  flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
  return flipped;
}

/// Bits of the PEM text around the certificates that a reader passes over, by what they turn into what. The
/// certificates themselves stay byte for byte what they are.
bool is_white_space_for_white_space(std::byte before, std::byte after) {
  const auto blank = [](std::byte b) {
    return as_text(ByteView(&b, 1)).find_first_of(std::string_view(" \t\r\n\0", 5)) == 0;
  };
  return blank(before) && blank(after);
}

/// A scene whose collateral is read once: what is looked at thousands of times is the rest.
struct FlipScene {
  TdxScene scene;
  Bytes evidence = scene.evidence();
  std::string pem = parse_unverified(evidence)->pck_chain_pem;
  std::size_t pem_at = evidence.size() - pem.size() - 1;  // a NUL ends it
  Collateral collateral = parse_collateral(simulate::encode_collateral(scene.parts), Limits::evidence()).value();

  [[nodiscard]] bool verifies(const Quote& quote) const {
    Checklist checks;
    return verify(quote, collateral, scene.roots, scene.now, checks).has_value();
  }
  [[nodiscard]] bool verifies(const Bytes& bytes) const {
    const auto quote = parse_unverified(bytes);
    return quote && verifies(*quote);
  }
  [[nodiscard]] bool verifies() const { return verifies(evidence); }
};

// Header, body and enclave's report are signed, its data hashed, every length checked against another.
TEST(TdxExhaustive, NoFlippedBitOfTheQuoteVerifies) {
  const FlipScene flip;
  ASSERT_TRUE(flip.verifies());
  for (std::size_t bit = 0; bit < flip.pem_at * 8; ++bit)
    ASSERT_FALSE(flip.verifies(flipped_at(flip.evidence, bit))) << "byte " << bit / 8 << " bit " << bit % 8;
}

// A flip in the chain's text refuses the quote, or does not change a certificate: it turns white space into other white
// space, or the final NUL into a blank.
TEST(TdxExhaustive, NoFlippedBitOfTheChainChangesACertificate) {
  const FlipScene flip;
  for (std::size_t bit = flip.pem_at * 8; bit < flip.evidence.size() * 8; ++bit) {
    const Bytes flipped = flipped_at(flip.evidence, bit);
    const auto quote = parse_unverified(flipped);
    ASSERT_TRUE(quote) << bit;
    const auto parsed = crypto::Certificate::from_pem(quote->pck_chain_pem, 3);
    if (!parsed) continue;  // "tdx.pck.certificates"
    std::vector<Bytes> certificates;
    for (const auto& certificate : *parsed) certificates.push_back(to_bytes(certificate.der()));
    if (is_white_space_for_white_space(flip.evidence[bit / 8], flipped[bit / 8]))
      EXPECT_EQ(certificates, flip.scene.platform.chain()) << bit;
    else
      ASSERT_FALSE(flip.verifies(*quote)) << "byte " << bit / 8 << " bit " << bit % 8;
  }
}

TEST(TdxExhaustive, NoFlippedBitOfListsAndSignaturesVerifies) {
  FlipScene flip;
  const auto refuse_list = [&flip](crypto::Crl& place, const Bytes& der) {
    const crypto::Crl whole = place;
    for (std::size_t bit = 0; bit < der.size() * 8; ++bit) {
      auto list = crypto::Crl::from_der(flipped_at(der, bit));
      if (!list) continue;  // the bundle is refused
      place = *std::move(list);
      ASSERT_FALSE(flip.verifies()) << "byte " << bit / 8 << " bit " << bit % 8;
    }
    place = whole;
  };
  refuse_list(flip.collateral.root_ca_crl, flip.scene.parts.root_ca_crl);
  refuse_list(flip.collateral.pck_crl, flip.scene.parts.pck_crl);
  for (SignedDocument* document : {&flip.collateral.tcb_info, &flip.collateral.qe_identity})
    for (std::size_t bit = 0; bit < 64 * 8; ++bit) {
      const auto mask = static_cast<std::byte>(1U << (bit % 8));
      document->signature[bit / 8] ^= mask;
      ASSERT_FALSE(flip.verifies()) << "byte " << bit / 8 << " bit " << bit % 8;
      document->signature[bit / 8] ^= mask;
    }
  EXPECT_TRUE(flip.verifies());
}

TEST(TdxExhaustive, NoChangedByteOfTheDocumentsVerifies) {
  FlipScene flip;
  for (SignedDocument* document : {&flip.collateral.tcb_info, &flip.collateral.qe_identity})
    for (std::size_t at = 0; at < document->text.size(); ++at) {
      const char whole = document->text[at];
      document->text[at] = static_cast<char>(whole ^ (1 << (at % 8)));
      ASSERT_FALSE(flip.verifies()) << "byte " << at;
      document->text[at] = whole;
    }
  EXPECT_TRUE(flip.verifies());
}

}  // namespace
}  // namespace waxwing::evidence::tdx
