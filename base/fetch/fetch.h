// A request to another HTTP server, bounded in time and size.
#ifndef JOBTAIL_BASE_FETCH_FETCH_H_
#define JOBTAIL_BASE_FETCH_FETCH_H_

#include <atomic>
#include <cstddef>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"

namespace jobtail {

struct FetchRequest {
  std::string url;  // that CheckUrl lets pass
  // With fields, they are sent by POST as a form; otherwise it is a GET.
  std::vector<std::pair<std::string, std::string>> form = {};
  // By "authorization: Basic", where there is a user.
  std::string user = {};
  std::string password = {};
  std::string ca_file = {};                    // PEM; empty: the system's certificates
  absl::Duration timeout = absl::Seconds(10);  // for all of it
  size_t max_bytes = 512 << 10;                // of the answer's body
};

struct FetchAnswer {
  int status = 0;  // HTTP's
  std::string body;
};

// Asks, and waits for the answer. Redirects are not followed; only http and https are spoken, and
// certificates are verified. Thread-safe.
class Fetcher {
 public:
  Fetcher();

  Fetcher(const Fetcher&) = delete;
  Fetcher& operator=(const Fetcher&) = delete;

  // INVALID_ARGUMENT for an address that CheckUrl refuses, UNAVAILABLE where no whole answer has
  // come, CANCELLED after Cancel.
  absl::StatusOr<FetchAnswer> Fetch(const FetchRequest& request);

  // Ends what is under way within half a second, and everything from now on at once.
  void Cancel() { cancelled_ = true; }

 private:
  std::atomic<bool> cancelled_ = false;
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_FETCH_FETCH_H_
