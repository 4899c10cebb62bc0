// Which run a request id has started, so that a retry finds it.
#ifndef JOBTAIL_SERVER_RUN_REQUEST_IDS_H_
#define JOBTAIL_SERVER_RUN_REQUEST_IDS_H_

#include <array>
#include <condition_variable>
#include <mutex>
#include <string>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "google/protobuf/map.h"

namespace jobtail {

// The request ids that came with requests for runs: each, of one owner, stands for one run. While
// that is being created, which may take long where the store is slow, the id is pending: others who
// come with it wait for the outcome, without holding a lock, for kPatience at most. If the run is
// not created, the id is free again, and the next who waits takes it. Thread-safe.
//
//   const std::string run = ...;  // the id of the run to be
//   auto found = ids.Enter(id, request, run);
//   if (found.ok() && *found == run) ids.Settle(id, run, CreateIt().ok());
class RequestIds {
 public:
  using Parameters = google::protobuf::Map<std::string, std::string>;
  // What was asked for, as far as it takes to tell a retry from another request.
  using Digest = std::array<unsigned char, 16>;

  static constexpr absl::Duration kPatience = absl::Seconds(5);

  // The clock outlives this.
  explicit RequestIds(Clock* clock) : clock_(clock) {}

  // Parameters without secrets: of these, whether they are the same is not known.
  static Digest DigestOf(const std::string& job, const Parameters& parameters);

  // The run that the id stands for; `run` itself if it is now the caller's turn to create that, and
  // to call Settle afterwards. INVALID_ARGUMENT if the id came before, with something else;
  // UNAVAILABLE if the store has not taken the earlier request's run for kPatience.
  // `owner`: whose request ids are meant, here and below; empty where nobody is asked.
  absl::StatusOr<std::string> Enter(const std::string& id, const Digest& digest,
                                    const std::string& run, const std::string& owner = "");

  // `run` is created; or it is not, and the id is free again.
  void Settle(const std::string& id, const std::string& run, bool created,
              const std::string& owner = "");

  // The id stands for `run`, which an earlier process has created.
  void Restore(const std::string& id, const Digest& digest, const std::string& run,
               const std::string& owner = "");

  // The run is deleted. No effect if the id stands for another.
  void Forget(const std::string& id, const std::string& run, const std::string& owner = "");

 private:
  using Key = std::pair<std::string, std::string>;  // owner and id
  struct Request {
    Digest digest;
    std::string run;
    bool pending = false;
  };

  Clock* const clock_;

  std::mutex mutex_;  // of the standard library, for the clock; guards what follows
  std::condition_variable settled_;
  absl::flat_hash_map<Key, Request> requests_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_REQUEST_IDS_H_
