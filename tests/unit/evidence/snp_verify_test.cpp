// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// Each test takes evidence that passes and changes one thing; the named check, and it alone, must fail. (The mutation
// run switches each check off in turn and expects a test here to notice.)
#include "waxwing/evidence/sev_snp/verify.hpp"

#include <gtest/gtest.h>

#include <algorithm>

#include "support/snp_scene.hpp"
#include "waxwing/base/encoding.hpp"

namespace waxwing::evidence::sev_snp {
namespace {

using crypto::Criticality;
using crypto::SignatureScheme;
using test::kEvidenceTime;
using test::SnpScene;
using Names = std::vector<std::string>;

constexpr auto kPss = SignatureScheme::rsa_pss_sha384;
constexpr std::chrono::hours kDay(24);
const Names kAccepted = {"accepted"};

/// An endorsement key's certificate with other extensions than its spec gives.
void reissue_with(SnpScene& scene, const std::vector<crypto::CertificateExtension>& extensions) {
  crypto::CertificateBuilder builder;
  const bool vlek = scene.chip.spec().kind == SigningKey::vlek;
  builder.subject(simulate::amd_name(vlek ? "SEV-VLEK" : "SEV-VCEK"))
      .issuer(simulate::amd_name((vlek ? "SEV-VLEK-" : "SEV-") + std::string(to_string(scene.root.product()))))
      .validity(kEvidenceTime - kDay, kEvidenceTime + kDay)
      .public_key(scene.chip.key().public_key());
  for (const auto& extension : extensions) builder.extension(extension);
  scene.reissue(builder);
}

crypto::CertificateExtension amd_extension(std::string_view suffix, Bytes value) {
  return {"1.3.6.1.4.1.3704.1." + std::string(suffix), Criticality::non_critical, std::move(value)};
}

TEST(SnpVerify, AcceptsEachProductAndKindOfKey) {
  for (const Product product : {Product::milan, Product::genoa, Product::turin})
    for (const SigningKey kind : {SigningKey::vcek, SigningKey::vlek}) {
      SnpScene scene(product, kind);
      const auto verified = scene.verify();
      ASSERT_TRUE(verified) << to_string(product) << to_string(kind) << verified.error().describe();
      EXPECT_EQ(verified->product(), product);
      EXPECT_EQ(verified->anchor_label(), "SIMULATED");
      EXPECT_EQ(verified->anchor_sha256(), crypto::sha256(scene.root.ark()));
      EXPECT_EQ(verified->ek_sha256(), crypto::sha256(scene.chain[0]));
      EXPECT_FALSE(verified->chip_id_masked());
    }
}

TEST(SnpVerify, AcceptsEveryReportVersion) {
  for (const std::uint32_t version : {2U, 3U, 4U, 5U}) {
    SnpScene scene;
    scene.report.version = version;
    if (version < 5) scene.report.launch_mitigations = scene.report.current_mitigations = 0;
    if (version == 2) scene.report.cpuid.reset();
    EXPECT_EQ(scene.verdict(), kAccepted) << version;
  }
}

TEST(SnpVerify, NotAfterIsTheEarliestEnd) {
  SnpScene scene;
  const auto whole = scene.verify();
  ASSERT_TRUE(whole);
  EXPECT_EQ(whole->not_after(), crypto::Certificate::from_der(scene.chain[0])->not_after());
  scene.crl = scene.root.crl(kEvidenceTime, kEvidenceTime + kDay, {}).value();
  const auto with_list = scene.verify();
  ASSERT_TRUE(with_list);
  EXPECT_EQ(with_list->not_after(), kEvidenceTime + kDay);
}

TEST(SnpVerify, EvidenceDigestIgnoresWhichOfTwoSignaturesItCarries) {
  SnpScene scene;
  const auto first = scene.verify();
  const auto second = scene.verify();  // ECDSA is randomised
  ASSERT_TRUE(first && second);
  EXPECT_NE(first->report().signature_r, second->report().signature_r);
  EXPECT_EQ(first->evidence_sha256(), second->evidence_sha256());
}

TEST(SnpVerify, RefusesKeyOfAnotherKindThanTheReportNames) {
  SnpScene scene;
  for (const SigningKey named : {SigningKey::vlek, SigningKey::none}) {
    scene.report.key_info = static_cast<std::uint32_t>(named) << 2U;
    EXPECT_EQ(scene.verdict(), Names{"snp.key.type"}) << to_string(named);
  }
}

TEST(SnpVerify, RefusesUnknownProcessorAsUnsupported) {
  SnpScene scene;
  scene.report.cpuid = Cpuid{0x1A, 0x50, 0};
  ASSERT_EQ(scene.verdict(), Names{"snp.product.known"});
  EXPECT_EQ(scene.verify().error().code(), Code::evidence_unsupported);
}

TEST(SnpVerify, RefusesEndorsementKeyOnAnotherCurve) {
  SnpScene scene;
  const auto key = crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p256).value();
  scene.reissue(simulate::ek_builder(scene.chip.spec(), key.public_key(), kEvidenceTime));
  EXPECT_EQ(scene.verdict(), Names{"snp.ek.key"});
}

TEST(SnpVerify, RefusesAnotherSubject) {
  SnpScene scene;
  auto name = simulate::amd_name("SEV-VCEK");
  name.front().value = "Marketing";
  scene.reissue(scene.ek_builder(scene.chip.spec()).subject(name));
  EXPECT_EQ(scene.verdict(), Names{"snp.ek.subject"});
}

TEST(SnpVerify, RefusesAnyMissingExtension) {
  for (const SigningKey kind : {SigningKey::vcek, SigningKey::vlek}) {
    SnpScene scene(Product::turin, kind);
    const auto all = simulate::ek_extensions(scene.chip.spec());
    for (std::size_t missing = 0; missing < all.size(); ++missing) {
      auto some = all;
      some.erase(some.begin() + static_cast<std::ptrdiff_t>(missing));
      reissue_with(scene, some);
      const Names failed = scene.verdict();
      EXPECT_TRUE(std::ranges::find(failed, "snp.ek.extensions") != failed.end()) << all[missing].oid;
    }
  }
}

TEST(SnpVerify, RefusesRepeatedOrForeignOrMalformedExtensions) {
  SnpScene scene;
  const auto all = simulate::ek_extensions(scene.chip.spec());
  const auto with = [&](crypto::CertificateExtension extra) {
    auto more = all;
    more.push_back(std::move(extra));
    reissue_with(scene, more);
    return scene.verdict();
  };
  EXPECT_EQ(with(all[2]), Names{"snp.ek.extensions"});  // the same value twice
  EXPECT_EQ(with(amd_extension("3.4", crypto::der_integer(0))), kAccepted);
  EXPECT_EQ(with(amd_extension("5", crypto::der_ia5_string("CN=provider"))), Names{"snp.ek.extensions"});

  const auto replaced = [&](std::size_t index, Bytes value) {
    auto other = all;
    other[index].value = std::move(value);
    reissue_with(scene, other);
    return scene.verdict();
  };
  EXPECT_EQ(replaced(0, from_hex("02020000").value()), Names{"snp.ek.extensions"});  // not the shortest form
  EXPECT_EQ(replaced(0, from_hex("0201ff").value()), Names{"snp.ek.extensions"});    // negative
  EXPECT_EQ(replaced(0, from_hex("02010000").value()), Names{"snp.ek.extensions"});  // trailing byte
  EXPECT_EQ(replaced(0, from_hex("04").value()), Names{"snp.ek.extensions"});
  EXPECT_EQ(replaced(0, {}), Names{"snp.ek.extensions"});
}

TEST(SnpVerify, AcceptsHardwareIdRawOrWrapped) {
  SnpScene scene;
  auto extensions = simulate::ek_extensions(scene.chip.spec());
  Bytes wrapped = {std::byte{0x04}, std::byte{0x40}};
  append(wrapped, scene.chip.spec().hardware_id);
  extensions.back().value = wrapped;
  reissue_with(scene, extensions);
  EXPECT_EQ(scene.verdict(), kAccepted);

  // A raw identity that begins like a wrapper is still raw.
  Bytes raw = scene.chip.spec().hardware_id;
  raw[0] = std::byte{0x04};
  raw[1] = std::byte{0x3E};
  extensions.back().value = raw;
  std::ranges::copy(raw, scene.report.chip_id.begin());
  reissue_with(scene, extensions);
  EXPECT_EQ(scene.verdict(), kAccepted);
}

TEST(SnpVerify, RefusesUnknownCriticalExtension) {
  SnpScene scene;
  auto builder = scene.ek_builder(scene.chip.spec());
  builder.extension("1.3.6.1.4.1.99999.1", Criticality::non_critical, crypto::der_integer(1));
  scene.reissue(builder);
  EXPECT_EQ(scene.verdict(), kAccepted);
  builder.extension("1.3.6.1.4.1.99999.2", Criticality::critical, crypto::der_integer(1));
  scene.reissue(builder);
  // The chain builder refuses it too.
  EXPECT_EQ(scene.verdict(), (Names{"snp.ek.critical", "snp.chain.path"}));
}

TEST(SnpVerify, RefusesEndorsementKeyThatIsAnAuthority) {
  SnpScene scene;
  auto builder = scene.ek_builder(scene.chip.spec());
  builder.extension(crypto::basic_constraints_ca());
  scene.reissue(builder);
  EXPECT_EQ(scene.verdict(), Names{"snp.ek.not-ca"});
}

TEST(SnpVerify, RefusesEvidenceOfTwoProducts) {
  SnpScene scene;
  simulate::EkSpec spec = scene.chip.spec();
  auto extensions = simulate::ek_extensions(spec);
  extensions[1].value = crypto::der_ia5_string("Milan-B0");
  reissue_with(scene, extensions);
  EXPECT_EQ(scene.verdict(), Names{"snp.product.agreement"});

  SnpScene other;
  other.report.cpuid = Cpuid{0x19, 0x01, 1};  // a Milan processor, a Genoa key
  EXPECT_EQ(other.verdict(), Names{"snp.product.agreement"});
}

TEST(SnpVerify, IgnoresSteppingInTheProductName) {
  SnpScene scene;
  auto extensions = simulate::ek_extensions(scene.chip.spec());
  for (const std::string_view name : {"Genoa", "Genoa-Z9"}) {
    extensions[1].value = crypto::der_ia5_string(name);
    reissue_with(scene, extensions);
    EXPECT_EQ(scene.verdict(), kAccepted) << name;
  }
}

TEST(SnpVerify, RefusesRootThatNobodyPinned) {
  SnpScene scene;
  scene.roots = amd_roots();
  EXPECT_EQ(scene.verdict(), Names{"snp.root.pinned"});
  scene.roots = {};
  EXPECT_EQ(scene.verdict(), Names{"snp.root.pinned"});
}

TEST(SnpVerify, RefusesForgedChainWithTheRightNames) {
  // Everything is as AMD would do it, but the keys are the attacker's; the true root is pinned by name-sake.
  SnpScene scene;
  const auto forged =
      simulate::SnpRoot::restore(scene.root.serialise().value()).value().sibling(Product::genoa, kEvidenceTime - kDay);
  ASSERT_TRUE(forged);
  scene.roots.certificates.clear();
  scene.roots.pinned = {{crypto::sha256(forged->ark()), Product::genoa, ""}};  // another DER of the same names
  EXPECT_EQ(scene.verdict(), Names{"snp.root.pinned"});
}

TEST(SnpVerify, AcceptsShippedRootOnlyByItsPin) {
  SnpScene scene;
  scene.roots.certificates.clear();
  scene.roots.pinned = {{crypto::sha256(scene.root.ark()), Product::genoa, "PINNED"}};
  const auto verified = scene.verify();
  ASSERT_TRUE(verified);
  EXPECT_EQ(verified->anchor_label(), "PINNED");
  scene.roots.pinned[0].product = Product::milan;  // pinned as another product's root
  EXPECT_EQ(scene.verdict(), Names{"snp.root.pinned"});
}

TEST(SnpVerify, RefusesIntermediateOfAnotherRole) {
  SnpScene scene;
  // The VLEK intermediate (same key in this simulation) issues a VCEK.
  scene.chain[1] = scene.root.asvk();
  scene.reissue(scene.ek_builder(scene.chip.spec()).issuer(simulate::amd_name("SEV-VLEK-Genoa")));
  EXPECT_EQ(scene.verdict(), Names{"snp.chain.names"});
}

TEST(SnpVerify, RefusesBrokenPath) {
  SnpScene scene;
  const auto& keys = scene.root.keys();
  const auto ask = scene.root.intermediate_builder(SigningKey::vcek);
  scene.chain[1] = ask.sign(keys.ask, kPss).value();  // not signed by the root
  EXPECT_EQ(scene.verdict(), Names{"snp.chain.path"});

  crypto::CertificateBuilder powerless;
  powerless.serial(scene.root.ask_serial())
      .subject(simulate::amd_name("SEV-Genoa"))
      .issuer(simulate::amd_name("ARK-Genoa"))
      .validity(kEvidenceTime - kDay, kEvidenceTime + kDay)
      .public_key(keys.ask.public_key());
  scene.chain[1] = powerless.sign(keys.ark, kPss).value();  // no authority
  EXPECT_EQ(scene.verdict(), Names{"snp.chain.path"});

  SnpScene other;
  other.chain[0] = other.ek_builder(other.chip.spec()).sign(keys.ark, kPss).value();  // not signed by the intermediate
  EXPECT_EQ(other.verdict(), Names{"snp.chain.path"});
}

TEST(SnpVerify, RefusesChainOfAnotherLength) {
  SnpScene scene;
  scene.chain = {scene.chain[0]};
  EXPECT_EQ(scene.verdict(), (Names{"snp.root.pinned", "snp.chain.path"}));

  SnpScene direct;  // the root issues the endorsement key itself
  direct.chain[0] = direct.ek_builder(direct.chip.spec())
                        .issuer(simulate::amd_name("ARK-Genoa"))
                        .sign(direct.root.keys().ark, kPss)
                        .value();
  const Names failed = direct.verdict();
  EXPECT_TRUE(std::ranges::find(failed, "snp.chain.path") != failed.end());
}

TEST(SnpVerify, RefusesOtherSignatureAlgorithmInTheChain) {
  SnpScene scene;
  scene.chain[0] =
      scene.ek_builder(scene.chip.spec()).sign(scene.root.keys().ask, SignatureScheme::rsa_pkcs1_sha384).value();
  EXPECT_EQ(scene.verdict(), Names{"snp.chain.signature-algorithm"});
}

TEST(SnpVerify, RefusesIssuerKeyThatIsNotRsa4096) {
  SnpScene scene;
  const auto weak = crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p256).value();
  auto ask = scene.root.intermediate_builder(SigningKey::vcek);
  scene.chain[1] = ask.public_key(weak.public_key()).sign(scene.root.keys().ark, kPss).value();
  scene.chain[0] = scene.ek_builder(scene.chip.spec()).sign(weak, SignatureScheme::ecdsa).value();
  // What such a key signs is not PSS either.
  EXPECT_EQ(scene.verdict(), (Names{"snp.chain.signature-algorithm", "snp.chain.keys"}));
}

