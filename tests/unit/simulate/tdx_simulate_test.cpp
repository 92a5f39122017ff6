// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include "support/tdx_scene.hpp"

namespace waxwing::simulate {
namespace {

using test::TdxScene;

TEST(SimulatedTdx, IsUpToDateByItsOwnCollateral) {
  const auto root = TdxRoot::create(TdxScene::time()).value();
  const auto platform = TdxPlatform::create(root, TdxScene::time()).value();
  auto quote = platform.blank_quote();
  quote.body.report_data.fill(std::byte{0xAB});
  const auto parsed = tdx::parse_unverified(platform.sign(quote).value());
  const auto collateral =
      tdx::parse_collateral(platform.collateral(root, TdxScene::time()).value(), Limits::evidence());
  ASSERT_TRUE(parsed && collateral);
  const tdx::Roots roots = {{}, {{crypto::Certificate::from_der(root.root()).value(), "SIMULATED"}}};
  evidence::Checklist checks;
  const auto verified = tdx::verify(*parsed, *collateral, roots, TdxScene::time(), checks);
  ASSERT_TRUE(verified) << verified.error().describe();
  EXPECT_EQ(verified->quote().body.report_data, quote.body.report_data);
  EXPECT_EQ(verified->tcb().status, tdx::TcbStatus::up_to_date);
  EXPECT_EQ(verified->anchor_label(), "SIMULATED");
}

TEST(SimulatedTdx, EncodingAndParsingAreInverse) {
  TdxScene scene;
  const Bytes bytes = scene.evidence();
  EXPECT_EQ(encode_quote(tdx::parse_unverified(bytes).value()), bytes);
  EXPECT_EQ(encode_tcb_info(tdx::parse_tcb_info(scene.parts.tcb_info.text).value()), scene.parts.tcb_info.text);
  EXPECT_EQ(encode_qe_identity(tdx::parse_qe_identity(scene.parts.qe_identity.text).value()),
            scene.parts.qe_identity.text);
}

TEST(SimulatedTdx, RootIsNotIntels) {
  const auto fingerprint = crypto::sha256(TdxScene::shared_root().root());
  for (const auto& pin : tdx::intel_roots().pinned) EXPECT_NE(pin.certificate_sha256, fingerprint);
}

}  // namespace
}  // namespace waxwing::simulate
