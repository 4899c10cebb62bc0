// The buffered stdout and stderr of a command that follows a log, in exact order.
#ifndef JOBTAIL_CLIENT_CLI_OUTPUT_H_
#define JOBTAIL_CLIENT_CLI_OUTPUT_H_

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/string_view.h"
#include "client/cli/fd_writer.h"

namespace jobtail::client::cli {

// What the command prints while it follows a log: the job's bytes on stdout and stderr, gathered
// into large writes but in exact order, and jobtail's own notices on stderr. For one thread.
//
// A line is put down as
//
//   std::string* buffer;
//   if (absl::Status status = output.Begin(Output::kOut, &buffer); !status.ok()) return status;
//   buffer->append(...);
//   output.End(sequence);
//
// and is written by Flush(), by the next line of the other stream, or when enough has come
// together. Errors are FdWriter's; after one, only Notice() may be called.
class Output {
 public:
  enum Target { kOut, kErr };

  // The writers must outlive this.
  Output(FdWriter* out, FdWriter* err);

  absl::Status Begin(Target target, std::string** buffer) {
    if (target != target_ || buffer_.size() >= kFlushSize) {
      if (absl::Status status = Flush(); !status.ok()) return status;
      target_ = target;
    }
    *buffer = &buffer_;
    return absl::OkStatus();
  }

  bool is_terminal(Target target) const { return (target == kOut ? out_ : err_)->is_terminal(); }

  // Whether both are one terminal: they share a cursor.
  bool is_one_terminal() const { return one_terminal_; }
  // Whether both are the same terminal, file or pipe.
  bool is_one_place() const { return out_->SharesPlace(*err_); }

  // Marks where the line with this sequence number ends; 0 for one that has none.
  void End(int64_t sequence) {
    if (sequence > 0) marks_.emplace_back(buffer_.size(), sequence);
  }

  absl::Status Flush();

  // Writes "jobtail: TEXT" to stderr, at once and on a line of its own. `text` may have several
  // lines; it is not escaped. Failures are ignored: nobody could be told.
  void Notice(absl::string_view text);

  // What to keep below all that is printed, on stderr, which is a terminal: one line that is
  // narrower than it, without newline; "" for nothing. Is shown by the next ShowFooter(), and only
  // while the line above it is complete: a job that draws a bar of its own keeps the place.
  void SetFooter(std::string footer) { footer_ = std::move(footer); }
  void ShowFooter();

  // While it is set, the cursor is among rows that the job draws on, and the footer is not shown.
  void set_drawing(bool drawing) { drawing_ = drawing; }

  // Takes the footer away for good, even after `stop` (see FdWriter).
  void EndFooter();

  // Notes that the terminal, if stderr is one, has itself left a line open: the "^C" it shows.
  void NoteEcho() { in_line_[kErr] |= err_->is_terminal(); }

  // The sequence number of the last line that has been written in full; 0 if none has.
  int64_t last_written() const { return last_written_; }

 private:
  static constexpr size_t kFlushSize = 1 << 20;

  void Forget(size_t written);
  void WriteNotice(absl::string_view text);
  void HideFooter();

  FdWriter* const out_;
  FdWriter* const err_;
  const bool one_terminal_;
  Target target_ = kOut;  // of buffer_
  std::string buffer_;
  std::vector<std::pair<size_t, int64_t>> marks_;  // end in buffer_, sequence number
  int64_t last_written_ = 0;
  std::string footer_;  // wanted
  std::string shown_;   // on the terminal
  bool drawing_ = false;
  bool in_line_[2] = {false, false};  // whether the last byte written there left a line open
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_OUTPUT_H_
