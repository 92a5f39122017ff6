// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/stream.hpp"

#include <sys/socket.h>
#include <sys/uio.h>

#include <algorithm>
#include <array>
#include <boost/asio/posix/basic_stream_descriptor.hpp>
#include <cerrno>
#include <cstring>
#include <utility>

#include "buffer_pool.hpp"
#include "socket.hpp"
#include "tls/session.hpp"
#include "waxwing/net/event.hpp"

namespace waxwing::net {

namespace asio = boost::asio;

struct Stream::Core : std::enable_shared_from_this<Stream::Core> {
  using Descriptor = asio::posix::basic_stream_descriptor<Executor>;

  Core(Loop& on, int fd)
      : loop(on), descriptor(on.executor(), fd), peer(peer_of(fd)), read_event(on), write_event(on) {}

  [[nodiscard]] int fd() { return descriptor.native_handle(); }

  void arm_read();
  void arm_write();
  void close();

  /// One recv, or none where it would only say EAGAIN, or where others on the loop should have their turn.
  [[nodiscard]] ssize_t receive_next(MutableByteView into);
  [[nodiscard]] Result<ReadResult> read_plain(MutableByteView into);
  [[nodiscard]] Result<ReadResult> read_tls(MutableByteView into);
  /// Gets records from the socket into the session. blocked: none there.
  [[nodiscard]] Result<ReadResult::State> receive_records(std::size_t most);
  [[nodiscard]] Result<Sent> write_plain(std::span<const ByteView> parts);
  [[nodiscard]] Result<Sent> write_tls(std::span<const ByteView> parts);
  /// Sends what a session has put into the scratch buffer, keeping what the kernel does not take.
  [[nodiscard]] Result<Sent> send_records();
  [[nodiscard]] Result<Sent> send_kept();
  [[nodiscard]] Task<> shake_hands(Deadline deadline);

