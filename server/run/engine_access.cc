// What a caller of the engine sees, may do, and is written down to have done.
#include <algorithm>
#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/codec/proto_time.h"
#include "server/run/engine.h"
#include "server/run/run_id.h"

namespace jobtail {
namespace {

using access::AccessControl;
using access::Caller;
using access::Quotas;
using access::Verb;

std::string Text(std::string_view text) { return std::string(text); }

absl::Status NotAllowed(Verb verb, const std::string& job, const std::string& run) {
  const std::string what =
      run.empty() ? absl::StrCat("job ", job) : absl::StrCat("run ", run, " of job ", job);
  return absl::PermissionDeniedError(
      absl::StrCat("you may not ", Text(access::NameOf(verb)), " ", job.empty() ? "any job" : what,
                   "; whoever keeps the server's access file can grant it"));
}

// To the caller there is no such thing; whoever reads the audit log is told.
void DenyUnseen(AccessControl* control, const Caller& caller, Verb verb, const std::string& job,
                const std::string& run) {
  if (!control) return;
  control->Deny(
      caller, {.verb = access::NameOf(verb), .job = job, .run = run},
      absl::NotFoundError("the caller may not see it, and was told that it is not there"));
}

// What a stream's reader may read as long as: looked at again once something has changed, or has
// come to its end. Thread-safe.
class ReadRight {
 public:
  ReadRight(AccessControl* access, const JobRegistry* jobs, const Caller& caller, Verb verb,
            std::string job, std::string created_by, Quotas::Place place)
      : access_(access),
        jobs_(jobs),
        caller_(caller),
        verb_(verb),
        job_(std::move(job)),
        created_by_(std::move(created_by)),
        place_(std::move(place)),
        end_(std::min(caller.principal->expires, caller.principal->not_after)) {}

  absl::Status Check() {
    const int64_t version = access_->version();
    if (version == version_ && access_->clock()->Now() < end_) return absl::OkStatus();
    const absl::StatusOr<View> view = View::Of(access_, jobs_, caller_);
    if (!view.ok()) return view.status();
    if (!IsAllowed(*view)) return NotAllowed(verb_, job_, "");
    version_ = version;
    return absl::OkStatus();
  }

 private:
  bool IsAllowed(const View& view) const {
    if (job_.empty()) return view.rights().MayAny(access::SetOf(verb_));
    return view.May(verb_, job_, created_by_);
  }

