// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>

#include "net_test.hpp"

namespace waxwing::net {
namespace {

class StreamTest : public NetTest {
 protected:
  void SetUp() override { std::tie(left, right) = make_stream_pair(loop).value(); }
  StreamPtr left;
  StreamPtr right;
};

std::string pattern(std::size_t n) {
  std::string text(n, '\0');
  for (std::size_t i = 0; i < n; ++i) text[i] = static_cast<char>('a' + (i * 31 + i / 7919) % 26);
  return text;
}

Task<> send_and_end(Stream& stream, std::string text) {
  WAXWING_CO_TRY(co_await write_text(stream, text));
  stream.shutdown_write();
  co_return Result<void>{};
}

Task<> expect_text(Stream& stream, std::string text) {
  WAXWING_CO_ASSIGN(const std::string got, co_await read_all(stream));
  ASSERT_CO(got == text);
  co_return Result<void>{};
}

Task<> both_ways(Loop& loop, Stream& a, Stream& b, std::string text) {
  TaskGroup group(loop, TaskGroup::OnFailure::cancel_others);
  group.spawn(send_and_end(a, text));
  group.spawn(send_and_end(b, text));
  group.spawn(expect_text(a, text));
  group.spawn(expect_text(b, text));
  co_return co_await group.join(Deadline::none());
}

TEST_F(StreamTest, CarriesAMebibyteBothWaysAtOnce) {
  expect_ok(both_ways(loop, *left, *right, pattern(1U << 20U)));
}

TEST_F(StreamTest, TriesNeverWait) {
  Bytes buffer(16);
  const auto nothing = left->try_read(buffer);
  ASSERT_TRUE(nothing);
  EXPECT_EQ(nothing->state, ReadResult::State::blocked);
  EXPECT_EQ(left->peek().value(), ReadResult::State::blocked);

  const std::array<ByteView, 3> parts{as_bytes("a"), ByteView{}, as_bytes("bc")};
  EXPECT_EQ(right->try_write(parts).value(), Sent::all);
  EXPECT_EQ(left->peek().value(), ReadResult::State::data);
  EXPECT_EQ(left->try_read(buffer)->size, 3U);
  right->close();
  EXPECT_EQ(left->peek().value(), ReadResult::State::end);
  EXPECT_EQ(left->try_read(buffer)->state, ReadResult::State::end);
}

TEST_F(StreamTest, KeepsWhatTheKernelDoesNotTake) {
  const std::string big = pattern(4U << 20U);
  std::vector<ByteView> parts;
  for (std::size_t at = 0; at < big.size(); at += 10007)
    parts.push_back(as_bytes(std::string_view(big).substr(at, 10007)));
  EXPECT_EQ(left->try_write(parts).value(), Sent::blocked);
  EXPECT_TRUE(left->has_kept());
  struct Flush {
    static Task<> then_end(Stream& stream) {
      WAXWING_CO_TRY(co_await stream.flush(Deadline::none()));
      stream.shutdown_write();
      co_return Result<void>{};
    }
    static Task<> run(Loop& loop, Stream& from, Stream& to, std::string text) {
      TaskGroup group(loop);
      group.spawn(then_end(from));
      group.spawn(expect_text(to, std::move(text)));
      co_return co_await group.join(Deadline::none());
    }
  };
  expect_ok(Flush::run(loop, *left, *right, big));
  EXPECT_FALSE(left->has_kept());
}

Task<> read_expecting(Stream& stream, Deadline deadline, std::optional<Code>& code) {
  Bytes buffer(16);
  const auto got = co_await stream.read_some(buffer, deadline);
  if (!got) code = got.error().code();
  co_return Result<void>{};
}

TEST_F(StreamTest, IdleReaderMeetsItsDeadline) {
  TaskGroup group(loop);
  std::optional<Code> code;
  group.spawn(read_expecting(*left, Deadline::within(10min), code));
  loop.poll();
  pass(10min);
  loop.run();
  EXPECT_EQ(code, Code::deadline);
}

TEST_F(StreamTest, WriterToAPeerThatTakesNothingMeetsItsDeadline) {
  TaskGroup group(loop);
  struct Write {
    static Task<> run(Stream& stream, std::string text, std::optional<Code>& code) {
      const auto done = co_await stream.write_all(as_bytes(text), Deadline::within(60s));
      if (!done) code = done.error().code();
      co_return Result<void>{};
    }
  };
  std::optional<Code> code;
  group.spawn(Write::run(*left, pattern(4U << 20U), code));
  loop.poll();
  pass(60s);
  loop.run();
  EXPECT_EQ(code, Code::deadline);
}

TEST_F(StreamTest, AbortEndsAPendingReadAsCancelled) {
  TaskGroup group(loop);
  std::optional<Code> code;
  group.spawn(read_expecting(*left, Deadline::none(), code));
  loop.poll();
  left->abort();
  loop.run();
  EXPECT_EQ(code, Code::cancelled);
}

TEST_F(StreamTest, DestroyingAStreamUnderAReaderIsSafe) {
  TaskGroup group(loop);
  std::optional<Code> code;
  struct Wait {
    static Task<> run(Stream& stream, std::optional<Code>& seen) {
      const auto ready = co_await stream.readable(Deadline::none());
      if (!ready) seen = ready.error().code();
      co_return Result<void>{};
    }
  };
  group.spawn(Wait::run(*left, code));
  loop.poll();
  left.reset();
  loop.run();
  EXPECT_EQ(code, Code::cancelled);
}

TEST_F(StreamTest, WatchSeesDataAndEndWithoutAReader) {
  int seen = 0;
  left->watch_readable([&] { ++seen; });
  loop.poll();
  EXPECT_EQ(seen, 0);
  const ByteView byte = as_bytes("x");
  ASSERT_TRUE(right->try_write({&byte, 1}));
  loop.poll();
  EXPECT_EQ(seen, 1);
  right->close();
  loop.poll();
  EXPECT_EQ(seen, 1) << "once per call";
  left->watch_readable([&] { ++seen; });
  loop.poll();
  EXPECT_EQ(seen, 2);
}

bool sends_at_once(const Stream& stream) {
  int no_delay = 0;
  socklen_t size = sizeof(no_delay);
  return ::getsockopt(stream.native_handle(), IPPROTO_TCP, TCP_NODELAY, &no_delay, &size) == 0 && no_delay != 0;
}

Task<> greet_over(Loop& loop, ListenAddress address) {
  WAXWING_CO_ASSIGN(Acceptor acceptor, Acceptor::listen(loop, address));
  DirectDialer dialer(loop);
  Origin origin{Scheme::http, acceptor.address().host, acceptor.address().port, {}};
  if (!address.socket.empty()) origin = {Scheme::unix_socket, {}, 0, address.socket};
  WAXWING_CO_ASSIGN(StreamPtr client, co_await dialer.dial({origin, std::nullopt}, loop.deadline_in(10s)));
  WAXWING_CO_ASSIGN(StreamPtr server, co_await acceptor.accept(Deadline::none()));
  ASSERT_CO(server->peer().is_unix() == !address.socket.empty());
  ASSERT_CO(client->peer().is_unix() == !address.socket.empty());
  if (address.socket.empty()) {
    ASSERT_CO(client->peer().port == acceptor.address().port);
    ASSERT_CO(sends_at_once(*client) && sends_at_once(*server));
  }
  WAXWING_CO_TRY(co_await send_and_end(*client, "hello"));
  WAXWING_CO_TRY(co_await expect_text(*server, "hello"));
  co_return Result<void>{};
}

TEST_F(StreamTest, ConnectsOverIpv4WithTheRealPortKnown) {
  expect_ok(greet_over(loop, {"127.0.0.1", 0, {}}));
}

TEST_F(StreamTest, ConnectsOverIpv6) {
  if (!Acceptor::listen(loop, {"::1", 0, {}})) GTEST_SKIP() << "no IPv6 loopback here";
  expect_ok(greet_over(loop, {"::1", 0, {}}));
}

class SocketFile {
 public:
  SocketFile() {
    std::string name = (std::filesystem::temp_directory_path() / "waxwing-XXXXXX").string();
    directory_ = ::mkdtemp(name.data());
  }
  SocketFile(const SocketFile&) = delete;
  SocketFile& operator=(const SocketFile&) = delete;
  ~SocketFile() { std::filesystem::remove_all(directory_); }
  [[nodiscard]] std::string path() const { return directory_ + "/s"; }

