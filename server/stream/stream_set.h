// The streams of a door that are open.
#ifndef JOBTAIL_SERVER_STREAM_STREAM_SET_H_
#define JOBTAIL_SERVER_STREAM_STREAM_SET_H_

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "server/log/batch.h"
#include "server/stream/store_pool.h"
#include "server/stream/stream_stats.h"

namespace jobtail {

class Stream;

// The streams of a door, for what concerns all of them: heartbeats, the server's shutdown, figures
// for operators. Outlives the streams. Thread-safe.
//
// Heartbeats come from a thread of the set's own, whatever the store does. They and StopAll go by
// the steady clock, whoever sets the time of day.
class StreamSet {
 public:
  // A stream that has been idle for `heartbeat` is sent one. `pool` and `clock` outlive the set;
  // `thread` is the name of its thread.
  StreamSet(StorePool* pool, absl::Duration heartbeat, const std::string& thread,
            Clock* clock = Clock::System());
  ~StreamSet();

  StreamSet(const StreamSet&) = delete;
  StreamSet& operator=(const StreamSet&) = delete;

  // Once stopped, new streams are stopped as they come.
  void Add(const std::shared_ptr<Stream>& stream);
  void Remove(Stream* stream);

  // Ends every stream with UNAVAILABLE and a resume point: those whose clients keep up once
  // everything has been sent to them, for which they have until `grace` has passed; then the
  // others, as they are, without waiting for them.
  void StopAll(absl::Duration grace);

  // Soon ends the streams whose readers may not read on; that is looked at twice a second anyway.
  void CheckRights();

  // Notes that a message was sent.
  void CountMessage(size_t bytes) {
    messages_.fetch_add(1, std::memory_order_relaxed);
    bytes_.fetch_add(static_cast<int64_t>(bytes), std::memory_order_relaxed);
  }
  StreamStats stats() const;

  // Whether there are so many that none is to read ahead of what it sends.
  bool IsCrowded() const { return open_.load(std::memory_order_relaxed) > kMostReadingAhead; }

  // How much each may send in a message, about: the larger, the fewer times threads and programs
  // wake one another; but each stream that stalls holds one.
  size_t most_message_bytes() const {
    const size_t open = open_.load(std::memory_order_relaxed);
    if (open <= kMostReadingAhead) return std::numeric_limits<size_t>::max();
    return std::clamp(message_bytes_ / open, kLeastMessageBytes, kBatchBytes);
  }

  // Has the messages of many streams, all together, be no larger than that, as far as messages can
  // be small. Before the first stream.
  void BoundMessages(size_t bytes) { message_bytes_ = bytes; }

  absl::Duration heartbeat() const { return heartbeat_; }
  StorePool& pool() const { return *pool_; }
  Clock* clock() const { return clock_; }

 private:
  static constexpr size_t kMostReadingAhead = 128;
  static constexpr size_t kLeastMessageBytes = 16 << 10;

  void ScheduleTick();
  void Tick();
  std::vector<std::shared_ptr<Stream>> All() const;
  bool IsEmpty() const;
  void AwaitEmpty(absl::Duration grace);

  StorePool* const pool_;
  const absl::Duration heartbeat_;
  Clock* const clock_;

  size_t message_bytes_ = std::numeric_limits<size_t>::max();
  std::atomic<int64_t> messages_{0};
  std::atomic<int64_t> bytes_{0};
  std::atomic<size_t> open_{0};

  // For AwaitEmpty, which goes by the clock: taken before mutex_.
  std::mutex empty_mutex_;
  std::condition_variable emptied_;

  mutable absl::Mutex mutex_;
  bool stopped_ ABSL_GUARDED_BY(mutex_) = false;
  absl::flat_hash_map<Stream*, std::weak_ptr<Stream>> streams_ ABSL_GUARDED_BY(mutex_);
  Scheduler ticks_;  // last: its thread uses the rest
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STREAM_STREAM_SET_H_
