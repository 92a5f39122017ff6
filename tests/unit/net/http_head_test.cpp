// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/http_head.hpp"

#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace waxwing::net {
namespace {

const std::string kRequest =
    "POST /v1/chat/completions?x=1 HTTP/1.1\r\nHost: 127.0.0.1:8411\r\nContent-Type: application/json\r\n"
    "Content-Length: 12\r\nX-Empty:\r\nx-spaces: \t a b \t\r\n\r\n";
const std::string kResponse =
    "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nTransfer-Encoding: chunked\r\n\r\n";

Result<RequestHead> request(std::string_view text, const HeadLimits& limits = {}) {
  RequestHead head;
  WAXWING_TRY(parse_request_head(as_bytes(text), limits, head));
  return head;
}
Result<ResponseHead> response(std::string_view text) {
  ResponseHead head;
  WAXWING_TRY(parse_response_head(as_bytes(text), {}, head));
  return head;
}
Result<std::optional<std::size_t>> head_end(std::string_view text, const HeadLimits& limits = {}) {
  std::size_t scanned = 0;
  return find_head_end(as_bytes(text), limits, scanned);
}
/// The whole way of received bytes: find, parse, length.
bool accepted(std::string_view text) {
  const auto end = head_end(text);
  if (!end || !*end) return false;
  const auto head = request(text.substr(0, **end));
  return head && request_body_length(*head);
}

TEST(HttpHeadTest, ReadsARequest) {
  const auto head = request(kRequest);
  ASSERT_TRUE(head) << head.error().describe();
  EXPECT_EQ(head->method, "POST");
  EXPECT_EQ(head->target, "/v1/chat/completions?x=1");
  EXPECT_EQ(head->path(), "/v1/chat/completions");
  EXPECT_EQ(head->query(), "x=1");
  EXPECT_EQ(head->minor_version, 1);
  EXPECT_EQ(head->fields.size(), 5U);
  EXPECT_EQ(head->fields.find("content-type"), "application/json");
  EXPECT_EQ(head->fields.find("x-empty"), "");
  EXPECT_EQ(head->fields.find("x-spaces"), "a b");
  EXPECT_EQ(head->fields.find("absent"), std::nullopt);
  EXPECT_EQ(request_body_length(*head), BodyLength::known(12));
}

TEST(HttpHeadTest, ReadsAResponse) {
  const auto head = response(kResponse);
  ASSERT_TRUE(head) << head.error().describe();
  EXPECT_EQ(head->status, 200);
  EXPECT_EQ(response_body_length(*head, "POST"), BodyLength::chunked());
  EXPECT_EQ(response_body_length(*head, "HEAD"), BodyLength::none());
  EXPECT_TRUE(response("HTTP/1.1 204\r\n\r\n"));
  EXPECT_TRUE(response("HTTP/1.0 404 Not here at all\r\n\r\n"));
}

TEST(HttpHeadTest, FindsTheEndWhateverThePieces) {
  for (std::size_t piece = 1; piece <= kRequest.size(); ++piece) {
    std::size_t scanned = 0;
    for (std::size_t n = piece; n < kRequest.size(); n += piece) {
      const auto end = find_head_end(as_bytes(std::string_view(kRequest).substr(0, n)), {}, scanned);
      ASSERT_TRUE(end);
      ASSERT_EQ(*end, std::nullopt) << piece << " " << n;
    }
    const auto end = find_head_end(as_bytes(kRequest + "body"), {}, scanned);
    ASSERT_TRUE(end);
    EXPECT_EQ(*end, kRequest.size());
  }
}

TEST(HttpHeadTest, TruncatedAtEveryByteIsIncompleteAndNeverParses) {
  for (std::size_t n = 0; n < kRequest.size(); ++n) {
    const std::string_view cut = std::string_view(kRequest).substr(0, n);
    const auto end = head_end(cut);
    ASSERT_TRUE(end) << n;
    EXPECT_EQ(*end, std::nullopt) << n;
    EXPECT_FALSE(request(cut)) << n;
  }
  for (std::size_t n = 0; n < kResponse.size(); ++n)
    EXPECT_FALSE(response(std::string_view(kResponse).substr(0, n))) << n;
}

/// What a mutated head is read as must be sendable again and then read the same: no hidden ambiguity.
TEST(HttpHeadTest, FlippedBitsAreRefusedOrReadUnambiguously) {
  for (std::size_t bit = 0; bit < kRequest.size() * 8; ++bit) {
    std::string flipped = kRequest;
    flipped[bit / 8] = static_cast<char>(static_cast<unsigned char>(flipped[bit / 8]) ^ (1U << (bit % 8)));
    const auto end = head_end(flipped);
    if (!end || !*end) continue;
    auto head = request(std::string_view(flipped).substr(0, **end));
    if (!head) continue;
    const auto length = request_body_length(*head);
    if (!length) continue;
    for (const auto* framing : {"content-length", "transfer-encoding", "connection"}) head->fields.remove(framing);
    Bytes out;
    ASSERT_TRUE(encode_head(*head, *length, Persist::keep_alive, out)) << bit;
    const auto again = request(as_text(out));
    ASSERT_TRUE(again) << bit << " " << as_text(out);
    EXPECT_EQ(again->target, head->target);
    EXPECT_EQ(again->method, head->method);
  }
}

TEST(HttpHeadTest, RefusesSmugglingForms) {
  const std::string line = "POST / HTTP/1.1\r\n";
  const std::string host = "Host: a\r\n";
  ASSERT_TRUE(accepted(line + host + "Content-Length: 0\r\n\r\n"));
  ASSERT_TRUE(accepted(line + host + "Transfer-Encoding: chunked\r\n\r\n"));
  for (const std::string& text : std::vector<std::string>{
           line + host + "Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
           line + host + "Transfer-Encoding: chunked\r\nContent-Length: 1\r\n\r\n",
           line + host + "Content-Length: 1\r\nContent-Length: 2\r\n\r\n",
           line + host + "Content-Length: 1\r\nContent-Length: 1\r\n\r\n",
           line + host + "Content-Length: 1, 1\r\n\r\n",
           line + host + "Content-Length: +1\r\n\r\n",
           line + host + "Content-Length: -1\r\n\r\n",
           line + host + "Content-Length: 0x1\r\n\r\n",
           line + host + "Content-Length: 1 1\r\n\r\n",
           line + host + "Content-Length:\r\n\r\n",
           line + host + "Content-Length: 18446744073709551616\r\n\r\n",
           line + host + "Content-Length : 1\r\n\r\n",
           line + host + "Transfer-Encoding: identity\r\n\r\n",
           line + host + "Transfer-Encoding: gzip, chunked\r\n\r\n",
           line + host + "Transfer-Encoding: chunked, chunked\r\n\r\n",
           line + host + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n",
           line + host + "Transfer-Encoding: xchunked\r\n\r\n",
           line + host +
               "Transfer-Encoding: \x0b"
               "chunked\r\n\r\n",
           line + host + "Transfer-Encoding:\r\n chunked\r\n\r\n",
           line + host + "X: y\r\n folded\r\n\r\n",
           line + host + " X: y\r\n\r\n",
           line + " Host: a\r\n\r\n",
           line + host + "X\r\n\r\n",
           line + host + ": y\r\n\r\n",
           line + host + "X y: z\r\n\r\n",
           line + host + "X: a\rb\r\n\r\n",
           line + host + "X: a\nY: b\r\n\r\n",
           line + host + std::string("X: a\0b\r\n\r\n", 10),
           line + host + "X: a\x7f\r\n\r\n",
           line + host + host + "\r\n",
           line + "\r\n",
           line + "Host: a b\r\n\r\n",
           line + "Host: a/b\r\n\r\n",
           line + "Host: user@a\r\n\r\n",
           "POST / HTTP/1.1\n" + host + "\r\n",
           "POST / HTTP/1.1\r\nHost: a\n\n",
           "POST  / HTTP/1.1\r\n" + host + "\r\n",
           "POST /  HTTP/1.1\r\n" + host + "\r\n",
           "POST /a b HTTP/1.1\r\n" + host + "\r\n",
           "POST\t/ HTTP/1.1\r\n" + host + "\r\n",
           " POST / HTTP/1.1\r\n" + host + "\r\n",
           "POST / HTTP/1.1 \r\n" + host + "\r\n",
           "POST / http/1.1\r\n" + host + "\r\n",
           "POST / HTTP/2.0\r\n" + host + "\r\n",
           "POST / HTTP/1.2\r\n" + host + "\r\n",
           "POST / HTTP/11\r\n" + host + "\r\n",
           "POST /\r\n" + host + "\r\n",
           "PO(ST / HTTP/1.1\r\n" + host + "\r\n",
           "POST http://a/ HTTP/1.1\r\n" + host + "\r\n",
           "CONNECT a:1 HTTP/1.1\r\n" + host + "\r\n",
           "POST * HTTP/1.1\r\n" + host + "\r\n",
           "POST /#x HTTP/1.1\r\n" + host + "\r\n",
           "POST /\x80 HTTP/1.1\r\n" + host + "\r\n",
           "POST / HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n",
       }) {
    EXPECT_FALSE(accepted(text)) << text;
  }
}

TEST(HttpHeadTest, TellsUnsupportedFromWrong) {
  EXPECT_EQ(request("GET / HTTP/2.0\r\nHost: a\r\n\r\n").error().code(), Code::unsupported);
  const auto head = request("GET / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: gzip\r\n\r\n");
  EXPECT_EQ(request_body_length(*head).error().code(), Code::unsupported);
}

TEST(HttpHeadTest, RefusesAmbiguousResponses) {
  for (const std::string_view text : {
           "HTTP/1.1 20 OK\r\n\r\n",
           "HTTP/1.1 2000 OK\r\n\r\n",
           "HTTP/1.1 099 X\r\n\r\n",
           "HTTP/1.1 600 X\r\n\r\n",
           "HTTP/1.1  200 OK\r\n\r\n",
           "HTTP/1.1 200OK\r\n\r\n",
           "HTTP/2.0 200 OK\r\n\r\n",
           "ICY 200 OK\r\n\r\n",
           "HTTP/1.1 200 \x01\r\n\r\n",
           "HTTP/1.1 200 OK\r\n X: y\r\n\r\n",
       }) {
    const auto head = response(text);
    ASSERT_FALSE(head) << text;
    EXPECT_EQ(head.error().code(), Code::malformed) << text;
  }
  const auto both = response("HTTP/1.1 200 OK\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n");
  ASSERT_TRUE(both);
  EXPECT_EQ(response_body_length(*both, "GET").error().code(), Code::malformed);
  EXPECT_FALSE(response_body_length(*both, "HEAD")) << "contradictions are refused even where no body follows";
}

TEST(HttpHeadTest, HoldsItsLimits) {
  const HeadLimits limits{.bytes = 200, .fields = 3, .target = 20};
  const auto sized = [](std::size_t n) { return "GET / HTTP/1.1\r\nHost: " + std::string(n - 26, 'a') + "\r\n\r\n"; };
  EXPECT_TRUE(head_end(sized(200), limits));
  EXPECT_EQ(head_end(sized(201), limits).error().code(), Code::too_large);
  EXPECT_EQ(head_end(std::string(200, 'a'), limits).error().code(), Code::too_large);
  const std::string line = "GET / HTTP/1.1\r\n";
  EXPECT_TRUE(request(line + "Host: a\r\nb: c\r\nd: e\r\n\r\n", limits));
  EXPECT_EQ(request(line + "Host: a\r\nb: c\r\nd: e\r\nf: g\r\n\r\n", limits).error().code(), Code::too_large);
  EXPECT_TRUE(request("GET /" + std::string(19, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits));
  EXPECT_EQ(request("GET /" + std::string(20, 'x') + " HTTP/1.1\r\nHost: a\r\n\r\n", limits).error().code(),
            Code::too_large);
}

TEST(HttpHeadTest, KnowsWhenConnectionsStay) {
  EXPECT_TRUE(keeps_alive(1, {}));
  EXPECT_FALSE(keeps_alive(0, {}));
  EXPECT_FALSE(keeps_alive(1, Fields{{"connection", "foo, Close"}}));
  EXPECT_TRUE(keeps_alive(0, Fields{{"connection", "Keep-Alive"}}));
  EXPECT_TRUE(keeps_alive(1, Fields{{"connection", "closed"}}));
}

TEST(HttpHeadTest, EncodesFramingItself) {
  Bytes out;
  ASSERT_TRUE(encode_head(RequestHead{.method = "POST", .target = "/x", .fields = {{"Host", "a"}}},
                          BodyLength::chunked(), Persist::keep_alive, out));
  EXPECT_EQ(as_text(out), "POST /x HTTP/1.1\r\nhost: a\r\ntransfer-encoding: chunked\r\n\r\n");
  out.clear();
  ASSERT_TRUE(encode_head(RequestHead{.method = "POST", .target = "/x", .fields = {}}, BodyLength::none(),
                          Persist::close, out));
  EXPECT_EQ(as_text(out), "POST /x HTTP/1.1\r\ncontent-length: 0\r\nconnection: close\r\n\r\n");
  out.clear();
  ASSERT_TRUE(encode_head(ResponseHead{.status = 304, .fields = {}}, BodyLength::none(), Persist::keep_alive, out));
  EXPECT_EQ(as_text(out), "HTTP/1.1 304 Not Modified\r\n\r\n");
}

TEST(HttpHeadTest, RefusesToSendWhatWouldBreakTheFraming) {
  Bytes out;
  const auto refused = [&](const RequestHead& head) {
    const auto result = encode_head(head, BodyLength::none(), Persist::keep_alive, out);
    return !result && result.error().code() == Code::internal;
  };
  EXPECT_TRUE(refused({.fields = {{"x", "a\r\nb: c"}}}));
  EXPECT_TRUE(refused({.fields = {{"x", "a\nb"}}}));
  EXPECT_TRUE(refused({.fields = {{"x", std::string_view("\0", 1)}}}));
  EXPECT_TRUE(refused({.fields = {{"x y", "a"}}}));
  EXPECT_TRUE(refused({.fields = {{"", "a"}}}));
  EXPECT_TRUE(refused({.fields = {{"Content-Length", "1"}}}));
  EXPECT_TRUE(refused({.fields = {{"Transfer-Encoding", "chunked"}}}));
  EXPECT_TRUE(refused({.fields = {{"Connection", "close"}}}));
  EXPECT_TRUE(refused({.method = "GET /x", .fields = {}}));
  EXPECT_TRUE(refused({.target = "/ HTTP/1.1\r\nx: y", .fields = {}}));
  EXPECT_TRUE(refused({.target = "", .fields = {}}));
}

TEST(FieldsTest, KeepsOrderAndRemovesAllOfAName) {
  Fields fields{{"A", "1"}, {"b", "2"}, {"a", "3"}};
  EXPECT_EQ(fields.count("a"), 2U);
  EXPECT_EQ(fields.find("a"), "1");
  fields.set("a", "4");
  ASSERT_EQ(fields.size(), 2U);
  EXPECT_EQ(fields[0], Fields::Field("b", "2"));
  EXPECT_EQ(fields[1], Fields::Field("a", "4"));
}

TEST(FieldsTest, FindsTokensInLists) {
  const Fields fields{{"connection", "a,, B ,c"}, {"connection", "d"}};
  for (const auto* token : {"a", "b", "c", "D"}) EXPECT_TRUE(fields.has_token("connection", token)) << token;
  EXPECT_FALSE(fields.has_token("connection", "e"));
}

}  // namespace
}  // namespace waxwing::net
