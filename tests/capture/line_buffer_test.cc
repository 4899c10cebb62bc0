// Tests of lines cut out of bytes: terminators, limits, characters, order.

#include "capture/line_buffer.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

namespace jobtail::capture {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Pair;

using Lines = std::vector<std::pair<std::string, Ending>>;

Lines Feed(LineBuffer& buffer, std::string_view bytes) {
  Lines lines;
  LineBuffer::Piece piece;
  while (buffer.Take(&bytes, &piece)) lines.emplace_back(piece.text, piece.ending);
  EXPECT_TRUE(bytes.empty());
  return lines;
}

Lines Partial(LineBuffer& buffer) {
  Lines lines;
  if (!buffer.HasPartial()) return lines;
  const LineBuffer::Piece piece = buffer.PeekPartial();
  lines.emplace_back(piece.text, piece.ending);
  buffer.DropPartial();
  return lines;
}

// What was printed, put together again.
std::string Join(const Lines& lines) {
  std::string bytes;
  for (const auto& [text, ending] : lines) {
    bytes += text;
    if (ending == Ending::kLf) bytes += '\n';
    if (ending == Ending::kCr) bytes += '\r';
  }
  return bytes;
}

TEST(LineBuffer, CutsAtLineFeeds) {
  LineBuffer buffer;
  EXPECT_THAT(
      Feed(buffer, "one\n\ntwo\nthr"),
      ElementsAre(Pair("one", Ending::kLf), Pair("", Ending::kLf), Pair("two", Ending::kLf)));
  EXPECT_THAT(Feed(buffer, "ee\n"), ElementsAre(Pair("three", Ending::kLf)));
  EXPECT_FALSE(buffer.HasPartial());
}

TEST(LineBuffer, CutsAtCarriageReturns) {
  LineBuffer buffer;
  EXPECT_THAT(Feed(buffer, "10%\r20%\r"), ElementsAre(Pair("10%", Ending::kCr)));
  EXPECT_TRUE(buffer.HasPartial());
  EXPECT_THAT(Feed(buffer, "30%"), ElementsAre(Pair("20%", Ending::kCr)));
  EXPECT_THAT(Partial(buffer), ElementsAre(Pair("30%", Ending::kNone)));
}

TEST(LineBuffer, KeepsReturnBeforeLineFeedInTheText) {
  LineBuffer buffer;
  EXPECT_THAT(Feed(buffer, "dos\r\n"), ElementsAre(Pair("dos\r", Ending::kLf)));
  EXPECT_THAT(Feed(buffer, "torn\r"), IsEmpty());
  EXPECT_THAT(Feed(buffer, "\nnext\n"),
              ElementsAre(Pair("torn\r", Ending::kLf), Pair("next", Ending::kLf)));
  EXPECT_THAT(Feed(buffer, "\r"), IsEmpty());
  EXPECT_THAT(Feed(buffer, "\n"), ElementsAre(Pair("\r", Ending::kLf)));
}

TEST(LineBuffer, PartialEndsInReturnWhereOneWaits) {
  LineBuffer buffer;
  EXPECT_THAT(Feed(buffer, "50%\r"), IsEmpty());
  EXPECT_THAT(Partial(buffer), ElementsAre(Pair("50%", Ending::kCr)));
  EXPECT_THAT(Feed(buffer, "\n"), ElementsAre(Pair("", Ending::kLf)));
}

TEST(LineBuffer, KeepsBytesAsTheyAre) {
  LineBuffer buffer;
  const std::string bytes("\0\xff\xfe\x01", 4);
  EXPECT_THAT(Feed(buffer, bytes + "\n"), ElementsAre(Pair(bytes, Ending::kLf)));
}

TEST(LineBuffer, LineOfExactlyTheLimitIsWhole) {
  LineBuffer buffer;
  const std::string text(kMaxLineBytes, 'x');
  EXPECT_THAT(Feed(buffer, text), IsEmpty());
  EXPECT_THAT(Feed(buffer, "\n"), ElementsAre(Pair(text, Ending::kLf)));
}

TEST(LineBuffer, SplitsLongerLines) {
  LineBuffer buffer;
  const std::string text(3 * kMaxLineBytes + 5, 'x');
  const Lines lines = Feed(buffer, text + "\n");
  ASSERT_EQ(lines.size(), 4u);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(lines[i].second, Ending::kSplit);
  EXPECT_EQ(lines[3], std::pair(std::string(5, 'x'), Ending::kLf));
  EXPECT_EQ(Join(lines), text + "\n");
}

TEST(LineBuffer, SplitsBetweenCharacters) {
  for (size_t shift = 0; shift < 4; ++shift) {
    LineBuffer buffer;
    std::string text(shift, 'x');
    while (text.size() < 2 * kMaxLineBytes) text += "\xF0\x9F\x98\x80";
    Lines lines = Feed(buffer, text);
    for (const auto& [piece, ending] : lines) {
      EXPECT_LE(piece.size(), kMaxLineBytes);
      EXPECT_EQ(static_cast<unsigned char>(piece.back()), 0x80) << "a character was torn";
    }
    for (auto& rest : Partial(buffer)) lines.push_back(rest);
    EXPECT_EQ(Join(lines), text);
  }
}

// However the bytes come, what comes out is what went in, and no piece exceeds the limit by more
// than a "\r".
TEST(LineBuffer, KnowsALineWhoseEndIsStillToCome) {
  LineBuffer buffer;
  EXPECT_TRUE(buffer.IsLine(""));
  EXPECT_TRUE(buffer.IsLine("a line longer than sixteen bytes"));
  EXPECT_FALSE(buffer.IsLine("two\nlines"));
  EXPECT_FALSE(buffer.IsLine("90%\r100%"));
  EXPECT_FALSE(buffer.IsLine("ends in a return, before the end of the line\r"));
  EXPECT_TRUE(buffer.IsLine(std::string(kMaxLineBytes, 'x')));
  EXPECT_FALSE(buffer.IsLine(std::string(kMaxLineBytes + 1, 'x')));
  Feed(buffer, "begun");
  EXPECT_FALSE(buffer.IsLine("goes on"));
  Feed(buffer, "\n");
  EXPECT_TRUE(buffer.IsLine("next"));
  Feed(buffer, "returns\r");
  EXPECT_FALSE(buffer.IsLine("next"));
}

// A long line is searched once, not once for each of its pieces: what is far beyond a piece's end
// is not looked at, or this would not survive.
TEST(LineBuffer, LooksNoFurtherThanAPiece) {
  constexpr size_t kReadable = 2 * kMaxLineBytes;
  constexpr size_t kMapped = 2 * kReadable;
  auto* const memory = static_cast<char*>(
      mmap(nullptr, kMapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
  std::fill_n(memory, kReadable, 'x');
  ASSERT_EQ(mprotect(memory + kReadable, kMapped - kReadable, PROT_NONE), 0);
  LineBuffer buffer;
  std::string_view text;
  EXPECT_EQ(buffer.TakeSimple(memory, kMapped, &text), LineBuffer::Simple::kNeither);
  EXPECT_FALSE(buffer.IsLine({memory, kMapped}));
  std::string_view bytes(memory, kMapped);
  LineBuffer::Piece piece;
  ASSERT_TRUE(buffer.Take(&bytes, &piece));
  EXPECT_EQ(piece.ending, Ending::kSplit);
  EXPECT_EQ(piece.text, std::string(kMaxLineBytes, 'x'));
  munmap(memory, kMapped);
}

TEST(LineBuffer, AnyChunkingGivesTheSameBytes) {
  std::string bytes;
  for (int i = 0; i < 20000; ++i) bytes += "ab\r\ncd\re\xC3\xA4\n\r\r\n\xff"[i * 7919 % 16];
  bytes += std::string(kMaxLineBytes + 100, '\xf0') + "\n";
  for (size_t chunk : {1, 2, 3, 7, 64, 1000, 70000}) {
    LineBuffer buffer;
    Lines lines;
    for (size_t at = 0; at < bytes.size(); at += chunk) {
      const Lines some = Feed(buffer, bytes.substr(at, chunk));
      lines.insert(lines.end(), some.begin(), some.end());
    }
    for (auto& rest : Partial(buffer)) lines.push_back(rest);
    EXPECT_EQ(Join(lines), bytes) << "in chunks of " << chunk;
    for (const auto& line : lines) EXPECT_LE(line.first.size(), kMaxLineBytes + 1);
  }
}

}  // namespace
}  // namespace jobtail::capture
