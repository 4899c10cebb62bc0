// The loop of a stream: send what was taken, take what was read, read, wait.
#include "server/stream/stream.h"

#include <utility>

#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

// So many times in a row a thread reads without anything to send before it lets others have a turn.
constexpr int kReadsInARow = 16;

}  // namespace

Stream::Stream(StreamWriter* writer, StreamSet* set, std::string client, Executor executor)
    : writer_(writer),
      set_(set),
      pool_(&set->pool()),
      client_(std::move(client)),
      executor_(std::move(executor)) {}

void Stream::Start(absl::StatusOr<std::unique_ptr<Feed>> feed) {
  {
    absl::MutexLock lock(&mutex_);
    if (!feed.ok()) return FinishLocked(feed.status());
    feed_ = *std::move(feed);
    if (gone_) {
      GoneLocked();
      return StepLocked();
    }
    feed_->Share([pool = pool_, client = client_](std::function<void()> piece) {
      pool->Run(client, std::move(piece));
    });
    resume_point_ = feed_->ResumePoint();
    BeganLocked(/*bytes=*/0);  // nobody else begins before it
  }
  set_->Add(shared_from_this());
  absl::MutexLock lock(&mutex_);
  BeganLocked(writer_->Begin());
}

void Stream::Sent(bool ok) {
  absl::MutexLock lock(&mutex_);
  sending_ = false;
  if (!ok && !gone_) GoneLocked();
  StepLocked();
}

void Stream::ClientGone() {
  absl::MutexLock lock(&mutex_);
  if (gone_ || finished_) return;
  GoneLocked();
  StepLocked();
}

bool Stream::IsClientGone() const {
  absl::MutexLock lock(&mutex_);
  return gone_;
}

void Stream::GoneLocked() {
  gone_ = true;
  if (!feed_ || end_) return;
  pool_->Run(client_, [self = shared_from_this()]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
    self->feed_->ClientGone();  // is not replaced once it is there
  });
}

void Stream::Stop(bool now) {
  {
    absl::MutexLock lock(&mutex_);
    stopping_ = true;
    stopping_now_ |= now;
  }
  Execute(&Stream::Step);
}

// The feed stays until the stream goes; its right is looked at without the lock.
void Stream::CheckRight() {
  const Feed* feed;
  {
    absl::MutexLock lock(&mutex_);
    if (!feed_ || gone_ || finished_ || !refused_.ok()) return;
    feed = feed_.get();
  }
  const absl::Status right = feed->MayRead();
  if (right.ok()) return;
  {
    absl::MutexLock lock(&mutex_);
    refused_ = right;
    stopping_now_ = true;
  }
  Execute(&Stream::Step);
}

void Stream::Close() {
  set_->Remove(this);
  absl::MutexLock lock(&mutex_);
  finished_ = true;
  if (feed_) feed_->CancelWait();
}

bool Stream::IsStalled(absl::Duration now) {
  absl::MutexLock lock(&mutex_);
  return sending_ && now - last_send_ > kStalledAfter;
}

void Stream::Tick(absl::Duration now) {
  CheckRight();
  bool reads;
  bool is_due;
  {
    absl::MutexLock lock(&mutex_);
    reads = feed_ && !reading_ && now >= feed_->ReadsAt();
    is_due = IsDueLocked(now);
  }
  if (reads) Execute(&Stream::Step);
  if (is_due) Execute(&Stream::SendHeartbeat);
}

bool Stream::IsDueLocked(absl::Duration now) const {
  return feed_ && !sending_ && !gone_ && !finished_ && now - last_send_ >= set_->heartbeat();
}

// Even while a search goes on: what it has found by then is taken later, and so not counted yet.
// Nor is what was taken and has not been sent.
void Stream::SendHeartbeat() {
  absl::MutexLock lock(&mutex_);
  const absl::Duration now = set_->clock()->Steady();
  if (!IsDueLocked(now)) return;
  const size_t bytes = writer_->SendHeartbeat(feed_->Heartbeat(ResumePointLocked()));
  if (bytes > 0) {
    BeganLocked(bytes);
  } else {
    last_send_ = now;  // not to ask again with each tick
  }
}

// What waits for the executor must not hold the stream, which holds the executor.
void Stream::Execute(void (Stream::*step)()) {
  if (!executor_) return (this->*step)();
  executor_([weak = weak_from_this(), step] {
    if (const auto self = weak.lock()) (self.get()->*step)();
  });
}

// In the pool, what a search has found is left to others to be sent.
void Stream::StepAfterSearch() {
  if (executor_) return Execute(&Stream::Step);
  pool_->Answer([self = shared_from_this()] { self->Step(); });
}

void Stream::Step() {
  absl::MutexLock lock(&mutex_);
  StepLocked();
}

