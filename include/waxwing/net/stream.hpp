// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <utility>

#include "waxwing/base/bytes.hpp"
#include "waxwing/net/loop.hpp"
#include "waxwing/net/tls.hpp"

namespace waxwing::net {

/// What became of bytes that were given to be sent. `blocked`: some are still held here, flush() before sending more.
enum class Sent : std::uint8_t { all, blocked };

/// One non-blocking read.
struct ReadResult {
  enum class State : std::uint8_t { data, blocked, end };
  State state = State::blocked;
  std::size_t size = 0;  ///< > 0 for data
};

struct PeerAddress {
  std::string host;  ///< "127.0.0.1", "::1"; empty for unix sockets
  std::uint16_t port = 0;
  [[nodiscard]] bool is_unix() const { return host.empty(); }
  [[nodiscard]] std::string to_string() const;  ///< "127.0.0.1:80", "[::1]:80", "unix"
};

/// One connected socket (TCP with TCP_NODELAY, or unix), plain or TLS 1.3. One owner, one loop; at most one reader and
/// one writer at a time, which may be different tasks. try_ members never wait and never suspend: a coroutine frame is
/// spent only when the kernel has nothing to give.
///
///     for (;;) {
///       WAXWING_CO_ASSIGN(const ReadResult got, stream.try_read(buffer));
///       if (got.state == ReadResult::State::blocked) {
///         WAXWING_CO_TRY(co_await stream.readable(Deadline::within(10min)));
///         continue;
///       }
///       ...
///       WAXWING_CO_ASSIGN(const Sent sent, stream.try_write(parts));        // span of ByteView, one system call
///       if (sent == Sent::blocked) WAXWING_CO_TRY(co_await stream.flush(Deadline::within(60s)));
///     }
///
/// Errors: Code::io (reset, broken pipe), Code::truncated (TLS ended without close_notify), Code::malformed (bad TLS
/// records), Code::deadline, Code::cancelled (abort() or the task's cancellation). Destroying an open stream aborts it.
class Stream final {
 public:
  /// Takes a connected, non-blocking socket.
  Stream(Loop& loop, int fd);
  ~Stream();
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  /// Handshakes; only before the first read or write. The client form compares TlsPeer::expected_spki.
  [[nodiscard]] Task<> handshake_client(TlsPeer peer, std::string server_name, Deadline deadline);
  [[nodiscard]] Task<> handshake_server(TlsServerContext context, Deadline deadline);

  [[nodiscard]] Result<ReadResult> try_read(MutableByteView into);
  /// As try_read, for loops that wait when it says `blocked`: says so without a system call after a read that emptied
  /// the socket, and after 1 MiB in one go, so that other connections have their turn.
  [[nodiscard]] Result<ReadResult> read_next(MutableByteView into);
  /// Whether try_read would give something, without taking it.
  [[nodiscard]] Result<ReadResult::State> peek();
  /// Bytes beyond what the kernel takes are copied and kept; flush before writing more, or the kept bytes grow.
  [[nodiscard]] Result<Sent> try_write(std::span<const ByteView> parts);
  /// Sends of what is kept as much as the kernel takes.
  [[nodiscard]] Result<Sent> try_flush();
  [[nodiscard]] bool has_kept() const;

  /// Waits until a try_read is worth it.
  [[nodiscard]] Task<> readable(Deadline deadline);
  /// Waits until the kernel takes bytes again, a connect in progress has ended, or wake_writer().
  [[nodiscard]] Task<> writable(Deadline deadline);
  void wake_writer();
  /// Sends what is kept.
  [[nodiscard]] Task<> flush(Deadline deadline);
  /// try_read, waiting where needed; 0 = clean end.
  [[nodiscard]] Task<std::size_t> read_some(MutableByteView into, Deadline deadline);
  [[nodiscard]] Task<> write_all(ByteView bytes, Deadline deadline);

  /// Ends our direction (close_notify and FIN). What is kept is lost: flush first.
  void shutdown_write();
  /// Closes at once with RST and without close_notify, so that the peer cannot take it for an end; pending operations
  /// end with Code::cancelled. Idempotent.
  void abort();
  /// Closes in good order, without waiting for the peer.
  void close();
  [[nodiscard]] bool is_open() const;
  /// Gives up the socket, open as it is; only a plain stream that nobody waits on.
  [[nodiscard]] int release();

  /// Calls `function` once, from the loop, when the socket is readable while no task waits for that; empty: not any
  /// more.
  void watch_readable(std::function<void()> function);

  [[nodiscard]] Loop& loop() const;
  [[nodiscard]] const PeerAddress& peer() const;
  [[nodiscard]] bool is_tls() const;
  /// SHA-256 of the peer's SubjectPublicKeyInfo, after every handshake; none for plain streams and certificate-less
  /// peers.
  [[nodiscard]] const std::optional<crypto::Sha256Digest>& peer_spki() const;
  [[nodiscard]] TlsFacts tls_facts() const;
  [[nodiscard]] int native_handle() const;

 private:
  struct Core;
  std::shared_ptr<Core> core_;  // owners: this and the completion handlers in flight
};

using StreamPtr = std::unique_ptr<Stream>;

/// A connected pair of unix sockets, for tests and in-process engines.
[[nodiscard]] Result<std::pair<StreamPtr, StreamPtr>> make_stream_pair(Loop& loop);

}  // namespace waxwing::net
