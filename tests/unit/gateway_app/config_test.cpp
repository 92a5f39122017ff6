// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway_app/config.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <fstream>
#include <string>
#include <vector>

namespace waxwing::gateway_app {
namespace {

std::string text_of(const std::string& path) {
  std::ifstream in(std::string(WAXWING_SOURCE_DIR) + "/" + path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::string error_of(std::string_view toml) {
  const auto config = parse_config(toml, "g.toml");
  return config ? "" : config.error().text();
}

std::string refusal_of(std::string_view toml) {
  const auto config = parse_config(toml, "g.toml");
  if (!config) return config.error().text();
  const auto valid = validate(*config);
  return valid ? "" : valid.error().text();
}

TEST(GatewayConfiguration, DefaultsAreValidAndFailClosed) {
  const Config defaults;
  EXPECT_TRUE(validate(defaults));
  EXPECT_EQ(defaults.evidence_source, EvidenceKind::configfs_tsm);
  EXPECT_EQ(defaults.listen_tls, OuterTls::attested);
  EXPECT_FALSE(defaults.engine_allow_remote);
  EXPECT_EQ(defaults.keys_kems, std::vector<std::string>{"x-wing"});
}

TEST(GatewayConfiguration, UnknownKeysAreErrorsWithASuggestion) {
  EXPECT_EQ(error_of("[engine]\nurll = \"builtin\"\n"),
            "g.toml:2:1: unknown key \"engine.urll\"; did you mean \"engine.url\"?");
  EXPECT_NE(error_of("[engines]\nurl = \"builtin\"\n"), "");
  EXPECT_NE(error_of("[engine]\ncache_salt = true\n"), "");  // not served, so not taken
}

TEST(GatewayConfiguration, WrongTypesAndRangesAreErrors) {
  EXPECT_NE(error_of("[engine]\nurl = 5\n"), "");
  EXPECT_NE(error_of("[engine]\nallow_remote = \"true\"\n"), "");
  EXPECT_NE(error_of("[attestation]\nreports_per_second = 0\n"), "");
  EXPECT_NE(error_of("[listen]\ntls = \"none\"\n"), "");
  EXPECT_NE(refusal_of("[keys]\nrotation = \"none\"\n"), "");
  EXPECT_NE(refusal_of("[requests]\nwindow = \"0s\"\n"), "");
  EXPECT_EQ(refusal_of("[engine]\nfirst_byte = \"none\"\n"), "");
}

TEST(GatewayConfiguration, PlainIsForLoopbackOnly) {
  EXPECT_EQ(refusal_of("[listen]\naddress = [\"127.0.0.1:0\", \"[::1]:0\"]\ntls = \"plain\"\n"), "");
  EXPECT_NE(refusal_of("[listen]\naddress = [\"127.0.0.1:0\", \"0.0.0.0:0\"]\ntls = \"plain\"\n"), "");
}

TEST(GatewayConfiguration, FilesNeedBothFiles) {
  EXPECT_NE(refusal_of("[listen]\ntls = \"files\"\n"), "");
  EXPECT_NE(refusal_of("[listen]\ntls = \"files\"\ncertificate = \"c.pem\"\n"), "");
  EXPECT_EQ(refusal_of("[listen]\ntls = \"files\"\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"), "");
  EXPECT_NE(refusal_of("[listen]\ncertificate = \"c.pem\"\nkey = \"k.pem\"\n"), "");
}

TEST(GatewayConfiguration, RemoteEnginesAreAllowedByNameOnly) {
  EXPECT_NE(refusal_of("[engine]\nurl = \"https://engine.example\"\n"), "");
  EXPECT_EQ(refusal_of("[engine]\nurl = \"https://engine.example\"\nallow_remote = true\n"), "");
  EXPECT_NE(refusal_of("[engine]\nurl = \"http://engine.example\"\nallow_remote = true\n"), "");
}

TEST(GatewayConfiguration, ExtraPathsAreMethodAndNormalisedPath) {
  EXPECT_EQ(refusal_of("[engine]\nextra_paths = [\"POST /tokenize\"]\n"), "");
  for (const char* bad : {"/tokenize", "POST", "post /x", "POST /a/../b", "POST /a?b=c", "POST  /a", "POST a"}) {
    EXPECT_NE(refusal_of(std::string("[engine]\nextra_paths = [\"") + bad + "\"]\n"), "") << bad;
  }
}

TEST(GatewayConfiguration, SimulatedValuesNeedSimulatedEvidence) {
  EXPECT_NE(refusal_of("[evidence]\nsimulated_policy = \"0x30000\"\n"), "");
  EXPECT_EQ(refusal_of("[evidence]\nsource = \"simulated\"\nsimulated_policy = \"0x30000\"\n"), "");
  EXPECT_NE(refusal_of("[evidence]\nsource = \"simulated\"\nsimulated_policy = \"30000\"\n"), "");
  EXPECT_NE(refusal_of("[evidence]\nsource = \"simulated\"\nsimulated_measurement = \"00\"\n"), "");
}

TEST(GatewayConfiguration, UnknownKemsAreRefused) {
  EXPECT_NE(refusal_of("[keys]\nkems = []\n"), "");
  EXPECT_NE(refusal_of("[keys]\nkems = [\"p-256\"]\n"), "");
  EXPECT_NE(refusal_of("[keys]\nkems = [\"x-wing\", \"x-wing\"]\n"), "");
  EXPECT_EQ(refusal_of("[keys]\nkems = [\"x-wing\", \"x25519\"]\n"), "");
}

TEST(GatewayConfiguration, CanonicalFormIsSortedWholeAndReadsBackTheSame) {
  const auto config =
      parse_config("[engine]\nurl = \"unix:/run/e.sock\"\n[listen]\naddress = [\"127.0.0.1:1\"]\n", "g.toml").value();
  const std::string text = canonical(config);
  std::vector<std::string> lines;
  for (std::size_t at = 0; at < text.size(); at = text.find('\n', at) + 1) {
    lines.push_back(text.substr(at, text.find('\n', at) - at));
  }
  EXPECT_TRUE(std::ranges::is_sorted(lines));
  EXPECT_EQ(lines.size(), schema().facts().size());
  const auto again = parse_config(text, "canonical");
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(canonical(*again), text);
  EXPECT_EQ(config_sha256(*again), config_sha256(config));
  EXPECT_NE(config_sha256(Config()), config_sha256(config));
}

TEST(GatewayConfiguration, ReferencePageIsWhatTheTableSays) {
  EXPECT_EQ(text_of("docs/gateway-configuration.md"), reference())
      << "run: waxwing-gateway check-config --reference > docs/gateway-configuration.md";
}

TEST(GatewayConfiguration, ExampleIsValid) {
  EXPECT_EQ(refusal_of(text_of("config/gateway.toml")), "");
}

}  // namespace
}  // namespace waxwing::gateway_app
