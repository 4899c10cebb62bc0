// Lines counted and timed.

#include "bench/meter.h"

#include <cstdio>
#include <cstring>

#include "bench/workload.h"

namespace jobtail::bench {

void Meter::Touch() {
  last_nanos_ = MonotonicNanos();
  if (first_nanos_ == 0) first_nanos_ = last_nanos_;
}

void Meter::AddAge(std::string_view line) {
  if (const int64_t age = AgeNanos(line); age >= 0) ages_.push_back(age);
}

void Meter::AddText(std::string_view text) {
  Touch();
  if (!stamped_) {
    // The consumer shares the processors with what is measured: it costs as little as it can.
    while (const void* end = memchr(text.data(), '\n', text.size())) {
      ++lines_;
      text.remove_prefix(static_cast<size_t>(static_cast<const char*>(end) - text.data()) + 1);
    }
    return;
  }
  for (size_t end; (end = text.find('\n')) != std::string_view::npos; text.remove_prefix(end + 1)) {
    unfinished_.append(text.substr(0, end));
    AddAge(unfinished_);
    unfinished_.clear();
    ++lines_;
  }
  unfinished_.append(text);
}

void Meter::AddLine(std::string_view line) {
  Touch();
  if (stamped_) AddAge(line);
  ++lines_;
}

void Meter::AddLines(int64_t count) {
  Touch();
  lines_ += count;
}

std::string Meter::Json() const {
  std::string json = "{\"lines\":" + std::to_string(lines_) + ",\"seconds\":" +
                     std::to_string(static_cast<double>(last_nanos_ - first_nanos_) * 1e-9);
  if (stamped_) {
    json += ",\"ages_us\":[";
    for (size_t i = 0; i < ages_.size(); ++i) {
      if (i > 0) json += ",";
      json += std::to_string(static_cast<double>(ages_[i]) * 1e-3);
    }
    json += "]";
  }
  return json + "}";
}

}  // namespace jobtail::bench
