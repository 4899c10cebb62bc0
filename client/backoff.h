// The growing, random waits between attempts to reach a server.
#ifndef JOBTAIL_CLIENT_BACKOFF_H_
#define JOBTAIL_CLIENT_BACKOFF_H_

#include "absl/random/random.h"
#include "absl/time/time.h"
#include "base/time_span.h"

namespace jobtail::client {

// The waits between attempts to reach the server.
struct BackoffOptions {
  // The longest wait after the first failure. Each further failure doubles it ...
  TimeSpan initial = absl::Milliseconds(50);
  // ... up to this.
  TimeSpan max = absl::Seconds(5);
};

// The waits between attempts: exponential, and drawn at random so that the clients of a server that
// has restarted do not all return at the same instant. Not thread-safe.
class Backoff {
 public:
  explicit Backoff(const BackoffOptions& options) : options_(options), limit_(options.initial) {}

  // The next wait: between a half and the whole of the present limit, which then doubles.
  absl::Duration Next();

  // Starts again at the initial limit, after a success.
  void Reset() { limit_ = options_.initial; }

 private:
  const BackoffOptions options_;
  absl::BitGen random_;
  absl::Duration limit_;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_BACKOFF_H_
