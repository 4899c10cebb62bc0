// An issuer, whose keys are kept up to date.
#ifndef JOBTAIL_SERVER_OIDC_ISSUER_H_
#define JOBTAIL_SERVER_OIDC_ISSUER_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/fetch/fetch.h"
#include "base/scheduler.h"
#include "server/oidc/claims.h"
#include "server/oidc/key_set.h"
#include "server/oidc/metadata.h"
#include "server/oidc/settings.h"

namespace jobtail::oidc {

// Verifies an issuer's tokens. Its configuration and keys are fetched by a thread of its own: at
// the start, every kRefresh, and when a token names a key that is not known, but no more often than
// every kRetry. What was right last stays in force whatever comes. Keys that the settings have are
// not fetched. Thread-safe.
//
// The destructor waits for a fetch to be given up: up to a second.
class Issuer {
 public:
  static constexpr absl::Duration kRefresh = absl::Minutes(10);
  static constexpr absl::Duration kRetry = absl::Seconds(10);

  // The settings' keys, if they have some, are ones that KeySet::Parse takes.
  // `changed` is called by its thread when a key has gone; it must not wait for anything, nor call
  // this.
  Issuer(Settings settings, Clock* clock, std::function<void()> changed);
  ~Issuer();

  Issuer(const Issuer&) = delete;
  Issuer& operator=(const Issuer&) = delete;

  const Settings& settings() const { return settings_; }
  // Its address, and what tells it from the same issuer with other settings, but for its keys.
  const std::string& id() const { return id_; }

  // UNAUTHENTICATED as oidc::Verify; UNAVAILABLE while the key that has signed it may yet come.
  // Waits for nothing.
  absl::StatusOr<Claims> Verify(std::string_view token);
  // What a token says that Verify has found right, as long as it is remembered: it costs a hash,
  // where a signature that is wrong costs as much as a right one. nullopt says nothing of a token.
  std::optional<Claims> Recall(std::string_view token) const;

  // Whether the issuer has the key (Claims::key) by now.
  bool Has(std::string_view key) const;

  // UNAVAILABLE, with the reason, while it could not be fetched.
  absl::StatusOr<Metadata> metadata() const;

  int64_t failed_fetches() const { return failed_fetches_; }

 private:
  // Tokens that were right once, by digest.
  static constexpr size_t kMostVerified = 4096;

  void Refresh();
  absl::Status FetchAll();
  absl::StatusOr<std::string> Get(const std::string& url);
  void KeepKeys(std::shared_ptr<const KeySet> keys);
  bool MayCome();

  const Settings settings_;
  const std::string id_;
  Clock* const clock_;
  const std::function<void()> changed_;
  Fetcher fetcher_;
  std::atomic<int64_t> failed_fetches_ = 0;
  Scheduler::Id next_;  // of the thread of fetches alone

  mutable absl::Mutex mutex_;
  std::shared_ptr<const KeySet> keys_ ABSL_GUARDED_BY(mutex_);  // null: not yet
  bool has_metadata_ ABSL_GUARDED_BY(mutex_) = false;
  Metadata metadata_ ABSL_GUARDED_BY(mutex_);
  absl::Status trouble_ ABSL_GUARDED_BY(mutex_);  // of the last fetch
  bool fetching_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration fetched_ ABSL_GUARDED_BY(mutex_);  // when the last fetch began, steady
  absl::flat_hash_map<std::string, Claims> verified_ ABSL_GUARDED_BY(mutex_);

  Scheduler fetches_;  // last: its thread uses the rest
};

}  // namespace jobtail::oidc

#endif  // JOBTAIL_SERVER_OIDC_ISSUER_H_
