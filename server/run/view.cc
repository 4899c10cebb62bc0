// What a caller may see and do, put together of its rights and the jobs that there are.
#include "server/run/view.h"

#include <utility>

namespace jobtail {
namespace {

using access::Rights;
using access::Scope;

access::Labels LabelsOf(const v1::Job& job) { return {job.labels().begin(), job.labels().end()}; }

bool IsAsked(const access::AccessControl* access, const access::Caller& caller) {
  return access && !caller.principal->IsLocal();
}

}  // namespace

View::View(const access::AccessControl* access, const JobRegistry* jobs, access::Caller caller,
           std::shared_ptr<const Rights> rights, int64_t version)
    : access_(access),
      jobs_(jobs),
      caller_(std::move(caller)),
      rights_(std::move(rights)),
      version_(version) {}

absl::StatusOr<View> View::Of(const access::AccessControl* access, const JobRegistry* jobs,
                              const access::Caller& caller) {
  static const auto& everything =
      *new std::shared_ptr<const Rights>(new Rights(/*everything=*/true));
  if (!IsAsked(access, caller)) return View(nullptr, jobs, caller, everything, 0);
  const int64_t version = access->version();
  auto rights = access->RightsOf(caller);
  if (!rights.ok()) return rights.status();
  return View(access, jobs, caller, *std::move(rights), version);
}

absl::Status View::Refresh() {
  if (!access_) return absl::OkStatus();
  const int64_t version = access_->version();
  if (version == version_) return absl::OkStatus();
  auto rights = access_->RightsOf(caller_);
  if (!rights.ok()) return rights.status();
  rights_ = *std::move(rights);
  version_ = version;
  return absl::OkStatus();
}

Scope View::ScopeOf(const v1::Job& job, access::VerbSet verbs) const {
  return everything() ? Scope::kAll : rights_->ScopeOf(verbs, job.name(), LabelsOf(job));
}

Scope View::ScopeOf(const std::string& job, access::VerbSet verbs) const {
  if (everything()) return Scope::kAll;
  const auto found = jobs_->Find(job);
  return rights_->ScopeOf(verbs, job, found.ok() ? LabelsOf((*found)->proto()) : access::Labels());
}

RunFilter View::FilterFor(access::VerbSet verbs) const {
  RunFilter filter;
  if (everything()) return filter;
  filter.scope = [this, verbs](const std::string& job) { return ScopeOf(job, verbs); };
  // Of all those who are not known nobody owns what one of them has started.
  if (caller_.principal->proof != access::Proof::kAnonymous) filter.owner = name();
  return filter;
}

v1::Run View::Show(v1::Run run) const {
  if (everything() || May(access::Verb::kRead, run.job(), run.created_by())) return run;
  run.clear_parameters();
  run.clear_cut_parameters();
  run.clear_omitted_parameters();
  // What a job says of itself may repeat them.
  if (run.has_result()) run.mutable_result()->clear_error();
  if (run.has_progress()) run.mutable_progress()->clear_text();
  return run;
}

v1::Job View::Show(const v1::Job& job) const {
  v1::Job shown = job;
  if (everything()) return shown;
  for (const access::Verb verb : access::kVerbs) {
    const Scope scope = ScopeOf(job, access::SetOf(verb));
    const auto proto = static_cast<v1::Verb>(verb);
    if (scope != Scope::kNone) shown.add_verbs(proto);
    if (scope == Scope::kAll) shown.add_verbs_on_all_runs(proto);
  }
  return shown;
}

}  // namespace jobtail
