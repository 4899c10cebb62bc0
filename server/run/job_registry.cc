// The jobs of a server by name.
#include "server/run/job_registry.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"

namespace jobtail {
namespace {

std::string Names(const std::map<std::string, std::shared_ptr<const Job>>& jobs,
                  const JobRegistry::Filter& filter) {
  constexpr size_t kShown = 10;
  std::string names;
  size_t count = 0;
  for (const auto& [name, job] : jobs) {
    if (filter && !filter(*job)) continue;
    if (count++ < kShown) absl::StrAppend(&names, count > 1 ? ", " : "", name);
  }
  if (count == 0) return "this server has no jobs";
  return absl::StrCat("there are: ", names,
                      count > kShown ? absl::StrCat(" ... (", count, " in all)") : "");
}

}  // namespace

absl::Status JobRegistry::Replace(const std::vector<std::string>& names, std::vector<Job> jobs) {
  for (const Job& job : jobs) {
    if (const absl::Status status = job.Check(); !status.ok()) return status;
  }
  absl::MutexLock lock(&mutex_);
  auto replaced = jobs_;
  for (const std::string& name : names) replaced.erase(name);
  for (Job& job : jobs) {
    auto shared = std::make_shared<const Job>(std::move(job));
    if (replaced.emplace(shared->name(), shared).second) continue;
    return absl::AlreadyExistsError(absl::StrCat("job ", shared->name(), " is there already"));
  }
  jobs_.swap(replaced);
  return absl::OkStatus();
}

absl::StatusOr<std::shared_ptr<const Job>> JobRegistry::Find(const std::string& name,
                                                             const Filter& filter) const {
  absl::MutexLock lock(&mutex_);
  const auto found = jobs_.find(name);
  if (found != jobs_.end() && (!filter || filter(*found->second))) return found->second;
  return absl::NotFoundError(absl::StrCat("no job ", Quoted(name), "; ", Names(jobs_, filter)));
}

std::vector<std::shared_ptr<const Job>> JobRegistry::List(const std::string& after, size_t limit,
                                                          const Filter& filter) const {
  std::vector<std::shared_ptr<const Job>> jobs;
  absl::MutexLock lock(&mutex_);
  for (auto it = jobs_.upper_bound(after); it != jobs_.end() && jobs.size() < limit; ++it) {
    if (!filter || filter(*it->second)) jobs.push_back(it->second);
  }
  return jobs;
}

}  // namespace jobtail
