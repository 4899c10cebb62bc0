// When to call again, when to give up, and whom to tell.

#include "client/resumable_stream.h"

#include <algorithm>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/status_text.h"

namespace jobtail::client {
namespace {

// Behind a proxy that cuts streams after some seconds, so many are most of a day of silence.
constexpr int kMaxIdleCalls = 5'000;

// Whether what the server sends is larger than gRPC takes here: it will be so again.
bool IsOurLimit(const absl::Status& status) {
  return absl::StrContains(status.message(), "message larger than max");
}

absl::Status Cancelled() { return absl::CancelledError("the reader was cancelled"); }

}  // namespace

ResumableStream::ResumableStream(std::shared_ptr<grpc::Channel> channel, ResumeOptions options,
                                 Calls* calls)
    : channel_(std::move(channel)),
      options_(std::move(options)),
      calls_(calls),
      backoff_(options_.backoff) {}

std::optional<absl::Status> ResumableStream::Next() {
  while (!final_.has_value()) {
    absl::Status started = call_ == nullptr ? Start() : absl::OkStatus();
    if (started.ok() && calls_->Read()) {
      if (!answered_) NoteAnswer();
      return std::nullopt;
    }
    if (call_ != nullptr) {
      if (!started.ok()) CancelCall();
      const absl::Status finished = Finish();
      if (started.ok()) started = finished;
      if (calls_->AsksOtherwise() && !cancellation_.cancelled()) continue;
    }
    final_ = cancellation_.cancelled() && !started.ok() ? Cancelled() : GoOnAfter(started);
  }
  return final_;
}

void ResumableStream::NoteAnswer() {
  answered_ = answered_ever_ = true;
  if (std::exchange(outage_told_, false) && options_.on_connected_again) {
    options_.on_connected_again();
  }
}

void ResumableStream::Fail(const absl::Status& error) {
  if (!final_.has_value()) final_ = error;
}

void ResumableStream::Close() {
  if (call_ == nullptr) return;
  CancelCall();
  (void)Finish();
}

absl::Status ResumableStream::Start() {
  if (cancellation_.cancelled()) return Cancelled();
  call_ = std::make_unique<CancellableCall>(&cancellation_);
  started_ = options_.clock->Steady();
  answered_ = has_progressed_ = false;
  return calls_->Start(call_->context());
}

absl::Status ResumableStream::Finish() {
  absl::Status status = calls_->Finish();
  call_.reset();
  return status;
}

// Whether another attempt may succeed where one ended with `status`.
bool ResumableStream::MayPass(const absl::Status& status) const {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:       // connection refused or lost, server shutting down
    case absl::StatusCode::kInternal:          // stream reset
    case absl::StatusCode::kUnknown:           // stream removed
    case absl::StatusCode::kCancelled:         // reset by a proxy; not our Cancel()
    case absl::StatusCode::kAborted:           // a proxy between two servers
    case absl::StatusCode::kDeadlineExceeded:  // a proxy's time limit
      return true;
    case absl::StatusCode::kResourceExhausted:  // our own former stream, or another's call
      return answered_ever_ && !IsOurLimit(status);
    default:
      return false;
  }
}

// Whether the call that has ended was: it does not count as one of a row of failures.
bool ResumableStream::WasOfUse() const {
  return answered_ &&
         (has_progressed_ || options_.clock->Steady() - started_ > options_.backoff.max);
}

// Returns nothing when it is time for the next call, or what ends the reading.
std::optional<absl::Status> ResumableStream::GoOnAfter(const absl::Status& reason) {
  if (WasOfUse()) renewed_ = false;
  const bool may_renew = answered_ever_ && options_.renew_credentials && !renewed_;
  if (!absl::IsUnauthenticated(reason) || !may_renew) return WaitToRetry(reason);
  const absl::Status renewed = options_.renew_credentials();
  if (absl::IsUnavailable(renewed)) return WaitToRetry(renewed);
  if (!renewed.ok()) {
    return absl::Status(reason.code(), absl::StrCat(reason.message(), "; ", renewed.message()));
  }
  renewed_ = true;
  return std::nullopt;
}

std::optional<absl::Status> ResumableStream::WaitToRetry(const absl::Status& reason) {
  if (reason.ok() || !MayPass(reason)) return reason;
  const absl::Duration now = options_.clock->Steady();
  idle_calls_ = has_progressed_ ? 0 : idle_calls_ + 1;
  if (idle_calls_ > kMaxIdleCalls) return GiveUp(reason);
  if (WasOfUse()) {
    backoff_.Reset();
    silent_since_.reset();
  }
  if (!silent_since_.has_value()) silent_since_ = now;
  const absl::Duration left = *silent_since_ + options_.retry_for - now;
  if (left <= absl::ZeroDuration()) return GiveUp(reason);
  if (!std::exchange(outage_told_, true) && options_.on_connection_lost) {
    options_.on_connection_lost(reason);
  }
  WaitForChannel(now + std::min(backoff_.Next(), left));
  return std::nullopt;
}

// Waits until `deadline` or, if that is earlier, until the channel is connected. That is waited for
// inside gRPC: a channel that nobody waits for gets on only every few seconds.
void ResumableStream::WaitForChannel(absl::Duration deadline) {
  constexpr absl::Duration kCancelDelay = absl::Milliseconds(50);
  while (options_.clock->Steady() < deadline) {
    if (channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY) {
      cancellation_.WaitUntil(options_.clock, deadline);
      return;
    }
    if (cancellation_.cancelled()) return;
    const absl::Duration left = deadline - options_.clock->Steady();
    const absl::Time slice = absl::Now() + std::min(left, kCancelDelay);
    if (channel_->WaitForConnected(absl::ToChronoTime(slice))) return;
  }
}

absl::Status ResumableStream::GiveUp(const absl::Status& reason) const {
  std::string text = StatusText(reason);
  if (options_.retry_for > absl::ZeroDuration()) {
    const std::string patience = absl::FormatDuration(options_.retry_for);
    text = absl::StrCat("nothing heard from the server for ", patience, ": ", text);
  }
  return {reason.code(), absl::StrCat(text, calls_->WhereToGoOn())};
}

}  // namespace jobtail::client
