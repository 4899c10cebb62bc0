#ifndef JOBTAIL_SERVER_RPC_STREAM_SET_H_
#define JOBTAIL_SERVER_RPC_STREAM_SET_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/scheduler.h"
#include "server/run/stream_stats.h"

namespace jobtail {

class StreamReactor;

// The streams that are open, for what concerns all of them: heartbeats and the server's shutdown.
// Outlives the streams. Thread-safe.
class StreamSet {
 public:
  // A stream that has been idle for `heartbeat` is sent one.
  explicit StreamSet(absl::Duration heartbeat);
  ~StreamSet();

  StreamSet(const StreamSet&) = delete;
  StreamSet& operator=(const StreamSet&) = delete;

  // Once stopped, new streams are stopped as they come.
  void Add(const std::shared_ptr<StreamReactor>& stream);
  void Remove(StreamReactor* stream);

  // Ends every stream with UNAVAILABLE and a resume point: by `deadline` those whose clients keep
  // up, once everything has been sent to them; after it the others, as they are.
  void StopAll(absl::Time deadline);

  // Notes that a message was sent.
  void CountMessage(size_t bytes) {
    messages_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }
  StreamStats stats() const;

  absl::Duration heartbeat() const { return heartbeat_; }
  // For what must not run on a gRPC thread for too long.
  Scheduler& scheduler() { return scheduler_; }
  // For streams that have to look into every line.
  Scheduler& filters() { return filters_; }
  // For streams that have to ask the store.
  Scheduler& reads() { return reads_; }

 private:
  void ScheduleTick();
  void Tick();
  std::vector<std::shared_ptr<StreamReactor>> All() const;
  bool IsEmptyLocked() const ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return streams_.empty(); }

  const absl::Duration heartbeat_;

  std::atomic<int64_t> messages_{0};
  std::atomic<int64_t> bytes_{0};

  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<StreamReactor*, std::weak_ptr<StreamReactor>> streams_
      ABSL_GUARDED_BY(mutex_);
  Scheduler filters_;
  Scheduler reads_;
  Scheduler scheduler_;  // last: its thread uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_STREAM_SET_H_
