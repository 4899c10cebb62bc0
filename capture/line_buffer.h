// The splitter of a byte stream into lines and pieces of lines.
#ifndef JOBTAIL_CAPTURE_LINE_BUFFER_H_
#define JOBTAIL_CAPTURE_LINE_BUFFER_H_

#include <algorithm>
#include <cstddef>
#include <string>
#include <string_view>

#include "capture/sink.h"

namespace jobtail::capture {

// Cuts a stream of bytes into lines. Not thread-safe.
//
// Take() is called in a loop until it has used up the bytes; each call yields at most one line:
//
//   Piece piece;
//   while (buffer.Take(&bytes, &piece)) use(piece.text, piece.ending);
//
// A piece's text points into `bytes` or into the buffer. It is valid until the next call of the
// same buffer.
class LineBuffer {
 public:
  struct Piece {
    std::string_view text;
    Ending ending;
  };

  LineBuffer() { text_.reserve(kReserved); }

  // Removes from the front of `bytes` what belongs to the next line. True if that completed a line;
  // false if `bytes` is used up, and what it held is kept for later.
  bool Take(std::string_view* bytes, Piece* piece);

  // The two ways in which nearly all output comes, without the cost of the rest: a whole line or
  // the end of one, and the beginning of one.
  enum class Simple { kLine, kKept, kNeither };

  // All of the `size` bytes at `data`, if they end one line in "\n", whose text is then in `*text`,
  // or none. Takes nothing if it is neither: that is for Take(). Plain numbers, so that they stay
  // in registers.
  Simple TakeSimple(const char* data, size_t size, std::string_view* text) {
    if (state_ == State::kHandedOut) {
      text_.clear();
      state_ = State::kPlain;
    }
    const size_t end = FindEnd(data, size);
    if (state_ != State::kPlain || text_.size() + end > kMaxLineBytes) return Simple::kNeither;
    if (end == size) {
      text_.append(data, size);
      return Simple::kKept;
    }
    if (end + 1 != size || data[end] != '\n') return Simple::kNeither;
    if (text_.empty()) {
      *text = {data, end};
    } else {
      text_.append(data, end);
      *text = text_;
      state_ = State::kHandedOut;
    }
    return Simple::kLine;
  }

  // Whether `text` and a "\n" after it would be a line, and nothing else. Takes nothing.
  bool IsLine(std::string_view text) const {
    const bool is_empty = state_ == State::kHandedOut || (state_ == State::kPlain && text_.empty());
    return is_empty && text.size() <= kMaxLineBytes &&
           FindTerminator(text.data(), text.size()) == text.size();
  }

  // Whether a piece's text lies outside the buffer, and thus is valid for as long as the bytes are.
  bool IsOutside(std::string_view text) const { return text.data() != text_.data(); }

  // Whether there is text without a terminator.
  bool HasPartial() const {
    if (state_ == State::kPlain) return !text_.empty();
    return state_ == State::kCarriageReturn || state_ == State::kSplit;
  }

  // That text, as it is: only if HasPartial().
  Piece PeekPartial();

  // Drops it: it has been handed on.
  void DropPartial();

 private:
  enum class State : unsigned char {
    kPlain,           // text_ is the line so far
    kHandedOut,       // text_ has been handed out and is to be dropped
    kCarriageReturn,  // text_ is followed by "\r", which may yet be half of "\r\n"
    kSplit,           // as kHandedOut, but the line goes on with held_back_, which is not empty
  };
  static constexpr size_t kReserved = 256;

  // The position of the first "\n" or "\r", or the size.
  static size_t FindTerminator(const char* data, size_t size);
  // The same for the line that has begun, without a look at what a split leaves for later: a long
  // line would be searched once for each of its pieces.
  size_t FindEnd(const char* data, size_t size) const {
    const size_t room = kMaxLineBytes - std::min(kMaxLineBytes, text_.size());
    return FindTerminator(data, std::min(size, room + 1));
  }
  bool TakeAfterReturn(std::string_view* bytes, Piece* piece);
  bool Keep(std::string_view* bytes, State state);
  void Complete(Piece* piece);
  bool Split(std::string_view* bytes, Piece* piece);
  void DropHandedOut();

  std::string text_;
  State state_ = State::kPlain;
  std::string held_back_;  // the beginning of a character that a split would have torn
};

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_LINE_BUFFER_H_
