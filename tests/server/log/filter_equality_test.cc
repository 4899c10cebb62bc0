// What passes a filter, compared with what passes where each record is a message, on random logs.

#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/escaping.h"
#include "server/log/filter.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using testing::Err;
using testing::Out;

// Everything random comes from here: a round that fails is repeated by its seed.
class Dice {
 public:
  explicit Dice(uint32_t seed) : engine_(seed) {}
  size_t Below(size_t bound) { return engine_() % bound; }
  bool OneIn(size_t bound) { return Below(bound) == 0; }
  template <typename T>
  const T& Of(const std::vector<T>& values) {
    return values[Below(values.size())];
  }

 private:
  std::mt19937 engine_;
};

// Few words, so that patterns are found; some are what records have around their texts.
std::string RandomText(Dice& dice) {
  static const std::vector<std::string> words = {
      "a",   "b",    "ab",   "error", "Error", "ERROR",        "warning", "12", " ",    "0",
      "\n",  "\x0A", "\x08", "\x12",  "\x2A",  "caf\xC3\xA9",  "\xE9",    "^",  "$",    ":",
      "foo", "Bar",  "bar",  "k",     "K",     "\xE2\x84\xAA", "\xC9",    "\t", "lost", "x"};
  std::string text;
  for (size_t i = dice.Below(12); i > 0; --i) text += dice.Of(words);
  if (dice.OneIn(200)) text += std::string(dice.Below(40'000), 'y');
  return text;
}

std::string RandomPattern(Dice& dice) {
  static const std::vector<std::string> parts = {"a",           "b",
                                                 "ab",          "error",
                                                 "Error",       "(?i)error",
                                                 "(?i)k",       "warning|lost",
                                                 "[0-9]",       "[0-9]+",
                                                 "\\d{2}",      ".",
                                                 ".*",          "\\b",
                                                 "^",           "$",
                                                 "[^a]",        "[Ee]r",
                                                 "(foo|bar)",   "(?:Bar)?",
                                                 "\\xE9",       "\\n",
                                                 "\\^",         "\\$",
                                                 "x*",          "[[:upper:]]",
                                                 "\\s",         "\\S+",
                                                 "(?s).",       "(?i)\\xC9",
                                                 "\\x08",       "\\x12",
                                                 "caf\xC3\xA9", "(?i)caf\xC3\xA9",
                                                 "(?m)^",       "[\\x00-\\x1F]",
                                                 "lost",        "|",
                                                 "\\Aa",        "b\\z",
                                                 "\\C"};
  std::string pattern;
  for (size_t i = 1 + dice.Below(4); i > 0; --i) pattern += dice.Of(parts);
  return pattern;
}

v1::LogLine RandomOther(Dice& dice, int64_t sequence) {
  if (dice.OneIn(2)) return GapRecord(sequence, sequence, v1::GAP_REASON_DROPPED, 7);
  v1::RunResult result;
  result.set_error("error lost");
  return ResultRecord(sequence, result, 8);
}

// A record that no encoder of ours writes, but for the last kind.
std::string RandomOddity(Dice& dice, int64_t sequence) {
  v1::LogLine line;
  line.set_sequence(sequence);
  line.set_text(RandomText(dice) + "error");
  line.set_stream(v1::STREAM_STDERR);
  std::string payload;
  switch (dice.Below(4)) {
    case 0:  // a field of a later version
      payload = line.SerializePartialAsString() + std::string("\xF2\x3F\x01z", 4);
      break;
    case 1:  // a time that is none
      payload = std::string("\x12\x02\xFF\xFF", 4) + line.SerializePartialAsString();
      break;
    case 2:  // no time, no ending
      payload = line.SerializePartialAsString();
      break;
    default:  // text that is not UTF-8
      payload = std::string("\x08\x01\x12\x00\x18\x01\x20\x01\x2A\x06", 10) + "error\xFF";
  }
  std::string element = "\x0A";
  size_t size = payload.size();
  for (; size >= 0x80; size >>= 7) element.push_back(static_cast<char>(size | 0x80));
  element.push_back(static_cast<char>(size));
  return element + payload;
}

std::string RandomBatch(Dice& dice) {
  std::string batch;
  const bool is_odd = dice.OneIn(3);
  for (int64_t sequence = 1, count = 1 + static_cast<int64_t>(dice.Below(600)); sequence < count;
       ++sequence) {
    const std::string text = RandomText(dice);
    if (is_odd && dice.OneIn(20)) {
      batch += RandomOddity(dice, sequence);
    } else if (is_odd && dice.OneIn(20)) {
      EncodeLine(RandomOther(dice, sequence), &batch);
    } else {
      EncodeLine(sequence, sequence, dice.OneIn(2) ? Out(text) : Err(text), &batch);
    }
  }
  return batch;
}

// The plain way: a message for each record.
std::string PassPlainly(const std::string& batch, const v1::TailLogRequest& request) {
  RE2::Options options(RE2::Quiet);
  options.set_encoding(RE2::Options::EncodingLatin1);
  for (const char c : request.pattern()) {
    if (static_cast<unsigned char>(c) >= 0x80) options.set_encoding(RE2::Options::EncodingUTF8);
  }
  const RE2 pattern(request.pattern(), options);
  std::string passed;
  RecordWalker walker(batch);
  while (walker.Next()) {
    v1::LogLine line;
    if (!line.ParseFromString(std::string(walker.payload()))) continue;
    if (line.has_text() || line.has_raw()) {
      const bool is_stderr = line.stream() == v1::STREAM_STDERR;
      if (!request.streams().empty() && is_stderr != (request.streams(0) == v1::STREAM_STDERR)) {
        continue;
      }
      if (!RE2::PartialMatch(line.has_text() ? line.text() : line.raw(), pattern)) continue;
    }
    passed += walker.element();
  }
  return passed;
}

std::string Pass(const std::string& batch, const LogFilter& filter) {
  std::vector<Slice> slices;
  filter.Apply({Share(batch), 0, batch.size()}, &slices);
  std::string passed;
  for (const Slice& slice : slices) passed += slice.view();
  return passed;
}

TEST(FilterEquality, PassesWhatPassesWhereEachRecordIsAMessage) {
  int compared = 0;
  for (uint32_t seed = 1; seed <= 600; ++seed) {
    Dice dice(seed);
    v1::TailLogRequest request;
    request.set_pattern(RandomPattern(dice));
    if (dice.OneIn(4)) {
      request.add_streams(dice.OneIn(2) ? v1::STREAM_STDOUT : v1::STREAM_STDERR);
    }
    const auto filter = LogFilter::Make(request);
    if (!filter.ok()) continue;  // RE2 does not take it
    const std::string batch = RandomBatch(dice);
    ASSERT_EQ(Pass(batch, **filter), PassPlainly(batch, request))
        << "seed " << seed << ", pattern \"" << absl::CHexEscape(request.pattern()) << '"';
    ++compared;
  }
  EXPECT_GT(compared, 400);
}

// Where nearly everything is rejected at one look, and where nothing is.
TEST(FilterEquality, OnALogInWhichFewLinesMatch) {
  std::string batch;
  for (int i = 1; i <= 5000; ++i) {
    EncodeLine(i, i, Out(i % 997 == 0 ? "the Needle is 12:34 here" : "nothing to be seen"), &batch);
  }
  for (const char* pattern :
       {"Needle", "needle", "(?i)needle", "needle|Needle|other", R"(\d\d:\d\d)", "12:34 here$",
        "^the .* 12", R"(\bis\b)", "[0-9]+", "is .2|seen to", "e", "", "^$", "x{3}"}) {
    v1::TailLogRequest request;
    request.set_pattern(pattern);
    request.add_streams(v1::STREAM_STDOUT);
    EXPECT_EQ(Pass(batch, **LogFilter::Make(request)), PassPlainly(batch, request)) << pattern;
  }
}

}  // namespace
}  // namespace jobtail
