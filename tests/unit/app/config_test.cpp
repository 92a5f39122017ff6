// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "config.hpp"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "support/vectors.hpp"

namespace waxwing::app {
namespace {

constexpr std::string_view kProvider = "[[provider]]\nurl = \"https://w.example:8443\"\npolicy = \"p.toml\"\n";

std::string error_of(const std::string& toml) {
  const auto config = parse_config(toml, "w.toml");
  return config ? "" : config.error().text();
}

/// A directory with a policy in it, gone with the test.
class ProviderFiles : public ::testing::Test {
 protected:
  ProviderFiles() {
    std::filesystem::create_directories(directory_);
    write("p.toml", "version = 1\nname = \"p\"\n[snp]\nmeasurements = [\"" + std::string(96, 'a') + "\"]\n");
  }
  ~ProviderFiles() override { std::filesystem::remove_all(directory_); }
  void write(const std::string& name, const std::string& text) { std::ofstream(directory_ / name) << text; }
  Result<LoadedProvider> load(const std::string& toml) {
    WAXWING_ASSIGN(const Config config, parse_config(toml, "w.toml"));
    return load_provider(config.providers.front(), directory_);
  }

 private:
  std::filesystem::path directory_ = std::filesystem::path(::testing::TempDir()) / "waxwing-app-test";
};

TEST(Configuration, NamesWhatAProviderLacks) {
  EXPECT_EQ(error_of("[[provider]]\nname = \"x\"\nurl = \"https://h\"\n"),
            "w.toml:1:1: [[provider]] \"x\" has no policy");
  EXPECT_EQ(error_of("log.level = \"info\"\n"), "w.toml: no [[provider]] is configured");
  EXPECT_NE(error_of(std::string(kProvider) + std::string(kProvider)), "");
}

TEST(Configuration, RefusesUnknownKeysInBothPlaces) {
  EXPECT_EQ(error_of("[listen]\nadress = [\"127.0.0.1:1\"]\n" + std::string(kProvider)),
            "w.toml:2:1: unknown key \"listen.adress\"; did you mean \"listen.address\"?");
  EXPECT_EQ(error_of(std::string(kProvider) + "polcy = \"x\"\n"),
            "w.toml:4:1: unknown key \"polcy\"; did you mean \"policy\"?");
}

TEST(Configuration, RefusesWaitsOfNoLength) {
  EXPECT_EQ(error_of("listen.drain = \"0s\"\n" + std::string(kProvider)), "w.toml: listen.drain must be longer than 0");
  EXPECT_NE(error_of(std::string(kProvider) + "idle = \"0ms\"\n"), "");
  EXPECT_EQ(error_of("listen.client_idle = \"none\"\n" + std::string(kProvider)), "");
}

TEST_F(ProviderFiles, LoadsWhatItNames) {
  const auto provider = load(std::string(kProvider));
  ASSERT_TRUE(provider) << provider.error().describe();
  EXPECT_EQ(provider->policy->name, "p");
  EXPECT_FALSE(provider->options.first_byte);
  EXPECT_EQ(provider->options.client.padding, exchange::Demand::required);
}

TEST_F(ProviderFiles, RefusesPlainToAnotherMachineAndMixedUpTls) {
  EXPECT_FALSE(load("[[provider]]\nurl = \"http://w.example\"\npolicy = \"p.toml\"\ntls = \"plain\"\n"));
  EXPECT_FALSE(load("[[provider]]\nurl = \"http://127.0.0.1:1\"\npolicy = \"p.toml\"\n"));
  EXPECT_FALSE(load("[[provider]]\nurl = \"https://127.0.0.1:1\"\npolicy = \"p.toml\"\ntls = \"plain\"\n"));
  EXPECT_TRUE(load("[[provider]]\nurl = \"http://127.0.0.1:1\"\npolicy = \"p.toml\"\ntls = \"plain\"\n"));
}

TEST_F(ProviderFiles, RefusesMissingFilesEmptyKeysAndUnknownKems) {
  EXPECT_FALSE(load("[[provider]]\nurl = \"https://h\"\npolicy = \"absent.toml\"\n"));
  write("key", "\n");
  EXPECT_FALSE(load(std::string(kProvider) + "api_key_file = \"key\"\n"));
  write("key", "sk-1\n");
  EXPECT_TRUE(load(std::string(kProvider) + "api_key_file = \"key\"\n"));
  EXPECT_FALSE(load(std::string(kProvider) + "kem = [\"kyber\"]\n"));
  EXPECT_FALSE(load(std::string(kProvider) + "kem = []\n"));
}

TEST(Configuration, ReferencePageIsUpToDate) {
  const auto page = test::read_file(std::filesystem::path(WAXWING_SOURCE_DIR) / "docs" / "configuration.md");
  ASSERT_TRUE(page);
  EXPECT_EQ(*page, reference()) << "run: waxwing check-config --reference > docs/configuration.md";
}

TEST(Configuration, ExampleIsValid) {
  const auto text = test::read_file(std::filesystem::path(WAXWING_SOURCE_DIR) / "config" / "waxwing.toml");
  ASSERT_TRUE(text);
  const auto config = parse_config(*text, "config/waxwing.toml");
  EXPECT_TRUE(config) << config.error().describe();
}

}  // namespace
}  // namespace waxwing::app
