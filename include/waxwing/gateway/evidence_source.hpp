// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/exchange/document.hpp"
#include "waxwing/net/loop.hpp"

/// Where hardware reports come from (docs/protocols/waxwing.md section 1).
namespace waxwing::gateway {

using ReportData = ByteArray<64>;

struct Evidence {
  exchange::EvidenceItem item;
  /// REPORT_ID of the guest: another value means another instance, that is a restored snapshot or a clone.
  ByteArray<32> report_id{};
  /// HOST_DATA: what the host bound to this guest at launch.
  ByteArray<32> host_data{};
};

/// Makes reports, one at a time, from one thread. The call blocks for milliseconds to seconds.
class EvidenceSource {
 public:
  virtual ~EvidenceSource() = default;
  /// Code::io when the platform does not answer, Code::evidence_malformed or Code::evidence_unsupported when it answers
  /// with something else than a report this program can staple.
  [[nodiscard]] virtual Result<Evidence> report(const ReportData& report_data) = 0;
};

/// The same without blocking, as the attestor wants it.
class Reporter {
 public:
  virtual ~Reporter() = default;
  [[nodiscard]] virtual net::Task<Evidence> report(ReportData report_data) = 0;
};

/// Runs a source on a thread of its own. One report at a time: a second call meanwhile is Code::io.
class ThreadedReporter final : public Reporter {
 public:
  /// A report that takes longer than `longest` is Code::deadline; its thread goes on until the source returns.
  ThreadedReporter(net::Loop& loop, EvidenceSource& source, std::chrono::nanoseconds longest);
  /// Waits for a report in progress.
  ~ThreadedReporter() override;
  [[nodiscard]] net::Task<Evidence> report(ReportData report_data) override;

 private:
  struct State;
  std::unique_ptr<State> state_;
};

/// The part of Linux's configfs-tsm that a report needs (Documentation/ABI/testing/configfs-tsm-report): an interface
/// so that tests can play the kernel over a plain directory tree.
class TsmTree {
 public:
  virtual ~TsmTree() = default;
  [[nodiscard]] virtual Result<std::vector<std::string>> entries() = 0;
  [[nodiscard]] virtual Result<void> make_entry(const std::string& name) = 0;
  virtual void remove_entry(const std::string& name) = 0;
  /// Whole attribute files. Transient reasons of the kernel (EBUSY, EINTR, EAGAIN, ETIMEDOUT) are Code::deadline, all
  /// others Code::io.
  [[nodiscard]] virtual Result<Bytes> read(const std::string& name, std::string_view attribute) = 0;
  [[nodiscard]] virtual Result<void> write(const std::string& name, std::string_view attribute, ByteView value) = 0;
};

/// The real tree, or any directory.
class DirectoryTsmTree : public TsmTree {
 public:
  explicit DirectoryTsmTree(std::string root) : root_(std::move(root)) {}
  [[nodiscard]] Result<std::vector<std::string>> entries() override;
  [[nodiscard]] Result<void> make_entry(const std::string& name) override;
  void remove_entry(const std::string& name) override;
  [[nodiscard]] Result<Bytes> read(const std::string& name, std::string_view attribute) override;
  [[nodiscard]] Result<void> write(const std::string& name, std::string_view attribute, ByteView value) override;

 protected:
  [[nodiscard]] std::string path(const std::string& name, std::string_view attribute = {}) const;

 private:
  std::string root_;
};

struct ConfigfsTsmOptions {
  /// Certificates (DER, endorsement key's first) and revocation list to staple instead of what the host hands out.
  exchange::SnpEndorsements endorsements;
  std::chrono::nanoseconds deadline{std::chrono::seconds(10)};          ///< for one report, retries included
  std::chrono::nanoseconds first_pause{std::chrono::milliseconds(10)};  ///< before a retry; doubles up to a second
};

/// SEV-SNP reports from configfs-tsm. One entry per report, removed on every path; entries of earlier processes are
/// removed at start; an entry that somebody else wrote to meanwhile is thrown away and the report made anew. Tested on
/// scripted trees, not on hardware.
class ConfigfsTsmSource final : public EvidenceSource {
 public:
  /// Code::io when the tree cannot be read.
  [[nodiscard]] static Result<std::unique_ptr<ConfigfsTsmSource>> open(std::unique_ptr<TsmTree> tree,
                                                                       ConfigfsTsmOptions options);
  [[nodiscard]] Result<Evidence> report(const ReportData& report_data) override;

 private:
  ConfigfsTsmSource(std::unique_ptr<TsmTree> tree, ConfigfsTsmOptions options)
      : tree_(std::move(tree)), options_(std::move(options)) {}
  struct Answer {
    Bytes report;
    Bytes certificates;
  };
  Result<Answer> ask(const std::string& name, const ReportData& report_data);
  Result<Evidence> evidence_from(const Answer& answer, const ReportData& report_data) const;

  std::unique_ptr<TsmTree> tree_;
  ConfigfsTsmOptions options_;
  std::uint64_t next_entry_ = 0;
};

}  // namespace waxwing::gateway
