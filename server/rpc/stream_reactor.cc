#include "server/rpc/stream_reactor.h"

#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/status.h"

namespace jobtail {
namespace {

// So many times a reaction asks before it lets others have the thread.
constexpr int kPullsPerReaction = 16;

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
  busy_ = false;
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
  PumpLocked();
}

bool StreamReactor::IsStalled(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  return busy_ && now - last_write_ > kStalledAfter;
}

void StreamReactor::Tick(absl::Time now) {
  absl::MutexLock lock(&mutex_);
  if (busy_ || finished_ || now - last_write_ < set_->heartbeat()) return;
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
  if (busy_ || finished_) return;
  if (gone_) return FinishLocked(absl::CancelledError("the client has gone away"));
  if (stopping_now_) return FinishUnavailableLocked();
  if (IsCostly()) {
    busy_ = true;
    set_->costly().Soon([self = shared_from_this()] { self->PullApart(); });
    return;
  }
  for (int pulls = 0; pulls < kPullsPerReaction; ++pulls) {
    grpc::WriteOptions options;
    const absl::StatusOr<Next> next = Pull(&message_, &options);
    if (ActLocked(next, options)) return;
  }
  set_->scheduler().Soon([self = shared_from_this()] { self->Pump(); });
}

// While busy_ stands for this call, nobody else pulls, writes or finishes.
void StreamReactor::PullApart() {
  grpc::ByteBuffer message;
  grpc::WriteOptions options;
  const absl::StatusOr<Next> next = Pull(&message, &options);
  absl::MutexLock lock(&mutex_);
  busy_ = false;
  message_.Swap(&message);
  if (gone_ || stopping_now_ || !ActLocked(next, options)) PumpLocked();
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
  busy_ = true;
  last_write_ = absl::Now();
  set_->CountMessage(message_.Length());
  StartWrite(&message_, options);
}

void StreamReactor::FinishUnavailableLocked() {
  AddResumePoint(context_);
  FinishLocked(absl::UnavailableError(
      "the server is shutting down; go on from the sequence number in the trailing metadata "
      "\"jobtail-resume-sequence\" when it is back"));
}

void StreamReactor::FinishLocked(const absl::Status& status) {
  finished_ = true;
  Finish(ToGrpcStatus(status));
}

}  // namespace jobtail
