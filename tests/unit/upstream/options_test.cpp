// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "sessions.hpp"

namespace waxwing::upstream {
namespace {

ProviderOptions options(std::string_view url, TlsMode tls) {
  ProviderOptions options;
  options.url = net::parse_url(url).value();
  options.tls = tls;
  return options;
}

TEST(ProviderOptions, PlainIsForThisMachineOnly) {
  EXPECT_TRUE(check(options("http://127.0.0.1:8443", TlsMode::plain)));
  EXPECT_TRUE(check(options("http://[::1]:8443", TlsMode::plain)));
  EXPECT_TRUE(check(options("unix:/run/gateway.sock", TlsMode::plain)));
  EXPECT_FALSE(check(options("http://192.0.2.1:8443", TlsMode::plain)));
  EXPECT_FALSE(check(options("http://worker.example", TlsMode::plain)));
}

TEST(ProviderOptions, SchemeAndTlsAgree) {
  EXPECT_FALSE(check(options("https://127.0.0.1:8443", TlsMode::plain)));
  for (const TlsMode mode : {TlsMode::webpki, TlsMode::attested}) {
    EXPECT_TRUE(check(options("https://worker.example", mode)));
    EXPECT_FALSE(check(options("http://127.0.0.1:8443", mode)));
  }
}

TEST(ProviderOptions, AttestedTlsDemandsTheBinding) {
  EXPECT_EQ(client_policy(options("https://w.example", TlsMode::attested)).tls_binding, exchange::Demand::required);
  EXPECT_EQ(client_policy(options("https://w.example", TlsMode::webpki)).tls_binding, exchange::Demand::if_present);
}

TEST(ProviderOptions, NothingToChooseFromIsRefused) {
  ProviderOptions none = options("https://w.example", TlsMode::webpki);
  none.workers = 0;
  EXPECT_FALSE(check(none));
  none.workers = 1;
  none.client.kems.clear();
  EXPECT_FALSE(check(none));
}

}  // namespace
}  // namespace waxwing::upstream
