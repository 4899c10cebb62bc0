// stdout and stderr as one sequence, with a footer below.

#include "client/cli/output.h"

#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"

namespace jobtail::client::cli {

Output::Output(FdWriter* out, FdWriter* err)
    : out_(out), err_(err), one_terminal_(out->SharesTerminal(*err)) {}

absl::Status Output::Flush() {
  if (buffer_.empty()) {
    Forget(0);
    return absl::OkStatus();
  }
  HideFooter();
  size_t written;
  absl::Status status = (target_ == kOut ? out_ : err_)->Write(buffer_, &written);
  absl::string_view shown = absl::string_view(buffer_).substr(0, written);
  absl::ConsumeSuffix(&shown, "\x1b[m");
  if (!shown.empty()) {
    in_line_[target_] = shown.back() != '\n';
    if (one_terminal_) in_line_[1 - target_] = in_line_[target_];
  }
  Forget(written);
  return status;
}

// Drops the buffer, of which this many bytes have been written.
void Output::Forget(size_t written) {
  while (!marks_.empty() && marks_.back().first > written) marks_.pop_back();
  if (!marks_.empty()) last_written_ = marks_.back().second;
  marks_.clear();
  buffer_.clear();
}

void Output::Notice(absl::string_view text) {
  (void)Flush();
  HideFooter();
  WriteNotice(absl::StrCat(in_line_[kErr] ? "\n" : "", "jobtail: ", text, "\n"));
}

void Output::ShowFooter() {
  if (footer_ == shown_ || in_line_[kErr] || drawing_) return;
  if (footer_.empty()) return HideFooter();
  size_t written;
  if (err_->Write(absl::StrCat("\r", footer_, "\x1b[K"), &written).ok()) shown_ = footer_;
}

void Output::EndFooter() {
  footer_.clear();
  if (shown_.empty()) return;
  err_->IgnoreStop();
  HideFooter();
}

void Output::HideFooter() {
  if (shown_.empty()) return;
  shown_.clear();
  size_t written;
  (void)err_->Write("\r\x1b[K", &written);
}

void Output::WriteNotice(absl::string_view text) {
  size_t written;
  (void)err_->Write(text, &written);
  if (written == 0) return;
  in_line_[kErr] = text[written - 1] != '\n';
  if (one_terminal_) in_line_[kOut] = in_line_[kErr];
}

}  // namespace jobtail::client::cli
