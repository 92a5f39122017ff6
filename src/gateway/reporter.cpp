// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include <condition_variable>
#include <functional>
#include <mutex>
#include <thread>
#include <utility>

#include "waxwing/gateway/evidence_source.hpp"
#include "waxwing/net/event.hpp"

namespace waxwing::gateway {
namespace {

struct Job {
  ReportData report_data{};
  Result<Evidence> outcome = fail(Code::internal, "no report was made");
  net::Event* done = nullptr;  // null once nobody waits any more; touched on the loop's thread only
};

}  // namespace

struct ThreadedReporter::State {
  State(net::Loop& owner, EvidenceSource& from, std::chrono::nanoseconds most)
      : loop(owner), source(from), longest(most) {}

  void work() {
    for (;;) {
      std::shared_ptr<Job> job;
      {
        std::unique_lock lock(mutex);
        changed.wait(lock, [this] { return ending || next; });
        if (ending) return;
        job = std::exchange(next, nullptr);
      }
      job->outcome = source.report(job->report_data);
      {
        const std::scoped_lock lock(mutex);
        busy = false;
      }
      loop.post([job] {
        if (job->done != nullptr) job->done->signal();
      });
    }
  }

  net::Loop& loop;
  EvidenceSource& source;
  std::chrono::nanoseconds longest;
  std::mutex mutex;
  std::condition_variable changed;
  std::shared_ptr<Job> next;  // owners: this, the thread, the posted function and the coroutine that waits
  bool busy = false;
  bool ending = false;
  std::thread thread;
};

ThreadedReporter::ThreadedReporter(net::Loop& loop, EvidenceSource& source, std::chrono::nanoseconds longest)
    : state_(std::make_unique<State>(loop, source, longest)) {
  state_->thread = std::thread([state = state_.get()] { state->work(); });
}

ThreadedReporter::~ThreadedReporter() {
  {
    const std::scoped_lock lock(state_->mutex);
    state_->ending = true;
  }
  state_->changed.notify_one();
  state_->thread.join();
}

net::Task<Evidence> ThreadedReporter::report(ReportData report_data) {
  auto job = std::make_shared<Job>();
  job->report_data = report_data;
  net::Event done(state_->loop);
  job->done = &done;
  {
    const std::scoped_lock lock(state_->mutex);
    if (std::exchange(state_->busy, true)) co_return fail(Code::io, "the report before is still being made");
    state_->next = job;
  }
  state_->changed.notify_one();
  const net::Wake wake = co_await done.wait(net::Deadline::within(state_->longest));
  job->done = nullptr;
  WAXWING_CO_TRY(net::to_result(wake, "waiting for a hardware report"));
  co_return std::move(job->outcome);
}

}  // namespace waxwing::gateway
