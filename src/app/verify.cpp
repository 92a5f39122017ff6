// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <utility>
#include <variant>

#include "commands.hpp"
#include "config.hpp"
#include "waxwing/appraisal/verdict.hpp"
#include "waxwing/base/limits.hpp"
#include "waxwing/base/outcome.hpp"
#include "waxwing/crypto/random.hpp"
#include "waxwing/net/dialer.hpp"
#include "waxwing/net/task_group.hpp"
#include "waxwing/observe/log.hpp"

namespace waxwing::app {

namespace {

using provider::native::EvidenceRoots;

/// AMD's and Intel's, and the given one as SIMULATED: enough to verify evidence, not to trust a worker.
Result<EvidenceRoots> evidence_roots(const std::string& simulated_root) {
  appraisal::Policy policy;
  policy.roots = evidence::sev_snp::amd_roots();
  policy.tdx_roots = evidence::tdx::intel_roots();
  if (!simulated_root.empty()) {
    WAXWING_ASSIGN(const std::string certificate, load_file(simulated_root, Limits::local_file().certificate));
    policy.root_files.push_back({.path = simulated_root, .label = "SIMULATED"});
    WAXWING_TRY(policy.add_root(as_bytes(certificate)));
  }
  return EvidenceRoots{std::move(policy.roots), std::move(policy.tdx_roots)};
}

Result<upstream::ProviderOptions> provider_options(const Verify& command) {
  upstream::ProviderOptions options;
  WAXWING_ASSIGN(options.url, net::parse_url(command.url));
  const bool https = options.url.origin.scheme == net::Scheme::https;
  options.tls = command.tls.value_or(https ? upstream::TlsMode::webpki : upstream::TlsMode::plain);
  if (!command.ca_file.empty()) {
    WAXWING_ASSIGN(options.ca_pem, load_file(command.ca_file, Limits::local_file().certificate));
  }
  WAXWING_TRY(upstream::check(options));
  return options;
}

/// What a worker is judged by: a policy, or the evidence alone under these roots.
using Yardstick = std::variant<appraisal::Policy, EvidenceRoots>;

Result<Yardstick> yardstick(const Verify& command) {
  if (command.policy.empty()) {
    WAXWING_ASSIGN(auto roots, evidence_roots(command.simulated_root));
    return roots;
  }
  WAXWING_ASSIGN(auto policy, load_policy(command.policy));
  return policy;
}

net::Task<> attest_into(const upstream::Environment& environment, const upstream::ProviderOptions& options,
                        const Yardstick& yardstick, Result<appraisal::Verdict>& verdict) {
  if (const auto* policy = std::get_if<appraisal::Policy>(&yardstick)) {
    auto attested = co_await upstream::attest(environment, options, *policy);
    if (attested)
      verdict = std::move(attested->verdict);
    else
      verdict = std::unexpected(std::move(attested).error());
  } else {
    verdict = co_await upstream::attest_evidence(environment, options, std::get<EvidenceRoots>(yardstick));
  }
  co_return Result<void>{};
}

int exit_code(const appraisal::Verdict& verdict, Demand demand) {
  constexpr int kNotAppraised = 10;
  switch (verdict.decision) {
    case appraisal::Decision::accepted:
      return 0;
    case appraisal::Decision::evidence_only:
      return demand == Demand::evidence_only ? 0 : kNotAppraised;
    case appraisal::Decision::refused:
      return outcome_of(verdict.code.value_or(Code::evidence_rejected)).exit_code;
  }
  return outcome_of(Code::internal).exit_code;
}

}  // namespace

int verify(const Verify& command) {
  auto options = provider_options(command);
  if (!options) return report(options.error());
  const auto judged_by = yardstick(command);
  if (!judged_by) return report(judged_by.error());

  const SystemClock clock;
  crypto::SystemRandom random;
  observe::NullLogger log;
  net::Loop loop(clock);
  net::DirectDialer dialer(loop);
  upstream::ReplayBudget replay;
  const upstream::Environment environment{
      .loop = loop, .dialer = dialer, .random = random, .log = log, .replay = replay};
  Result<appraisal::Verdict> verdict = fail(Code::internal, "the attestation did not end");
  net::TaskGroup tasks(loop);
  tasks.spawn(attest_into(environment, *options, *judged_by, verdict));
  loop.run();
  if (!verdict) return report(verdict.error());

  std::cout << (command.output == Output::json ? appraisal::to_json(*verdict) + "\n" : appraisal::to_table(*verdict))
            << std::flush;
  return exit_code(*verdict, command.demand);
}

}  // namespace waxwing::app
