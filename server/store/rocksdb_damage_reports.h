// What of a database is damaged, said once each on the server's log.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_DAMAGE_REPORTS_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_DAMAGE_REPORTS_H_

#include <spdlog/spdlog.h>

#include <cstddef>
#include <set>
#include <string>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace jobtail {

// Every reader of a log comes across the same damage: the first one reports it. A store owns it.
// Thread-safe.
class DamageReports {
 public:
  // `what` is a whole sentence.
  void Report(const std::string& what) {
    constexpr size_t kMost = 10'000;  // of which it remembers that they were said
    {
      absl::MutexLock lock(&mutex_);
      if (reported_.size() >= kMost || !reported_.insert(what).second) return;
    }
    spdlog::error("{}", what);
  }

 private:
  absl::Mutex mutex_;
  std::set<std::string> reported_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_DAMAGE_REPORTS_H_
