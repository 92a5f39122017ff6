// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <thread>

#include "waxwing/base/file_descriptor.hpp"
#include "waxwing/evidence/sev_snp/certificate_table.hpp"
#include "waxwing/evidence/sev_snp/report.hpp"
#include "waxwing/gateway/evidence_source.hpp"

namespace waxwing::gateway {
namespace {

namespace snp = evidence::sev_snp;

/// Of our entries' names; what bears it at start was left by a process that was killed.
constexpr std::string_view kPrefix = "waxwing-";
/// A certificate table holds a handful of certificates; reports and quotes are a few KiB.
constexpr std::size_t kMaxAttribute = std::size_t{256} << 10U;

std::unexpected<Error> system_failure(int reason, std::string_view what) {
  const bool transient = reason == EBUSY || reason == EINTR || reason == EAGAIN || reason == ETIMEDOUT;
  return fail(transient ? Code::deadline : Code::io, std::string(what) + ": " + std::strerror(reason));
}

/// An entry of the tree for the time of one report.
class Entry {
 public:
  Entry(TsmTree& tree, std::string name) : tree_(tree), name_(std::move(name)) {}
  Entry(const Entry&) = delete;
  Entry& operator=(const Entry&) = delete;
  ~Entry() { tree_.remove_entry(name_); }

