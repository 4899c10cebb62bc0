// Views of the lines in an encoded batch, without messages.
#ifndef JOBTAIL_CLIENT_LINE_VIEW_H_
#define JOBTAIL_CLIENT_LINE_VIEW_H_

#include <deque>
#include <string>
#include <string_view>
#include <vector>

#include "absl/types/span.h"
#include "base/codec/log_line.h"

namespace jobtail::client {

// A LogLine as it lies in the encoded batch that it came in.
using jobtail::LineView;

// Views of the lines in encoded batches: for who prints lines and has no need of a message for
// each, which costs more than all the rest. Not thread-safe.
class LineViews {
 public:
  // Makes a view of each line of an encoded LogBatch that came in `pieces`, one after the other.
  // The views refer to their bytes and to this object, and are valid until the next call.
  //
  // False, with whatever in lines(), where there is anything but records with text, a field that
  // this program does not know, or bytes that the codec does not take: then the batch is to be
  // parsed as a message. Does not look at whether the text is UTF-8.
  bool Parse(absl::Span<const std::string_view> pieces);

  absl::Span<const LineView> lines() const { return lines_; }
  void Clear();

 private:
  bool ParseWhole(std::string_view elements, std::string_view* rest);
  bool Complete(std::string_view* piece);

  std::vector<LineView> lines_;
  std::string torn_;                // the beginning of an element that goes on in the next piece
  std::deque<std::string> joined_;  // elements that lay in several pieces
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LINE_VIEW_H_
