// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
//
// The whole-message form (RFC 9458 sections 4.3 and 4.4), to hold our HPKE against more known answers.

#include <algorithm>
#include <utility>

#include "ohttp_codec.hpp"
#include "waxwing/base/byte_reader.hpp"

namespace waxwing::sealed {
namespace {

constexpr std::string_view kWholeRequestLabel = "message/bhttp request";
constexpr std::string_view kWholeResponseLabel = "message/bhttp response";

Bytes salt_of(ByteView enc, ByteView nonce) {
  Bytes salt = to_bytes(enc);
  append(salt, nonce);
  return salt;
}

}  // namespace

Result<OhttpCodec::WholeRequest> OhttpCodec::seal_request(std::uint8_t key_id, const crypto::KemPublicKey& key,
                                                          crypto::AeadId aead, ByteView request, Random& random) {
  Bytes out = encode_request_header(key_id, key.id(), aead);
  WAXWING_ASSIGN(auto sender, crypto::HpkeSender::setup(key, aead, request_info(kWholeRequestLabel, out), random));
  append(out, sender.enc());
  const std::size_t at = out.size();
  out.resize(at + request.size() + crypto::kAeadTagSize);
  WAXWING_TRY(sender.seal({}, std::span(&request, 1), MutableByteView(out).subspan(at)));
  return WholeRequest{std::move(out), std::move(sender)};
}

Result<OhttpCodec::OpenedRequest> OhttpCodec::open_request(const RawWorkerKey& key, ByteView sealed) {
  ByteReader in("encapsulated request", sealed);
  const std::uint8_t id = in.u8();
  const std::uint16_t kem = in.u16_be();
  const std::uint16_t kdf = in.u16_be();
  const std::uint16_t aead = in.u16_be();
  WAXWING_TRY(in.status());
  const auto offered = std::ranges::find(key.aeads, aead, [](crypto::AeadId a) { return std::to_underlying(a); });
  if (id != key.id || kem != std::to_underlying(key.key.id()) || kdf != crypto::kKdfHkdfSha256 ||
      offered == key.aeads.end())
    return fail(Code::key_unknown, "encapsulated request: key, KEM or suite that was not offered");
  const ByteView enc = in.bytes(crypto::kem_sizes(key.key.id()).enc);
  WAXWING_TRY(in.status());
  const ByteView body = in.rest();
  const Bytes info = request_info(kWholeRequestLabel, sealed.first(kRequestHeaderSize));
  WAXWING_ASSIGN(auto recipient, crypto::HpkeRecipient::setup(key.key, *offered, info, enc));
  Bytes request(body.size() < crypto::kAeadTagSize ? 0 : body.size() - crypto::kAeadTagSize);
  WAXWING_TRY(recipient.open({}, body, request));
  return OpenedRequest{std::move(request), *offered, to_bytes(enc), std::move(recipient)};
}

Result<Bytes> OhttpCodec::seal_response(const OpenedRequest& request, ByteView response, Random& random) {
  Bytes out(response_nonce_size(request.aead));
  random.fill(out);
  const SecretBytes secret = request.recipient.export_secret(as_bytes(kWholeResponseLabel), out.size());
  const ResponseKeys keys = derive_response_keys(request.aead, secret, salt_of(request.enc, out));
  const std::size_t at = out.size();
  out.resize(at + response.size() + crypto::kAeadTagSize);
  crypto::AeadSealer sealer(request.aead, keys.key.expose(SecretAccess{}), keys.nonce);
  WAXWING_TRY(sealer.seal({}, response, MutableByteView(out).subspan(at)));
  return out;
}

Result<Bytes> OhttpCodec::open_response(const crypto::HpkeSender& sender, crypto::AeadId aead, ByteView sealed) {
  ByteReader in("encapsulated response", sealed);
  const ByteView nonce = in.bytes(response_nonce_size(aead));
  WAXWING_TRY(in.status());
  const ByteView body = in.rest();
  const SecretBytes secret = sender.export_secret(as_bytes(kWholeResponseLabel), nonce.size());
  const ResponseKeys keys = derive_response_keys(aead, secret, salt_of(sender.enc(), nonce));
  Bytes response(body.size() < crypto::kAeadTagSize ? 0 : body.size() - crypto::kAeadTagSize);
  crypto::AeadOpener opener(aead, keys.key.expose(SecretAccess{}), keys.nonce);
  WAXWING_TRY(opener.open({}, body, response));
  return response;
}

}  // namespace waxwing::sealed
