// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <future>

#include "../net/net_test.hpp"
#include "waxwing/gateway/evidence_source.hpp"

namespace waxwing::gateway {
namespace {

using namespace std::chrono_literals;
using net::Task;

/// Blocks until the test lets it go on; the evidence is the REPORTDATA.
class BlockingSource final : public EvidenceSource {
 public:
  Result<Evidence> report(const ReportData& report_data) override {
    begun.set_value();
    go_on.get_future().wait();
    Evidence evidence;
    evidence.item.data = to_bytes(report_data);
    return evidence;
  }
  std::promise<void> begun;
  std::promise<void> go_on;
};

class ThreadedReporterTest : public net::NetTest {
 protected:
  static Task<> keep(Reporter& reporter, ReportData data, Result<Evidence>& out) {
    out = co_await reporter.report(data);
    co_return Result<void>();
  }

  BlockingSource source;
  Result<Evidence> first = fail(Code::internal, "nothing yet");
  Result<Evidence> second = fail(Code::internal, "nothing yet");
};

TEST_F(ThreadedReporterTest, ReportComesBackToTheLoopAndASecondMeanwhileIsRefused) {
  ThreadedReporter reporter(loop, source, 10s);
  net::TaskGroup group(loop);
  group.spawn(keep(reporter, ReportData{std::byte{1}}, first));
  loop.poll();
  source.begun.get_future().wait();
  group.spawn(keep(reporter, ReportData{std::byte{2}}, second));
  loop.poll();
  EXPECT_EQ(second.error().code(), Code::io);
  source.go_on.set_value();
  loop.run();
  ASSERT_TRUE(first) << first.error().describe();
  EXPECT_EQ(first->item.data.front(), std::byte{1});
}

TEST_F(ThreadedReporterTest, ReportThatTakesTooLongIsGivenUp) {
  ThreadedReporter reporter(loop, source, 10s);
  net::TaskGroup group(loop);
  group.spawn(keep(reporter, ReportData{}, first));
  loop.poll();
  source.begun.get_future().wait();
  pass(11s);
  loop.poll();
  EXPECT_EQ(first.error().code(), Code::deadline);
  source.go_on.set_value();  // the thread ends with the reporter
}

}  // namespace
}  // namespace waxwing::gateway
