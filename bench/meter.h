// A meter of throughput and latency at a consumer.
#ifndef JOBTAIL_BENCH_METER_H_
#define JOBTAIL_BENCH_METER_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace jobtail::bench {

// Counts the lines that a consumer gets and takes the time from the first to the last; where lines
// carry stamps, also how old each was. For one thread.
class Meter {
 public:
  explicit Meter(bool stamped) : stamped_(stamped) {}

  // Any part of a text with newlines.
  void AddText(std::string_view text);
  // A line without its newline.
  void AddLine(std::string_view line);
  // That many lines that are not stamped.
  void AddLines(int64_t count);

  // {"lines":N,"seconds":S} and, where lines are stamped, "ages_us":[...].
  std::string Json() const;

 private:
  void Touch();
  void AddAge(std::string_view line);

  const bool stamped_;
  int64_t lines_ = 0;
  int64_t first_nanos_ = 0;
  int64_t last_nanos_ = 0;
  std::string unfinished_;
  std::vector<int64_t> ages_;
};

}  // namespace jobtail::bench

#endif  // JOBTAIL_BENCH_METER_H_
