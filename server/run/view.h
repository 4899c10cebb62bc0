// What one caller may see and do, of jobs and runs.
#ifndef JOBTAIL_SERVER_RUN_VIEW_H_
#define JOBTAIL_SERVER_RUN_VIEW_H_

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobtail/v1/job.pb.h"
#include "jobtail/v1/run.pb.h"
#include "server/access/access_control.h"
#include "server/access/principal.h"
#include "server/access/verb.h"
#include "server/run/job_registry.h"

namespace jobtail {

// Which runs are meant by whom they are of.
struct RunFilter {
  std::string job = {};         // empty: of any
  uint32_t states = 0;          // a bit for each, 1 << state; 0: in any
  std::string created_by = {};  // empty: by anybody
  // With whose runs of a job; null: everybody's. Called under a lock; must take none of a run's.
  std::function<access::Scope(const std::string& job)> scope = nullptr;
  std::string owner = {};  // whose runs are meant by kOwn; empty: nobody's

  bool Wants(v1::RunState state) const { return states == 0 || (states >> state & 1) != 0; }
  access::Scope ScopeOf(const std::string& of_job) const {
    return scope ? scope(of_job) : access::Scope::kAll;
  }
  // Whether the run is within the scope; the other fields do not count.
  bool Covers(const std::string& of_job, const std::string& creator) const {
    const access::Scope its = ScopeOf(of_job);
    return its == access::Scope::kAll ||
           (its == access::Scope::kOwn && !owner.empty() && owner == creator);
  }
};

// What a caller may see and do, as things stood when it was made. A server without an access file
// has nobody asked, and a program may do everything with its own engine. A value; not thread-safe.
// What it was made with outlives it.
class View {
 public:
  // Whoever may do one of these with a job or run knows that it is there.
  static constexpr access::VerbSet kSee =
      access::SetOf(access::Verb::kList) | access::SetOf(access::Verb::kRead) |
      access::SetOf(access::Verb::kReadLog) | access::SetOf(access::Verb::kRun) |
      access::SetOf(access::Verb::kCancel) | access::SetOf(access::Verb::kDelete);

  // `access` null: nobody is asked. UNAUTHENTICATED if what has proved who calls is worth nothing
  // any more.
  static absl::StatusOr<View> Of(const access::AccessControl* access, const JobRegistry* jobs,
                                 const access::Caller& caller);

  bool everything() const { return rights_->everything(); }
  const access::Rights& rights() const { return *rights_; }
  // Whom a run that the caller starts is of: the caller's name; empty where nobody is asked.
  const std::string& name() const { return caller_.principal->name; }

  access::Scope ScopeOf(const v1::Job& job, access::VerbSet verbs) const;
  // The labels are those that the job has by now; none if it is there no more.
  access::Scope ScopeOf(const std::string& job, access::VerbSet verbs) const;

  // Whether that may be done with a run of the job that `creator` has started.
  bool May(access::Verb verb, const std::string& job, const std::string& creator) const {
    return FilterFor(access::SetOf(verb)).Covers(job, creator);
  }

  // The runs with which one of the verbs may be done. The view outlives the filter.
  RunFilter FilterFor(access::VerbSet verbs) const;

  // A run as the caller may see it.
  v1::Run Show(v1::Run run) const;
  // A job, with what the caller may do with it.
  v1::Job Show(const v1::Job& job) const;

  // Looks again if something has changed since; an error as Of's.
  absl::Status Refresh();

 private:
  View(const access::AccessControl* access, const JobRegistry* jobs, access::Caller caller,
       std::shared_ptr<const access::Rights> rights, int64_t version);

  const access::AccessControl* access_;
  const JobRegistry* jobs_;
  access::Caller caller_;
  std::shared_ptr<const access::Rights> rights_;
  int64_t version_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_VIEW_H_
