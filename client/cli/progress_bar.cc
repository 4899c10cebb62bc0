// A progress bar that fits the terminal.

#include "client/cli/progress_bar.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "base/codec/proto_time.h"
#include "base/display_width.h"
#include "base/quoting.h"
#include "client/cli/style.h"
#include "client/cli/time_format.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMinColumns = 30;  // for a bar beside the percentage
constexpr size_t kMinBar = 10;
constexpr size_t kMaxBar = 30;

// Whatever the server sends.
double Fraction(const v1::RunProgress& progress) {
  return std::isfinite(progress.fraction()) ? std::clamp(progress.fraction(), 0.0, 1.0) : 0.0;
}

std::string Bar(double fraction, size_t width, bool color) {
  const auto done = static_cast<size_t>(fraction * static_cast<double>(width));
  const std::string filled(done, '#');
  return absl::StrCat("[", color ? Painted(filled, Paint::kCyan) : filled,
                      std::string(width - done, '-'), "] ");
}

}  // namespace

std::string ProgressBar(const v1::RunProgress& progress, size_t columns, bool color) {
  const double fraction = Fraction(progress);
  std::string text = absl::StrFormat("%3.0f%%", std::floor(fraction * 100));
  if (!progress.text().empty()) absl::StrAppend(&text, "  ", Printable(progress.text()));
  std::string remaining;
  if (progress.has_remaining()) {
    remaining = absl::StrCat("  ", ShortDuration(ToDuration(progress.remaining())), " left");
  }
  const size_t room = columns > 0 ? columns - 1 : 0;  // a full line would wrap
  if (columns < kMinColumns) return FitToWidth(text + remaining, room);
  const size_t width = std::clamp(columns / 3, kMinBar, kMaxBar);
  const size_t left = room - width - 3;
  const size_t for_text = left > DisplayWidth(remaining) ? left - DisplayWidth(remaining) : 0;
  return Bar(fraction, width, color) + FitToWidth(FitToWidth(text, for_text) + remaining, left);
}

}  // namespace jobtail::client::cli
