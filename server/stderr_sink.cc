// Writes as much as a pipe takes without waiting.
#include "server/stderr_sink.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <spdlog/common.h>
#include <unistd.h>

#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

std::string_view ColourOf(spdlog::level::level_enum level) {
  switch (level) {
    case spdlog::level::warn:
      return "\x1b[33m\x1b[1m";
    case spdlog::level::err:
    case spdlog::level::critical:
      return "\x1b[31m\x1b[1m";
    default:
      return "\x1b[32m";
  }
}

}  // namespace

StderrSink::StderrSink() : is_terminal_(isatty(STDERR_FILENO) == 1) {}

void StderrSink::sink_it_(const spdlog::details::log_msg& message) {
  spdlog::memory_buf_t buffer;
  formatter_->format(message, buffer);
  const std::string_view text(buffer.data(), buffer.size());
  if (left_out_ > 0) {
    if (!Write(absl::StrCat("... ", left_out_, " messages were left out: nobody read them\n"))) {
      ++left_out_;
      return;
    }
    left_out_ = 0;
  }
  if (!Write(is_terminal_ ? Coloured(message, text) : std::string(text))) ++left_out_;
}

// A pipe that is ready takes PIPE_BUF bytes at once. A message that is longer may lose its end.
bool StderrSink::Write(std::string_view text) const {
  while (!text.empty()) {
    pollfd ready{.fd = STDERR_FILENO, .events = POLLOUT, .revents = 0};
    const int found = poll(&ready, 1, /*timeout=*/0);
    if (found < 0 && errno == EINTR) continue;
    if (found <= 0 || (ready.revents & POLLOUT) == 0) return false;
    const ssize_t written = write(STDERR_FILENO, text.data(), text.substr(0, PIPE_BUF).size());
    if (written < 0 && errno == EINTR) continue;
    if (written <= 0) return false;
    text.remove_prefix(static_cast<size_t>(written));
  }
  return true;
}

std::string StderrSink::Coloured(const spdlog::details::log_msg& message,
                                 std::string_view text) const {
  const size_t begin = message.color_range_start;
  const size_t end = message.color_range_end;
  if (end <= begin || end > text.size()) return std::string(text);
  std::string coloured(text.substr(0, begin));
  coloured += ColourOf(message.level);
  coloured += text.substr(begin, end - begin);
  coloured += "\x1b[m";
  coloured += text.substr(end);
  return coloured;
}

}  // namespace jobtail
