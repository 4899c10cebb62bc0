// The sessions of those who have signed in at the console page.
#ifndef JOBTAIL_SERVER_ACCESS_SESSION_TABLE_H_
#define JOBTAIL_SERVER_ACCESS_SESSION_TABLE_H_

#include <cstddef>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/access/principal.h"
#include "server/access/secret.h"

namespace jobtail::access {

// Sessions by the secret in their cookies, of which only the digest is kept. They end after
// kLongest, and with what has begun them, which whoever asks for one has to see to. In memory: they
// end with the server. Thread-safe.
class SessionTable {
 public:
  static constexpr absl::Duration kLongest = absl::Hours(12);
  static constexpr size_t kMost = 10'000;
  // Of one principal; the oldest makes room.
  static constexpr size_t kMostOfOne = 20;

  // A new session's secret. RESOURCE_EXHAUSTED if there are kMost.
  absl::StatusOr<std::string> Begin(const Principal& principal, absl::Time now);
  // Whose session it is, with the proof kSession; null if it is nobody's, or has ended.
  std::shared_ptr<const Principal> Find(std::string_view secret, absl::Time now);
  // Whether the session of that digest has not ended; time is not looked at.
  bool Has(const Digest& session) const;
  // Null if there is none such.
  std::shared_ptr<const Principal> End(std::string_view secret);

  size_t size() const;

 private:
  struct Session {
    std::shared_ptr<const Principal> principal;
    absl::Time began;
  };

  void MakeRoomLocked(const std::string& name, absl::Time now)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Digest, Session> sessions_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_SESSION_TABLE_H_
