// SPDX-FileCopyrightText: The Waxwing authors
// SPDX-License-Identifier: Apache-2.0
#include "waxwing/dialect/sse.hpp"

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

namespace waxwing::dialect {
namespace {

constexpr SseLimits kSplit{.event = 16, .oversize = Oversize::split};
constexpr SseLimits kRefuse{.event = 16, .oversize = Oversize::refuse};

using Events = std::vector<std::string>;

// The events of a stream that comes in these pieces; what is left comes last, marked with "~".
Events split(const std::vector<std::string_view>& pieces, const SseLimits& limits = SseLimits::answer()) {
  SseSplitter splitter(limits);
  Events events;
  std::string open;
  for (const std::string_view piece : pieces) {
    splitter.feed(as_bytes(piece));
    for (;;) {
      const auto event = splitter.next();
      if (!event) return {"refused"};
      if (!*event) break;
      open += as_text((*event)->bytes);
      if ((*event)->part != SsePart::open) events.push_back(std::exchange(open, {}));
    }
  }
  if (!open.empty() || !splitter.rest().empty()) events.push_back("~" + open + std::string(as_text(splitter.rest())));
  return events;
}

std::vector<std::string_view> in_bytes(std::string_view text) {
  std::vector<std::string_view> pieces;
  for (std::size_t i = 0; i < text.size(); ++i) pieces.push_back(text.substr(i, 1));
  return pieces;
}

TEST(SseSplitterTest, RefusesAnEventAboveTheLimitAndStaysRefused) {
  SseSplitter splitter(kRefuse);
  const std::string_view text = "data: 1234567890123\n\n";
  splitter.feed(as_bytes(text));
  const auto first = splitter.next();
  ASSERT_FALSE(first);
  EXPECT_EQ(first.error().code(), Code::too_large);
  EXPECT_FALSE(splitter.next());
  EXPECT_EQ(split(in_bytes(text), kRefuse), Events{"refused"});
}

TEST(SseSplitterTest, AnUnendedEventIsNeverHandedOut) {
  EXPECT_EQ(split({"data: a\n"}), Events{"~data: a\n"});
  EXPECT_EQ(split({"data: a"}), Events{"~data: a"});
  EXPECT_EQ(split({"data: a\r\n"}), Events{"~data: a\r\n"});
  EXPECT_EQ(split({""}), Events{});
}

TEST(SseSplitterTest, EachKindOfLineEndEndsEvents) {
  for (const std::string end : {"\n", "\r\n", "\r"}) {
    const std::string first = "event: x" + end + "data: a" + end + end;
    const std::string second = ":comment" + end + end;
    EXPECT_EQ(split({first + second}), (Events{first, second}));
  }
}

TEST(SseSplitterTest, MixedLineEndsCountOnce) {
  EXPECT_EQ(split({"a\r\n\nb\n\r\nc\r\rd\n\n"}), (Events{"a\r\n\n", "b\n\r\n", "c\r\r", "d\n\n"}));
  EXPECT_EQ(split({"a\n\rb\n\n"}), (Events{"a\n\r", "b\n\n"}));
}

TEST(SseSplitterTest, ALineFeedAfterTheBorderLeadsTheNextEvent) {
  EXPECT_EQ(split({"a\r\n\r", "\nb\n\n"}), (Events{"a\r\n\r", "\nb\n\n"}));
  EXPECT_EQ(split({"a\r", "\n", "\r", "\n", "b\n\n"}), (Events{"a\r\n\r", "\nb\n\n"}));
}

TEST(SseSplitterTest, AnEventInOnePieceIsAViewOfThatPiece) {
  const std::string_view piece = "data: a\n\ndata: b\n\nda";
  SseSplitter splitter(SseLimits::answer());
  splitter.feed(as_bytes(piece));
  const auto first = splitter.next();
  ASSERT_TRUE(first && *first);
  EXPECT_EQ(as_text((*first)->bytes).data(), piece.data());
  const auto second = splitter.next();
  ASSERT_TRUE(second && *second);
  EXPECT_EQ(as_text((*second)->bytes).data(), piece.data() + 9);
  EXPECT_FALSE(*splitter.next());
  EXPECT_EQ(as_text(splitter.rest()), "da");
}

TEST(SseSplitterTest, AnOversizedEventComesInPartsAndTheNextOneWhole) {
  SseSplitter splitter(kSplit);
  splitter.feed(as_bytes("data: 12"));
  EXPECT_FALSE(*splitter.next());
  splitter.feed(as_bytes("34567890"));
  EXPECT_FALSE(*splitter.next());
  splitter.feed(as_bytes("1"));
  auto event = *splitter.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(as_text(event->bytes), "data: 12345678901");
  EXPECT_EQ(event->part, SsePart::open);
  EXPECT_FALSE(*splitter.next());
  splitter.feed(as_bytes("2\n\ndata: b\n\n"));
  event = *splitter.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(as_text(event->bytes), "2\n\n");
  EXPECT_EQ(event->part, SsePart::last);
  event = *splitter.next();
  ASSERT_TRUE(event);
  EXPECT_EQ(as_text(event->bytes), "data: b\n\n");
  EXPECT_EQ(event->part, SsePart::whole);
}

TEST(SseSplitterTest, AnyPiecesGiveTheSameBytesAndEvents) {
  std::mt19937 random(11);
  constexpr std::string_view kAlphabet = "a:\n\n\r";
  for (int i = 0; i < 20000; ++i) {
    std::string text;
    for (std::size_t n = random() % 30; n > 0; --n) text += kAlphabet[random() % kAlphabet.size()];
    std::vector<std::string_view> pieces;
    for (std::string_view rest = text; !rest.empty();) {
      const std::size_t size = std::min<std::size_t>(rest.size(), 1 + random() % 5);
      pieces.push_back(rest.substr(0, size));
      rest.remove_prefix(size);
    }
    const auto joined = [](const Events& events) {
      std::string out;
      for (const std::string& event : events) out += event.starts_with('~') ? event.substr(1) : event;
      return out;
    };
    EXPECT_EQ(joined(split(pieces)), text);
    EXPECT_EQ(joined(split(pieces, kSplit)), text);
    // Where no CR makes a border matter, the events are the same too.
    if (text.find('\r') == std::string::npos) {
      EXPECT_EQ(split(pieces), split({text}));
      EXPECT_EQ(split(pieces, kSplit), split({text}, kSplit));
    }
  }
}

TEST(SseTrackerTest, StandsBetweenEventsOnlyAfterABlankLine) {
  const auto after = [](std::string_view text) {
    SseTracker tracker;
    tracker.skip(as_bytes(text));
    return tracker.between_events();
  };
  for (const std::string_view text : {"", "a\n\n", "a\r\r", "a\r\n\r\n", "a\r\n\r", "\n", "a\n\nb\n\n", "a\r\r\n"})
    EXPECT_TRUE(after(text)) << text;
  for (const std::string_view text : {"a", "a\n", "a\r", "a\r\n", "a\n\nb", "a\r\n\r\nb\r\n"})
    EXPECT_FALSE(after(text)) << text;
}

TEST(SseTrackerTest, ClosingEndsTheEventThatIsOpen) {
  for (const std::string text : {"", "a", "a\n", "a\r", "a\r\n", "a\n\n", "a\r\r", "a\r\n\r", "a\n\nb: c"}) {
    SseTracker tracker;
    tracker.skip(as_bytes(text));
    const std::string closing(tracker.closing());
    // An event put after it stands alone.
    const Events events = split({text + closing + "E\n\n"});
    ASSERT_FALSE(events.empty());
    EXPECT_EQ(events.back(), "E\n\n") << text;
    tracker.skip(as_bytes(closing));
    EXPECT_TRUE(tracker.between_events()) << text;
  }
}

}  // namespace
}  // namespace waxwing::dialect
