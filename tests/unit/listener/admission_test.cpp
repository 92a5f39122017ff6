// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/listener/admission.hpp"

#include <gtest/gtest.h>

namespace waxwing::listener {
namespace {

net::RequestHead request(net::Fields fields) {
  return {.method = "POST", .target = "/", .minor_version = 1, .fields = std::move(fields)};
}

bool admits(net::Fields fields, Transport transport = Transport::tcp, std::vector<std::string> hosts = {}) {
  const Admission admission{.hosts = std::move(hosts)};
  const auto admitted = admission.admit(request(std::move(fields)), transport);
  if (!admitted) EXPECT_EQ(admitted.error().code(), Code::forbidden);
  return admitted.has_value();
}

TEST(Admission, AnswersToTheNamesOfThisMachineOnAnyPort) {
  for (const char* host :
       {"localhost", "localhost:8411", "LOCALHOST:1", "127.0.0.1", "127.0.0.1:8411", "[::1]", "[::1]:8411"})
    EXPECT_TRUE(admits({{"host", host}})) << host;
}

TEST(Admission, RefusesNamesThatCanBeReboundToThisMachine) {
  for (const char* host : {"evil.example", "evil.example:8411", "localhost.evil.example", "127.0.0.1.evil.example",
                           "127.0.0.1:80:90", "[::1", "[::1]x", "::1", "", "localhost evil.example", "169.254.1.1"})
    EXPECT_FALSE(admits({{"host", host}})) << host;
  EXPECT_FALSE(admits({}));
}

TEST(Admission, AnswersToConfiguredNames) {
  EXPECT_TRUE(admits({{"host", "waxwing.lan:8411"}}, Transport::tcp, {"waxwing.lan"}));
  EXPECT_FALSE(admits({{"host", "x.waxwing.lan"}}, Transport::tcp, {"waxwing.lan"}));
}

TEST(Admission, DoesNotLookAtHostOnAUnixSocket) {
  EXPECT_TRUE(admits({{"host", "anything"}}, Transport::unix_socket));
  EXPECT_FALSE(admits({{"host", "anything"}, {"origin", "https://evil.example"}}, Transport::unix_socket));
}

TEST(Admission, RefusesEveryOriginAndOtherSites) {
  for (const char* origin : {"https://evil.example", "http://localhost:8411", "null", ""})
    EXPECT_FALSE(admits({{"host", "localhost"}, {"origin", origin}})) << origin;
  for (const char* site : {"cross-site", "same-site", ""})
    EXPECT_FALSE(admits({{"host", "localhost"}, {"sec-fetch-site", site}})) << site;
  EXPECT_TRUE(admits({{"host", "localhost"}, {"sec-fetch-site", "none"}}));
  EXPECT_TRUE(admits({{"host", "localhost"}, {"sec-fetch-site", "same-origin"}}));
}

TEST(Admission, TakesBodiesOnlyInTheTypeThatNeedsAPreflight) {
  const auto chat = dialect::find_endpoint("POST", "/v1/chat/completions");
  ASSERT_TRUE(chat);
  const auto takes = [&](net::Fields fields) {
    return check_content_type(request(std::move(fields)), *chat->endpoint).has_value();
  };
  EXPECT_TRUE(takes({{"content-type", "application/json"}}));
  EXPECT_TRUE(takes({{"content-type", "Application/JSON ; charset=utf-8"}}));
  for (const char* type : {"text/plain", "application/x-www-form-urlencoded", "multipart/form-data",
                           "application/jsonx", "text/plain; application/json", ""})
    EXPECT_FALSE(takes({{"content-type", type}})) << type;
  EXPECT_FALSE(takes({}));
  EXPECT_FALSE(takes({{"content-type", "application/json"}, {"content-type", "text/plain"}}));
}

}  // namespace
}  // namespace waxwing::listener
