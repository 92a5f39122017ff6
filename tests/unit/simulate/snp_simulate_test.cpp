// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/snp_scene.hpp"
#include "waxwing/base/encoding.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::simulate {
namespace {

using evidence::sev_snp::SigningKey;
using test::kEvidenceTime;

std::string secret_text(const SecretBytes& secret) {
  return std::string(secret.expose_text(SecretAccess()));
}

SecretBytes as_secret(std::string text) {
  return SecretBytes::take(text);
}

TEST(SimulatedRoot, SurvivesItsFile) {
  const SnpRoot& root = test::simulated_root(Product::turin);
  const SecretBytes text = root.serialise().value();
  const auto restored = SnpRoot::restore(text);
  ASSERT_TRUE(restored) << restored.error().describe();
  EXPECT_EQ(restored->product(), Product::turin);
  EXPECT_EQ(restored->ark(), root.ark());
  EXPECT_EQ(restored->ask(), root.ask());
  EXPECT_EQ(restored->asvk(), root.asvk());
  EXPECT_EQ(restored->serialise().value(), text);
  // What it signs now verifies under the root that was handed out before.
  const auto chip = SnpChip::create(*restored, kEvidenceTime).value();
  test::SnpScene scene(Product::turin);
  scene.chain = chip.chain();
  EXPECT_TRUE(scene.verify(chip.sign(chip.blank_report()).value()));
}

TEST(SimulatedRoot, RefusesFileOfOtherKeysOrParts) {
  const SnpRoot& root = test::simulated_root();
  const std::string text = secret_text(root.serialise().value());
  const std::size_t second = text.find("-----BEGIN", 1);
  const std::size_t third = text.find("-----BEGIN", second + 1);
  const std::string swapped = text.substr(second, third - second) + text.substr(0, second) + text.substr(third);
  EXPECT_FALSE(SnpRoot::restore(as_secret(swapped)));
  EXPECT_FALSE(SnpRoot::restore(as_secret(text.substr(second))));
  EXPECT_FALSE(SnpRoot::restore(as_secret(text + text)));
  EXPECT_FALSE(SnpRoot::restore(as_secret("")));
  EXPECT_FALSE(SnpRoot::restore(as_secret(text.substr(0, text.size() / 2))));
}

TEST(SimulatedRoot, SiblingHasItsOwnNamesAndTheSameKeys) {
  const auto milan = crypto::Certificate::from_der(test::simulated_root(Product::milan).ark()).value();
  const auto genoa = crypto::Certificate::from_der(test::simulated_root().ark()).value();
  EXPECT_EQ(milan.subject_cn(), "ARK-Milan");
  EXPECT_EQ(milan.spki_sha256(), genoa.spki_sha256());
  EXPECT_NE(milan.fingerprint(), genoa.fingerprint());
}

TEST(SimulatedRoot, IsNotOneOfAmds) {
  const auto fingerprint = crypto::sha256(test::simulated_root().ark());
  for (const auto& pin : evidence::sev_snp::amd_roots().pinned) EXPECT_NE(pin.certificate_sha256, fingerprint);
}

TEST(SimulatedChip, KeepsItsIdentityOverRestarts) {
  const SnpRoot& root = test::simulated_root();
  const auto first = SnpChip::create(root, kEvidenceTime).value();
  const auto second = SnpChip::create(root, kEvidenceTime).value();
  EXPECT_EQ(first.spec().hardware_id, second.spec().hardware_id);
  EXPECT_NE(first.chain()[0], second.chain()[0]);  // a new key each time
}

TEST(SimulatedChip, SignsWhatItIsGiven) {
  for (const SigningKey kind : {SigningKey::vcek, SigningKey::vlek}) {
    test::SnpScene scene(Product::genoa, kind);
    scene.report.report_data.fill(std::byte{0xAB});
    scene.report.host_data.fill(std::byte{0xCD});
    scene.report.measurement.fill(std::byte{0xEF});
    const auto verified = scene.verify();
    ASSERT_TRUE(verified) << verified.error().describe();
    EXPECT_EQ(verified->report().report_data, scene.report.report_data);
    EXPECT_EQ(verified->report().host_data, scene.report.host_data);
    EXPECT_EQ(verified->report().measurement, scene.report.measurement);
    EXPECT_EQ(verified->report().signing_key(), kind);
  }
}

TEST(SimulatedReport, EncodingAndParsingAreInverse) {
  test::SnpScene scene;
  const Bytes bytes = scene.evidence();
  EXPECT_EQ(encode_report(evidence::sev_snp::parse_unverified(bytes).value()), bytes);
}

TEST(SimulatedReport, RefusesToSignAnotherSize) {
  Bytes shorter(1183);
  EXPECT_FALSE(sign_report(shorter, test::SnpScene().chip.key()));
}

TEST(SimulatedMeasurement, IsTheOneInTheDocuments) {
  EXPECT_EQ(to_hex(simulated_measurement()), to_hex(crypto::sha384(as_bytes("waxwing simulated guest"))));
}

}  // namespace
}  // namespace waxwing::simulate
