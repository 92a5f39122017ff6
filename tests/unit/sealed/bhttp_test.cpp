// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/sealed/bhttp.hpp"

#include <gtest/gtest.h>

#include "support.hpp"
#include "waxwing/base/byte_reader.hpp"

namespace waxwing::test {
namespace {

using sealed::Field;
using sealed::Fields;
using sealed::Input;
using sealed::RequestHead;
using sealed::ResponseHead;
using sealed::bhttp::Decoder;
using sealed::bhttp::Event;
using sealed::bhttp::HeadLimits;
using sealed::bhttp::Kind;

const RequestHead kHead{
    "POST", "https", "a.example", "/v1/chat?x=1", {{"content-type", "application/json"}, {"a", ""}}};

Bytes request(std::initializer_list<std::string_view> pieces, const Fields& trailers = {}) {
  Bytes out;
  sealed::bhttp::encode_head(kHead, out).value();
  for (const std::string_view piece : pieces) {
    sealed::bhttp::encode_content_prefix(piece.size(), out);
    append(out, as_bytes(piece));
  }
  sealed::bhttp::encode_end(trailers, out).value();
  return out;
}

Code refusal(Kind kind, ByteView bytes) {
  const auto message = decode(kind, bytes);
  return message ? Code::internal : message.error().code();
}

// A request whose control data and one field line are given raw.
Bytes raw_request(std::string_view method, std::string_view path, std::string_view name, std::string_view value) {
  Bytes out;
  ByteWriter writer(out);
  const auto put = [&writer](std::string_view part) { writer.varint(part.size()).bytes(as_bytes(part)); };
  writer.varint(2);
  put(method);
  put("https");
  put("a.example");
  put(path);
  put(name);
  put(value);
  writer.varint(0).varint(0).varint(0);
  return out;
}

TEST(BhttpDecoder, ReadsTheSameMessageHoweverItIsCut) {
  const Bytes bytes = request({"hello ", "world"}, {{"t", "v"}});
  for (std::size_t size = 1; size <= bytes.size(); ++size) {
    const Message message = decode(Kind::request, bytes, Cutter::every(size)).value();
    EXPECT_EQ(message.request, kHead);
    EXPECT_EQ(message.content, text("hello world"));
    EXPECT_EQ(message.trailers, (Fields{{"t", "v"}}));
  }
}

TEST(BhttpDecoder, GivesContentAsViewsIntoTheInput) {
  const Bytes bytes = request({"0123456789"});
  Decoder decoder(Kind::request);
  ByteView in = bytes;
  EXPECT_EQ(decoder.next(in, Input::open)->event, Event::head);
  const auto step = decoder.next(in, Input::open).value();
  EXPECT_EQ(step.event, Event::content);
  EXPECT_GE(step.content.data(), bytes.data());
  EXPECT_LE(step.content.data() + step.content.size(), bytes.data() + bytes.size());
}

TEST(BhttpDecoder, RefusesTruncationAtEveryByteButWhereATailMayBeMissing) {
  // RFC 9292 section 3.8: after the control data, before the content and before the trailers.
  Bytes control;
  RequestHead bare = kHead;
  bare.fields.clear();
  sealed::bhttp::encode_head(bare, control).value();
  control.pop_back();
  Bytes head;
  sealed::bhttp::encode_head(kHead, head).value();
  const Bytes bytes = request({"body"}, {});
  const std::size_t after_content = head.size() + 1 + 4 + 1;
  for (std::size_t size = 0; size < bytes.size(); ++size) {
    const bool may_end = size == control.size() || size == head.size() || size == after_content;
    for (const Cutter& cutter : {Cutter::whole(), Cutter::every(1)}) {
      const auto message = decode(Kind::request, ByteView(bytes).first(size), cutter);
      if (may_end)
        EXPECT_TRUE(message) << size;
      else
        EXPECT_EQ(message.error().code(), Code::truncated) << size;
    }
  }
}

TEST(BhttpDecoder, AFlippedBitNeverCrashesAndNeverReadsAsTheSameMessage) {
  const Bytes bytes = request({"body"}, {{"t", "v"}});
  const Message original = decode(Kind::request, bytes).value();
  for (std::size_t bit = 0; bit < 8 * bytes.size(); ++bit) {
    Bytes flipped = bytes;
    flipped[bit / 8] ^= static_cast<std::byte>(1U << bit % 8);
    const auto message = decode(Kind::request, flipped);
    if (message) EXPECT_FALSE(*message == original) << bit;
  }
}

TEST(BhttpDecoder, StaysDeadAfterAFailure) {
  Decoder decoder(Kind::request);
  const Bytes wrong = text("\x07");
  ByteView in = wrong;
  EXPECT_FALSE(decoder.next(in, Input::open));
  const Bytes right = request({"x"});
  in = right;
  EXPECT_FALSE(decoder.next(in, Input::ended));
}

TEST(BhttpDecoder, RefusesAResponseWhereARequestIsDue) {
  Bytes response;
  sealed::bhttp::encode_head(ResponseHead{200, {}}, response).value();
  EXPECT_EQ(refusal(Kind::request, response), Code::malformed);
  EXPECT_EQ(refusal(Kind::response, request({})), Code::malformed);
}

TEST(BhttpDecoder, RefusesWhatAnHttp1LineCouldBeSmuggledIn) {
  using std::string_view_literals::operator""sv;
  EXPECT_TRUE(decode(Kind::request, raw_request("POST", "/", "a", "b")));
  for (const auto& bad : {
           raw_request("", "/", "a", "b"),
           raw_request("PO ST", "/", "a", "b"),
           raw_request("POST", "/ HTTP/1.1\r\nx: y", "a", "b"),
           raw_request("POST", "/\x7f", "a", "b"),
           raw_request("POST", "/\xc3\xa9", "a", "b"),
           raw_request("POST", "/", "a:b", "c"),
           raw_request("POST", "/", "A", "c"),
           raw_request("POST", "/", ":path", "/x"),
           raw_request("POST", "/", "a", "b\r\nc: d"),
           raw_request("POST", "/", "a", "b\0"sv),
           raw_request("POST", "/", "a", " b"),
           raw_request("POST", "/", "a", "b\t"),
       })
    EXPECT_EQ(refusal(Kind::request, bad), Code::malformed);
}

TEST(BhttpDecoder, AcceptsZeroPaddingAndRefusesAnyOther) {
  Bytes bytes = request({"x"});
  bytes.resize(bytes.size() + 300);
  EXPECT_EQ(decode(Kind::request, bytes)->padding, 300U);
  bytes.back() = std::byte{1};
  EXPECT_EQ(refusal(Kind::request, bytes), Code::malformed);
}

TEST(BhttpDecoder, HoldsToItsLimits) {
  const HeadLimits limits;
  const std::string longest(limits.control - 1, 'x');
  EXPECT_TRUE(decode(Kind::request, raw_request("POST", "/" + longest, "a", "b")));
  EXPECT_EQ(refusal(Kind::request, raw_request("POST", "/x" + longest, "a", "b")), Code::too_large);
  EXPECT_EQ(refusal(Kind::request, raw_request("POST", "/", "a", std::string(limits.section, 'v'))), Code::too_large);

  RequestHead head = kHead;
  head.fields.assign(limits.fields, Field{"n", "v"});
  Bytes bytes;
  sealed::bhttp::encode_head(head, bytes).value();
  EXPECT_TRUE(decode(Kind::request, bytes));
  head.fields.push_back({"n", "v"});
  bytes.clear();
  sealed::bhttp::encode_head(head, bytes).value();
  EXPECT_EQ(refusal(Kind::request, bytes), Code::too_large);

  bytes.clear();
  for (std::size_t i = 0; i < limits.informational; ++i) sealed::bhttp::encode_informational({103, {}}, bytes).value();
  Bytes flood = bytes;
  sealed::bhttp::encode_final_head({200, {}}, bytes).value();
  EXPECT_EQ(decode(Kind::response, bytes)->informational.size(), limits.informational);
  sealed::bhttp::encode_informational({103, {}}, flood).value();
  EXPECT_EQ(refusal(Kind::response, flood), Code::too_large);
}

TEST(BhttpDecoder, DoesNotAllocateForALengthItIsOnlyTold) {
  // 2^62 - 1 bytes of content are announced; one comes.
  Bytes bytes;
  sealed::bhttp::encode_head(kHead, bytes).value();
  sealed::bhttp::encode_content_prefix((std::uint64_t{1} << 62U) - 1, bytes);
  bytes.push_back(std::byte{'x'});
  EXPECT_EQ(refusal(Kind::request, bytes), Code::truncated);
}

TEST(BhttpEncoder, RefusesWhatADecoderWouldRefuse) {
  Bytes out;
  EXPECT_EQ(sealed::bhttp::encode_head(RequestHead{"PO ST", "https", "", "/", {}}, out).error().code(),
            Code::bad_request);
  EXPECT_FALSE(sealed::bhttp::encode_head(RequestHead{"GET", "https", "", "/a b", {}}, out));
  EXPECT_FALSE(sealed::bhttp::encode_head(RequestHead{"GET", "https", "", "/", {{"a b", "c"}}}, out));
  EXPECT_FALSE(sealed::bhttp::encode_head(RequestHead{"GET", "https", "", "/", {{"a", "b\nc"}}}, out));
  EXPECT_FALSE(sealed::bhttp::encode_head(ResponseHead{103, {}}, out));
  EXPECT_FALSE(sealed::bhttp::encode_head(ResponseHead{600, {}}, out));
  EXPECT_FALSE(sealed::bhttp::encode_informational(ResponseHead{200, {}}, out));
}

TEST(BhttpEncoder, WritesNamesInLowercase) {
  Bytes out;
  sealed::bhttp::encode_head(RequestHead{"GET", "https", "", "/", {{"Content-Type", "Text"}}}, out).value();
  EXPECT_EQ(decode(Kind::request, out)->request.fields, (Fields{{"content-type", "Text"}}));
}

}  // namespace
}  // namespace waxwing::test
