// A stream of bytes, in chunks as the input says: whatever way they take, and wherever unfinished
// text is shown early, what comes out is what went in.

#include <fuzzer/FuzzedDataProvider.h>

#include <string>
#include <utility>
#include <vector>

#include "capture/line_buffer.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::capture {
namespace {

using fuzz::Check;
using Line = std::pair<std::string, Ending>;

// A line's text may end in the "\r" of a "\r\n".
constexpr size_t kMaxTextBytes = kMaxLineBytes + 1;

void CheckPiece(const LineBuffer::Piece& piece) {
  Check(piece.text.size() <= kMaxTextBytes, "no piece is longer than a line");
  Check(piece.text.find('\n') == std::string_view::npos, "no line has a line feed within");
  const size_t at = piece.text.find('\r');
  Check(
      at == std::string_view::npos || (piece.ending == Ending::kLf && at + 1 == piece.text.size()),
      "a carriage return is within a line only before its line feed");
}

void Take(LineBuffer& buffer, std::string_view bytes, std::vector<Line>* lines) {
  LineBuffer::Piece piece;
  while (buffer.Take(&bytes, &piece)) {
    CheckPiece(piece);
    lines->emplace_back(piece.text, piece.ending);
  }
  Check(bytes.empty(), "all is used up");
}

// As capture does it: the simple ways first.
void TakeFast(LineBuffer& buffer, std::string_view bytes, std::vector<Line>* lines) {
  std::string_view text;
  switch (buffer.TakeSimple(bytes.data(), bytes.size(), &text)) {
    case LineBuffer::Simple::kLine:
      lines->emplace_back(text, Ending::kLf);
      return;
    case LineBuffer::Simple::kKept:
      return;
    case LineBuffer::Simple::kNeither:
      Take(buffer, bytes, lines);
  }
}

void TakePartial(LineBuffer& buffer, std::vector<Line>* lines) {
  if (!buffer.HasPartial()) return;
  const LineBuffer::Piece piece = buffer.PeekPartial();
  lines->emplace_back(piece.text, piece.ending);
  buffer.DropPartial();
  Check(!buffer.HasPartial(), "what was handed on is gone");
}

std::string Join(const std::vector<Line>& lines) {
  std::string bytes;
  for (const auto& [text, ending] : lines) {
    bytes += text;
    if (ending == Ending::kLf) bytes += '\n';
    if (ending == Ending::kCr) bytes += '\r';
  }
  return bytes;
}

struct Step {
  std::string bytes;
  bool shows_partial;
};

// Few bytes of input make long lines, too, but not many of those: they take long.
std::vector<Step> MakeSteps(FuzzedDataProvider& input) {
  std::vector<Step> steps;
  int long_ones = 0;
  while (input.remaining_bytes() > 0 && steps.size() < 64) {
    const auto kind = input.ConsumeIntegralInRange<int>(0, 15);
    std::string bytes = input.ConsumeBytesAsString(input.ConsumeIntegralInRange<size_t>(0, 40));
    if (kind == 0 && long_ones++ < 2) {
      std::string many;
      const auto size = input.ConsumeIntegralInRange<size_t>(kMaxLineBytes - 8, kMaxLineBytes + 8);
      while (!bytes.empty() && many.size() < size) many += bytes;
      bytes = many;
    }
    steps.push_back({std::move(bytes), kind == 1});
  }
  return steps;
}

// A claim that a line is whole has to be true of the buffer as it is.
void CheckIsLine(const LineBuffer& buffer, std::string_view text) {
  if (!buffer.IsLine(text)) return;
  LineBuffer copy = buffer;
  std::vector<Line> lines;
  Take(copy, std::string(text) + "\n", &lines);
  Check(lines.size() == 1 && lines[0] == Line(text, Ending::kLf), "IsLine() says what Take() does");
}

void Run(FuzzedDataProvider& input) {
  const std::vector<Step> steps = MakeSteps(input);
  LineBuffer slow, fast, at_once;
  std::vector<Line> slow_lines, fast_lines, lines_at_once;
  std::string all;
  bool shown_early = false;
  for (const Step& step : steps) {
    all += step.bytes;
    CheckIsLine(slow, step.bytes);
    Take(slow, step.bytes, &slow_lines);
    TakeFast(fast, step.bytes, &fast_lines);
    if (!step.shows_partial) continue;
    shown_early = true;
    TakePartial(slow, &slow_lines);
    TakePartial(fast, &fast_lines);
  }
  Take(at_once, all, &lines_at_once);
  TakePartial(slow, &slow_lines);
  TakePartial(fast, &fast_lines);
  TakePartial(at_once, &lines_at_once);
  Check(Join(slow_lines) == all, "every byte comes out, in order");
  Check(fast_lines == slow_lines, "the fast way gives the same lines");
  Check(shown_early || lines_at_once == slow_lines, "how the bytes are chunked is no matter");
}

}  // namespace
}  // namespace jobtail::capture

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  FuzzedDataProvider input(data, size);
  jobtail::capture::Run(input);
  return 0;
}
