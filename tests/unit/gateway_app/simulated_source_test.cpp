// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway_app/simulated_source.hpp"

#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>

#include "support/scripted_random.hpp"
#include "support/simulated_root.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"

namespace waxwing::gateway_app {
namespace {

namespace fs = std::filesystem;
using evidence::sev_snp::Product;

class SimulatedState : public testing::Test {
 protected:
  SimulatedState() {
    std::string pattern = fs::temp_directory_path() / "waxwing-state-XXXXXX";
    directory_ = ::mkdtemp(pattern.data());
  }
  ~SimulatedState() override { fs::remove_all(directory_); }
  [[nodiscard]] std::string root_file() const { return directory_ + "/simulated-genoa.pem"; }

  std::string directory_;
};

TEST_F(SimulatedState, RootIsKeptForTheOwnerAlone) {
  const auto made = load_or_create_root(directory_ + "/a/b", Product::genoa, test::kEvidenceTime);
  ASSERT_TRUE(made) << made.error().describe();
  const std::string path = directory_ + "/a/b/simulated-genoa.pem";
  struct stat facts{};
  ASSERT_EQ(::stat(path.c_str(), &facts), 0);
  EXPECT_EQ(facts.st_mode & 07777U, 0600U);
  EXPECT_EQ(load_or_create_root(directory_ + "/a/b", Product::genoa, test::kEvidenceTime)->ark(), made->ark());
}

TEST_F(SimulatedState, DamagedRootIsAnErrorAndNotReplaced) {
  std::ofstream(root_file()) << "nothing";
  EXPECT_FALSE(load_or_create_root(directory_, Product::genoa, test::kEvidenceTime));
  EXPECT_EQ(fs::file_size(root_file()), 7U);
}

TEST(SimulatedReports, SayWhatTheOptionsSay) {
  test::CountingRandom random;
  SimulatedOptions options;
  options.policy = 0xb0000;
  options.host_data[0] = std::byte{5};
  options.measurement = ByteArray<48>{std::byte{6}};
  const auto source = SimulatedSource::create(test::simulated_root(), options, random, test::kEvidenceTime).value();
  const gateway::ReportData data{std::byte{1}};
  const auto evidence = source->report(data).value();
  const auto report = evidence::sev_snp::parse_unverified(evidence.item.data).value();
  EXPECT_EQ(report.report_data, data);
  EXPECT_TRUE(report.policy.debug());
  EXPECT_EQ(report.measurement, *options.measurement);
  EXPECT_EQ(evidence.host_data, options.host_data);
  EXPECT_EQ(evidence.report_id, report.report_id);
  EXPECT_EQ(source->report(data)->report_id, report.report_id);
  const auto other = SimulatedSource::create(test::simulated_root(), options, random, test::kEvidenceTime).value();
  EXPECT_NE(other->report(data)->report_id, report.report_id);
}

}  // namespace
}  // namespace waxwing::gateway_app
