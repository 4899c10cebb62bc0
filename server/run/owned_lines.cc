// Lines on their way, none longer than a record may be.
#include "server/run/owned_lines.h"

#include <utility>

namespace jobtail {
namespace {

using capture::kMaxLineBytes;

bool IsContinuation(char c) { return (static_cast<unsigned char>(c) & 0xC0) == 0x80; }

// As long as a record may be, and not through a character of UTF-8.
size_t CutPoint(const std::string& text) {
  size_t cut = kMaxLineBytes;
  while (cut > kMaxLineBytes - 4 && IsContinuation(text[cut])) --cut;
  return IsContinuation(text[cut]) ? kMaxLineBytes : cut;
}

}  // namespace

void OwnedLines::AddInPieces(capture::Line line, std::string text) {
  const capture::Ending ending = line.ending;
  while (text.size() > kMaxLineBytes) {
    const size_t cut = CutPoint(text);
    line.ending = capture::Ending::kSplit;
    AddOwned(line, text.substr(0, cut));
    text.erase(0, cut);
  }
  line.ending = ending;
  AddOwned(line, std::move(text));
}

}  // namespace jobtail
