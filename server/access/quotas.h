// How much each principal has at a time, and how often an address may guess.
#ifndef JOBTAIL_SERVER_ACCESS_QUOTAS_H_
#define JOBTAIL_SERVER_ACCESS_QUOTAS_H_

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"

namespace jobtail::access {

// Calls at an average rate: a call takes one of the tokens that come with time, of which so many
// are kept for a rush. Not thread-safe.
class Bucket {
 public:
  explicit Bucket(absl::Duration now) : last_(now) {}

  // Zero, and a token taken, if there is one; otherwise how long it takes until there is.
  absl::Duration Take(double per_second, double most, absl::Duration now);
  // Whether it is as if nobody had taken any.
  bool IsFull(double per_second, absl::Duration now) const;

 private:
  double taken_ = 0;
  absl::Duration last_;
};

// Buckets by key, no more than so many: those beyond share one. Not thread-safe.
class Buckets {
 public:
  absl::Duration Take(std::string_view key, double per_second, double most, absl::Duration now);
  size_t size() const { return buckets_.size(); }

  static constexpr size_t kMost = 10'000;

 private:
  absl::flat_hash_map<std::string, Bucket> buckets_;
  absl::Duration swept_ = -absl::InfiniteDuration();  // when those that are full were dropped last
};

// What is counted for each principal and address. Errors are RESOURCE_EXHAUSTED, name the limit and
// say when to come back (RetryAfter). Thread-safe. Outlives its places.
class Quotas {
 public:
  enum class Kind { kStreams, kActiveRuns, kQueuedRuns, kConnections, kRequestBytes };

  // One of the streams or runs that a principal may have, or so many bytes; given back by the
  // destructor. Not thread-safe.
  class Place {
   public:
    Place() = default;  // of nobody; takes whatever size
    Place(Place&& other) noexcept
        : quotas_(std::exchange(other.quotas_, nullptr)),
          key_(std::move(other.key_)),
          limit_(other.limit_),
          size_(other.size_) {}
    Place& operator=(Place&& other) noexcept {
      std::swap(quotas_, other.quotas_);
      std::swap(key_, other.key_);
      std::swap(limit_, other.limit_);
      std::swap(size_, other.size_);
      return *this;
    }
    ~Place() {
      if (quotas_) quotas_->Leave(key_, size_);
    }

    // Takes so much from now on. An error, with nothing changed, if that is more than before and
    // beyond the limit.
    absl::Status Resize(int64_t size);

    // Whether it is somebody's.
    bool is_owned() const { return quotas_ != nullptr; }

   private:
    friend class Quotas;
    using Key = std::pair<Kind, std::string>;
    Place(Quotas* quotas, Key key, int64_t limit)
        : quotas_(quotas), key_(std::move(key)), limit_(limit) {}

    Quotas* quotas_ = nullptr;
    Key key_;
    int64_t limit_ = 0;
    int64_t size_ = 0;
  };

  // Of failures to prove who one is, from one address.
  static constexpr double kFailuresPerSecond = 1;
  static constexpr double kFailuresInARow = 20;

  explicit Quotas(Clock* clock) : clock_(clock), noted_in_all_(clock->Steady()) {}

  // `limit` 0: without. `size` is 1, but for what is counted in bytes.
  absl::StatusOr<Place> Enter(Kind kind, const std::string& principal, int64_t limit,
                              int64_t size = 1);
  absl::Status TakeCall(const std::string& principal, double per_second);

  // Notes that somebody at `address` has not proved who it is: with a wrong proof, a guess, or
  // without any. An error once the one or the other has come too often: nothing is to be done about
  // it then, such as writing it down.
  absl::Status NoteFailure(std::string_view address, bool is_guess);

  // Whether a refusal of a principal, or of somebody at an address, is to be written down: not
  // each, where they come often; of all strangers together so many that a disk has room for them.
  bool MayNoteRefusal(std::string_view principal);
  bool MayNoteStranger(std::string_view address);

  // Since the start: calls beyond their rate, failures, and those of them that were too many.
  int64_t refused_calls() const;
  // Since the start: streams, runs, connections and requests beyond their principal's limit.
  int64_t refused_places() const;
  int64_t failures() const;
  int64_t refused_failures() const;

 private:
  absl::Status Take(const Place::Key& key, int64_t limit, int64_t more);
  void Leave(const Place::Key& key, int64_t size);

  Clock* const clock_;

  mutable absl::Mutex mutex_;
  std::map<Place::Key, int64_t> places_ ABSL_GUARDED_BY(mutex_);
  Buckets calls_ ABSL_GUARDED_BY(mutex_);
  Buckets guesses_ ABSL_GUARDED_BY(mutex_);  // by address, as the next
  Buckets silent_ ABSL_GUARDED_BY(mutex_);
  Buckets noted_ ABSL_GUARDED_BY(mutex_);            // by principal
  Buckets noted_strangers_ ABSL_GUARDED_BY(mutex_);  // by address
  Bucket noted_in_all_ ABSL_GUARDED_BY(mutex_);      // of strangers
  int64_t refused_calls_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t refused_places_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t failures_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t refused_failures_ ABSL_GUARDED_BY(mutex_) = 0;
};

// When to come back, as a part of an error; nothing if the error does not say.
void SetRetryAfter(absl::Duration delay, absl::Status* error);
absl::Duration RetryAfter(const absl::Status& error);

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_QUOTAS_H_
