// What a door's streams are doing, in figures.
#ifndef JOBTAIL_SERVER_STREAM_STREAM_STATS_H_
#define JOBTAIL_SERVER_STREAM_STREAM_STATS_H_

#include <cstdint>

#include "absl/time/time.h"

namespace jobtail {

// What a door's streams are doing, for operators.
struct StreamStats {
  int64_t open = 0;
  int64_t stalled = 0;   // whose client has not taken a message for kStalledAfter
  int64_t messages = 0;  // sent since the server's start
  int64_t bytes = 0;     // of those messages
};

inline constexpr absl::Duration kStalledAfter = absl::Seconds(5);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STREAM_STREAM_STATS_H_
