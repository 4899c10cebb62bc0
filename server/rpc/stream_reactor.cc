#include "server/rpc/stream_reactor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/rpc/status.h"

namespace jobtail {
namespace {

// So many times a reaction asks before it lets others have the thread.
constexpr int kPullsPerReaction = 16;

constexpr char kResumeKey[] = "jobtail-resume-sequence";

}  // namespace

StreamReactor::StreamReactor(grpc::CallbackServerContext* context, StreamSet* set)
    : context_(context), set_(set), last_write_(absl::Now()) {}

// Initial metadata goes first and by itself: a first write with a buffer hint would never be sent.
StreamReactor* StreamReactor::Start(const std::shared_ptr<StreamReactor>& reactor) {
  {
    absl::MutexLock lock(&reactor->mutex_);
    reactor->self_ = reactor;
  }
  reactor->StartSendInitialMetadata();
  reactor->set_->Add(reactor);
  return reactor.get();
}

void StreamReactor::OnSendInitialMetadataDone(bool ok) { OnWriteDone(ok); }

void StreamReactor::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  message_.Clear();
  gone_ |= !ok;
  PumpLocked();
}

void StreamReactor::OnCancel() {
  OnClientGone();
  absl::MutexLock lock(&mutex_);
  gone_ = true;
  PumpLocked();
}

void StreamReactor::OnDone() {
  set_->Remove(this);
  std::shared_ptr<StreamReactor> self;  // perhaps the last: destroyed without the lock
  absl::MutexLock lock(&mutex_);
  CancelWait();
  self = std::move(self_);
}

void StreamReactor::Stop(bool now) {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  stopping_now_ |= now;
  // What was pulled before may have found nothing that is there by now.
  if (ahead_ && ahead_->next.ok() && *ahead_->next == Next::kWait) ahead_.reset();
  PumpLocked();
}

bool StreamReactor::IsStalled(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  return writing_ && now - last_write_ > kStalledAfter;
}

void StreamReactor::Tick(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (writing_ || pulling_ || finished_ || now - last_write_ < set_->heartbeat()) return;
  auto heartbeat = Heartbeat();
  if (!heartbeat) return;
  message_ = *std::move(heartbeat);
  WriteLocked({});
}

void StreamReactor::Pump() {
  absl::MutexLock lock(&mutex_);
  PumpLocked();
}

void StreamReactor::PumpLocked() {
  if (writing_ || pulling_ || finished_) return;
  if (gone_) return FinishLocked(absl::CancelledError("the client has gone away"));
  if (stopping_now_) return FinishUnavailableLocked();
  for (int pulls = 0; pulls < kPullsPerReaction; ++pulls) {
    grpc::WriteOptions options;
    absl::StatusOr<Next> next = Next::kMore;
    if (ahead_) {
      const std::unique_ptr<Ahead> ahead = std::move(ahead_);
      message_.Swap(&ahead->message);
      options = ahead->options;
      next = ahead->next;
    } else if (PullElsewhereLocked()) {
      return;
    } else {
      next = Pull(&message_, &options);
    }
    if (ActLocked(next, options)) return;
  }
  set_->scheduler().Soon([self = shared_from_this()] { self->Pump(); });
}

// False if the next pull is not for another thread.
bool StreamReactor::PullElsewhereLocked() {
  Scheduler* const elsewhere = Elsewhere();
  if (!elsewhere) return false;
  pulling_ = true;
  elsewhere->Soon([self = shared_from_this()] { self->PullAhead(std::make_unique<Ahead>()); });
  return true;
}

void StreamReactor::PullAhead(std::unique_ptr<Ahead> ahead) {
  ahead->resume_point = ResumePoint();
  ahead->next = Pull(&ahead->message, &ahead->options);
  absl::MutexLock lock(&mutex_);
  pulling_ = false;
  ahead_ = std::move(ahead);
  PumpLocked();
}

// True if there is nothing to pull for now: something is being written, or the next call comes from
// elsewhere.
bool StreamReactor::ActLocked(const absl::StatusOr<Next>& next, grpc::WriteOptions options) {
  if (!next.ok()) {
    FinishLocked(next.status());
    return true;
  }
  switch (*next) {
    case Next::kWrite:
      WriteLocked(options);
      return true;
    case Next::kEnd:
      FinishLocked(absl::OkStatus());
      return true;
    case Next::kWait:
      if (stopping_) {
        FinishUnavailableLocked();
        return true;
      }
      return Wait([self = shared_from_this()] { self->Pump(); });
    case Next::kMore:
      break;
  }
  return false;
}

void StreamReactor::WriteLocked(grpc::WriteOptions options) {
  writing_ = true;
  last_write_ = absl::Now();
  set_->CountMessage(message_.Length());
  StartWrite(&message_, options);
  if (!ahead_ && !stopping_now_) PullElsewhereLocked();
}

void StreamReactor::FinishUnavailableLocked() {
  const std::optional<int64_t> next = ahead_ ? ahead_->resume_point : ResumePoint();
  if (next) context_->AddTrailingMetadata(kResumeKey, absl::StrCat(*next));
  FinishLocked(absl::UnavailableError(
      "the server is shutting down; go on from the sequence number in the trailing metadata "
      "\"jobtail-resume-sequence\" when it is back"));
}

void StreamReactor::FinishLocked(const absl::Status& status) {
  finished_ = true;
  Finish(ToGrpcStatus(status));
}

}  // namespace jobtail
