// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/crypto/x509.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "waxwing/base/encoding.hpp"
#include "waxwing/crypto/certificate_builder.hpp"

namespace waxwing::crypto {
namespace {

using std::chrono::seconds;
using Algorithm = SigningKey::Algorithm;

const WallTime kFrom = from_unix(1'750'000'000);
const WallTime kTo = from_unix(1'780'000'000);
const WallTime kNow = from_unix(1'760'000'000);

DistinguishedName name(std::string cn) {
  return {{"O", "Waxwing tests"}, {"CN", std::move(cn)}};
}

Certificate parse(const Result<Bytes>& der) {
  return Certificate::from_der(der.value()).value();
}

/// Root -> middle -> leaf, each certificate changeable before it is signed.
struct Pki {
  SigningKey root_key = SigningKey::generate(Algorithm::p384).value();
  SigningKey middle_key = SigningKey::generate(Algorithm::p384).value();
  SigningKey leaf_key = SigningKey::generate(Algorithm::p256).value();

  [[nodiscard]] CertificateBuilder root_builder() const {
    CertificateBuilder builder;
    builder.serial(1).subject(name("root")).issuer(name("root")).validity(kFrom, kTo).public_key(root_key.public_key());
    builder.extension(basic_constraints_ca()).extension(key_usage_cert_and_crl_sign());
    return builder;
  }
  [[nodiscard]] CertificateBuilder middle_builder() const {
    CertificateBuilder builder;
    builder.serial(2).subject(name("middle")).issuer(name("root")).validity(kFrom, kTo);
    builder.public_key(middle_key.public_key()).extension(basic_constraints_ca(std::uint8_t{0}));
    return builder;
  }
  [[nodiscard]] CertificateBuilder leaf_builder() const {
    CertificateBuilder builder;
    builder.subject(name("leaf")).issuer(name("middle")).validity(kFrom, kTo).public_key(leaf_key.public_key());
    return builder;
  }
  [[nodiscard]] Certificate root() const { return parse(root_builder().sign(root_key, SignatureScheme::ecdsa)); }
  [[nodiscard]] Certificate middle() const { return parse(middle_builder().sign(root_key, SignatureScheme::ecdsa)); }
  [[nodiscard]] Certificate leaf() const { return parse(leaf_builder().sign(middle_key, SignatureScheme::ecdsa)); }
};

const Pki& pki() {
  static const Pki instance;
  return instance;
}

const SigningKey& rsa_key() {
  static const SigningKey instance = SigningKey::generate(Algorithm::rsa4096).value();
  return instance;
}

auto verify(const Certificate& leaf, std::vector<Certificate> middles, std::vector<Certificate> roots,
            std::size_t length = 3, WallTime now = kNow) {
  return verify_chain(leaf, middles, roots, length, now);
}

std::optional<ChainError> error_of(const std::expected<std::vector<Certificate>, ChainFailure>& chain) {
  return chain ? std::nullopt : std::optional(chain.error().kind);
}

// --- chains ---------------------------------------------------------------------------------------------------------

TEST(Chain, VerifiesAndIsReturnedLeafFirst) {
  const Certificate leaf = pki().leaf();
  const Certificate middle = pki().middle();
  const Certificate root = pki().root();
  const auto chain = verify(leaf, {root, middle}, {root});
  ASSERT_TRUE(chain) << chain.error().text;
  ASSERT_EQ(chain->size(), 3U);
  EXPECT_EQ((*chain)[0].fingerprint(), leaf.fingerprint());
  EXPECT_EQ((*chain)[1].fingerprint(), middle.fingerprint());
  EXPECT_EQ((*chain)[2].fingerprint(), root.fingerprint());
}

TEST(Chain, RefusesAnotherRootAndNoRoot) {
  CertificateBuilder other = pki().root_builder();
  other.subject(name("other")).issuer(name("other"));
  const Certificate other_root = parse(other.sign(pki().root_key, SignatureScheme::ecdsa));
  EXPECT_EQ(error_of(verify(pki().leaf(), {pki().middle()}, {other_root})), ChainError::not_to_root);
  EXPECT_EQ(error_of(verify(pki().leaf(), {pki().middle()}, {})), ChainError::not_to_root);
  EXPECT_EQ(error_of(verify(pki().leaf(), {}, {pki().root()})), ChainError::not_to_root);
  // What the peer sends along is no anchor.
  EXPECT_EQ(error_of(verify(pki().leaf(), {pki().middle(), pki().root()}, {})), ChainError::not_to_root);
}

TEST(Chain, RefusesARootOfTheSameNameAndAnotherKey) {
  const SigningKey impostor = SigningKey::generate(Algorithm::p384).value();
  const Certificate root =
      parse(pki().root_builder().public_key(impostor.public_key()).sign(impostor, SignatureScheme::ecdsa));
  EXPECT_EQ(error_of(verify(pki().leaf(), {pki().middle()}, {root})), ChainError::bad_signature);
}

TEST(Chain, RefusesALeafSignedByAnotherKey) {
  const Certificate leaf = parse(pki().leaf_builder().sign(pki().root_key, SignatureScheme::ecdsa));
  const auto chain = verify(leaf, {pki().middle()}, {pki().root()});
  EXPECT_EQ(error_of(chain), ChainError::bad_signature);
  EXPECT_NE(chain.error().text.find("leaf"), std::string::npos) << chain.error().text;
}

TEST(Chain, HasExactlyTheLengthAskedFor) {
  const Certificate direct =
      parse(pki().leaf_builder().issuer(name("root")).sign(pki().root_key, SignatureScheme::ecdsa));
  EXPECT_EQ(error_of(verify(direct, {pki().middle()}, {pki().root()})), ChainError::not_to_root);
  EXPECT_TRUE(verify(direct, {pki().middle()}, {pki().root()}, 2));
  EXPECT_FALSE(verify(pki().leaf(), {pki().middle()}, {pki().root()}, 2));
  EXPECT_FALSE(verify(pki().leaf(), {pki().middle()}, {pki().root()}, 4));
}

TEST(Chain, ValidityBoundsAreInclusiveForEveryCertificate) {
  const auto at = [](WallTime now) { return error_of(verify(pki().leaf(), {pki().middle()}, {pki().root()}, 3, now)); };
  EXPECT_EQ(at(kFrom), std::nullopt);
  EXPECT_EQ(at(kTo), std::nullopt);
  EXPECT_EQ(at(kFrom - seconds(1)), ChainError::not_yet_valid);
  EXPECT_EQ(at(kTo + seconds(1)), ChainError::expired);

  const WallTime early = kNow - seconds(1);
  const Certificate old_root =
      parse(pki().root_builder().validity(kFrom, early).sign(pki().root_key, SignatureScheme::ecdsa));
  const Certificate old_middle =
      parse(pki().middle_builder().validity(kFrom, early).sign(pki().root_key, SignatureScheme::ecdsa));
  const Certificate young_leaf =
      parse(pki().leaf_builder().validity(kNow + seconds(1), kTo).sign(pki().middle_key, SignatureScheme::ecdsa));
  EXPECT_EQ(error_of(verify(pki().leaf(), {pki().middle()}, {old_root})), ChainError::expired);
  EXPECT_EQ(error_of(verify(pki().leaf(), {old_middle}, {pki().root()})), ChainError::expired);
  EXPECT_EQ(error_of(verify(young_leaf, {pki().middle()}, {pki().root()})), ChainError::not_yet_valid);
}

TEST(Chain, RefusesIssuersThatAreNoAuthority) {
  CertificateBuilder plain;
  plain.subject(name("middle")).issuer(name("root")).validity(kFrom, kTo).public_key(pki().middle_key.public_key());
  const Certificate without = parse(plain.sign(pki().root_key, SignatureScheme::ecdsa));
  EXPECT_EQ(error_of(verify(pki().leaf(), {without}, {pki().root()})), ChainError::not_a_ca);

  // OpenSSL takes keyCertSign alone for an authority.
  const Certificate usage_only =
      parse(plain.extension(key_usage_cert_and_crl_sign()).sign(pki().root_key, SignatureScheme::ecdsa));
  EXPECT_EQ(error_of(verify(pki().leaf(), {usage_only}, {pki().root()})), ChainError::not_a_ca);
}

TEST(Chain, RefusesPathLengthExceeded) {
  const SigningKey second_key = SigningKey::generate(Algorithm::p256).value();
  CertificateBuilder builder;
  builder.subject(name("second")).issuer(name("middle")).validity(kFrom, kTo).public_key(second_key.public_key());
  builder.extension(basic_constraints_ca());
  const Certificate second = parse(builder.sign(pki().middle_key, SignatureScheme::ecdsa));
  const Certificate leaf = parse(pki().leaf_builder().issuer(name("second")).sign(second_key, SignatureScheme::ecdsa));
  EXPECT_FALSE(verify(leaf, {pki().middle(), second}, {pki().root()}, 4));
}

TEST(Chain, RefusesUnknownCriticalExtensionsOnly) {
  const Bytes value = der_integer(7);
  const Certificate tolerated = parse(pki()
                                          .leaf_builder()
                                          .extension("1.3.6.1.4.1.3704.1.1", Criticality::non_critical, value)
                                          .sign(pki().middle_key, SignatureScheme::ecdsa));
  EXPECT_FALSE(tolerated.has_unknown_critical_extension());
  EXPECT_TRUE(verify(tolerated, {pki().middle()}, {pki().root()}));

  const Certificate refused = parse(pki()
                                        .leaf_builder()
                                        .extension("1.3.6.1.4.1.3704.1.1", Criticality::critical, value)
                                        .sign(pki().middle_key, SignatureScheme::ecdsa));
  EXPECT_TRUE(refused.has_unknown_critical_extension());
  EXPECT_EQ(error_of(verify(refused, {pki().middle()}, {pki().root()})), ChainError::other);
}

TEST(Chain, RsaPssIsToldFromPkcs1) {
  CertificateBuilder builder = pki().root_builder();
  builder.public_key(rsa_key().public_key());
  const Certificate root = parse(builder.sign(rsa_key(), SignatureScheme::rsa_pss_sha384));
  EXPECT_TRUE(root.is_signed_with_pss_sha384());
  EXPECT_TRUE(root.public_key()->is_rsa(4096));
  const Certificate pss = parse(pki().middle_builder().sign(rsa_key(), SignatureScheme::rsa_pss_sha384));
  const Certificate pkcs1 = parse(pki().middle_builder().sign(rsa_key(), SignatureScheme::rsa_pkcs1_sha384));
  EXPECT_TRUE(pss.is_signed_with_pss_sha384());
  EXPECT_FALSE(pkcs1.is_signed_with_pss_sha384());
  EXPECT_FALSE(pki().middle().is_signed_with_pss_sha384());
  // Both verify: whoever wants PSS must ask.
  EXPECT_TRUE(verify(pki().leaf(), {pss}, {root}));
  EXPECT_TRUE(verify(pki().leaf(), {pkcs1}, {root}));

  const SigningKey key = SigningKey::from_pkcs8_pem(rsa_key().to_pkcs8_pem()->expose_text(SecretAccess())).value();
  EXPECT_EQ(key.algorithm(), Algorithm::rsa4096);
  EXPECT_EQ(key.sign_ecdsa({}).error().code(), Code::unsupported);
  EXPECT_EQ(pki().leaf_builder().sign(key, SignatureScheme::ecdsa).error().code(), Code::bad_request);
  EXPECT_EQ(pki().leaf_builder().sign(pki().root_key, SignatureScheme::rsa_pss_sha384).error().code(),
            Code::bad_request);
}

// --- one certificate ------------------------------------------------------------------------------------------------

TEST(Certificate, ShowsWhatWasPutIn) {
  const Certificate leaf =
      parse(pki()
                .leaf_builder()
                .serial(0x1234)
                .extension("1.3.6.1.4.1.3704.1.3.1", Criticality::non_critical, der_integer(3))
                .extension("1.3.6.1.4.1.3704.1.2", Criticality::non_critical, der_ia5_string("Milan-B0"))
                .sign(pki().middle_key, SignatureScheme::ecdsa));
  EXPECT_EQ(leaf.version(), 3);
  EXPECT_EQ(leaf.subject_cn(), "leaf");
  EXPECT_EQ(leaf.issuer_cn(), "middle");
  EXPECT_EQ(leaf.subject(), "CN=leaf,O=Waxwing tests");
  EXPECT_EQ(leaf.serial_hex(), "1234");
  EXPECT_EQ(leaf.not_before(), kFrom);
  EXPECT_EQ(leaf.not_after(), kTo);
  EXPECT_FALSE(leaf.is_ca());
  EXPECT_TRUE(pki().middle().is_ca());
  EXPECT_EQ(leaf.public_key()->spki(), pki().leaf_key.public_key().spki());
  EXPECT_EQ(leaf.spki_sha256(), sha256(pki().leaf_key.public_key().spki()));
  EXPECT_EQ(leaf.fingerprint(), sha256(leaf.der()));
  EXPECT_EQ(leaf.extension_oids(), (std::vector<std::string>{"1.3.6.1.4.1.3704.1.3.1", "1.3.6.1.4.1.3704.1.2"}));
  ASSERT_EQ(leaf.extensions("1.3.6.1.4.1.3704.1.3.1").size(), 1U);
  EXPECT_EQ(to_hex(leaf.extensions("1.3.6.1.4.1.3704.1.3.1")[0]), "020103");
  EXPECT_TRUE(leaf.extensions("1.2.3").empty());
  EXPECT_EQ(pki().leaf().serial_hex(), "00");
}

TEST(Certificate, ShowsRepeatedExtensionsAndNoDoubledCommonName) {
  CertificateBuilder builder = pki().leaf_builder();
  builder.subject({{"CN", "one"}, {"CN", "two"}});
  builder.extension("1.2.3.4", Criticality::non_critical, der_integer(1));
  builder.extension("1.2.3.4", Criticality::non_critical, der_integer(2));
  const Certificate certificate = parse(builder.sign(pki().middle_key, SignatureScheme::ecdsa));
  EXPECT_EQ(certificate.extensions("1.2.3.4"), (std::vector<Bytes>{der_integer(1), der_integer(2)}));
  EXPECT_EQ(certificate.subject_cn(), "");
}

TEST(Certificate, NoExpiryIsCutToTheClocksRange) {
  // The year 9999 of RFC 5280 section 4.1.2.5 is beyond a clock of nanoseconds; 2200 is not.
  const WallTime far = from_unix(7'258'118'400);
  const Bytes der = pki().leaf_builder().validity(kFrom, far).sign(pki().middle_key, SignatureScheme::ecdsa).value();
  EXPECT_EQ(Certificate::from_der(der)->not_after(), far);
  std::string bytes(as_text(der));
  bytes.replace(bytes.find("22000101000000Z"), 15, "99991231235959Z");
  const auto no_expiry = Certificate::from_der(as_bytes(bytes));
  ASSERT_TRUE(no_expiry);
  EXPECT_GT(no_expiry->not_after(), from_unix(9'000'000'000));
}

TEST(Certificate, RefusesTimesInOtherForms) {
  const std::string der(as_text(pki().leaf().der()));
  const std::string utc = "250615150640Z";  // kFrom
  ASSERT_NE(der.find(utc), std::string::npos);
  for (const std::string_view bad :
       {"251315150640Z", "250632150640Z", "25061515064aZ", "2506151506Z+00", "250615150640z", "250615156040Z"}) {
    std::string changed = der;
    changed.replace(changed.find(utc), utc.size(), bad.substr(0, utc.size()));
    EXPECT_FALSE(Certificate::from_der(as_bytes(changed))) << bad;
  }
}

TEST(Certificate, PemReadsBackAndIsStrict) {
  const Certificate leaf_certificate = pki().leaf();
  const Certificate root_certificate = pki().root();
  const std::string leaf = to_pem("CERTIFICATE", leaf_certificate.der());
  const std::string root = to_pem("CERTIFICATE", root_certificate.der());
  const auto both = Certificate::from_pem("\n" + leaf + "\r\n\n" + root + " ", 2);
  ASSERT_TRUE(both) << both.error().describe();
  ASSERT_EQ(both->size(), 2U);
  EXPECT_EQ((*both)[0].fingerprint(), leaf_certificate.fingerprint());
  EXPECT_EQ((*both)[1].fingerprint(), root_certificate.fingerprint());

  EXPECT_EQ(Certificate::from_pem(leaf + root, 1).error().code(), Code::too_large);
  for (const std::string& bad :
       {std::string(), std::string(" \n"), "text\n" + leaf, leaf + "text", leaf + "text\n" + root,
        to_pem("X509 CRL", leaf_certificate.der()), leaf + to_pem("PRIVATE KEY", der_integer(1))}) {
    const auto refused = Certificate::from_pem(bad, 8);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code(), Code::malformed);
  }
  for (std::size_t size = 0; size + 1 < leaf.size(); ++size) {
    EXPECT_FALSE(Certificate::from_pem(std::string_view(leaf).substr(0, size), 8)) << size;
  }
}

TEST(Certificate, RefusesEveryTruncationTrailingBytesAndHugeInput) {
  const Bytes der = to_bytes(pki().leaf().der());
  for (std::size_t size = 0; size < der.size(); ++size) {
    const auto parsed = Certificate::from_der(ByteView(der).first(size));
    ASSERT_FALSE(parsed) << size;
    EXPECT_EQ(parsed.error().code(), Code::malformed);
  }
  Bytes longer = der;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Certificate::from_der(longer));
  EXPECT_EQ(Certificate::from_der(Bytes(kMaxCertificateSize + 1)).error().code(), Code::too_large);
}

TEST(Certificate, NoFlippedBitVerifies) {
  const Bytes der = to_bytes(pki().leaf().der());
  const Certificate middle = pki().middle();
  const Certificate root = pki().root();
  std::size_t parsed = 0;
  for (std::size_t bit = 0; bit < 8 * der.size(); ++bit) {
    Bytes flipped = der;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto certificate = Certificate::from_der(flipped);
    if (!certificate) continue;
    ++parsed;
    EXPECT_FALSE(verify(*certificate, {middle}, {root})) << bit;
  }
  EXPECT_GT(parsed, der.size()) << "the test must reach the signatures";
}

// --- revocation lists -----------------------------------------------------------------------------------------------

CrlBuilder crl_builder() {
  CrlBuilder builder;
  builder.issuer(name("root")).this_update(kFrom).next_update(kTo);
  return builder;
}

Crl parse_crl(const Result<Bytes>& der) {
  return Crl::from_der(der.value()).value();
}

TEST(Crl, TellsIssuerSignatureTimesAndEntries) {
  const ByteArray<1> two{std::byte{2}};
  const ByteArray<1> three{std::byte{3}};
  const Crl crl = parse_crl(crl_builder().revoke(two, kFrom).sign(pki().root_key, SignatureScheme::ecdsa));
  EXPECT_EQ(crl.this_update(), kFrom);
  EXPECT_EQ(crl.next_update(), kTo);
  EXPECT_TRUE(crl.issued_by(pki().root()));
  EXPECT_FALSE(crl.issued_by(pki().middle()));
  EXPECT_TRUE(crl.signed_by(pki().root()));
  EXPECT_FALSE(crl.signed_by(pki().middle()));
  EXPECT_FALSE(crl.is_signed_with_pss_sha384());
  EXPECT_TRUE(crl.revokes(pki().middle()));
  EXPECT_FALSE(crl.revokes(pki().root()));

  const Crl other = parse_crl(crl_builder().revoke(three, kFrom).sign(pki().root_key, SignatureScheme::ecdsa));
  EXPECT_FALSE(other.revokes(pki().middle()));
  const Crl pss = parse_crl(crl_builder().sign(rsa_key(), SignatureScheme::rsa_pss_sha384));
  EXPECT_TRUE(pss.is_signed_with_pss_sha384());
}

TEST(Crl, MayLackNextUpdateAndEntries) {
  CrlBuilder builder;
  builder.issuer(name("root")).this_update(kFrom);
  const Crl crl = parse_crl(builder.sign(pki().root_key, SignatureScheme::ecdsa));
  EXPECT_EQ(crl.next_update(), std::nullopt);
  EXPECT_FALSE(crl.revokes(pki().middle()));
}

TEST(Crl, RefusesTruncationTrailingBytesAndHugeInput) {
  const Bytes der = crl_builder().sign(pki().root_key, SignatureScheme::ecdsa).value();
  for (std::size_t size = 0; size < der.size(); ++size) EXPECT_FALSE(Crl::from_der(ByteView(der).first(size))) << size;
  Bytes longer = der;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(Crl::from_der(longer));
  EXPECT_EQ(Crl::from_der(Bytes(kMaxCrlSize + 1)).error().code(), Code::too_large);
  EXPECT_FALSE(Crl::from_der(pki().root().der()));
}

TEST(Crl, NoFlippedBitIsSigned) {
  const ByteArray<1> two{std::byte{2}};
  const Bytes der = crl_builder().revoke(two, kFrom).sign(pki().root_key, SignatureScheme::ecdsa).value();
  const Certificate root = pki().root();
  for (std::size_t bit = 0; bit < 8 * der.size(); ++bit) {
    Bytes flipped = der;
    flipped[bit / 8] ^= std::byte{1} << (bit % 8);
    const auto crl = Crl::from_der(flipped);
    EXPECT_FALSE(crl && crl->signed_by(root)) << bit;
  }
}

// --- the builder ----------------------------------------------------------------------------------------------------

TEST(CertificateBuilder, RefusesWhatItCannotEncode) {
  const auto code = [](const CertificateBuilder& builder) {
    return builder.sign(pki().root_key, SignatureScheme::ecdsa).error().code();
  };
  EXPECT_EQ(code(CertificateBuilder()), Code::bad_request);
  EXPECT_EQ(code(pki().leaf_builder().subject({{"no such attribute", "x"}})), Code::bad_request);
  EXPECT_EQ(code(pki().leaf_builder().extension("not an oid", Criticality::critical, {})), Code::bad_request);
  EXPECT_EQ(code(pki().leaf_builder().serial(Bytes(21, std::byte{1}))), Code::bad_request);
}

TEST(CertificateBuilder, EncodesIntegersAndNames) {
  EXPECT_EQ(to_hex(der_integer(0)), "020100");
  EXPECT_EQ(to_hex(der_integer(127)), "02017f");
  EXPECT_EQ(to_hex(der_integer(128)), "02020080");
  EXPECT_EQ(to_hex(der_integer(0x1234)), "02021234");
  EXPECT_EQ(to_hex(der_integer(~std::uint64_t{0})), "020900ffffffffffffffff");
  EXPECT_EQ(to_hex(der_ia5_string("Milan")), "16054d696c616e");
  const std::vector<std::string> dns{"localhost"};
  const std::vector<Bytes> addresses{{std::byte{127}, std::byte{0}, std::byte{0}, std::byte{1}}};
  EXPECT_EQ(to_hex(subject_alt_names(dns, addresses).value), "301182096c6f63616c686f737487047f000001");
  EXPECT_EQ(to_hex(basic_constraints_ca().value), "30030101ff");
  EXPECT_EQ(to_hex(basic_constraints_ca(std::uint8_t{0}).value), "30060101ff020100");
}

}  // namespace
}  // namespace waxwing::crypto
