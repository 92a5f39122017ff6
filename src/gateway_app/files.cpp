// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "files.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <system_error>

#include "waxwing/base/file_descriptor.hpp"
#include "waxwing/base/limits.hpp"

namespace waxwing::gateway_app {
namespace {

std::unexpected<Error> system_failure(std::string_view what, const std::string& path) {
  return fail(Code::io, std::string(what) + " " + path + ": " + std::strerror(errno));
}

/// A file under a name of its own beside `path`, removed unless it was given another name.
class TemporaryFile {
 public:
  explicit TemporaryFile(const std::string& path)
      : name_(path + ".new-XXXXXX"), fd_(::mkostemp(name_.data(), O_CLOEXEC)) {}
  TemporaryFile(const TemporaryFile&) = delete;
  TemporaryFile& operator=(const TemporaryFile&) = delete;
  ~TemporaryFile() {
    if (fd_.value() >= 0 && !name_.empty()) ::unlink(name_.c_str());
  }

  [[nodiscard]] Result<void> fill(ByteView content, FileMode mode) {
    if (fd_.value() < 0) return system_failure("making", name_);
    while (!content.empty()) {
      const ssize_t wrote = ::write(fd_.value(), content.data(), content.size());
      if (wrote < 0 && errno == EINTR) continue;
      if (wrote < 0) return system_failure("writing", name_);
      content = content.subspan(static_cast<std::size_t>(wrote));
    }
    constexpr mode_t kReadable = 0644;
    if (mode == FileMode::readable && ::fchmod(fd_.value(), kReadable) != 0) return system_failure("writing", name_);
    if (::fsync(fd_.value()) != 0) return system_failure("writing", name_);
    return {};
  }
  [[nodiscard]] const std::string& name() const { return name_; }
  void renamed() { name_.clear(); }

 private:
  std::string name_;
  FileDescriptor fd_;
};

/// Reads up to the limit into a container that the caller wipes if it has to.
Result<void> read_into(const std::string& path, Bytes& out) {
  const FileDescriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (file.value() < 0) return system_failure("opening", path);
  struct stat facts{};
  if (::fstat(file.value(), &facts) != 0) return system_failure("reading", path);
  const std::size_t most = Limits::local_file().document;
  // Room for all of a regular file at once, so that a secret is not left behind by a growing buffer.
  out.reserve(std::min<std::size_t>(static_cast<std::size_t>(facts.st_size), most) + 1);
  for (;;) {
    constexpr std::size_t kStep = 4096;
    const std::size_t had = out.size();
    if (had > most) return fail(Code::too_large, path + " is too large");
    out.resize(std::max(had + 1, std::min(out.capacity(), had + kStep)));
    const ssize_t got = ::read(file.value(), out.data() + had, out.size() - had);
    if (got < 0) return system_failure("reading", path);
    out.resize(had + static_cast<std::size_t>(got));
    if (got == 0) return {};
  }
}

}  // namespace

Result<Bytes> read_file(const std::string& path) {
  Bytes content;
  WAXWING_TRY(read_into(path, content));
  return content;
}

Result<std::string> read_text_file(const std::string& path) {
  WAXWING_ASSIGN(const Bytes content, read_file(path));
  return std::string(as_text(content));
}

Result<SecretBytes> read_secret_file(const std::string& path) {
  Bytes content;
  auto read = read_into(path, content);
  std::string_view text = as_text(content);
  while (!text.empty() && (text.back() == '\n' || text.back() == '\r' || text.back() == ' ')) text.remove_suffix(1);
  SecretBytes secret(as_bytes(text));
  waxwing::wipe(content);
  WAXWING_TRY(std::move(read));
  return secret;
}

Result<void> write_file(const std::string& path, ByteView content, FileMode mode) {
  TemporaryFile file(path);
  WAXWING_TRY(file.fill(content, mode));
  if (::rename(file.name().c_str(), path.c_str()) != 0) return system_failure("writing", path);
  file.renamed();
  return {};
}

Result<Created> create_file(const std::string& path, ByteView content, FileMode mode) {
  TemporaryFile file(path);
  WAXWING_TRY(file.fill(content, mode));
  if (::link(file.name().c_str(), path.c_str()) == 0) return Created::yes;
  if (errno == EEXIST) return Created::existed;
  return system_failure("writing", path);
}

Result<void> make_directories(const std::string& path) {
  std::error_code error;
  if (std::filesystem::is_directory(path, error)) return {};
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  if (!parent.empty()) WAXWING_TRY(make_directories(parent.string()));
  constexpr mode_t kOwnerOnly = 0700;
  if (::mkdir(path.c_str(), kOwnerOnly) != 0 && errno != EEXIST) return system_failure("making", path);
  return {};
}

bool exists(const std::string& path) {
  return ::access(path.c_str(), F_OK) == 0;
}

}  // namespace waxwing::gateway_app
