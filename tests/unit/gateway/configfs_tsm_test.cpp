// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>

#include "support/simulated_root.hpp"
#include "waxwing/gateway/evidence_source.hpp"
#include "waxwing/simulate/snp.hpp"

namespace waxwing::gateway {
namespace {

namespace fs = std::filesystem;
using namespace std::chrono_literals;

const simulate::SnpChip& chip() {
  static const simulate::SnpChip made = simulate::SnpChip::create(test::simulated_root(), test::kEvidenceTime).value();
  return made;
}

/// What the kernel would do, over a plain directory: attributes appear with the entry, a written inblob is answered by
/// a report that carries it, generation counts writes.
class KernelTree final : public DirectoryTsmTree {
 public:
  struct Script {
    int busy_writes = 0;        ///< this many writes fail as EBUSY does
    int foreign_writes = 0;     ///< this many reports meet with somebody else's write
    bool other_report = false;  ///< the report carries other REPORTDATA
    std::string provider = "sev_guest\n";
    Bytes auxblob;
    int entries_made = 0;
  };
  KernelTree(std::string root, Script& script) : DirectoryTsmTree(root), root_(std::move(root)), script_(script) {}

  Result<void> make_entry(const std::string& name) override {
    WAXWING_TRY(DirectoryTsmTree::make_entry(name));
    ++script_.entries_made;
    generation_ = 0;
    put(name, "generation", "0\n");
    put(name, "inblob", "");
    put(name, "provider", script_.provider);
    return {};
  }
  void remove_entry(const std::string& name) override { fs::remove_all(root_ + "/" + name); }
  Result<void> write(const std::string& name, std::string_view attribute, ByteView value) override {
    if (script_.busy_writes > 0) {
      --script_.busy_writes;
      return fail(Code::deadline, "busy");
    }
    WAXWING_TRY(DirectoryTsmTree::write(name, attribute, value));
    ++generation_;
    if (script_.foreign_writes > 0) {
      --script_.foreign_writes;
      ++generation_;
    }
    put(name, "generation", std::to_string(generation_) + "\n");
    simulate::Report report = chip().blank_report();
    report.report_data = to_array<64>(value);
    if (script_.other_report) report.report_data[0] ^= std::byte{1};
    report.report_id[0] = std::byte{9};
    put(name, "outblob", as_text(chip().sign(report).value()));
    put(name, "auxblob", as_text(script_.auxblob));
    return {};
  }

 private:
  void put(const std::string& name, const std::string& attribute, std::string_view value) {
    std::ofstream(root_ + "/" + name + "/" + attribute, std::ios::binary) << value;
  }
  std::string root_;
  Script& script_;
  int generation_ = 0;
};

class ConfigfsTsm : public testing::Test {
 protected:
  ConfigfsTsm() {
    std::string pattern = fs::temp_directory_path() / "waxwing-tsm-XXXXXX";
    root_ = ::mkdtemp(pattern.data());
  }
  ~ConfigfsTsm() override { fs::remove_all(root_); }

  std::unique_ptr<ConfigfsTsmSource> open(ConfigfsTsmOptions options = {}) {
    options.first_pause = 1us;
    return ConfigfsTsmSource::open(std::make_unique<KernelTree>(root_, script), std::move(options)).value();
  }
  std::size_t entries() const {
    return static_cast<std::size_t>(std::distance(fs::directory_iterator(root_), fs::directory_iterator()));
  }

  KernelTree::Script script;
  std::string root_;
  ReportData data{std::byte{1}, std::byte{2}};
};

TEST_F(ConfigfsTsm, ReportCarriesTheDataAndLeavesNoEntry) {
  const auto evidence = open()->report(data);
  ASSERT_TRUE(evidence) << evidence.error().describe();
  EXPECT_EQ(evidence->item.kind, "sev-snp");
  EXPECT_EQ(evidence->item.endorsements, "null");
  EXPECT_EQ(evidence->report_id[0], std::byte{9});
  EXPECT_EQ(entries(), 0U);
}

TEST_F(ConfigfsTsm, EntriesOfEarlierProcessesAreRemovedAtStartAndOthersStay) {
  fs::create_directory(root_ + "/waxwing-1-0");
  fs::create_directory(root_ + "/other");
  const auto source = open();
  EXPECT_FALSE(fs::exists(root_ + "/waxwing-1-0"));
  EXPECT_TRUE(fs::exists(root_ + "/other"));
}

TEST_F(ConfigfsTsm, TransientFailuresAreTriedAgain) {
  script.busy_writes = 3;
  EXPECT_TRUE(open()->report(data));
  EXPECT_EQ(script.entries_made, 4);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(ConfigfsTsm, TransientFailuresEndAtTheDeadline) {
  script.busy_writes = 1'000'000;
  ConfigfsTsmOptions options;
  options.deadline = 1us;
  const auto evidence = open(std::move(options))->report(data);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code(), Code::deadline);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(ConfigfsTsm, ReportWithSomebodyElsesWriteIsThrownAway) {
  script.foreign_writes = 1;
  EXPECT_TRUE(open()->report(data));
  EXPECT_EQ(script.entries_made, 2);
}

TEST_F(ConfigfsTsm, ReportOfOtherDataIsRefused) {
  script.other_report = true;
  const auto evidence = open()->report(data);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code(), Code::evidence_malformed);
}

TEST_F(ConfigfsTsm, OtherHardwareIsUnsupported) {
  script.provider = "tdx_guest\n";
  const auto evidence = open()->report(data);
  ASSERT_FALSE(evidence);
  EXPECT_EQ(evidence.error().code(), Code::evidence_unsupported);
  EXPECT_EQ(entries(), 0U);
}

TEST_F(ConfigfsTsm, ConfiguredCertificatesAreStapled) {
  ConfigfsTsmOptions options;
  options.endorsements.chain = chip().chain();
  const auto evidence = open(std::move(options))->report(data);
  ASSERT_TRUE(evidence);
  EXPECT_EQ(exchange::parse_snp_endorsements(evidence->item.endorsements, Limits::evidence())->chain, chip().chain());
}

TEST_F(ConfigfsTsm, MalformedCertificateTableIsRefused) {
  script.auxblob = Bytes(100, std::byte{1});
  EXPECT_FALSE(open()->report(data));
}

TEST_F(ConfigfsTsm, MissingTreeIsAnError) {
  const auto source =
      ConfigfsTsmSource::open(std::make_unique<DirectoryTsmTree>(root_ + "/absent"), ConfigfsTsmOptions{});
  ASSERT_FALSE(source);
  EXPECT_EQ(source.error().code(), Code::io);
}

}  // namespace
}  // namespace waxwing::gateway