 private:
  TsmTree& tree_;
  std::string name_;
};

Result<std::uint64_t> parse_generation(ByteView text) {
  std::string_view digits = as_text(text);
  while (!digits.empty() && digits.back() == '\n') digits.remove_suffix(1);
  std::uint64_t value = 0;
  if (digits.empty() || digits.size() > 18)
    return fail(Code::evidence_malformed, "configfs-tsm: generation is no number");
  for (const char c : digits) {
    if (c < '0' || c > '9') return fail(Code::evidence_malformed, "configfs-tsm: generation is no number");
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

void add_certificate(exchange::SnpEndorsements& to, const std::optional<ByteView>& der) {
  if (der) to.chain.push_back(to_bytes(*der));
}

}  // namespace

std::string DirectoryTsmTree::path(const std::string& name, std::string_view attribute) const {
  std::string path = root_ + "/" + name;
  if (!attribute.empty()) path.append("/").append(attribute);
  return path;
}

Result<std::vector<std::string>> DirectoryTsmTree::entries() {
  DIR* directory = ::opendir(root_.c_str());
  if (directory == nullptr) return system_failure(errno, "opening " + root_);
  std::vector<std::string> names;
  while (const dirent* entry = ::readdir(directory)) names.emplace_back(entry->d_name);
  ::closedir(directory);
  return names;
}

Result<void> DirectoryTsmTree::make_entry(const std::string& name) {
  constexpr mode_t kOwnerOnly = 0700;
  if (::mkdir(path(name).c_str(), kOwnerOnly) != 0) return system_failure(errno, "making a configfs-tsm entry");
  return {};
}

void DirectoryTsmTree::remove_entry(const std::string& name) {
  ::rmdir(path(name).c_str());
}

Result<Bytes> DirectoryTsmTree::read(const std::string& name, std::string_view attribute) {
  const FileDescriptor file(::open(path(name, attribute).c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0) return system_failure(errno, "opening configfs-tsm " + std::string(attribute));
  Bytes all;
  for (;;) {
    constexpr std::size_t kStep = 16384;
    const std::size_t had = all.size();
    if (had > kMaxAttribute) return fail(Code::too_large, "configfs-tsm " + std::string(attribute) + " is too large");
    all.resize(had + kStep);
    const ssize_t got = ::read(file.value(), all.data() + had, kStep);
    if (got < 0) return system_failure(errno, "reading configfs-tsm " + std::string(attribute));
    all.resize(had + static_cast<std::size_t>(got));
    if (got == 0) return all;
  }
}

Result<void> DirectoryTsmTree::write(const std::string& name, std::string_view attribute, ByteView value) {
  const FileDescriptor file(::open(path(name, attribute).c_str(), O_WRONLY | O_CLOEXEC));
  if (file.value() < 0) return system_failure(errno, "opening configfs-tsm " + std::string(attribute));
  // A binary attribute of configfs takes its value when the file is closed after one write.
  const ssize_t wrote = ::write(file.value(), value.data(), value.size());
  if (wrote < 0) return system_failure(errno, "writing configfs-tsm " + std::string(attribute));
  if (static_cast<std::size_t>(wrote) != value.size()) {
    return fail(Code::io, "configfs-tsm " + std::string(attribute) + " was written in part");
  }
  return {};
}

Result<std::unique_ptr<ConfigfsTsmSource>> ConfigfsTsmSource::open(std::unique_ptr<TsmTree> tree,
                                                                   ConfigfsTsmOptions options) {
  WAXWING_ASSIGN(const std::vector<std::string> names, tree->entries());
  for (const std::string& name : names) {
    if (name.starts_with(kPrefix)) tree->remove_entry(name);
  }
  return std::unique_ptr<ConfigfsTsmSource>(new ConfigfsTsmSource(std::move(tree), std::move(options)));
}

Result<Evidence> ConfigfsTsmSource::report(const ReportData& report_data) {
  const auto give_up = std::chrono::steady_clock::now() + options_.deadline;
  std::chrono::nanoseconds pause = options_.first_pause;
  for (;;) {
    const std::string name = std::string(kPrefix) + std::to_string(::getpid()) + "-" + std::to_string(next_entry_++);
    auto answer = ask(name, report_data);
    if (answer) return evidence_from(*answer, report_data);
    if (answer.error().code() != Code::deadline) return std::unexpected(std::move(answer).error());
    if (std::chrono::steady_clock::now() + pause >= give_up) {
      return std::unexpected(std::move(answer).error().with("no hardware report within the time allowed"));
    }
    std::this_thread::sleep_for(pause);
    pause = std::min<std::chrono::nanoseconds>(pause * 2, std::chrono::seconds(1));
  }
}

Result<ConfigfsTsmSource::Answer> ConfigfsTsmSource::ask(const std::string& name, const ReportData& report_data) {
  WAXWING_TRY(tree_->make_entry(name));
  const Entry entry(*tree_, name);
  WAXWING_ASSIGN(const Bytes before_text, tree_->read(name, "generation"));
  WAXWING_ASSIGN(const std::uint64_t before, parse_generation(before_text));
  WAXWING_TRY(tree_->write(name, "inblob", report_data));
  Answer answer;
  WAXWING_ASSIGN(answer.report, tree_->read(name, "outblob"));
  WAXWING_ASSIGN(const Bytes provider, tree_->read(name, "provider"));
  std::string_view provider_name = as_text(provider);
  while (!provider_name.empty() && provider_name.back() == '\n') provider_name.remove_suffix(1);
  if (provider_name != "sev_guest") {
    return fail(Code::evidence_unsupported, "configfs-tsm: this machine's reports are not SEV-SNP");
  }
  WAXWING_ASSIGN(answer.certificates, tree_->read(name, "auxblob"));
  WAXWING_ASSIGN(const Bytes after_text, tree_->read(name, "generation"));
  WAXWING_ASSIGN(const std::uint64_t after, parse_generation(after_text));
  // Ours is the one write between the two readings.
  if (after != before + 1) return fail(Code::deadline, "configfs-tsm: somebody else wrote to our entry");
  return answer;
}

Result<Evidence> ConfigfsTsmSource::evidence_from(const Answer& answer, const ReportData& report_data) const {
  WAXWING_ASSIGN(const snp::Report report, snp::parse_unverified(answer.report));
  if (report.report_data != report_data) {
    return fail(Code::evidence_malformed, "configfs-tsm: the report does not carry our REPORTDATA");
  }
  exchange::SnpEndorsements endorsements = options_.endorsements;
  if (endorsements.chain.empty() && !answer.certificates.empty()) {
    WAXWING_ASSIGN(const snp::CertificateTable table,
                   snp::parse_certificate_table(answer.certificates, Limits::evidence()));
    add_certificate(endorsements, report.signing_key() == snp::SigningKey::vlek ? table.vlek : table.vcek);
    if (!endorsements.chain.empty()) {
      add_certificate(endorsements, table.ask);
      add_certificate(endorsements, table.ark);
    }
  }
  Evidence evidence;
  evidence.item = {"sev-snp", answer.report,
                   endorsements.chain.empty() ? "null" : exchange::encode_snp_endorsements(endorsements)};
  evidence.report_id = report.report_id;
  evidence.host_data = report.host_data;
  return evidence;
}

}  // namespace waxwing::gateway