 private:
  std::string directory_;
};

TEST_F(StreamTest, ConnectsOverUnixSocketsThatOnlyTheOwnerMayUse) {
  const SocketFile file;
  {
    const auto acceptor = Acceptor::listen(loop, {{}, 0, file.path()});
    ASSERT_TRUE(acceptor);
    struct stat status{};
    ASSERT_EQ(::stat(file.path().c_str(), &status), 0);
    EXPECT_EQ(status.st_mode & 0777U, 0600U);
    EXPECT_FALSE(Acceptor::listen(loop, {{}, 0, file.path()})) << "a live socket is not taken over";
  }
  EXPECT_FALSE(std::filesystem::exists(file.path()));
  expect_ok(greet_over(loop, {{}, 0, file.path()}));
}

Task<> dial_expecting(Dialer& dialer, DialTarget target, Deadline deadline, std::optional<Code>& code) {
  const auto stream = co_await dialer.dial(std::move(target), deadline);
  if (!stream) code = stream.error().code();
  co_return Result<void>{};
}

TEST_F(StreamTest, RefusedConnectionIsUnreachable) {
  Origin origin;
  {
    const Acceptor acceptor = listen_on_loopback(loop);
    origin = origin_of(acceptor, Scheme::http);
  }
  DirectDialer dialer(loop);
  std::optional<Code> code;
  expect_ok(dial_expecting(dialer, {origin, std::nullopt}, loop.deadline_in(10s), code));
  EXPECT_EQ(code, Code::worker_unreachable);
}

TEST_F(StreamTest, SilentTlsPeerIsUnreachableAfterTheDeadline) {
  const Acceptor silent = listen_on_loopback(loop);
  DirectDialer dialer(loop);
  std::optional<Code> code;
  TaskGroup group(loop);
  group.spawn(dial_expecting(dialer, {origin_of(silent, Scheme::https), TlsPeer{attested_client(), std::nullopt}},
                             loop.deadline_in(10s), code));
  struct Pass {
    static Task<> when_waiting(Loop& on, FakeClock& clock, TaskGroup& watched) {
      while (watched.running() > 1) {
        WAXWING_CO_TRY(co_await turn(on));
        clock.advance(1s);
        on.sweep();
      }
      co_return Result<void>{};
    }
  };
  group.spawn(Pass::when_waiting(loop, clock, group));
  loop.run();
  EXPECT_EQ(code, Code::worker_unreachable);
}

TEST_F(StreamTest, HttpsNeedsTlsAndHttpRefusesIt) {
  DirectDialer dialer(loop);
  std::optional<Code> code;
  expect_ok(dial_expecting(dialer, {Origin{Scheme::https, "127.0.0.1", 1, {}}, std::nullopt}, Deadline::none(), code));
  EXPECT_EQ(code, Code::config_invalid);
  code.reset();
  expect_ok(dial_expecting(dialer, {Origin{Scheme::http, "127.0.0.1", 1, {}}, TlsPeer{attested_client(), std::nullopt}},
                           Deadline::none(), code));
  EXPECT_EQ(code, Code::config_invalid);
}

Task<> accept_expecting(Acceptor& acceptor, std::optional<Code>& code) {
  const auto stream = co_await acceptor.accept(Deadline::none());
  if (!stream) code = stream.error().code();
  co_return Result<void>{};
}

TEST_F(StreamTest, ClosingAnAcceptorEndsItsAccept) {
  Acceptor acceptor = listen_on_loopback(loop);
  std::optional<Code> code;
  TaskGroup group(loop);
  group.spawn(accept_expecting(acceptor, code));
  loop.poll();
  acceptor.close();
  loop.run();
  EXPECT_EQ(code, Code::cancelled);
}

TEST_F(StreamTest, AdoptsOnlyListeningSockets) {
  EXPECT_FALSE(Acceptor::adopt(loop, left->native_handle()));
}

}  // namespace
}  // namespace waxwing::net
