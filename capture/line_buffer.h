#ifndef JOBTAIL_CAPTURE_LINE_BUFFER_H_
#define JOBTAIL_CAPTURE_LINE_BUFFER_H_

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

  // Removes from the front of `bytes` what belongs to the next line. True if that completed a line;
  // false if `bytes` is used up, and what it held is kept for later.
  bool Take(std::string_view* bytes, Piece* piece);

  // Whether a piece's text lies outside the buffer, and thus is valid for as long as the bytes are.
  bool IsOutside(std::string_view text) const { return text.data() != text_.data(); }

  // Whether there is text without a terminator.
  bool HasPartial() const {
    return done_ ? !held_back_.empty() : !text_.empty() || carriage_return_;
  }

  // That text, as it is: only if HasPartial().
  Piece PeekPartial();

  // Drops it: it has been handed on.
  void DropPartial();

 private:
  bool Complete(std::string_view tail, Ending ending, Piece* piece);
  bool Split(std::string_view* bytes, Piece* piece);
  void DropHandedOut();

  std::string text_;       // the line so far
  std::string held_back_;  // the beginning of a character that a split would have torn
  bool carriage_return_ =
      false;           // text_ is followed by "\r", which may yet turn out to be half of "\r\n"
  bool done_ = false;  // text_ has been handed out and is to be dropped
};

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_LINE_BUFFER_H_
