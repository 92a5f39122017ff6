// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <sys/types.h>

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "waxwing/base/error.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/stream.hpp"

namespace waxwing::app {

/// No core files, not readable by other processes of the user, no SIGPIPE. Once, before any secret exists.
void harden_process();

/// Directory of the running executable.
[[nodiscard]] std::filesystem::path own_directory();

/// A child process whose standard output comes here and whose standard input ends with this object. It is asked to stop
/// (SIGTERM) and waited for when the object goes.
class ChildProcess {
 public:
  /// posix_spawn with only the three standard descriptors; standard error is ours.
  [[nodiscard]] static Result<ChildProcess> start(net::Loop& loop, const std::vector<std::string>& command);
  ChildProcess(ChildProcess&&) noexcept;
  ChildProcess& operator=(ChildProcess&&) noexcept;
  ~ChildProcess();

  /// The next line of its output without the line end; Code::io when it has ended.
  [[nodiscard]] net::Task<std::string> read_line(net::Deadline deadline);
  void stop();

 private:
  ChildProcess(pid_t pid, net::StreamPtr output, int input);
  pid_t pid_ = -1;
  net::StreamPtr output_;
  int input_ = -1;
  std::string buffered_;
};

}  // namespace waxwing::app
