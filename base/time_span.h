// A duration that is given in absl's terms or in those of <chrono>.
#ifndef JOBTAIL_BASE_TIME_SPAN_H_
#define JOBTAIL_BASE_TIME_SPAN_H_

#include <chrono>
#include <cstdint>
#include <type_traits>

#include "absl/time/time.h"

namespace jobtail {

// An absl::Duration that a std::chrono::duration makes as well: the type of options, so that
//
//   options.stop_grace = std::chrono::minutes(1);
//   options.stop_grace = absl::Minutes(1);
//
// are the same. What is too long for an absl::Duration is infinite. It adds nothing to its base,
// and is used like that. Values; thread-safe like an int.
class TimeSpan : public absl::Duration {
 public:
  constexpr TimeSpan() = default;
  constexpr TimeSpan(absl::Duration duration)  // NOLINT(google-explicit-constructor)
      : absl::Duration(duration) {}
  template <typename Count, typename Period>
  TimeSpan(std::chrono::duration<Count, Period> duration)  // NOLINT(google-explicit-constructor)
      : absl::Duration(Convert(duration)) {}

 private:
  template <typename Count, typename Period>
  static absl::Duration Convert(std::chrono::duration<Count, Period> duration) {
    if constexpr (std::is_floating_point_v<Count>) {
      return absl::Seconds(std::chrono::duration<double>(duration).count());
    } else {
      const absl::Duration periods = absl::Seconds(static_cast<int64_t>(duration.count()));
      return periods * int64_t{Period::num} / int64_t{Period::den};
    }
  }
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_TIME_SPAN_H_