TEST(SnpVerify, RefusesCertificatesOutsideTheirValidity) {
  SnpScene scene;
  const auto ek = crypto::Certificate::from_der(scene.chain[0]).value();
  for (const WallTime inside : {ek.not_before(), ek.not_after()}) {
    scene.now = inside;  // both ends count
    EXPECT_EQ(scene.verdict(), kAccepted);
  }
  scene.now = ek.not_after() + std::chrono::seconds(1);
  EXPECT_EQ(scene.verdict(), Names{"snp.chain.validity"});
  scene.now = ek.not_before() - std::chrono::seconds(1);
  EXPECT_EQ(scene.verdict(), Names{"snp.chain.validity"});
}

TEST(SnpVerify, RefusesMissingRevocationListOnlyWhenRequired) {
  SnpScene scene;
  EXPECT_EQ(scene.verdict(), kAccepted);
  scene.crl_policy = CrlPolicy::required;
  EXPECT_EQ(scene.verdict(), Names{"snp.crl.present"});
  scene.crl = scene.root.crl(kEvidenceTime, kEvidenceTime + kDay, {}).value();
  EXPECT_EQ(scene.verdict(), kAccepted);
}

TEST(SnpVerify, RefusesRevocationListThatIsNotTheRoots) {
  SnpScene scene;
  crypto::CrlBuilder list;
  list.issuer(simulate::amd_name("ARK-Genoa")).this_update(kEvidenceTime).next_update(kEvidenceTime + kDay);
  scene.crl = list.sign(scene.root.keys().ask, kPss).value();
  EXPECT_EQ(scene.verdict(), Names{"snp.crl.signature"});
  scene.crl = list.sign(scene.root.keys().ark, SignatureScheme::rsa_pkcs1_sha384).value();
  EXPECT_EQ(scene.verdict(), Names{"snp.crl.signature"});
  list.issuer(simulate::amd_name("ARK-Milan"));
  scene.crl = list.sign(scene.root.keys().ark, kPss).value();
  EXPECT_EQ(scene.verdict(), Names{"snp.crl.signature"});
}

