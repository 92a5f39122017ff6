// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <iostream>
#include <optional>
#include <utility>

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

/// Any measurement under AMD's roots, and under the given one as SIMULATED: enough to verify evidence, not to trust a
/// worker. What comes of it is never shown as accepted.
Result<appraisal::Policy> evidence_policy(const std::string& simulated_root) {
  appraisal::Policy policy;
  policy.name = "none";
  policy.snp.measurements = appraisal::AnyMeasurement{};
  policy.engine.reach = {appraisal::EngineReach::builtin, appraisal::EngineReach::unix_socket,
                         appraisal::EngineReach::loopback, appraisal::EngineReach::remote};
  policy.roots = evidence::sev_snp::amd_roots();
  if (!simulated_root.empty()) {
    WAXWING_ASSIGN(const std::string certificate, load_file(simulated_root, Limits::local_file().certificate));
    policy.root_files.push_back({.path = simulated_root, .label = "SIMULATED"});
    WAXWING_TRY(policy.add_root(as_bytes(certificate)));
  }
  return policy;
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

net::Task<> attest_into(const upstream::Environment& environment, const upstream::ProviderOptions& options,
                        const appraisal::Policy& policy, std::optional<Result<provider::native::Attested>>& attested) {
  attested = co_await upstream::attest(environment, options, policy);
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
  auto policy = command.policy.empty() ? evidence_policy(command.simulated_root) : load_policy(command.policy);
  if (!policy) return report(policy.error());

  const SystemClock clock;
  crypto::SystemRandom random;
  observe::NullLogger log;
  net::Loop loop(clock);
  net::DirectDialer dialer(loop);
  upstream::ReplayBudget replay;
  const upstream::Environment environment{
      .loop = loop, .dialer = dialer, .random = random, .log = log, .replay = replay};
  std::optional<Result<provider::native::Attested>> attested;
  net::TaskGroup tasks(loop);
  tasks.spawn(attest_into(environment, *options, *policy, attested));
  loop.run();
  if (!attested) return report(Error(Code::internal, "the attestation did not end"));
  if (!*attested) return report(attested->error());

  appraisal::Verdict verdict = std::move((*attested)->verdict);
  if (command.policy.empty() && verdict.decision == appraisal::Decision::accepted)
    verdict.decision = appraisal::Decision::evidence_only;
  std::cout << (command.output == Output::json ? appraisal::to_json(verdict) : appraisal::to_table(verdict))
            << std::flush;
  return exit_code(verdict, command.demand);
}

}  // namespace waxwing::app