void Stream::StepLocked() {
  if (!feed_ || sending_ || finished_) return;
  if (gone_ || stopping_now_) {
    if (reading_) return;
    if (!gone_) return FinishEarlyLocked();
    return FinishLocked(absl::CancelledError("the client has gone away"));
  }
  for (int reads = 0; reads < kReadsInARow; ++reads) {
    if (const size_t bytes = writer_->SendNext(); bytes > 0) {
      if (writer_->IsWithinGroup()) return BeganWithinGroupLocked(bytes);
      BeganLocked(bytes);
      return ReadAheadLocked();
    }
    if (reading_) return;
    if (end_) return FinishLocked(*end_);
    Reading reading;
    if (ahead_) {
      reading = std::move(*std::exchange(ahead_, nullptr));
    } else if (!TryReadLocked(&reading)) {
      return ReadInPoolLocked();
    }
    if (!TakeLocked(std::move(reading))) return;
  }
  pool_->Run(client_, [self = shared_from_this()] { self->Execute(&Stream::Step); });
}

// False if that takes the pool.
bool Stream::TryReadLocked(Reading* reading) {
  reading->stopping = stopping_;
  const std::optional<Next> next = feed_->TryRead(set_->most_message_bytes(), &reading->slices);
  if (!next) return false;
  reading->next = *next;
  Complete(*feed_, reading);
  return true;
}

// What goes with what was just read.
void Stream::Complete(const Feed& feed, Reading* reading) {
  reading->resume_point = feed.ResumePoint();
  writer_->Prepare(&reading->slices);
}

void Stream::ReadInPoolLocked() {
  reading_ = true;
  pool_->Run(client_, [self = shared_from_this()] { self->ReadInPool(); });
}

void Stream::ReadInPool() {
  auto reading = std::make_unique<Reading>();
  Feed* feed = nullptr;
  bool searches;
  {
    absl::MutexLock lock(&mutex_);
    reading->stopping = stopping_;
    searches = feed_->Searches();
    if (!gone_ && !stopping_now_) feed = feed_.get();
  }
  if (feed) {
    reading->next = feed->Read(set_->most_message_bytes(), &reading->slices);
    Complete(*feed, reading.get());
  }
  {
    absl::MutexLock lock(&mutex_);
    if (feed && ReadsOnLocked(*reading)) {
      resume_point_ = reading->resume_point;
      return ReadInPoolLocked();
    }
    reading_ = false;
    if (feed) ahead_ = std::move(reading);
    if (sending_) return;  // it is taken once that is sent
  }
  searches ? StepAfterSearch() : Execute(&Stream::Step);
}

// A search that has found nothing so far goes on, in its turn, without a look at what there is to
// be sent.
bool Stream::ReadsOnLocked(const Reading& reading) const {
  return reading.next.ok() && *reading.next == Next::kMore && reading.slices.empty() && !gone_ &&
         !stopping_now_;
}

// Of many streams that stall each would hold what it has read ahead.
void Stream::ReadAheadLocked() {
  if (set_->IsCrowded()) return;
  if (!reading_ && !ahead_ && !end_ && !stopping_now_ && !feed_->IsCheap()) ReadInPoolLocked();
}

// False if there is nothing to do for now: the stream waits, or has ended.
bool Stream::TakeLocked(Reading reading) {
  resume_point_ = reading.resume_point;
  const bool is_empty = reading.slices.empty();
  if (!is_empty) {
    if (absl::Status taken = writer_->Take(&reading.slices); !taken.ok()) {
      FinishLocked(taken);
      return false;
    }
  }
  if (!reading.next.ok()) {
    end_ = reading.next.status();
  } else if (*reading.next == Next::kEnd) {
    end_ = absl::OkStatus();
  } else if (*reading.next == Next::kWait && is_empty) {
    return WaitLocked(reading.stopping);
  }
  return true;
}

// True if there is something to read already. What was read before the stream was to stop may have
// found nothing that is there by now.
bool Stream::WaitLocked(bool stopping_when_read) {
  if (stopping_ && !stopping_when_read) return true;
  if (stopping_) {
    FinishEarlyLocked();
    return false;
  }
  return !feed_->Wait([self = shared_from_this()] { self->Execute(&Stream::Step); });
}

void Stream::BeganLocked(size_t bytes) {
  sending_ = true;
  last_send_ = set_->clock()->Steady();
  if (bytes > 0) set_->CountMessage(bytes);
}

// Where messages are lines, looking at the clock and into the log would cost as much as sending.
void Stream::BeganWithinGroupLocked(size_t bytes) {
  sending_ = true;
  set_->CountMessage(bytes);
}

// Where a client would go on that has got everything that was sent.
std::optional<int64_t> Stream::ResumePointLocked() const {
  const std::optional<int64_t> within = writer_->ResumePointWithin();
  return within ? within : resume_point_;
}

void Stream::FinishEarlyLocked() {
  const std::optional<int64_t> next = ResumePointLocked();
  if (!refused_.ok()) {
    const std::string go_on = next ? absl::StrCat("; go on with from_sequence=", *next) : "";
    return FinishLocked(absl::Status(refused_.code(), absl::StrCat(refused_.message(), go_on)),
                        next);
  }
  FinishLocked(absl::UnavailableError(absl::StrCat(
                   "the server is shutting down; ",
                   next ? absl::StrCat("go on with from_sequence=", *next) : "ask again",
                   " when it is back")),
               next);
}

void Stream::FinishLocked(const absl::Status& status, std::optional<int64_t> resume_point) {
  finished_ = true;
  writer_->Finish(status, resume_point);
}

}  // namespace jobtail
