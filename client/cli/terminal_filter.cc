// What a terminal may obey of a job's bytes, written anew.

#include "client/cli/terminal_filter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMaxStyle = 256;  // in bytes
constexpr int kMaxRows = 23;       // above the last of a terminal that programs reckon with

// Whether all attributes are the usual ones at the end of these parameters.
bool EndsWithReset(std::string_view parameters) {
  const size_t last = parameters.rfind(';');
  const std::string_view value =
      last == std::string_view::npos ? parameters : parameters.substr(last + 1);
  return std::ranges::all_of(value, [](char c) { return c == '0'; });
}

// How many rows, from the parameters of a control sequence.
int CountOf(std::string_view parameters) {
  int count = 0;
  for (const char digit : parameters) {
    if (digit < '0' || digit > '9') break;
    count = std::min(10 * count + (digit - '0'), kMaxRows);
  }
  return std::max(count, 1);
}

}  // namespace

std::string OwnRows::Leave() {
  std::string bytes = below_ > 0 ? absl::StrCat("\x1b[", below_, "B") : "";
  above_ = below_ = 0;
  return bytes;
}

void OwnRows::NewLine() {
  if (below_ > 0) --below_;
  above_ = std::min(above_ + 1, kMaxRows);
}

int OwnRows::Up(int rows) {
  const int by = std::min(rows, above_);
  above_ -= by;
  below_ += by;
  return by;
}

int OwnRows::Down(int rows) {
  const int by = std::min(rows, below_);
  above_ += by;
  below_ -= by;
  return by;
}

void ApplyStyle(std::string_view parameters, std::string* style) {
  if (EndsWithReset(parameters)) return style->clear();
  if (EndsWithReset(parameters.substr(0, parameters.find(';')))) style->clear();
  style->append("\x1b[").append(parameters).append("m");
  while (style->size() > kMaxStyle) style->erase(0, style->find('\x1b', 1));
}

void TerminalFilter::Append(std::string_view bytes, std::string* shown) {
  shown_ = shown;
  Read(bytes);
}

void TerminalFilter::OnControl(char control) {
  if (control == '\v' || control == '\f') return;
  shown_->push_back(control);
  if (control == '\n' && rows_ != nullptr) rows_->NewLine();
}

void TerminalFilter::OnSequence(std::string_view parameters, char final) {
  if (!parameters.empty() && parameters[0] == '?') return;
  const bool is_style = final == 'm';
  const bool is_erasure = final == 'K' && parameters.size() <= 1;
  if (!is_style && !is_erasure) return Move(parameters, final);
  shown_->append("\x1b[").append(parameters).push_back(final);
  if (is_style) ApplyStyle(parameters, &style_);
}

// To the job's own rows alone.
void TerminalFilter::Move(std::string_view parameters, char final) {
  if (rows_ == nullptr) return;
  int by = 0;
  switch (final) {
    case 'A':
    case 'F':
      by = rows_->Up(CountOf(parameters));
      break;
    case 'B':
    case 'E':
      by = rows_->Down(CountOf(parameters));
      break;
    case 'J':
      if (parameters.empty() || parameters == "0") shown_->append("\x1b[J");
      return;
    default:
      return;
  }
  if (final == 'E' || final == 'F') shown_->push_back('\r');
  if (by > 0) absl::StrAppend(shown_, "\x1b[", by, final == 'A' || final == 'F' ? "A" : "B");
}

}  // namespace jobtail::client::cli
