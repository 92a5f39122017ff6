// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "waxwing/base/bytes.hpp"
#include "waxwing/base/error.hpp"
#include "waxwing/net/tls.hpp"

struct ssl_st;
struct bio_st;

namespace waxwing::net::tls {

/// One TLS connection as a machine without a socket: records go in through feed(), records to send are appended to a
/// buffer that the caller lends to each call. SSL's own record buffers are released whenever they are empty.
class Session {
 public:
  enum class Step : std::uint8_t { done, wants_input, ended };

  [[nodiscard]] static Result<std::unique_ptr<Session>> client(const TlsPeer& peer, const std::string& server_name);
  [[nodiscard]] static Result<std::unique_ptr<Session>> server(const TlsServerContext& context);
  ~Session();
  Session(const Session&) = delete;
  Session& operator=(const Session&) = delete;

  /// Received bytes to work on; they are lent until save(), which copies what is still unused.
  void feed(ByteView records) { input_ = records; }
  void feed_end() { input_ended_ = true; }
  [[nodiscard]] bool has_input() const { return !input_.empty(); }
  void save();

  /// Precondition of the three: `records` outlives the call. Client: the pin is compared before this says done.
  [[nodiscard]] Result<Step> handshake(Bytes& records);
  /// Decrypts into the whole of `into` as far as input goes. `size` > 0 goes before whatever the step says.
  [[nodiscard]] Result<Step> read(MutableByteView into, std::size_t& size, Bytes& records);
  /// Whether read() would give bytes (done), without taking them.
  [[nodiscard]] Result<Step> peek(Bytes& records);
  [[nodiscard]] Result<void> write(ByteView plaintext, Bytes& records);
  /// Appends close_notify.
  void shut_down(Bytes& records);

  [[nodiscard]] const std::optional<crypto::Sha256Digest>& peer_spki() const { return peer_spki_; }
  [[nodiscard]] TlsFacts facts() const;

  /// The BIO's two directions.
  [[nodiscard]] int bio_read(bio_st* bio, char* into, int size);
  int bio_write(const char* from, int size);

 private:
  explicit Session(ssl_st* ssl) : ssl_(ssl) {}
  [[nodiscard]] static Result<std::unique_ptr<Session>> make(ssl_ctx_st* context);
  [[nodiscard]] Result<Step> outcome(int result, const char* doing);
  [[nodiscard]] Result<void> check_peer();

  ssl_st* ssl_;
  ByteView input_;
  Bytes saved_;
  bool input_ended_ = false;
  Bytes* output_ = nullptr;
  std::optional<crypto::Sha256Digest> expected_spki_;
  std::optional<crypto::Sha256Digest> peer_spki_;
};

}  // namespace waxwing::net::tls