TEST(SnpVerify, RefusesRevocationListOutsideItsValidity) {
  SnpScene scene;
  scene.crl = scene.root.crl(kEvidenceTime - kDay, kEvidenceTime, {}).value();
  EXPECT_EQ(scene.verdict(), kAccepted);  // both ends count
  scene.crl = scene.root.crl(kEvidenceTime - kDay, kEvidenceTime - std::chrono::seconds(1), {}).value();
  EXPECT_EQ(scene.verdict(), Names{"snp.crl.validity"});
  scene.crl = scene.root.crl(kEvidenceTime + std::chrono::seconds(1), kEvidenceTime + kDay, {}).value();
  EXPECT_EQ(scene.verdict(), Names{"snp.crl.validity"});
}

TEST(SnpVerify, RefusesRevokedIntermediateOfEitherKind) {
  for (const SigningKey kind : {SigningKey::vcek, SigningKey::vlek}) {
    SnpScene scene(Product::genoa, kind);
    const ByteView mine = kind == SigningKey::vcek ? scene.root.ask_serial() : scene.root.asvk_serial();
    const ByteView others = kind == SigningKey::vcek ? scene.root.asvk_serial() : scene.root.ask_serial();
    scene.crl = scene.root.crl(kEvidenceTime, kEvidenceTime + kDay, std::vector<Bytes>{to_bytes(mine)}).value();
    EXPECT_EQ(scene.verdict(), Names{"snp.crl.revocation"}) << to_string(kind);
    scene.crl = scene.root.crl(kEvidenceTime, kEvidenceTime + kDay, std::vector<Bytes>{to_bytes(others)}).value();
    EXPECT_EQ(scene.verdict(), kAccepted) << to_string(kind);
  }
}

