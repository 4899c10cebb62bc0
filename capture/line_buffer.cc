#include "capture/line_buffer.h"

#include <algorithm>
#include <cstring>

namespace jobtail::capture {
namespace {

// The number of bytes at the end of `text` that begin a UTF-8 character without completing it: 0
// to 3.
size_t IncompleteTail(std::string_view text) {
  for (size_t back = 1; back <= std::min<size_t>(3, text.size()); ++back) {
    const auto byte = static_cast<unsigned char>(text[text.size() - back]);
    if ((byte & 0xC0) == 0x80) continue;  // a continuation byte: the character began earlier
    const size_t length = byte >= 0xF0 ? 4 : byte >= 0xE0 ? 3 : byte >= 0xC0 ? 2 : 1;
    return length > back ? back : 0;
  }
  return 0;
}

// The position of the first "\n" or "\r", or the size.
size_t FindTerminator(std::string_view bytes) {
  const void* lf = memchr(bytes.data(), '\n', bytes.size());
  const size_t end = lf ? static_cast<const char*>(lf) - bytes.data() : bytes.size();
  const void* cr = memchr(bytes.data(), '\r', end);
  return cr ? static_cast<const char*>(cr) - bytes.data() : end;
}

}  // namespace

void LineBuffer::DropHandedOut() {
  if (!done_) return;
  text_.swap(held_back_);
  held_back_.clear();
  done_ = false;
}

// The line is text_ and `tail`. Copies only where text_ holds its beginning.
bool LineBuffer::Complete(std::string_view tail, Ending ending, Piece* piece) {
  if (text_.empty()) {
    *piece = {tail, ending};
    return true;
  }
  text_.append(tail);
  done_ = true;
  *piece = {text_, ending};
  return true;
}

// The line would exceed the limit: fill it up to there and hand it out.
bool LineBuffer::Split(std::string_view* bytes, Piece* piece) {
  const size_t room = kMaxLineBytes - std::min(kMaxLineBytes, text_.size());
  text_.append(bytes->substr(0, room));
  bytes->remove_prefix(room);
  const size_t torn = IncompleteTail(text_);
  held_back_.assign(text_, text_.size() - torn, torn);
  text_.resize(text_.size() - torn);
  done_ = true;
  *piece = {text_, Ending::kSplit};
  return true;
}

bool LineBuffer::Take(std::string_view* bytes, Piece* piece) {
  DropHandedOut();
  if (bytes->empty()) return false;
  if (carriage_return_) {
    carriage_return_ = false;
    if (bytes->front() != '\n') {
      done_ = true;
      *piece = {text_, Ending::kCr};
      return true;
    }
    bytes->remove_prefix(1);
    return Complete("\r", Ending::kLf, piece);
  }
  const size_t end = FindTerminator(*bytes);
  if (text_.size() + end > kMaxLineBytes) return Split(bytes, piece);
  const std::string_view text = bytes->substr(0, end);
  if (end == bytes->size()) {
    text_.append(text);
    *bytes = {};
    return false;
  }
  if ((*bytes)[end] == '\n') {
    bytes->remove_prefix(end + 1);
    return Complete(text, Ending::kLf, piece);
  }
  if (end + 1 == bytes->size()) {
    text_.append(text);
    carriage_return_ = true;
    *bytes = {};
    return false;
  }
  const bool crlf = (*bytes)[end + 1] == '\n';
  const std::string_view with_return = bytes->substr(0, end + 1);
  bytes->remove_prefix(end + (crlf ? 2 : 1));
  return crlf ? Complete(with_return, Ending::kLf, piece) : Complete(text, Ending::kCr, piece);
}

LineBuffer::Piece LineBuffer::PeekPartial() {
  DropHandedOut();
  return {text_, carriage_return_ ? Ending::kCr : Ending::kNone};
}

void LineBuffer::DropPartial() {
  DropHandedOut();
  text_.clear();
  carriage_return_ = false;
}

}  // namespace jobtail::capture
