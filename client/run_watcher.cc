// Watching runs: the stream of changes, and what was missed while there was none.

#include "client/run_watcher.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "base/codec/proto_time.h"
#include "client/grpc_status.h"
#include "client/page_tokens.h"
#include "client/run_state.h"

namespace jobtail::client {
namespace {

constexpr int kPageSize = 1000;
constexpr absl::Duration kListTimeout = absl::Seconds(30);

}  // namespace

RunWatcher::RunWatcher(const std::shared_ptr<grpc::Channel>& channel, v1::WatchRunsRequest request,
                       RunWatcherOptions options)
    : stub_(v1::JobService::NewStub(channel)),
      request_(std::move(request)),
      clock_(options.resume.clock),
      newest_(std::move(options.after)),
      stream_(channel, std::move(options.resume), this) {}

RunWatcher::~RunWatcher() {
  Cancel();
  stream_.Close();
}

absl::StatusOr<v1::Run> RunWatcher::Next() {
  const std::optional<absl::Status> end = stream_.Next();
  if (end.has_value()) return *end;
  return run_;
}

absl::Status RunWatcher::Start(grpc::ClientContext* context) {
  call_ = stub_->WatchRuns(context, request_);
  // From then on the server notes every change for us: what came before is to be asked for.
  call_->WaitForInitialMetadata();
  absl::Status status = CatchUp();
  if (status.ok()) stream_.NoteAnswer();
  return status;
}

bool RunWatcher::Read() {
  if (!missed_.empty()) {
    run_ = std::move(missed_.front());
    missed_.pop_front();
  } else if (!call_->Read(&run_)) {
    return false;
  }
  if (IsNews(run_)) stream_.NoteProgress();
  Note(run_);
  return true;
}

absl::Status RunWatcher::Finish() {
  const absl::Status status = FromGrpc(call_->Finish());
  call_.reset();
  return status.ok() ? absl::UnavailableError("the server ended the stream") : status;
}

// Finds the runs that are new, or were not known to have ended, or are gone without that. Where
// nothing is known yet there is nothing to find, but that the server answers.
absl::Status RunWatcher::CatchUp() {
  missed_.clear();
  PageTokens tokens;
  v1::ListRunsRequest request;
  request.set_job(request_.job());
  request.set_page_size(newest_.empty() ? 1 : kPageSize);
  const std::string oldest = active_.empty() ? newest_ : std::min(active_.begin()->first, newest_);
  do {
    absl::StatusOr<v1::ListRunsResponse> page = ListRuns(request);
    if (!page.ok()) return page.status();
    if (newest_.empty() || !AddMissed(oldest, &*page)) break;
    request.set_page_token(page->next_page_token());
    const absl::Status noted = tokens.Note(request.page_token(), page->runs_size());
    if (!noted.ok()) return noted;
  } while (!request.page_token().empty());
  AddVanished();
  return absl::OkStatus();
}

absl::StatusOr<v1::ListRunsResponse> RunWatcher::ListRuns(const v1::ListRunsRequest& request) {
  CancellableCall call(stream_.cancellation());
  call.context()->set_deadline(absl::ToChronoTime(absl::Now() + kListTimeout));
  v1::ListRunsResponse response;
  absl::Status status = FromGrpc(stub_->ListRuns(call.context(), request, &response));
  if (!status.ok()) return status;
  return response;
}

// Takes what was missed from a page, which lists the youngest first. False at a run older than
// `oldest`: what follows is known.
bool RunWatcher::AddMissed(const std::string& oldest, v1::ListRunsResponse* page) {
  for (v1::Run& run : *page->mutable_runs()) {
    if (run.id() < oldest) return false;
    if (run.id() > newest_ || active_.contains(run.id())) missed_.push_front(std::move(run));
  }
  return true;
}

// Takes the runs that were told as not ended and that no page had, once all pages are there: they
// have been deleted.
void RunWatcher::AddVanished() {
  std::map<std::string, v1::Run> vanished = active_;
  for (const v1::Run& run : missed_) vanished.erase(run.id());
  const absl::Time now = clock_->Now();
  for (auto& [id, run] : vanished) {
    *run.mutable_delete_time() = ToTimestamp(now);
    missed_.push_back(std::move(run));
  }
}

// Whether the run, or its state, is another than what was told before. How far it has got is none:
// that is another whenever anybody looks.
bool RunWatcher::IsNews(const v1::Run& run) const {
  const bool has_ended = IsFinal(run.state()) || run.has_delete_time();
  const auto known = active_.find(run.id());
  if (known == active_.end()) return !has_ended || run.id() > newest_;
  return has_ended || run.state() != known->second.state() ||
         run.has_cancel_time() != known->second.has_cancel_time();
}

void RunWatcher::Note(const v1::Run& run) {
  newest_ = std::max(newest_, run.id());
  if (IsFinal(run.state()) || run.has_delete_time()) {
    active_.erase(run.id());
    return;
  }
  v1::Run& known = active_[run.id()];
  known = run;
  known.clear_parameters();
  known.clear_cut_parameters();
  known.clear_omitted_parameters();
}

}  // namespace jobtail::client
