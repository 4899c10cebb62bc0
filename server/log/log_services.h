// The services that all logs of a server share.
#ifndef JOBTAIL_SERVER_LOG_LOG_SERVICES_H_
#define JOBTAIL_SERVER_LOG_LOG_SERVICES_H_

#include "base/clock.h"
#include "base/scheduler.h"
#include "server/log/batch_cache.h"
#include "server/log/log_store.h"

namespace jobtail {

// What logs share. All outlive them.
struct LogServices {
  LogStore* store;
  BatchCache* cache;     // of what was read from the store, or is about to be
  Scheduler* committer;  // stores lines that were collected
  Scheduler* waker;      // wakes readers where there are many
  Clock* clock = Clock::System();
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_SERVICES_H_
