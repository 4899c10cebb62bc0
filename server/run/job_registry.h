// The table of a server's jobs, by name.
#ifndef JOBTAIL_SERVER_RUN_JOB_REGISTRY_H_
#define JOBTAIL_SERVER_RUN_JOB_REGISTRY_H_

#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/run/job.h"

namespace jobtail {

// The jobs of a server by name. Thread-safe. A job never changes once added; another may take its
// place, and whoever has found it keeps it.
class JobRegistry {
 public:
  // Takes out the jobs of these names and adds the others, at once or, on error, not at all.
  // INVALID_ARGUMENT for a declaration that makes no sense, ALREADY_EXISTS for a name that is
  // taken.
  absl::Status Replace(const std::vector<std::string>& names, std::vector<Job> jobs);

  // Which jobs there are for somebody; null: all. Called under the registry's lock.
  using Filter = std::function<bool(const Job&)>;

  // NOT_FOUND with the names that there are.
  absl::StatusOr<std::shared_ptr<const Job>> Find(const std::string& name,
                                                  const Filter& filter = nullptr) const;

  // By name, those after `after` alone, `limit` at most.
  std::vector<std::shared_ptr<const Job>> List(const std::string& after, size_t limit,
                                               const Filter& filter = nullptr) const;

 private:
  mutable absl::Mutex mutex_;
  std::map<std::string, std::shared_ptr<const Job>> jobs_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_JOB_REGISTRY_H_
