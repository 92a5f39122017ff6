// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/observe/metrics.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <stdexcept>
#include <utility>
#include <variant>

#include "waxwing/base/encoding.hpp"

namespace waxwing::observe {
namespace {

using std::chrono::milliseconds;
using std::chrono::nanoseconds;
using std::chrono::seconds;

constexpr std::array<nanoseconds, 16> kLatency = {
    milliseconds(1),   milliseconds(2),   milliseconds(5),   milliseconds(10), milliseconds(20), milliseconds(50),
    milliseconds(100), milliseconds(200), milliseconds(500), seconds(1),       seconds(2),       seconds(5),
    seconds(10),       seconds(30),       seconds(60),       seconds(120)};

std::string in_seconds(nanoseconds value) {
  return fmt::format("{}", std::chrono::duration<double>(value).count());
}

// Prometheus data model: metric names may hold colons, label names may not.
bool is_name(std::string_view name, std::string_view extra) {
  const auto letter = [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || extra.contains(c);
  };
  const auto digit = [](char c) { return c >= '0' && c <= '9'; };
  return !name.empty() && letter(name.front()) &&
         std::ranges::all_of(name, [&](char c) { return letter(c) || digit(c); });
}

std::string escape(std::string_view text, std::string_view specials) {
  std::string out;
  for (const char c : text) {
    if (c == '\n') {
      out += "\\n";
      continue;
    }
    if (specials.contains(c)) out += '\\';
    out += c;
  }
  return out;
}

// The inside of a series' braces: name="value",name="value".
std::string label_text(Labels labels) {
  std::string out;
  for (const Label& label : labels) {
    if (!is_name(label.name.view(), "") || label.name.view() == "le") throw std::logic_error("label name");
    if (!is_utf8(label.value)) throw std::logic_error("label value");
    if (!out.empty()) out += ',';
    fmt::format_to(std::back_inserter(out), "{}=\"{}\"", label.name.view(), escape(label.value, "\\\""));
  }
  return out;
}

void append_sample(std::string& out, std::string_view name, std::string_view suffix, std::string_view labels,
                   std::string_view value) {
  out += name;
  out += suffix;
  if (!labels.empty()) fmt::format_to(std::back_inserter(out), "{{{}}}", labels);
  fmt::format_to(std::back_inserter(out), " {}\n", value);
}

void append_histogram(std::string& out, std::string_view name, std::string_view labels, const Histogram& histogram) {
  const Histogram::Snapshot snapshot = histogram.snapshot();
  const std::string_view comma = labels.empty() ? "" : ",";
  for (std::size_t i = 0; i < snapshot.cumulative.size(); ++i) {
    const std::string bound = i < histogram.bounds().size() ? in_seconds(histogram.bounds()[i]) : "+Inf";
    append_sample(out, name, "_bucket", fmt::format("{}{}le=\"{}\"", labels, comma, bound),
                  std::to_string(snapshot.cumulative[i]));
  }
  append_sample(out, name, "_sum", labels, in_seconds(snapshot.sum));
  append_sample(out, name, "_count", labels, std::to_string(snapshot.cumulative.back()));
}

}  // namespace

Histogram::Histogram(std::span<const nanoseconds> bounds)
    : bounds_(bounds.begin(), bounds.end()), counts_(bounds.size() + 1) {}

void Histogram::record(nanoseconds value) {
  const auto bound = std::ranges::lower_bound(bounds_, value);
  counts_[static_cast<std::size_t>(bound - bounds_.begin())].fetch_add(1, std::memory_order_relaxed);
  sum_.fetch_add(value.count(), std::memory_order_relaxed);
}

Histogram::Snapshot Histogram::snapshot() const {
  Snapshot out{.cumulative = {}, .sum = nanoseconds(sum_.load(std::memory_order_relaxed))};
  std::uint64_t total = 0;
  for (const auto& count : counts_) {
    total += count.load(std::memory_order_relaxed);
    out.cumulative.push_back(total);
  }
  return out;
}

std::span<const nanoseconds> latency_bounds() {
  return kLatency;
}

struct Registry::Series {
  std::string labels;
  std::variant<std::unique_ptr<Counter>, std::unique_ptr<Gauge>, std::unique_ptr<Histogram>> metric;
};

struct Registry::Family {
  Type type;
  std::string_view name;
  std::string_view help;
  std::vector<std::unique_ptr<Series>> series;
};

Registry::Registry() = default;
Registry::~Registry() = default;

Registry::Family& Registry::family(Type type, Literal name, Literal help) {
  for (const auto& known : families_) {
    if (known->name != name.view()) continue;
    if (known->type != type || known->help != help.view()) throw std::logic_error("metric registered in two ways");
    return *known;
  }
  if (!is_name(name.view(), ":")) throw std::logic_error("metric name");
  families_.push_back(std::make_unique<Family>(Family{type, name.view(), help.view(), {}}));
  return *families_.back();
}

template <class Metric, class... Args>
Metric& Registry::add(Family& family, Labels labels, Args&&... args) {
  std::string text = label_text(labels);
  for (const auto& known : family.series) {
    if (known->labels == text) return *std::get<std::unique_ptr<Metric>>(known->metric);
  }
  auto metric = std::make_unique<Metric>(std::forward<Args>(args)...);
  Metric& out = *metric;
  family.series.push_back(std::make_unique<Series>(Series{std::move(text), std::move(metric)}));
  return out;
}

Counter& Registry::counter(Literal name, Literal help, Labels labels) {
  const std::scoped_lock lock(mutex_);
  return add<Counter>(family(Type::counter, name, help), labels);
}

Gauge& Registry::gauge(Literal name, Literal help, Labels labels) {
  const std::scoped_lock lock(mutex_);
  return add<Gauge>(family(Type::gauge, name, help), labels);
}

Histogram& Registry::histogram(Literal name, Literal help, std::span<const nanoseconds> bounds, Labels labels) {
  const std::scoped_lock lock(mutex_);
  return add<Histogram>(family(Type::histogram, name, help), labels, bounds);
}

std::string_view Registry::to_string(Type type) {
  switch (type) {
    case Type::counter:
      return "counter";
    case Type::gauge:
      return "gauge";
    case Type::histogram:
      return "histogram";
  }
  std::unreachable();
}

std::string Registry::expose() const {
  const std::scoped_lock lock(mutex_);
  std::string out;
  for (const auto& family : families_) {
    fmt::format_to(std::back_inserter(out), "# HELP {} {}\n# TYPE {} {}\n", family->name, escape(family->help, "\\"),
                   family->name, to_string(family->type));
    for (const auto& series : family->series) {
      std::visit(
          [&](const auto& metric) {
            if constexpr (std::is_same_v<std::decay_t<decltype(*metric)>, Histogram>) {
              append_histogram(out, family->name, series->labels, *metric);
            } else {
              append_sample(out, family->name, "", series->labels, std::to_string(metric->value()));
            }
          },
          series->metric);
    }
  }
  return out;
}

}  // namespace waxwing::observe
