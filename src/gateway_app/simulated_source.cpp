// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/gateway_app/simulated_source.hpp"

#include <algorithm>
#include <cctype>
#include <utility>

#include "files.hpp"

namespace waxwing::gateway_app {
namespace {

namespace snp = evidence::sev_snp;

std::string root_path(const std::string& state_directory, snp::Product product) {
  std::string name(snp::to_string(product));
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return state_directory + "/simulated-" + name + ".pem";
}

Result<simulate::SnpRoot> load_root(const std::string& path) {
  WAXWING_ASSIGN(const SecretBytes text, read_secret_file(path));
  auto root = simulate::SnpRoot::restore(text);
  if (!root) return std::unexpected(std::move(root).error().with("reading " + path));
  return root;
}

}  // namespace

Result<simulate::SnpRoot> load_or_create_root(const std::string& state_directory, snp::Product product, WallTime now) {
  const std::string path = root_path(state_directory, product);
  if (exists(path)) return load_root(path);
  WAXWING_TRY(make_directories(state_directory));
  WAXWING_ASSIGN(simulate::SnpRoot root, simulate::SnpRoot::create(product, now));
  WAXWING_ASSIGN(const SecretBytes text, root.serialise());
  WAXWING_ASSIGN(const Created created, create_file(path, text.expose(SecretAccess()), FileMode::owner_only));
  if (created == Created::existed) return load_root(path);
  return root;
}

Result<std::unique_ptr<SimulatedSource>> SimulatedSource::create(const simulate::SnpRoot& root,
                                                                 SimulatedOptions options, Random& random,
                                                                 WallTime now) {
  WAXWING_ASSIGN(simulate::SnpChip chip, simulate::SnpChip::create(root, now));
  return std::unique_ptr<SimulatedSource>(new SimulatedSource(std::move(chip), options, random.array<32>()));
}

Result<gateway::Evidence> SimulatedSource::report(const gateway::ReportData& report_data) {
  simulate::Report report = chip_.blank_report();
  report.report_data = report_data;
  report.report_id = report_id_;
  report.host_data = options_.host_data;
  if (options_.measurement) report.measurement = *options_.measurement;
  if (options_.policy) report.policy.bits = *options_.policy;
  gateway::Evidence evidence;
  WAXWING_ASSIGN(evidence.item.data, chip_.sign(report));
  evidence.item.kind = "sev-snp";
  evidence.item.endorsements = exchange::encode_snp_endorsements({.chain = chip_.chain(), .crl = {}});
  evidence.report_id = report.report_id;
  evidence.host_data = report.host_data;
  return evidence;
}

}  // namespace waxwing::gateway_app
