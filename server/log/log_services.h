// The services that all logs of a server share.
#ifndef JOBTAIL_SERVER_LOG_LOG_SERVICES_H_
#define JOBTAIL_SERVER_LOG_LOG_SERVICES_H_

#include <atomic>
#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "base/scheduler.h"
#include "server/log/batch_cache.h"
#include "server/log/log_store.h"

namespace jobtail {

// What all logs together hold that the store does not have yet, and the bound: where that is
// reached, each log has room for as much as it takes to go on, and no more. Thread-safe.
struct UnsavedBytes {
  bool IsFull() const { return bytes.load(std::memory_order_relaxed) >= most; }

  const int64_t most;
  std::atomic<int64_t> bytes = 0;
};

// What logs share. All outlive them.
struct LogServices {
  LogStore* store;
  BatchCache* cache;     // of what was read from the store, or is about to be
  Scheduler* committer;  // stores lines that were collected
  Scheduler* waker;      // wakes readers where there are many
  Clock* clock = Clock::System();
  UnsavedBytes* unsaved = nullptr;  // null: there is no bound for all of them
  // Stores what is small (kSmallBytes), so that it does not wait for the turn of what is large.
  // Null: the committer does.
  Scheduler* small_committer = nullptr;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_SERVICES_H_