TEST(SnpVerify, RefusesSignatureOfAnotherKey) {
  SnpScene scene;
  Bytes bytes = simulate::encode_report(scene.report);
  const auto other = crypto::SigningKey::generate(crypto::SigningKey::Algorithm::p384).value();
  ASSERT_TRUE(simulate::sign_report(bytes, other));
  EXPECT_EQ(scene.verdict(bytes), Names{"snp.signature"});
}

TEST(SnpVerify, RefusesScalarsThatReachAbove48Bytes) {
  SnpScene scene;
  for (const std::size_t at : {std::size_t{0x2A0 + 48}, std::size_t{0x2E8 + 71}}) {
    Bytes bytes = scene.evidence();
    bytes[at] = std::byte{1};
    EXPECT_EQ(scene.verdict(bytes), Names{"snp.signature"}) << at;
  }
}

TEST(SnpVerify, RefusesTcbThatTheKeyWasNotDerivedFor) {
  for (const Product product : {Product::milan, Product::genoa, Product::turin}) {
    SnpScene scene(product);
    const Tcb certified = scene.chip.spec().tcb;
    const auto reported_with = [&](auto change) {
      Tcb tcb = certified;
      change(tcb);
      scene.report.reported_tcb = tcb.encode(product);
      return scene.verdict();
    };
    EXPECT_EQ(reported_with([](Tcb& t) { --t.boot_loader; }), Names{"snp.ek.tcb"});
    EXPECT_EQ(reported_with([](Tcb& t) { --t.snp; }), Names{"snp.ek.tcb"});
    EXPECT_EQ(reported_with([](Tcb& t) { --t.microcode; }), Names{"snp.ek.tcb"});
    if (product == Product::turin) {
      EXPECT_EQ(reported_with([](Tcb& t) { --t.tee; }), Names{"snp.ek.tcb"});
      EXPECT_EQ(reported_with([](Tcb& t) { t.fmc = std::uint8_t{0}; }), Names{"snp.ek.tcb"});
    }
  }
}

