// What the engine tells of jobs and runs, in pages.
#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/run/cut_parameters.h"
#include "server/run/engine.h"
#include "server/run/run_id.h"

namespace jobtail {
namespace {

// A page ends where its messages reach this size: far under gRPC's default limit of 4 MiB even if
// the last is as large as one can be.
constexpr size_t kMaxPageBytes = 1 << 20;

// INVALID_ARGUMENT for a negative size.
absl::StatusOr<size_t> PageSize(int32_t requested) {
  constexpr int32_t kDefault = 100;
  constexpr int32_t kMax = 1000;
  if (requested < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_size ", requested, ": must not be negative; use 0 for the default"));
  }
  return requested == 0 ? kDefault : std::min(requested, kMax);
}

// The states as a set of bits; INVALID_ARGUMENT for one that is none.
absl::StatusOr<uint32_t> StateSet(const google::protobuf::RepeatedField<int>& states) {
  uint32_t set = 0;
  for (const int state : states) {
    if (state == v1::RUN_STATE_UNSPECIFIED || !v1::RunState_IsValid(state)) {
      return absl::InvalidArgumentError(absl::StrCat("states: ", state,
                                                     " is no state; use RUN_STATE_PENDING (1) to ",
                                                     "RUN_STATE_LOST (7), or none for all"));
    }
    set |= 1U << state;
  }
  return set;
}

}  // namespace

absl::StatusOr<v1::ListJobsResponse> Engine::ListJobs(const v1::ListJobsRequest& request,
                                                      const access::Caller& caller) const {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const absl::StatusOr<size_t> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  v1::ListJobsResponse response;
  const auto jobs = jobs_.List(request.page_token(), *size + 1, [&view](const Job& job) {
    return view->ScopeOf(job.proto(), access::SetOf(access::Verb::kList)) != access::Scope::kNone;
  });
  size_t bytes = 0;
  for (const auto& job : jobs) {
    if (response.jobs_size() == static_cast<int>(*size) || bytes >= kMaxPageBytes) {
      response.set_next_page_token(response.jobs().rbegin()->name());
      break;
    }
    *response.add_jobs() = view->Show(job->proto());
    bytes += job->proto().ByteSizeLong();
  }
  return response;
}

absl::StatusOr<v1::Job> Engine::GetJob(const v1::GetJobRequest& request,
                                       const access::Caller& caller) const {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const auto job = FindJobFor({caller, *view}, access::Verb::kList, request.job());
  if (!job.ok()) return job.status();
  return view->Show((*job)->proto());
}

absl::StatusOr<v1::Run> Engine::GetRun(const v1::GetRunRequest& request,
                                       const access::Caller& caller) const {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const auto found = FindRunFor({caller, *view}, access::Verb::kRead, request.run());
  if (!found.ok()) return found.status();
  v1::Run run = (*found)->Get();
  if (!HasCutParameters(run)) return run;
  auto stored = store_->GetRun(run.id());
  if (!stored.ok()) return stored.status();
  run.mutable_parameters()->swap(*stored->mutable_run()->mutable_parameters());
  run.clear_cut_parameters();
  run.clear_omitted_parameters();
  return run;
}

absl::StatusOr<v1::ListRunsResponse> Engine::ListRuns(const v1::ListRunsRequest& request,
                                                      const access::Caller& caller) const {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const absl::StatusOr<size_t> size = PageSize(request.page_size());
  if (!size.ok()) return size.status();
  if (!request.page_token().empty() && !IsRunId(request.page_token())) {
    return absl::InvalidArgumentError(
        absl::StrCat("page_token ", Quoted(request.page_token()),
                     ": give next_page_token of an earlier answer, or nothing"));
  }
  const absl::StatusOr<uint32_t> states = StateSet(request.states());
  if (!states.ok()) return states.status();
  RunFilter wanted = view->FilterFor(access::SetOf(access::Verb::kList));
  wanted.job = request.job();
  wanted.states = *states;
  wanted.created_by = request.created_by();
  v1::ListRunsResponse response;
  size_t bytes = 0;
  for (const auto& run : runs_.List(request.page_token(), *size + 1, wanted)) {
    if (response.runs_size() == static_cast<int>(*size) || bytes >= kMaxPageBytes) {
      response.set_next_page_token(response.runs().rbegin()->id());
      break;
    }
    *response.add_runs() = view->Show(run->Get());
    bytes += response.runs().rbegin()->ByteSizeLong();
  }
  return response;
}

}  // namespace jobtail