  Loop& loop;
  Descriptor descriptor;
  PeerAddress peer;
  std::unique_ptr<tls::Session> tls;
  Event read_event;
  Event write_event;
  bool read_armed = false;
  bool write_armed = false;
  bool drained = false;        // the last recv took all there was
  std::size_t since_wait = 0;  // bytes received in one go
  Bytes kept;
  std::size_t kept_at = 0;
  std::function<void()> watch;
};

namespace {

std::unexpected<Error> socket_error(const char* call, int error) {
  return fail(Code::io, std::string(call) + ": " + system_text(error));
}

std::unexpected<Error> closed() {
  return fail(Code::cancelled, "connection closed on this side");
}

bool would_block(int error) {
  return error == EAGAIN || error == EWOULDBLOCK;
}

/// Non-blocking recv that survives signals; -1 and errno as the call gives them.
ssize_t receive(int fd, MutableByteView into, int flags = 0) {
  ssize_t n = 0;
  do {
    n = ::recv(fd, into.data(), into.size(), flags | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  return n;
}

ssize_t send_bytes(int fd, ByteView bytes) {
  ssize_t n = 0;
  do {
    n = ::send(fd, bytes.data(), bytes.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  } while (n < 0 && errno == EINTR);
  return n;
}

}  // namespace

std::string PeerAddress::to_string() const {
  if (is_unix()) return "unix";
  const bool v6 = host.find(':') != std::string::npos;
  return (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

// ---- readiness ----

void Stream::Core::arm_read() {
  if (read_armed) return;
  read_armed = true;
  descriptor.async_wait(Descriptor::wait_read, [self = shared_from_this()](const boost::system::error_code& /*error*/) {
    self->read_armed = false;
    self->drained = false;
    self->since_wait = 0;
    if (self->read_event.has_waiter()) return self->read_event.signal_now();
    if (const auto watch = std::exchange(self->watch, nullptr)) watch();
  });
}

void Stream::Core::arm_write() {
  if (write_armed) return;
  write_armed = true;
  descriptor.async_wait(Descriptor::wait_write,
                        [self = shared_from_this()](const boost::system::error_code& /*error*/) {
                          self->write_armed = false;
                          if (self->write_event.has_waiter()) self->write_event.signal_now();
                        });
}

void Stream::Core::close() {
  watch = nullptr;
  boost::system::error_code ignored;
  descriptor.close(ignored);
  read_event.signal();
  write_event.signal();
}

// ---- reading ----

ssize_t Stream::Core::receive_next(MutableByteView into) {
  constexpr std::size_t kTurn = 1U << 20U;
  if (std::exchange(drained, false) || since_wait >= kTurn) {
    since_wait = 0;
    errno = EAGAIN;
    return -1;
  }
  const ssize_t n = receive(fd(), into);
  if (n > 0) {
    drained = static_cast<std::size_t>(n) < into.size();
    since_wait += static_cast<std::size_t>(n);
  }
  return n;
}

Result<ReadResult> Stream::Core::read_plain(MutableByteView into) {
  const ssize_t n = receive_next(into);
  if (n > 0) return ReadResult{ReadResult::State::data, static_cast<std::size_t>(n)};
  if (n == 0) return ReadResult{ReadResult::State::end};
  if (would_block(errno)) return ReadResult{ReadResult::State::blocked};
  return socket_error("recv", errno);
}

Result<ReadResult::State> Stream::Core::receive_records(std::size_t most) {
  const MutableByteView scratch = loop.buffers().cipher_in();
  const ssize_t n = receive_next(scratch.first(std::min(most, scratch.size())));
  if (n < 0 && would_block(errno)) return ReadResult::State::blocked;
  if (n < 0) return socket_error("recv", errno);
  if (n == 0) {
    tls->feed_end();
    return ReadResult::State::end;
  }
  tls->feed(scratch.first(static_cast<std::size_t>(n)));
  return ReadResult::State::data;
}

Result<ReadResult> Stream::Core::read_tls(MutableByteView into) {
  // Records rarely hold more than their ciphertext has room for in `into`, so that nothing has to be saved.
  const std::size_t most = std::max<std::size_t>(into.size(), 16U << 10U);
  for (;;) {
    std::size_t size = 0;
    auto step = tls->read(into, size, loop.buffers().cipher_out());
    tls->save();
    const auto sent = send_records();  // an answer to a key update, rarely
    if (size > 0) return ReadResult{ReadResult::State::data, size};
    if (!step) return std::unexpected(std::move(step).error());
    if (!sent) return std::unexpected(sent.error());
    switch (*step) {
      case tls::Session::Step::ended:
        return ReadResult{ReadResult::State::end};
      case tls::Session::Step::done:
        return ReadResult{ReadResult::State::blocked};  // `into` is empty
      case tls::Session::Step::wants_input:
        break;
    }
    WAXWING_ASSIGN(const auto got, receive_records(most));
    if (got == ReadResult::State::blocked) return ReadResult{ReadResult::State::blocked};
  }
}

Result<ReadResult> Stream::try_read(MutableByteView into) {
  core_->drained = false;
  core_->since_wait = 0;
  return read_next(into);
}

Result<ReadResult> Stream::read_next(MutableByteView into) {
  if (!is_open()) return closed();
  return core_->tls == nullptr ? core_->read_plain(into) : core_->read_tls(into);
}

Result<ReadResult::State> Stream::peek() {
  if (!is_open()) return closed();
  core_->drained = false;  // asked because something may have come
  core_->since_wait = 0;
  if (core_->tls == nullptr) {
    std::byte one{};
    const ssize_t n = receive(core_->fd(), MutableByteView(&one, 1), MSG_PEEK);
    if (n < 0 && would_block(errno)) return ReadResult::State::blocked;
    if (n < 0) return socket_error("recv", errno);
    return n == 0 ? ReadResult::State::end : ReadResult::State::data;
  }
  for (;;) {
    const auto step = core_->tls->peek(core_->loop.buffers().cipher_out());
    core_->tls->save();
    WAXWING_TRY(core_->send_records());
    if (!step) return std::unexpected(step.error());
    switch (*step) {
      case tls::Session::Step::done:
        return ReadResult::State::data;
      case tls::Session::Step::ended:
        return ReadResult::State::end;
      case tls::Session::Step::wants_input:
        break;
    }
    WAXWING_ASSIGN(const auto got, core_->receive_records(BufferPool::kSize));
    if (got == ReadResult::State::blocked) return got;
  }
}

Task<> Stream::readable(Deadline deadline) {
  const auto core = core_;  // the stream may be destroyed by another task while this waits
  if (!core->descriptor.is_open()) co_return closed();
  core->read_event.reset();
  core->arm_read();
  const Wake wake = co_await core->read_event.wait(deadline);
  if (!core->descriptor.is_open()) co_return closed();
  co_return to_result(wake, "reading");
}

Task<std::size_t> Stream::read_some(MutableByteView into, Deadline deadline) {
  for (;;) {
    WAXWING_CO_ASSIGN(const ReadResult got, read_next(into));
    if (got.state != ReadResult::State::blocked) co_return got.size;
    WAXWING_CO_TRY(co_await readable(deadline));
  }
}

void Stream::watch_readable(std::function<void()> function) {
  core_->watch = std::move(function);
  if (core_->watch && is_open()) core_->arm_read();
}

// ---- writing ----

Result<Sent> Stream::Core::write_plain(std::span<const ByteView> parts) {
  constexpr std::size_t kMost = 64;
  std::array<iovec, kMost> vectors;
  std::size_t total = 0;
  std::size_t taken = 0;
  // One gathered call; what it does not take is kept, so a second call only follows for more than kMost parts.
  while (kept.empty() && !parts.empty()) {
    const auto batch = parts.first(std::min(parts.size(), kMost));
    total = 0;
    for (std::size_t i = 0; i < batch.size(); ++i) {
      // sendmsg does not write through iov_base.
      vectors[i] = {const_cast<std::byte*>(batch[i].data()), batch[i].size()};
      total += batch[i].size();
    }
    parts = parts.subspan(batch.size());
    msghdr message{};
    message.msg_iov = vectors.data();
    message.msg_iovlen = batch.size();
    ssize_t n = 0;
    do {
      n = ::sendmsg(fd(), &message, MSG_NOSIGNAL | MSG_DONTWAIT);
    } while (n < 0 && errno == EINTR);
    if (n < 0 && !would_block(errno)) return socket_error("send", errno);
    taken = n < 0 ? 0 : static_cast<std::size_t>(n);
    if (taken == total) continue;
    for (const ByteView part : batch) {
      const std::size_t skip = std::min(taken, part.size());
      append(kept, part.subspan(skip));
      taken -= skip;
    }
  }
  for (const ByteView part : parts) append(kept, part);
  return kept.empty() ? Sent::all : Sent::blocked;
}

Result<Sent> Stream::Core::write_tls(std::span<const ByteView> parts) {
  Bytes& records = loop.buffers().cipher_out();
  if (parts.size() == 1) {
    WAXWING_TRY(tls->write(parts[0], records));
    return send_records();
  }
  // Small parts share a record: a size line of its own would cost 22 bytes and a pass of the cipher.
  const MutableByteView gather = loop.buffers().gather();
  std::size_t filled = 0;
  for (ByteView part : parts) {
    while (!part.empty()) {
      const std::size_t n = std::min(part.size(), gather.size() - filled);
      std::memcpy(gather.data() + filled, part.data(), n);
      filled += n;
      part = part.subspan(n);
      if (filled < gather.size()) continue;
      WAXWING_TRY(tls->write(gather, records));
      WAXWING_TRY(send_records());
      filled = 0;
    }
  }
  WAXWING_TRY(tls->write(gather.first(filled), records));
  return send_records();
}

Result<Sent> Stream::Core::send_records() {
  Bytes& records = loop.buffers().cipher_out();
  if (records.empty()) return kept.empty() ? Sent::all : Sent::blocked;
  std::size_t sent = 0;
  if (kept.empty()) {
    const ssize_t n = send_bytes(fd(), records);
    if (n < 0 && !would_block(errno)) {
      records.clear();
      return socket_error("send", errno);
    }
    sent = n < 0 ? 0 : static_cast<std::size_t>(n);
  }
  append(kept, ByteView(records).subspan(sent));
  records.clear();
  return kept.empty() ? Sent::all : Sent::blocked;
}

Result<Sent> Stream::Core::send_kept() {
  while (kept_at < kept.size()) {
    const ssize_t n = send_bytes(fd(), ByteView(kept).subspan(kept_at));
    if (n < 0 && would_block(errno)) return Sent::blocked;
    if (n < 0) return socket_error("send", errno);
    kept_at += static_cast<std::size_t>(n);
  }
  kept_at = 0;
  // Only a connection that was slow has ever grown this; do not let it keep the memory.
  Bytes().swap(kept);
  return Sent::all;
}

Result<Sent> Stream::try_write(std::span<const ByteView> parts) {
  if (!is_open()) return closed();
  return core_->tls == nullptr ? core_->write_plain(parts) : core_->write_tls(parts);
}

Result<Sent> Stream::try_flush() {
  if (!is_open()) return closed();
  return core_->send_kept();
}

bool Stream::has_kept() const {
  return !core_->kept.empty();
}

Task<> Stream::writable(Deadline deadline) {
  const auto core = core_;
  if (!core->descriptor.is_open()) co_return closed();
  core->write_event.reset();
  core->arm_write();
  const Wake wake = co_await core->write_event.wait(deadline);
  if (!core->descriptor.is_open()) co_return closed();
  co_return to_result(wake, "writing");
}

void Stream::wake_writer() {
  if (core_->write_event.has_waiter()) core_->write_event.signal();
}

Task<> Stream::flush(Deadline deadline) {
  for (;;) {
    WAXWING_CO_ASSIGN(const Sent sent, try_flush());
    if (sent == Sent::all) co_return Result<void>{};
    WAXWING_CO_TRY(co_await writable(deadline));
  }
}

Task<> Stream::write_all(ByteView bytes, Deadline deadline) {
  WAXWING_CO_ASSIGN(const Sent sent, try_write({&bytes, 1}));
  if (sent == Sent::blocked) WAXWING_CO_TRY(co_await flush(deadline));
  co_return Result<void>{};
}

// ---- TLS ----

Task<> Stream::Core::shake_hands(Deadline deadline) {
  const auto self = shared_from_this();
  for (;;) {
    Bytes& records = loop.buffers().cipher_out();
    const auto step = tls->handshake(records);
    tls->save();
    // Also after a failure: the alert tells the peer why.
    const auto sent = send_records();
    if (!step) co_return std::unexpected(step.error());
    if (!sent) co_return std::unexpected(sent.error());
    if (*sent == Sent::blocked) {
      for (;;) {
        WAXWING_CO_ASSIGN(const Sent flushed, send_kept());
        if (flushed == Sent::all) break;
        write_event.reset();
        arm_write();
        WAXWING_CO_TRY(to_result(co_await write_event.wait(deadline), "shaking hands"));
        if (!descriptor.is_open()) co_return closed();
      }
    }
    if (*step == tls::Session::Step::done) co_return Result<void>{};
    WAXWING_CO_ASSIGN(auto got, receive_records(BufferPool::kSize));
    if (got != ReadResult::State::blocked) continue;
    read_event.reset();
    arm_read();
    WAXWING_CO_TRY(to_result(co_await read_event.wait(deadline), "shaking hands"));
    if (!descriptor.is_open()) co_return closed();
    WAXWING_CO_ASSIGN(got, receive_records(BufferPool::kSize));
  }
}

Task<> Stream::handshake_client(TlsPeer peer, std::string server_name, Deadline deadline) {
  WAXWING_CO_ASSIGN(core_->tls, tls::Session::client(peer, server_name));
  auto done = co_await core_->shake_hands(deadline);
  if (!done) core_->close();  // in order, so that the alert arrives
  co_return done;
}

Task<> Stream::handshake_server(TlsServerContext context, Deadline deadline) {
  WAXWING_CO_ASSIGN(core_->tls, tls::Session::server(context));
  auto done = co_await core_->shake_hands(deadline);
  if (!done) core_->close();  // in order, so that the alert arrives
  co_return done;
}

// ---- the rest ----

Stream::Stream(Loop& loop, int fd) : core_(std::make_shared<Core>(loop, fd)) {
  if (!core_->peer.is_unix()) {
    set_no_delay(fd);
    set_keep_alive(fd);
  }
}

Stream::~Stream() {
  abort();
}

int Stream::release() {
  return core_->descriptor.release();
}

void Stream::shutdown_write() {
  if (!is_open()) return;
  if (core_->tls != nullptr) {
    core_->tls->shut_down(core_->loop.buffers().cipher_out());
    static_cast<void>(core_->send_records());
  }
  ::shutdown(core_->fd(), SHUT_WR);
}

void Stream::abort() {
  if (!is_open()) return;
  set_abortive(core_->fd());
  core_->close();
}

void Stream::close() {
  if (!is_open()) return;
  shutdown_write();
  core_->close();
}

bool Stream::is_open() const {
  return core_->descriptor.is_open();
}
Loop& Stream::loop() const {
  return core_->loop;
}
const PeerAddress& Stream::peer() const {
  return core_->peer;
}
bool Stream::is_tls() const {
  return core_->tls != nullptr;
}
int Stream::native_handle() const {
  return core_->fd();
}

const std::optional<crypto::Sha256Digest>& Stream::peer_spki() const {
  static const std::optional<crypto::Sha256Digest> kNone;
  return core_->tls == nullptr ? kNone : core_->tls->peer_spki();
}

TlsFacts Stream::tls_facts() const {
  return core_->tls == nullptr ? TlsFacts{} : core_->tls->facts();
}

Result<std::pair<StreamPtr, StreamPtr>> make_stream_pair(Loop& loop) {
  std::array<int, 2> fds{};
  if (::socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds.data()) != 0) {
    return socket_error("socketpair", errno);
  }
  return std::pair(std::make_unique<Stream>(loop, fds[0]), std::make_unique<Stream>(loop, fds[1]));
}

}  // namespace waxwing::net