TEST(SnpVerify, RefusesReportOfAnotherChip) {
  for (const Product product : {Product::genoa, Product::turin}) {
    SnpScene scene(product);
    scene.report.chip_id[7] ^= std::byte{1};
    EXPECT_EQ(scene.verdict(), Names{"snp.ek.chip-id"});
  }
  SnpScene turin(Product::turin);
  turin.report.chip_id[8] = std::byte{1};  // beyond Turin's eight bytes
  EXPECT_EQ(turin.verdict(), Names{"snp.ek.chip-id"});
}

TEST(SnpVerify, LeavesMaskedChipToThePolicy) {
  SnpScene scene;
  scene.report.chip_id = {};
  EXPECT_EQ(scene.verdict(), Names{"snp.ek.chip-id"});  // zero without the mask bit
  scene.report.key_info |= 2U;
  const auto verified = scene.verify();
  ASSERT_TRUE(verified);
  EXPECT_TRUE(verified->chip_id_masked());
}

TEST(SnpVerify, RefusesTcbBytesThatAreNotAssigned) {
  SnpScene scene;
  scene.report.current_tcb[3] = std::byte{1};
  EXPECT_EQ(scene.verdict(), Names{"snp.tcb.layout"});
}

TEST(SnpVerify, RefusesTcbThatContradictsItself) {
  SnpScene scene;
  Tcb lower = scene.chip.spec().tcb;
  --lower.snp;
  scene.report.current_tcb = lower.encode(Product::genoa);
  scene.report.committed_tcb = scene.report.current_tcb;
  EXPECT_EQ(scene.verdict(), Names{"snp.tcb.order"});  // REPORTED above CURRENT

  SnpScene committed;
  Tcb higher = committed.chip.spec().tcb;
  ++higher.microcode;
  committed.report.committed_tcb = higher.encode(Product::genoa);
  EXPECT_EQ(committed.verdict(), Names{"snp.tcb.order"});
}

