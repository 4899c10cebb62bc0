// What is followed: a run's log, one that is started for it, and the changes of runs.
#include <memory>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/run/engine.h"

namespace jobtail {
namespace {

absl::StatusOr<std::unique_ptr<Cursor>> Open(Run& run, const v1::TailLogRequest& request) {
  auto log = run.OpenLog();
  if (!log.ok()) return log.status();
  return Cursor::Open(*std::move(log), request);
}

}  // namespace

absl::StatusOr<Engine::Started> Engine::RunJob(const v1::RunJobRequest& request,
                                               const access::Caller& caller) {
  if (!v1::OnDisconnect_IsValid(request.on_disconnect())) {
    return absl::InvalidArgumentError(
        absl::StrCat("on_disconnect: ", request.on_disconnect(),
                     " is none; use ON_DISCONNECT_CONTINUE (1) or ON_DISCONNECT_CANCEL (2)"));
  }
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const Creator creator{caller, *view, /*opens_log=*/true};
  if (absl::Status allowed = CheckRunJob(request, creator); !allowed.ok()) return allowed;
  auto guard = GuardFor(creator, access::Verb::kReadLog, request.job(), view->name());
  if (!guard.ok()) return guard.status();
  v1::CreateRunRequest create;
  create.set_job(request.job());
  *create.mutable_parameters() = request.parameters();
  create.set_request_id(request.request_id());
  const auto created = Create(create, creator);
  if (!created.ok()) return created.status();
  v1::TailLogRequest tail;
  tail.set_follow(true);
  auto cursor = Open(**created, tail);
  if (!cursor.ok()) return cursor.status();
  (*cursor)->Guard(*std::move(guard));
  return Started{(*created)->id(), *std::move(cursor)};
}

absl::StatusOr<std::unique_ptr<Cursor>> Engine::TailLog(const v1::TailLogRequest& request,
                                                        const access::Caller& caller) const {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const Creator creator{caller, *view};
  const auto run = FindRunFor(creator, access::Verb::kReadLog, request.run());
  if (!run.ok()) return run.status();
  auto guard = GuardFor(creator, access::Verb::kReadLog, (*run)->job(), (*run)->created_by());
  if (!guard.ok()) return guard.status();
  const absl::Status allowed = Allow(caller, access::Verb::kReadLog, (*run)->job(), (*run)->id());
  if (!allowed.ok()) return allowed;
  auto cursor = Open(**run, request);
  if (cursor.ok()) (*cursor)->Guard(*std::move(guard));
  return cursor;
}

absl::StatusOr<std::unique_ptr<RunWatch>> Engine::WatchRuns(const v1::WatchRunsRequest& request,
                                                            const access::Caller& caller) {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const Creator creator{caller, *view};
  if (!request.job().empty()) {
    const auto job = FindJobFor(creator, access::Verb::kList, request.job());
    if (!job.ok()) return job.status();
  } else if (!view->rights().MayAny(access::SetOf(access::Verb::kList))) {
    return Deny(caller, access::Verb::kList, "", "");
  }
  auto guard = GuardFor(creator, access::Verb::kList, request.job(), view->name());
  if (!guard.ok()) return guard.status();
  auto watch = std::make_unique<RunWatch>(&runs_, request.job(), std::make_unique<View>(*view));
  watch->Guard(*std::move(guard));
  return watch;
}

}  // namespace jobtail