  AccessControl* const access_;
  const JobRegistry* const jobs_;
  const Caller caller_;
  const Verb verb_;
  const std::string job_;  // empty: any
  const std::string created_by_;
  const Quotas::Place place_;         // among the streams that its reader may have
  const absl::Time end_;              // of what has proved who reads
  std::atomic<int64_t> version_ = 0;  // that was looked at last
};

}  // namespace

absl::StatusOr<View> Engine::ViewOf(const Caller& caller) const {
  return View::Of(options_.access, &jobs_, caller);
}

absl::StatusOr<std::shared_ptr<const Job>> Engine::FindJobFor(const Creator& creator, Verb verb,
                                                              const std::string& name) const {
  const View& view = creator.view;
  auto job = jobs_.Find(name, [&view](const Job& each) {
    return view.ScopeOf(each.proto(), View::kSee) != access::Scope::kNone;
  });
  if (!job.ok()) {
    if (jobs_.Find(name).ok()) DenyUnseen(options_.access, creator.caller, verb, name, "");
    return job;
  }
  if (view.ScopeOf((*job)->proto(), access::SetOf(verb)) != access::Scope::kNone) return job;
  return Deny(creator.caller, verb, name, "");
}

absl::StatusOr<std::shared_ptr<Run>> Engine::FindRunFor(const Creator& creator, Verb verb,
                                                        const std::string& id) const {
  auto run = runs_.Find(id, creator.view.FilterFor(View::kSee));
  if (!run.ok()) {
    const auto unseen = id.size() == kRunIdSize ? runs_.Find(id) : run;
    if (unseen.ok()) {
      DenyUnseen(options_.access, creator.caller, verb, (*unseen)->job(), (*unseen)->id());
    }
    return run;
  }
  if (creator.view.May(verb, (*run)->job(), (*run)->created_by())) return run;
  return Deny(creator.caller, verb, (*run)->job(), (*run)->id());
}

// Before anything is started. Whoever starts a run and follows it opens its log, and may have it
// cancelled.
absl::Status Engine::CheckRunJob(const v1::RunJobRequest& request, const Creator& creator) const {
  if (creator.view.everything()) return absl::OkStatus();
  const View& view = creator.view;
  const auto check = [&](Verb verb) {
    const auto job = FindJobFor(creator, verb, request.job());
    if (!job.ok()) return job.status();
    const bool is_own = verb == Verb::kRun || view.May(verb, request.job(), view.name());
    return is_own ? absl::OkStatus() : Deny(creator.caller, verb, request.job(), "");
  };
  absl::Status allowed = check(Verb::kRun);
  if (allowed.ok()) allowed = check(Verb::kReadLog);
  if (allowed.ok() && request.on_disconnect() == v1::ON_DISCONNECT_CANCEL) {
    allowed = check(Verb::kCancel);
  }
  return allowed;
}

absl::StatusOr<std::shared_ptr<void>> Engine::TakePlace(const Creator& creator, Quotas::Kind kind,
                                                        const std::string& job) const {
  const View& view = creator.view;
  if (view.everything()) return nullptr;
  const access::Limits& limits = view.rights().limits();
  const int64_t limit = kind == Quotas::Kind::kQueuedRuns ? limits.queued_runs : limits.active_runs;
  // Runs that nobody has started outlive whoever has: they are counted together.
  absl::StatusOr<Quotas::Place> place = options_.access->quotas()->Enter(kind, view.name(), limit);
  if (!place.ok()) {
    options_.access->DenyBeyondLimit(
        creator.caller, {.verb = access::NameOf(Verb::kRun), .job = job}, place.status());
    return place.status();
  }
  return std::make_shared<Quotas::Place>(*std::move(place));
}

// Null where nobody is asked.
absl::StatusOr<std::function<absl::Status()>> Engine::GuardFor(
    const Creator& creator, Verb verb, const std::string& job,
    const std::string& created_by) const {
  std::function<absl::Status()> guard;
  if (creator.view.everything()) return guard;
  auto place =
      options_.access->HoldStream(creator.caller, {.verb = access::NameOf(verb), .job = job});
  if (!place.ok()) return place.status();
  guard = [right = std::make_shared<ReadRight>(options_.access, &jobs_, creator.caller, verb, job,
                                               created_by, *std::move(place))] {
    return right->Check();
  };
  return guard;
}

absl::Status Engine::Allow(const Caller& caller, Verb verb, const std::string& job,
                           const std::string& run, const std::string& request_id) const {
  if (!options_.access) return absl::OkStatus();
  return options_.access->Allow(
      caller, {.verb = access::NameOf(verb), .job = job, .run = run, .request_id = request_id});
}

absl::Status Engine::Deny(const Caller& caller, Verb verb, const std::string& job,
                          const std::string& run) const {
  absl::Status denied = NotAllowed(verb, job, run);
  options_.access->Deny(caller, {.verb = access::NameOf(verb), .job = job, .run = run}, denied);
  return denied;
}

void Engine::Fail(const Caller& caller, Verb verb, const std::string& job, const std::string& run,
                  const absl::Status& why) const {
  if (!options_.access) return;
  options_.access->Fail(caller, {.verb = access::NameOf(verb), .job = job, .run = run}, why);
}

// Those that the server has deleted by itself. It does so even if they cannot be written down: what
// keeps the audit log from being written may be that there is no room. And they are written down
// afterwards: a deletion that fails is tried again and again.
void Engine::NoteDeleted(absl::Span<const std::shared_ptr<Run>> runs) const {
  for (const auto& run : runs) Allow({}, Verb::kDelete, run->job(), run->id()).IgnoreError();
}

absl::StatusOr<Engine::RunCounts> Engine::CountRuns(const Caller& caller) const {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  if (!view->rights().MayAny(access::SetOf(Verb::kMetrics))) {
    return Deny(caller, Verb::kMetrics, "", "");
  }
  RunCounts counts = runs_.Count();
  std::erase_if(counts, [&](const auto& count) {
    return view->ScopeOf(count.first.first, access::SetOf(Verb::kMetrics)) != access::Scope::kAll;
  });
  return counts;
}

absl::StatusOr<v1::WhoAmIResponse> Engine::WhoAmI(const v1::WhoAmIRequest& /*request*/,
                                                  const Caller& caller) const {
  const auto view = ViewOf(caller);
  if (!view.ok()) return view.status();
  const access::Principal& principal = *caller.principal;
  v1::WhoAmIResponse response;
  response.set_name(principal.name);
  response.set_proof(static_cast<v1::Proof>(principal.proof));
  const absl::Time end = std::min(principal.expires, principal.not_after);
  if (end != absl::InfiniteFuture()) *response.mutable_expire_time() = ToTimestamp(end);
  if (!options_.access || view->everything()) return response;
  for (const std::string& group : options_.access->GroupsOf(caller)) response.add_groups(group);
  for (const access::Rule& rule : view->rights().rules()) {
    v1::Right& right = *response.add_rights();
    right.set_job(rule.job);
    right.mutable_labels()->insert(rule.labels.begin(), rule.labels.end());
    right.set_own_runs(rule.own_runs);
    for (const Verb verb : access::kVerbs) {
      if ((rule.verbs & access::SetOf(verb)) != 0) right.add_verbs(static_cast<v1::Verb>(verb));
    }
  }
  return response;
}

}  // namespace jobtail
