// Runs that go: one that somebody deletes, and those that retention does not keep.
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/codec/run_state.h"
#include "server/run/engine.h"

namespace jobtail {

absl::Status Engine::DeleteRun(const v1::DeleteRunRequest& request, const access::Caller& caller) {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const auto run = FindRunFor({caller, *view}, access::Verb::kDelete, request.run());
  if (!run.ok()) return run.status();
  const v1::RunState state = (*run)->state();
  if (!IsFinal(state)) {
    return absl::FailedPreconditionError(absl::StrCat(
        "run ", request.run(), " has not ended (", v1::RunState_Name(state), "); cancel it first"));
  }
  const absl::Status allowed = Allow(caller, access::Verb::kDelete, (*run)->job(), (*run)->id());
  if (!allowed.ok()) return allowed;
  if (const absl::Status deleted = (*run)->DeleteStored(); !deleted.ok()) {
    Fail(caller, access::Verb::kDelete, (*run)->job(), (*run)->id(), deleted);
    return deleted;
  }
  Forget({*run});
  return absl::OkStatus();
}

// Those that are still to be stored once more have to be told, each by itself; the others go in one
// write. No lock is held over the store.
absl::Status Engine::DeleteEnded(absl::Span<const std::shared_ptr<Run>> runs) {
  std::vector<std::shared_ptr<Run>> done;
  std::vector<std::string> ids;
  absl::Status status;
  for (const auto& run : runs) {
    if (run->IsDone()) {
      done.push_back(run);
      ids.push_back(run->id());
      continue;
    }
    const absl::Status deleted = run->DeleteStored();
    if (deleted.ok()) {
      Forget({run});
      NoteDeleted({run});
    }
    if (!absl::IsNotFound(deleted)) status.Update(deleted);
  }
  if (done.empty()) return status;
  const absl::Status deleted = store_->DeleteRuns(ids);
  if (deleted.ok()) {
    Forget(done);
    NoteDeleted(done);
  }
  status.Update(deleted);
  return status;
}

// After they have gone from the store.
void Engine::Forget(absl::Span<const std::shared_ptr<Run>> runs) {
  runs_.Remove(runs);
  for (const auto& run : runs) {
    run->MarkLogDeleted();
    request_ids_.Forget(run->request_id(), run->id(), run->created_by());
  }
}

void Engine::EnsureRetention() {
  if (!retention_scheduled_.exchange(true)) ScheduleRetention();
}

void Engine::ScheduleRetention() {
  keeper_.After(options_.retention.interval, [this] {
    ApplyRetention();
    ScheduleRetention();
  });
}

}  // namespace jobtail
