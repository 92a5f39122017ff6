// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/net/url.hpp"

#include <gtest/gtest.h>

namespace waxwing::net {
namespace {

TEST(UrlTest, ReadsOriginAndPath) {
  const auto url = parse_url("HTTPS://Gateway.Example:8443/tenant/");
  ASSERT_TRUE(url) << url.error().describe();
  EXPECT_EQ(url->origin, (Origin{Scheme::https, "gateway.example", 8443, {}}));
  EXPECT_EQ(url->path_of("/v1/models"), "/tenant/v1/models");
  EXPECT_EQ(url->to_string(), "https://gateway.example:8443/tenant");
  EXPECT_EQ(url->origin.host_field(), "gateway.example:8443");
}

TEST(UrlTest, FillsInDefaultPorts) {
  EXPECT_EQ(parse_url("http://a")->origin.port, 80);
  EXPECT_EQ(parse_url("https://a/")->origin.port, 443);
  EXPECT_EQ(parse_url("https://a")->origin.host_field(), "a");
}

TEST(UrlTest, ReadsAddresses) {
  const auto v6 = parse_url("http://[::1]:8080");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->origin.host, "::1");
  EXPECT_EQ(v6->origin.host_field(), "[::1]:8080");
  EXPECT_TRUE(v6->origin.is_loopback());
  EXPECT_TRUE(parse_url("http://127.1.2.3")->origin.is_loopback());
  EXPECT_TRUE(parse_url("http://localhost:1")->origin.is_loopback());
  EXPECT_FALSE(parse_url("http://127.example.com")->origin.is_loopback());
  EXPECT_FALSE(parse_url("http://10.0.0.1")->origin.is_loopback());
}

TEST(UrlTest, ReadsUnixSockets) {
  const auto url = parse_url("unix:/run/engine.sock");
  ASSERT_TRUE(url);
  EXPECT_EQ(url->origin.scheme, Scheme::unix_socket);
  EXPECT_EQ(url->origin.socket, "/run/engine.sock");
  EXPECT_EQ(url->to_string(), "unix:/run/engine.sock");
  EXPECT_EQ(url->origin.host_field(), "localhost");
  EXPECT_TRUE(url->origin.is_loopback());
}

TEST(UrlTest, RefusesWhatWouldBeLostOrMisread) {
  for (const std::string text : {"",
                                 "a",
                                 "//a",
                                 "ftp://a",
                                 "http:",
                                 "http:///x",
                                 "http://",
                                 "http://user@a",
                                 "http://user:pw@a",
                                 "http://a?x=1",
                                 "http://a#x",
                                 "http://a/../b",
                                 "http://a/./b",
                                 "http://a/%2e%2e/b",
                                 "http://a:0",
                                 "http://a:65536",
                                 "http://a:-1",
                                 "http://a:b",
                                 "http://a b",
                                 "http://%61",
                                 "http://[::1",
                                 "http://[v1.x]",
                                 "unix:",
                                 "unix:/",
                                 "unix:relative",
                                 "unix:/"
                                 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
                                 "aaaaaaaaaaaaaaaaaaaaaaa"}) {
    const auto url = parse_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code(), Code::config_invalid);
  }
}

TEST(UrlTest, ReadsListenAddresses) {
  EXPECT_EQ(parse_listen_address("127.0.0.1:8411")->to_string(), "127.0.0.1:8411");
  EXPECT_EQ(parse_listen_address("[::1]:0")->to_string(), "[::1]:0");
  EXPECT_EQ(parse_listen_address("unix:/run/w.sock")->socket, "/run/w.sock");
  EXPECT_TRUE(parse_listen_address("localhost:80")->is_loopback());
  EXPECT_FALSE(parse_listen_address("0.0.0.0:80")->is_loopback());
  for (const auto* text :
       {"", "127.0.0.1", "::1:80", "example.com:80", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:70000", ":80", "unix:x"}) {
    EXPECT_FALSE(parse_listen_address(text)) << text;
  }
}

}  // namespace
}  // namespace waxwing::net
