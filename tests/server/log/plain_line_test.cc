// What is taken for a plain line without reading it, held against the reading.

#include "server/log/plain_line.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "server/log/record.h"
#include "tests/server/support/records.h"

namespace jobtail {
namespace {

using testing::Err;
using testing::Out;

// How many bytes are skipped, 0 for none; in memory that ends where the bytes end.
size_t Skipped(const std::string& bytes) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::ranges::copy(bytes, exact.get());
  const char* const end = SkipPlainLine(exact.get(), exact.get() + bytes.size());
  return end ? static_cast<size_t>(end - exact.get()) : 0;
}

// What is skipped is an element, and a line that is read as one.
void ExpectSound(const std::string& bytes) {
  const size_t skipped = Skipped(bytes);
  if (skipped == 0) return;
  RecordWalker walker(bytes);
  PlainLine line;
  ASSERT_TRUE(walker.Next());
  ASSERT_EQ(walker.element().size(), skipped);
  ASSERT_TRUE(ReadPlainLine(walker.payload(), &line));
}

TEST(SkipPlainLine, SkipsLinesOfAllLengths) {
  const std::string behind(100, '\0');
  for (const int64_t number : {int64_t{1}, int64_t{127}, int64_t{128}, kMaxSequence}) {
    for (const size_t size : {0, 1, 90, 100, 127, 128, 129, 16'000, 16'383, 16'384, 65'536}) {
      for (const char* end : {"x", "\xFF"}) {
        std::string bytes;
        EncodeLine(number, 1'700'000'000'123'456'789, Out(std::string(size, 'y') + end), &bytes);
        EXPECT_EQ(Skipped(bytes + behind), bytes.size()) << size;
      }
    }
  }
}

TEST(SkipPlainLine, LeavesEverythingElse) {
  const std::string behind(100, '\0');
  std::string other;
  EncodeLine(GapRecord(1, 2, v1::GAP_REASON_DROPPED, 7), &other);
  EXPECT_EQ(Skipped(other + behind), 0u);
  other.clear();
  EncodeLine(ResultRecord(1, {}, 7), &other);
  EXPECT_EQ(Skipped(other + behind), 0u);
  EXPECT_EQ(Skipped(""), 0u);
  EXPECT_EQ(Skipped(behind), 0u);
}

TEST(SkipPlainLine, TakesNothingForALineThatIsNone) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string bytes;
    const std::string text(random() % 300, 'z');
    EncodeLine(static_cast<int64_t>(1 + random() % 100'000), static_cast<int64_t>(random()),
               random() % 2 ? Out(text) : Err(text), &bytes);
    ExpectSound(bytes);
    bytes += std::string(random() % 100, '\x0A');
    ExpectSound(bytes);
    for (int change = 0; change < 3; ++change) {
      bytes[random() % std::min<size_t>(bytes.size(), 40)] = static_cast<char>(random());
      ExpectSound(bytes);
    }
    bytes.resize(random() % bytes.size());
    ExpectSound(bytes);
  }
}

// Lines one after the other, as far as they are skipped, in memory that ends where they end.
void ExpectTheSameAsEachByItself(const std::string& bytes) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::ranges::copy(bytes, exact.get());
  const char* const end = exact.get() + bytes.size();
  const char* at = exact.get();
  const char* last = nullptr;
  while (const char* const next = SkipPlainLine(at, end)) last = std::exchange(at, next);
  const char* skipped = nullptr;
  EXPECT_EQ(PlainLineSkipper().Skip(exact.get(), end, end, &skipped), at);
  EXPECT_EQ(skipped, last);
}

TEST(PlainLineSkipper, SkipsWhateverIsSkippedByItself) {
  std::mt19937 random(1);
  for (int round = 0; round < 5'000; ++round) {
    std::string bytes;
    auto number = static_cast<int64_t>(1 + random() % 300'000);
    for (int line = 0; line < 30; ++line) {
      const std::string text(random() % (random() % 8 ? 150 : 20'000), 'z');
      const int64_t time = 1'700'000'000'000'000'000 + static_cast<int64_t>(random()) % 300'000'000;
      EncodeLine(number++, time, random() % 9 ? Out(text) : Err("\xFF" + text), &bytes);
    }
    bytes += std::string(random() % 2 * 60, '\0');
    ExpectTheSameAsEachByItself(bytes);
  }
}

// The lines after the first are compared with its layout.
TEST(PlainLineSkipper, TakesNothingForALineThatIsNone) {
  std::mt19937 random(1);
  for (int round = 0; round < 100'000; ++round) {
    std::string bytes;
    std::vector<size_t> begins;
    const std::string text(random() % 4 ? 90 + random() % 50 : random() % 20, 'z');
    for (int64_t number = 20'000; number < 20'004; ++number) {
      begins.push_back(bytes.size());
      EncodeLine(number, 1'700'000'000'123'456'789, Out(text), &bytes);
    }
    const size_t changed = begins[1 + random() % 2] + random() % std::min<size_t>(begins[1], 40);
    bytes[changed] = static_cast<char>(random() % 2 ? random() : bytes[changed] ^ 1);
    ExpectTheSameAsEachByItself(bytes);
    bytes.resize(begins[1] + random() % (bytes.size() - begins[1]));
    ExpectTheSameAsEachByItself(bytes);
  }
}

}  // namespace
}  // namespace jobtail
