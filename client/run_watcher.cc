#include "client/run_watcher.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/grpc_status.h"
#include "client/outcome.h"
#include "client/reason.h"

namespace jobtail::client {
namespace {

constexpr int kPageSize = 1000;
constexpr absl::Duration kListTimeout = absl::Seconds(30);

absl::Status Cancelled() { return absl::CancelledError("the watcher was cancelled"); }

// Whether another attempt may succeed where one ended with `status`.
bool MayPass(const absl::Status& status) {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:
    case absl::StatusCode::kInternal:
    case absl::StatusCode::kUnknown:
    case absl::StatusCode::kCancelled:
    case absl::StatusCode::kAborted:
    case absl::StatusCode::kDeadlineExceeded:
      return true;
    default:
      return false;
  }
}

}  // namespace

RunWatcher::RunWatcher(const std::shared_ptr<grpc::Channel>& channel, v1::WatchRunsRequest request,
                       RunWatcherOptions options)
    : stub_(v1::JobService::NewStub(channel)),
      request_(std::move(request)),
      options_(std::move(options)),
      backoff_(options_.backoff),
      newest_(options_.after) {}

RunWatcher::~RunWatcher() {
  Cancel();
  if (stream_ != nullptr) (void)AbandonStream();
}

absl::StatusOr<v1::Run> RunWatcher::Next() {
  while (!final_state_.has_value()) {
    if (!missed_.empty()) {
      v1::Run run = std::move(missed_.front());
      missed_.pop_front();
      Note(run);
      return run;
    }
    v1::Run run;
    if (stream_ != nullptr && stream_->Read(&run)) {
      Note(run);
      return run;
    }
    absl::Status status = absl::OkStatus();
    if (stream_ != nullptr) status = WaitToRetry(EndStream());
    if (status.ok() && !Open()) status = WaitToRetry(AbandonStream());
    if (!status.ok()) final_state_ = status;
  }
  return *final_state_;
}

void RunWatcher::Cancel() {
  absl::MutexLock lock(&mutex_);
  cancelled_ = true;
  if (context_ != nullptr) context_->TryCancel();
  if (list_context_ != nullptr) list_context_->TryCancel();
}

// False if the stream has already failed; it is to be ended then.
bool RunWatcher::Open() {
  grpc::ClientContext* context;
  {
    absl::MutexLock lock(&mutex_);
    context_ = std::make_unique<grpc::ClientContext>();
    context = context_.get();
    if (cancelled_) context->TryCancel();
  }
  stream_ = stub_->WatchRuns(context, request_);
  // From then on the server notes every change for us: what came before is to be asked for.
  stream_->WaitForInitialMetadata();
  return CatchUp().ok();
}

absl::Status RunWatcher::CatchUp() {
  const absl::Status status =
      newest_.empty()
          ? absl::OkStatus()
          : CatchUpFrom(active_.empty() ? newest_ : std::min(*active_.begin(), newest_));
  if (!status.ok()) return status;
  backoff_.Reset();
  silent_since_.reset();
  if (std::exchange(outage_reported_, false) && options_.on_connected_again) {
    options_.on_connected_again();
  }
  return status;
}

// Finds the runs that are new, or were not known to have ended, down to the one named `oldest`.
absl::Status RunWatcher::CatchUpFrom(const std::string& oldest) {
  v1::ListRunsRequest request;
  request.set_job(request_.job());
  request.set_page_size(kPageSize);
  do {
    grpc::ClientContext* context;
    {
      absl::MutexLock lock(&mutex_);
      if (cancelled_) return Cancelled();
      list_context_ = std::make_unique<grpc::ClientContext>();
      context = list_context_.get();
    }
    context->set_deadline(absl::ToChronoTime(absl::Now() + kListTimeout));
    v1::ListRunsResponse page;
    const absl::Status status = FromGrpc(stub_->ListRuns(context, request, &page));
    if (!status.ok()) return status;
    request.set_page_token(page.next_page_token());
    for (v1::Run& run : *page.mutable_runs()) {
      if (run.id() < oldest) return absl::OkStatus();
      if (run.id() > newest_ || active_.contains(run.id())) missed_.push_front(std::move(run));
    }
  } while (!request.page_token().empty());
  return absl::OkStatus();
}

void RunWatcher::Note(const v1::Run& run) {
  newest_ = std::max(newest_, run.id());
  if (IsFinal(run.state()) || run.has_delete_time()) {
    active_.erase(run.id());
  } else {
    active_.insert(run.id());
  }
}

absl::Status RunWatcher::AbandonStream() {
  {
    absl::MutexLock lock(&mutex_);
    context_->TryCancel();
  }
  return EndStream();
}

absl::Status RunWatcher::EndStream() {
  absl::Status status = FromGrpc(stream_->Finish());
  stream_.reset();
  absl::MutexLock lock(&mutex_);
  context_.reset();
  if (cancelled_) return Cancelled();
  return status.ok() ? absl::UnavailableError("the server ended the stream") : status;
}

// Returns OK when it is time to open the next stream, or the error that ends the watching.
absl::Status RunWatcher::WaitToRetry(const absl::Status& reason) {
  {
    absl::MutexLock lock(&mutex_);
    if (cancelled_) return Cancelled();
  }
  if (!MayPass(reason)) return reason;
  const absl::Time now = absl::Now();
  if (!silent_since_.has_value()) silent_since_ = now;
  const absl::Duration left = *silent_since_ + options_.retry_for - now;
  if (left <= absl::ZeroDuration()) return {reason.code(), Reason(reason)};
  if (!std::exchange(outage_reported_, true) && options_.on_connection_lost) {
    options_.on_connection_lost(reason);
  }
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(&cancelled_), std::min(backoff_.Next(), left));
  return cancelled_ ? Cancelled() : absl::OkStatus();
}

}  // namespace jobtail::client
