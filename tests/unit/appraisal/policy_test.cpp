// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/appraisal/policy.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>

#include "support/simulated_root.hpp"

namespace waxwing::appraisal {
namespace {

const std::string kHex48(96, 'a');
const std::string kSnp = "[snp]\nmeasurements = [\"" + kHex48 + "\"]\n";

std::string minimal(std::string_view more = "") {
  return "version = 1\n" + std::string(more) + kSnp;
}

/// The error of a text that must be refused.
std::string refusal(std::string_view text) {
  const auto policy = parse_policy(text, "p.toml");
  if (policy) return "accepted";
  EXPECT_EQ(policy.error().code(), Code::config_invalid);
  return policy.error().text();
}

TEST(PolicyFile, DefaultsAreStrict) {
  const auto policy = parse_policy(minimal(), "p.toml");
  ASSERT_TRUE(policy) << policy.error().describe();
  EXPECT_EQ(policy->digest, crypto::sha256(as_bytes(minimal())));
  EXPECT_EQ(policy->origin, Origin::given);
  EXPECT_EQ(policy->max_age, std::chrono::hours(1));
  EXPECT_EQ(policy->roots.pinned.size(), 3U);
  EXPECT_TRUE(policy->roots.certificates.empty());
  const SnpPolicy& snp = policy->snp;
  EXPECT_EQ(std::get<Measurements>(snp.measurements).size(), 1U);
  EXPECT_FALSE(snp.allow_debug || snp.allow_migration || snp.allow_masked_chip_id);
  EXPECT_TRUE(snp.allow_smt && snp.allow_provisional);
  EXPECT_EQ(policy->engine.reach, (std::vector{EngineReach::builtin, EngineReach::unix_socket, EngineReach::loopback}));
}

TEST(PolicyFile, ReadsEveryKey) {
  const std::string text = R"(
version = 1
name = "production"
origin = "observed"
expires = 2027-01-31T01:00:00+01:00
max_age = "30m"

[[roots]]
vendor = "amd"
[[roots]]
label = "SIMULATED"
file = "simulated-root.pem"

[engine]
reach = ["unix", "remote"]
config_sha256 = [")" + std::string(64, 'c') +
                           R"("]

[snp]
measurements = [")" + kHex48 +
                           R"("]
products = ["Genoa", "Turin"]
host_data = [")" + std::string(64, 'b') +
                           R"("]
chip_ids = [")" + std::string(128, 'd') +
                           R"("]
id_keys = [")" + kHex48 + R"("]
author_keys = [")" + kHex48 +
                           R"("]
min_guest_svn = 7
min_firmware = "1.55"
min_firmware_build = 39
vmpl = 0
launch_mitigations = 0x3
current_mitigations = 1
crl = "required"
allow_migration = true
allow_smt = false
allow_cxl = false
allow_provisional = false
allow_masked_chip_id = true
require_single_socket = true
require_aes256_xts = true
require_rapl_disabled = true
require_ciphertext_hiding = true
require_page_swap_disabled = true
require_id_key = true
require_author_key = true
platform = { allow = ["smt"], require = ["ecc", "alias-check"] }

[snp.min_tcb.Genoa]
boot_loader = 10
tee = 0
snp = 27
microcode = 84
[snp.min_launch_tcb.Turin]
fmc = 1
boot_loader = 3
tee = 2
snp = 5
microcode = 97
)";
  const auto policy = parse_policy(text, "p.toml");
  ASSERT_TRUE(policy) << policy.error().describe();
  EXPECT_EQ(policy->name, "production");
  EXPECT_EQ(policy->origin, Origin::observed);
  EXPECT_EQ(to_rfc3339(*policy->expires), "2027-01-31T00:00:00Z");
  EXPECT_EQ(policy->max_age, std::chrono::minutes(30));
  EXPECT_EQ(policy->roots.pinned.size(), 3U);
  ASSERT_EQ(policy->root_files.size(), 1U);
  EXPECT_EQ(policy->root_files[0].path, "simulated-root.pem");
  EXPECT_EQ(policy->engine.reach, (std::vector{EngineReach::unix_socket, EngineReach::remote}));
  EXPECT_EQ(policy->engine.config_sha256.size(), 1U);
  const SnpPolicy& snp = policy->snp;
  EXPECT_EQ(snp.products, (std::vector{sev_snp::Product::genoa, sev_snp::Product::turin}));
  EXPECT_TRUE(snp.host_data.size() == 1 && snp.chip_ids.size() == 1 && snp.id_keys.size() == 1);
  EXPECT_EQ(snp.author_keys.size(), 1U);
  EXPECT_EQ(snp.min_guest_svn, 7U);
  EXPECT_TRUE(snp.min_firmware->major == 1 && snp.min_firmware->minor == 55 && snp.min_firmware->build == 39);
  EXPECT_EQ(snp.vmpl, 0U);
  EXPECT_TRUE(snp.launch_mitigations == 3 && snp.current_mitigations == 1);
  EXPECT_EQ(snp.crl, sev_snp::CrlPolicy::required);
  EXPECT_TRUE(snp.allow_migration && snp.allow_masked_chip_id);
  EXPECT_FALSE(snp.allow_smt || snp.allow_cxl || snp.allow_provisional || snp.allow_debug);
  EXPECT_TRUE(snp.require_single_socket && snp.require_aes256_xts && snp.require_rapl_disabled);
  EXPECT_TRUE(snp.require_ciphertext_hiding && snp.require_page_swap_disabled);
  EXPECT_TRUE(snp.require_id_key && snp.require_author_key);
  EXPECT_EQ(snp.platform->features, 0x25U);
  ASSERT_TRUE(snp.min_tcb.size() == 1 && snp.min_launch_tcb.size() == 1);
  EXPECT_EQ(snp.min_tcb[0].tcb, (sev_snp::Tcb{std::nullopt, 10, 0, 27, 84}));
  EXPECT_EQ(snp.min_launch_tcb[0].tcb, (sev_snp::Tcb{std::uint8_t{1}, 3, 2, 5, 97}));
}

TEST(PolicyFile, ExamplesAreValid) {
  std::size_t seen = 0;
  for (const auto& entry :
       std::filesystem::directory_iterator(std::filesystem::path(WAXWING_SOURCE_DIR) / "config/policies")) {
    if (entry.path().extension() != ".toml") continue;
    std::ifstream in(entry.path());
    const auto policy =
        parse_policy(std::string(std::istreambuf_iterator<char>(in), {}), entry.path().filename().string());
    EXPECT_TRUE(policy) << policy.error().describe();
    ++seen;
  }
  EXPECT_GT(seen, 0U);
}

TEST(PolicyFile, CannotAllowDebugging) {
  EXPECT_EQ(refusal(minimal() + "allow_debug = true\n"), "p.toml:4:1: unknown key snp.allow_debug");
  EXPECT_EQ(refusal(minimal() + "allow_debug = false\n"), "p.toml:4:1: unknown key snp.allow_debug");
}

TEST(PolicyFile, RefusesUnknownKeysWithTheirPlace) {
  EXPECT_EQ(refusal(minimal("  nmae = \"x\"\n")), "p.toml:2:3: unknown key nmae");
  EXPECT_EQ(refusal(minimal("[engine]\nrich = []\n")), "p.toml:3:1: unknown key engine.rich");
  EXPECT_EQ(refusal(minimal("[[roots]]\nvendor = \"amd\"\ncolour = 1\n")), "p.toml:4:1: unknown key roots.colour");
  EXPECT_EQ(refusal(minimal() + "[snp.min_tcb.Rome]\ntee = 1\n"), "p.toml:4:14: unknown key snp.min_tcb.Rome");
}

TEST(PolicyFile, NeedsAMeasurement) {
  EXPECT_EQ(refusal("version = 1\n"), "p.toml:1:1: snp or tdx is missing");
  EXPECT_EQ(refusal("version = 1\n[snp]\nvmpl = 0\n"), "p.toml:2:1: snp.measurements is missing");
  EXPECT_EQ(refusal("version = 1\n[snp]\nmeasurements = []\n"),
            "p.toml:3:16: snp.measurements must be a list of 48-byte values in hexadecimal");
}

TEST(PolicyFile, RefusesWrongValuesWithTheirPlace) {
  const auto with = [](std::string_view line) { return refusal(minimal() + std::string(line) + "\n"); };
  EXPECT_EQ(with("host_data = [\"abc\"]"),
            "p.toml:4:14: snp.host_data must be a list of 32-byte values in hexadecimal");
  EXPECT_EQ(with("host_data = \"00\""), "p.toml:4:13: snp.host_data must be a list of 32-byte values in hexadecimal");
  EXPECT_EQ(with("vmpl = 4"), "p.toml:4:8: snp.vmpl must be a whole number from 0 to 3");
  EXPECT_EQ(with("min_guest_svn = -1"), "p.toml:4:17: snp.min_guest_svn must be a whole number from 0 to 4294967295");
  EXPECT_EQ(with("allow_smt = \"no\""), "p.toml:4:13: snp.allow_smt must be true or false");
  EXPECT_EQ(with("crl = \"never\""), "p.toml:4:7: snp.crl must be \"required\" or \"if-present\"");
  EXPECT_EQ(with("products = [\"Rome\"]"),
            "p.toml:4:13: snp.products must be a list of \"Milan\", \"Genoa\" or \"Turin\"");
  EXPECT_EQ(with("min_firmware = \"1.256\""), "p.toml:4:16: snp.min_firmware must be a version such as \"1.55\"");
  EXPECT_EQ(with("min_tcb = {}"), "p.toml:4:11: snp.min_tcb must be a table of products");
  EXPECT_EQ(with("platform = { allow = [\"ecc\"] }"),
            "p.toml:4:23: snp.platform.allow must be a list of names of platform features");
  EXPECT_TRUE(with("[snp.min_tcb.Genoa]\ntee = 1").contains("snp.min_tcb.Genoa.boot_loader is missing"));
  EXPECT_TRUE(with("[snp.min_tcb.Genoa]\nfmc = 1\nboot_loader = 1\ntee = 1\nsnp = 1\nmicrocode = 1")
                  .contains("unknown key snp.min_tcb.Genoa.fmc"));
}

TEST(PolicyFile, RefusesWrongHeadsWithTheirPlace) {
  EXPECT_EQ(refusal(kSnp), "p.toml:1:1: version = 1 must be there");
  EXPECT_EQ(refusal("version = 2\n" + kSnp), "p.toml:1:1: version = 1 must be there");
  EXPECT_EQ(refusal(minimal("origin = \"heard\"\n")), "p.toml:2:10: origin must be \"given\" or \"observed\"");
  for (const char* age : {"0s", "25h", "1d", "h", "", "99999999h", "-1h"})
    EXPECT_TRUE(
        refusal(minimal("max_age = \"" + std::string(age) + "\"\n")).starts_with("p.toml:2:11: max_age must be"))
        << age;
  EXPECT_TRUE(refusal(minimal("expires = 2027-01-31T00:00:00\n")).starts_with("p.toml:2:11: expires must be"));
  EXPECT_TRUE(refusal(minimal("expires = 4054-01-31T00:00:00Z\n")).starts_with("p.toml:2:11: expires must be"));
  EXPECT_TRUE(refusal(minimal("expires = 2027-01-31\n")).starts_with("p.toml:2:11: expires must be"));
  EXPECT_TRUE(refusal(minimal("[engine]\nreach = [\"internet\"]\n")).starts_with("p.toml:3:10: engine.reach must be"));
  EXPECT_TRUE(refusal(minimal("[engine]\nreach = []\n")).starts_with("p.toml:3:9: engine.reach must be"));
}

TEST(PolicyFile, RefusesWhatIsNotToml) {
  EXPECT_TRUE(refusal("version = \n").starts_with("p.toml:1:"));
  EXPECT_TRUE(refusal("version = 1\nversion = 1\n" + kSnp).starts_with("p.toml:2:"));
  EXPECT_NE(refusal("\xff\xfe"), "accepted");
  EXPECT_NE(refusal(std::string(Limits::local_file().document + 1, '#')), "accepted");
}

TEST(PolicyFile, RefusesTextThatItsReaderStumblesOver) {
  // Code points that toml++ calls unreachable, where white space may stand; a table header without a key.
  for (const char* character : {"\xC3\xA4", "\xD2\x99", "\xE2\xB6\x8E", "\xE3\x80\x81", "\xEF\xBA\x9A", "\xEF\xBB\xBC"})
    EXPECT_TRUE(refusal("version = 1\n" + std::string(character) + " = 2\n").starts_with("p.toml:2:1: ")) << character;
  EXPECT_TRUE(refusal("[= 1]\n").starts_with("p.toml:1:2: "));
  EXPECT_TRUE(parse_policy("version = 1 # M\xC3\xBCnchen\nname = \"\xE6\x97\xA5\xEF\xBB\xBC\"\n" + kSnp, "p.toml"));
}

TEST(PolicyFile, RefusesItsOwnPrefixAtEveryByte) {
  const std::string whole = minimal("name = \"x\"\n");
  for (std::size_t size = 0; size + 3 < whole.size(); ++size)  // the last newline and bracket
    ASSERT_NE(refusal(whole.substr(0, size)), "accepted") << size;
}

TEST(PolicyFile, SurvivesEveryFlippedBit) {
  const std::string whole = minimal("name = \"x\"\n");
  for (std::size_t bit = 0; bit < whole.size() * 8; ++bit) {
    std::string flipped = whole;
    flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    if (const auto policy = parse_policy(flipped, "p.toml")) {
      // Whatever still parses names a measurement and allows no debugging.
      ASSERT_FALSE(std::get<Measurements>(policy->snp.measurements).empty());
      ASSERT_FALSE(policy->snp.allow_debug);
    }
  }
}

TEST(PolicyRoots, AreAddedFromFilesInTheirOrder) {
  auto policy = parse_policy(minimal("[[roots]]\nlabel = \"A\"\nfile = \"a.pem\"\n"
                                     "[[roots]]\nlabel = \"B\"\nfile = \"b.der\"\n"),
                             "p.toml")
                    .value();
  EXPECT_TRUE(policy.roots.pinned.empty());  // AMD's count only where they are named
  ASSERT_EQ(policy.root_files.size(), 2U);
  const auto& genoa = test::simulated_root();
  const auto& milan = test::simulated_root(simulate::Product::milan);
  ASSERT_TRUE(policy.add_root(as_bytes(genoa.ark_pem())));
  ASSERT_TRUE(policy.add_root(milan.ark()));
  EXPECT_FALSE(policy.add_root(milan.ark()));  // nothing waits any more
  ASSERT_EQ(policy.roots.certificates.size(), 2U);
  EXPECT_EQ(policy.roots.certificates[0].label, "A");
  EXPECT_EQ(policy.roots.certificates[0].ark.subject_cn(), "ARK-Genoa");
  EXPECT_EQ(policy.roots.certificates[1].ark.subject_cn(), "ARK-Milan");
}

TEST(PolicyRoots, AreReadInline) {
  const auto policy =
      parse_policy(minimal("[[roots]]\nlabel = \"A\"\nfile = \"a.pem\"\n[[roots]]\nlabel = \"LAB\"\npem = \"\"\"\n" +
                           test::simulated_root().ark_pem() + "\"\"\"\n"),
                   "p.toml");
  ASSERT_TRUE(policy) << policy.error().describe();
  ASSERT_EQ(policy->roots.certificates.size(), 1U);
  EXPECT_EQ(policy->roots.certificates[0].label, "LAB");
  EXPECT_EQ(policy->root_files.size(), 1U);
}

TEST(PolicyRoots, RefuseWhatIsNotOneRootCertificate) {
  auto policy = parse_policy(minimal("[[roots]]\nlabel = \"A\"\nfile = \"a.pem\"\n"), "p.toml").value();
  const auto& root = test::simulated_root();
  for (const ByteView bytes : {ByteView(root.ask()), ByteView(), as_bytes("-----BEGIN CERTIFICATE-----")})
    EXPECT_EQ(policy.add_root(bytes).error().code(), Code::config_invalid);
  EXPECT_FALSE(policy.add_root(as_bytes(root.ark_pem() + root.ark_pem())));
  EXPECT_TRUE(policy.add_root(root.ark()));
}

TEST(PolicyRoots, NeedALabelUnlessTheyAreAVendors) {
  EXPECT_EQ(refusal(minimal("[[roots]]\nfile = \"a.pem\"\n")),
            "p.toml:2:1: a root that is not a vendor's needs a label, which every verdict will show");
  EXPECT_TRUE(refusal(minimal("[[roots]]\nlabel = \"\"\nfile = \"a.pem\"\n")).contains("roots.label must be a text"));
  EXPECT_EQ(refusal(minimal("[[roots]]\nlabel = \"A\"\n")), "p.toml:2:1: a root needs one of vendor, file and pem");
  EXPECT_EQ(refusal(minimal("[[roots]]\nvendor = \"amd\"\nlabel = \"A\"\n")),
            "p.toml:2:1: a vendor's root takes no other key");
  EXPECT_TRUE(refusal(minimal("[[roots]]\nvendor = \"acme\"\n")).contains("roots.vendor must be \"amd\" or \"intel\""));
  EXPECT_TRUE(refusal(minimal("roots = []\n")).contains("roots must be a list of tables"));
}

TEST(EngineReach, NamesRoundTrip) {
  for (const EngineReach reach :
       {EngineReach::builtin, EngineReach::unix_socket, EngineReach::loopback, EngineReach::remote})
    EXPECT_EQ(engine_reach_from_string(to_string(reach)), reach);
  EXPECT_EQ(engine_reach_from_string("Unix"), std::nullopt);
}

}  // namespace
}  // namespace waxwing::appraisal