TEST(SnpVerify, RefusesCommittedFirmwareAboveTheCurrent) {
  SnpScene scene;
  scene.report.committed_version.build += 1;
  EXPECT_EQ(scene.verdict(), Names{"snp.firmware.order"});
}

TEST(SnpVerify, RefusesAfterAnEarlierFailureOfTheSameList) {
  SnpScene scene;
  const auto report = parse_unverified(scene.evidence()).value();
  const auto endorsements = Endorsements::from_der(scene.chain, std::nullopt, Limits::evidence()).value();
  Checklist checks;
  checks.require("snp.format.length", false, "", "", "");
  EXPECT_FALSE(verify(report, endorsements, scene.roots, scene.now, CrlPolicy::if_present, checks));
}

TEST(SnpVerify, FindsTheChainAmongNamesakes) {
  SnpScene scene;
  const auto twin = scene.root.sibling(Product::genoa, kEvidenceTime + kDay).value();  // other DER, same names
  const auto stranger = scene.root.intermediate_builder(SigningKey::vcek).sign(scene.root.keys().ask, kPss).value();
  scene.chain.insert(scene.chain.begin() + 1, stranger);
  scene.roots.certificates.insert(scene.roots.certificates.begin(),
                                  {crypto::Certificate::from_der(twin.ark()).value(), "TWIN"});
  EXPECT_TRUE(scene.verify()) << scene.verify().error().describe();
}

