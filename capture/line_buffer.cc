// Bytes cut into lines.

#include "capture/line_buffer.h"

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

#include <algorithm>
#include <bit>
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

}  // namespace

#if defined(__SSE2__)

namespace {

// Which of the 16 bytes at `data` are terminators, as bits in ascending order.
unsigned TerminatorBits(const char* data) {
  const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(data));
  const __m128i lf = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\n'));
  const __m128i cr = _mm_cmpeq_epi8(bytes, _mm_set1_epi8('\r'));
  return static_cast<unsigned>(_mm_movemask_epi8(_mm_or_si128(lf, cr)));
}

}  // namespace

// Lines are short, and two calls of memchr cost more than the search itself.
size_t LineBuffer::FindTerminator(const char* data, size_t size) {
  if (size < 16) {
    for (size_t i = 0; i < size; ++i) {
      if (data[i] == '\n' || data[i] == '\r') return i;
    }
    return size;
  }
  size_t at = 0;
  for (; at + 16 <= size; at += 16) {
    const unsigned found = TerminatorBits(data + at);
    if (found) return at + static_cast<size_t>(std::countr_zero(found));
  }
  // The last 16 bytes, of which some have been looked at.
  const unsigned found = TerminatorBits(data + size - 16);
  return found ? size - 16 + static_cast<size_t>(std::countr_zero(found)) : size;
}

#else

size_t LineBuffer::FindTerminator(const char* data, size_t size) {
  const auto* lf = static_cast<const char*>(memchr(data, '\n', size));
  const size_t end = lf ? static_cast<size_t>(lf - data) : size;
  const auto* cr = static_cast<const char*>(memchr(data, '\r', end));
  return cr ? static_cast<size_t>(cr - data) : end;
}

#endif

void LineBuffer::DropHandedOut() {
  if (state_ == State::kHandedOut) {
    text_.clear();
  } else if (state_ == State::kSplit) {
    text_.swap(held_back_);
    held_back_.clear();
  } else {
    return;
  }
  state_ = State::kPlain;
}

// The line is text_ and what the piece has.
void LineBuffer::Complete(Piece* piece) {
  text_.append(piece->text);
  piece->text = text_;
  state_ = State::kHandedOut;
}

// The line would exceed the limit: fill it up to there and hand it out.
bool LineBuffer::Split(std::string_view* bytes, Piece* piece) {
  const size_t room = kMaxLineBytes - std::min(kMaxLineBytes, text_.size());
  text_.append(bytes->substr(0, room));
  bytes->remove_prefix(room);
  const size_t torn = IncompleteTail(text_);
  held_back_.assign(text_, text_.size() - torn, torn);
  text_.resize(text_.size() - torn);
  state_ = torn > 0 ? State::kSplit : State::kHandedOut;
  *piece = {text_, Ending::kSplit};
  return true;
}

bool LineBuffer::Keep(std::string_view* bytes, State state) {
  *bytes = {};
  state_ = state;
  return false;
}

bool LineBuffer::TakeAfterReturn(std::string_view* bytes, Piece* piece) {
  const bool crlf = bytes->front() == '\n';
  if (crlf) {
    text_.push_back('\r');  // part of the text, as after any other "\r\n"
    bytes->remove_prefix(1);
  }
  *piece = {text_, crlf ? Ending::kLf : Ending::kCr};
  state_ = State::kHandedOut;
  return true;
}

bool LineBuffer::Take(std::string_view* bytes, Piece* piece) {
  DropHandedOut();
  if (bytes->empty()) return false;
  const size_t end = FindEnd(bytes->data(), bytes->size());
  if (state_ == State::kCarriageReturn) return TakeAfterReturn(bytes, piece);
  if (text_.size() + end > kMaxLineBytes) return Split(bytes, piece);
  const bool returns = end < bytes->size() && (*bytes)[end] == '\r';
  const bool last = end + 1 >= bytes->size();
  if (end == bytes->size() || (returns && last)) {
    text_.append(bytes->substr(0, end));
    return Keep(bytes, returns ? State::kCarriageReturn : State::kPlain);
  }
  const bool crlf = returns && (*bytes)[end + 1] == '\n';
  *piece = {bytes->substr(0, crlf ? end + 1 : end), returns && !crlf ? Ending::kCr : Ending::kLf};
  bytes->remove_prefix(crlf ? end + 2 : end + 1);
  if (!text_.empty()) Complete(piece);
  return true;
}

LineBuffer::Piece LineBuffer::PeekPartial() {
  DropHandedOut();
  return {text_, state_ == State::kCarriageReturn ? Ending::kCr : Ending::kNone};
}

void LineBuffer::DropPartial() {
  DropHandedOut();
  text_.clear();
  state_ = State::kPlain;
}

}  // namespace jobtail::capture
