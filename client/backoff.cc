// Waits that double, drawn at random.

#include "client/backoff.h"

#include <algorithm>

namespace jobtail::client {

absl::Duration Backoff::Next() {
  const absl::Duration limit = std::min<absl::Duration>(limit_, options_.max);
  limit_ = std::min<absl::Duration>(limit * 2, options_.max);
  return limit * absl::Uniform(random_, 0.5, 1.0);
}

}  // namespace jobtail::client
