// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support.hpp"
#include "support/vectors.hpp"

namespace waxwing::test {
namespace {

using nlohmann::json;
using sealed::bhttp::Kind;

std::string text_of(const json& value) {
  return std::string(as_text(hex(value)));
}

sealed::Fields fields_of(const json& list) {
  sealed::Fields fields;
  for (const json& line : list) fields.push_back({text_of(line[0]), text_of(line[1])});
  return fields;
}

Message expected(const json& decoded) {
  Message message;
  message.known_length = decoded["known_length"].get<bool>();
  message.content = hex(decoded["content"]);
  message.trailers = fields_of(decoded["trailers"]);
  message.padding = decoded["padding"].get<std::uint64_t>();
  if (decoded["kind"] == "request") {
    const json& control = decoded["control"];
    message.request = {text_of(control[0]), text_of(control[1]), text_of(control[2]), text_of(control[3]),
                       fields_of(decoded["headers"])};
  } else {
    for (const json& each : decoded["informational"])
      message.informational.push_back({each[0].get<int>(), fields_of(each[1])});
    message.response = {decoded["control"].get<int>(), fields_of(decoded["headers"])};
  }
  return message;
}

// Without a decoded form the framing indicator says which reader a message is for.
Kind kind_of(const json& vector) {
  if (vector.contains("decoded")) return vector["decoded"]["kind"] == "request" ? Kind::request : Kind::response;
  const Bytes data = hex(vector["data"]);
  return !data.empty() && (data[0] == std::byte{1} || data[0] == std::byte{3}) ? Kind::response : Kind::request;
}

TEST(BhttpVectors, DecodesAndRefusesAsEachCaseSays) {
  WAXWING_VECTORS_OR_SKIP(file, "ohttp/bhttp.json");
  for (const json& vector : file["vectors"]) {
    SCOPED_TRACE(vector["name"].get<std::string>());
    const Bytes data = hex(vector["data"]);
    const auto verdict = vector["verdict"].get<std::string>();
    for (const Cutter& cutter : {Cutter::whole(), Cutter::every(1), Cutter::every(7), Cutter::randomly(3, 40)}) {
      const auto message = decode(kind_of(vector), data, cutter);
      if (verdict == "ok") {
        ASSERT_TRUE(message) << message.error().describe();
        EXPECT_TRUE(*message == expected(vector["decoded"]));
      } else if (verdict == "implementation-choice") {
        if (message) EXPECT_TRUE(*message == expected(vector["decoded"]));
      } else {
        EXPECT_FALSE(message);
      }
    }
  }
}

TEST(BhttpVectors, WhatDecodesEncodesToTheSameMessage) {
  WAXWING_VECTORS_OR_SKIP(file, "ohttp/bhttp.json");
  for (const json& vector : file["vectors"]) {
    if (vector["verdict"] != "ok") continue;
    SCOPED_TRACE(vector["name"].get<std::string>());
    Message message = expected(vector["decoded"]);
    message.padding = 0;
    const Kind kind = kind_of(vector);

    message.known_length = false;
    Bytes out;
    for (const auto& each : message.informational) ASSERT_TRUE(sealed::bhttp::encode_informational(each, out));
    if (kind == Kind::request)
      ASSERT_TRUE(sealed::bhttp::encode_head(message.request, out));
    else
      ASSERT_TRUE(out.empty() ? sealed::bhttp::encode_head(message.response, out)
                              : sealed::bhttp::encode_final_head(message.response, out));
    if (!message.content.empty()) {
      sealed::bhttp::encode_content_prefix(message.content.size(), out);
      append(out, message.content);
    }
    ASSERT_TRUE(sealed::bhttp::encode_end(message.trailers, out));
    EXPECT_TRUE(decode(kind, out).value() == message);

    if (!message.informational.empty()) continue;
    message.known_length = true;
    const auto known = kind == Kind::request
                           ? sealed::bhttp::encode_known_length(message.request, message.content, message.trailers)
                           : sealed::bhttp::encode_known_length(message.response, message.content, message.trailers);
    ASSERT_TRUE(known);
    EXPECT_TRUE(decode(kind, *known).value() == message);
  }
}

}  // namespace
}  // namespace waxwing::test