TEST(SnpEndorsements, AreBoundedAndParsed) {
  const SnpScene scene;
  const Limits limits = Limits::evidence();
  EXPECT_EQ(Endorsements::from_der({}, std::nullopt, limits).error().code(), Code::evidence_malformed);
  const std::vector<Bytes> many(limits.certificates + 1, scene.chain[0]);
  EXPECT_EQ(Endorsements::from_der(many, std::nullopt, limits).error().code(), Code::too_large);
  const std::vector<Bytes> huge = {Bytes(limits.certificate + 1)};
  EXPECT_EQ(Endorsements::from_der(huge, std::nullopt, limits).error().code(), Code::too_large);
  EXPECT_EQ(Endorsements::from_der(scene.chain, as_bytes("no list"), limits).error().code(), Code::evidence_malformed);
}

TEST(SnpEndorsements, RefuseCertificateCutAtAnyByteOrFollowedByOne) {
  SnpScene scene;
  const Bytes whole = scene.chain[0];
  for (std::size_t size = 0; size < whole.size(); ++size) {
    scene.chain[0].assign(whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size));
    ASSERT_FALSE(Endorsements::from_der(scene.chain, std::nullopt, Limits::evidence())) << size;
  }
  scene.chain[0] = whole;
  scene.chain[0].push_back(std::byte{0});
  EXPECT_FALSE(Endorsements::from_der(scene.chain, std::nullopt, Limits::evidence()));
}

// Every bit of the evidence is protected: by the signature, or because it must be zero.
TEST(SnpExhaustive, NoFlippedBitOfTheReportVerifies) {
  SnpScene scene;
  const Bytes whole = scene.evidence();
  ASSERT_EQ(scene.verdict(whole), kAccepted);
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    Bytes flipped = whole;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_FALSE(scene.verify(flipped)) << "byte " << bit / 8 << " bit " << bit % 8;
  }
}

TEST(SnpExhaustive, NoFlippedBitOfTheEndorsementKeyVerifies) {
  SnpScene scene;
  const Bytes report = scene.evidence();
  const Bytes whole = scene.chain[0];
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    scene.chain[0] = whole;
    scene.chain[0][bit / 8] ^= static_cast<std::byte>(1U << (bit % 8));
    ASSERT_FALSE(scene.verify(report)) << "byte " << bit / 8 << " bit " << bit % 8;
  }
}

}  // namespace
}  // namespace waxwing::evidence::sev_snp
