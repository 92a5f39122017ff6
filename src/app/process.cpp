// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <utility>

namespace waxwing::app {

void harden_process() {
  const rlimit none{0, 0};
  setrlimit(RLIMIT_CORE, &none);
  prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  std::signal(SIGPIPE, SIG_IGN);
}

std::filesystem::path own_directory() {
  std::error_code error;
  const auto self = std::filesystem::read_symlink("/proc/self/exe", error);
  return error ? std::filesystem::path(".") : self.parent_path();
}

Result<ChildProcess> ChildProcess::start(net::Loop& loop, const std::vector<std::string>& command) {
  std::array<int, 2> output{-1, -1};
  std::array<int, 2> input{-1, -1};
  if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, output.data()) != 0 || pipe2(input.data(), O_CLOEXEC) != 0)
    return fail(Code::io, std::string("no pipe to a child process: ") + std::strerror(errno));
  fcntl(output[0], F_SETFL, O_NONBLOCK);

  std::vector<char*> argv;
  for (const std::string& argument : command) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, input[0], STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, output[1], STDOUT_FILENO);
  // A group of its own: Ctrl-C reaches us, and we end the children in order.
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  sigset_t defaults;
  sigemptyset(&defaults);
  sigaddset(&defaults, SIGPIPE);
  posix_spawnattr_setsigdefault(&attributes, &defaults);
  pid_t pid = -1;
  const int failed = posix_spawnp(&pid, argv[0], &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  close(input[0]);
  close(output[1]);
  if (failed != 0) {
    close(input[1]);
    close(output[0]);
    return fail(Code::io, command.front() + " cannot be started: " + std::strerror(failed));
  }
  return ChildProcess(pid, std::make_unique<net::Stream>(loop, output[0]), input[1]);
}

ChildProcess::ChildProcess(pid_t pid, net::StreamPtr output, int input)
    : pid_(pid), output_(std::move(output)), input_(input) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)),
      output_(std::move(other.output_)),
      input_(std::exchange(other.input_, -1)),
      buffered_(std::move(other.buffered_)) {}

ChildProcess& ChildProcess::operator=(ChildProcess&& other) noexcept {
  if (this != &other) {
    stop();
    pid_ = std::exchange(other.pid_, -1);
    output_ = std::move(other.output_);
    input_ = std::exchange(other.input_, -1);
    buffered_ = std::move(other.buffered_);
  }
  return *this;
}

ChildProcess::~ChildProcess() {
  stop();
}

void ChildProcess::stop() {
  if (input_ >= 0) close(std::exchange(input_, -1));
  if (pid_ <= 0) return;
  kill(pid_, SIGTERM);
  int status = 0;
  while (waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
  }
  pid_ = -1;
}

net::Task<std::string> ChildProcess::read_line(net::Deadline deadline) {
  constexpr std::size_t kLongestLine = 4096;
  while (true) {
    if (const std::size_t end = buffered_.find('\n'); end != std::string::npos) {
      std::string line = buffered_.substr(0, end);
      buffered_.erase(0, end + 1);
      co_return line;
    }
    if (buffered_.size() > kLongestLine) co_return fail(Code::io, "the child process wrote a line without an end");
    std::array<std::byte, 1024> block;
    WAXWING_CO_ASSIGN(const std::size_t got, co_await output_->read_some(block, deadline));
    if (got == 0) co_return fail(Code::io, "the child process has ended");
    buffered_ += as_text(ByteView(block).first(got));
  }
}

}  // namespace waxwing::app
