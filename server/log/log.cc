#include "server/log/log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace jobtail {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(100);

// So many readers are woken by the thread that stored the records, which is quickest; more would
// hold up the job.
constexpr size_t kWakeInline = 2;

v1::LogLine RunMessage(const v1::Run& run) {
  v1::LogLine message;
  *message.mutable_time() = FromUnixNanos(absl::GetCurrentTimeNanos());
  *message.mutable_run() = run;
  return message;
}

}  // namespace

Log::Log(std::string run, LogServices services, LogOptions options)
    : run_(std::move(run)), services_(services), options_(options) {}

bool Log::HasRoomLocked() const { return unsaved_bytes_ < options_.unsaved_bytes; }

bool Log::IsNotCommittingLocked() const { return !committing_; }

void Log::Append(absl::Span<const TextLine> lines) {
  absl::MutexLock lock(&mutex_);
  if (!HasRoomLocked()) mutex_.Await(absl::Condition(this, &Log::HasRoomLocked));
  AppendLocked(lines);
}

bool Log::TryAppend(absl::Span<const TextLine> lines) {
  absl::MutexLock lock(&mutex_);
  if (!HasRoomLocked()) return false;
  AppendLocked(lines);
  return true;
}

void Log::AppendLocked(absl::Span<const TextLine> lines) {
  for (const TextLine& line : lines) {
    const size_t before = open_.size();
    last_time_ = std::max(last_time_, line.time_unix_nanos);
    EncodeLine(next_++, last_time_, line, &open_);
    unsaved_bytes_ += open_.size() - before;
    total_lines_ += 1;
    total_bytes_ += PrintedBytes(line);
    if (open_.size() >= kBatchBytes) SealLocked();
  }
  if (committing_ || failing_) return;  // whoever is at it, or tries again, sees to the rest
  const bool idle =
      last_time_ - last_commit_time_ >= absl::ToInt64Nanoseconds(options_.commit_delay);
  if (idle || !sealed_.empty()) {
    CommitLocked(/*sync=*/false, [] {});
  } else {
    ScheduleLocked(options_.commit_delay);
  }
}

void Log::SealLocked() {
  if (open_.empty()) return;
  // The bytes may stay for long: give back what the string grew in vain.
  if (open_.capacity() > open_.size() + open_.size() / 4) open_.shrink_to_fit();
  sealed_.push_back({open_first_, next_ - 1, last_time_,
                     std::make_shared<const std::string>(std::exchange(open_, {}))});
  open_first_ = next_;
}

void Log::ScheduleLocked(absl::Duration delay) {
  if (std::exchange(scheduled_, true)) return;
  services_.committer->At(absl::Now() + delay,
                          [self = shared_from_this()] { self->CommitScheduled(); });
}

void Log::CommitScheduled() {
  absl::MutexLock lock(&mutex_);
  scheduled_ = false;
  if (!committing_ && !finishing_) CommitLocked(/*sync=*/false, [] {});
}

// Stores what is there and shows it to the readers. Releases the lock meanwhile; what is appended
// then is left to the committer. False if the store refused: then it is tried again later.
bool Log::CommitLocked(bool sync, OnStored on_stored) {
  SealLocked();
  if (sealed_.empty()) return true;
  std::vector<Batch> batches = std::exchange(sealed_, {});
  committing_ = true;
  mutex_.Unlock();
  const absl::Status stored = services_.store->Append(run_, batches, sync);
  mutex_.Lock();
  committing_ = false;
  if (!stored.ok()) {
    if (!std::exchange(failing_, true)) {
      spdlog::error("run {}: its log cannot be stored; it is tried again until it can: {}", run_,
                    stored.ToString());
    }
    sealed_.insert(sealed_.begin(), batches.begin(), batches.end());
    if (!finishing_) ScheduleLocked(kRetryDelay);
    return false;
  }
  failing_ = false;
  on_stored();
  last_commit_time_ = last_time_;
  if (!open_.empty() || !sealed_.empty()) ScheduleLocked(options_.commit_delay);
  PublishLocked(std::move(batches));
  return true;
}

void Log::PublishLocked(std::vector<Batch> batches) {
  for (Batch& batch : batches) {
    snapshot_.last = batch.last;
    unsaved_bytes_ -= batch.bytes->size();
    tail_bytes_ += batch.bytes->size();
    tail_.push_back(std::move(batch));
  }
  while (tail_.size() > 1 && tail_bytes_ > options_.tail_bytes) {
    tail_bytes_ -= tail_.front().bytes->size();
    tail_.pop_front();
  }
  WakeLocked(/*here=*/true);
}

void Log::WakeLocked(bool here) {
  if (waits_.empty()) return;
  WaitList::Functions waits = waits_.TakeAll();
  if (!here || waits.size() > kWakeInline) {
    services_.waker->Soon([waits = std::move(waits)] { WaitList::CallAll(waits); });
    return;
  }
  mutex_.Unlock();
  WaitList::CallAll(waits);
  waits.clear();  // may destroy readers: without the lock
  mutex_.Lock();
}

void Log::Finish(v1::RunResult result, absl::FunctionRef<v1::Run(const v1::RunResult&)> on_stored) {
  absl::MutexLock lock(&mutex_);
  finishing_ = true;  // from here on nobody else stores anything
  mutex_.Await(absl::Condition(this, &Log::IsNotCommittingLocked));
  result.set_total_lines(total_lines_);
  result.set_total_bytes(total_bytes_);
  AppendResultLocked(result);
  const auto end = [&] {
    mutex_.AssertHeld();
    snapshot_.ended = true;
    v1::Run run = on_stored(result);
    run.set_last_sequence(next_ - 1);
    SetPresentLocked(&Snapshot::run, RunMessage(run));
  };
  while (!CommitLocked(/*sync=*/true, end)) {
    mutex_.Unlock();
    absl::SleepFor(kRetryDelay);
    mutex_.Lock();
  }
}

void Log::AppendResultLocked(const v1::RunResult& result) {
  last_time_ = std::max(last_time_, absl::GetCurrentTimeNanos());
  v1::LogLine record;
  record.set_sequence(next_++);
  *record.mutable_time() = FromUnixNanos(last_time_);
  *record.mutable_result() = result;
  const size_t before = open_.size();
  EncodeLine(record, &open_);
  unsaved_bytes_ += open_.size() - before;
}

void Log::SetPresent(Present Snapshot::*slot, const v1::LogLine& message) {
  absl::MutexLock lock(&mutex_);
  if (snapshot_.ended) return;
  SetPresentLocked(slot, message);
  // Not by this thread: it may be the job's, captured, and the readers' work must not look like
  // its.
  WakeLocked(/*here=*/false);
}

void Log::SetPresentLocked(Present Snapshot::*slot, const v1::LogLine& message) {
  std::string bytes;
  EncodeLine(message, &bytes);
  snapshot_.*slot = {std::make_shared<const std::string>(std::move(bytes)), ++snapshot_.version};
}

void Log::SetRun(const v1::Run& run) { SetPresent(&Snapshot::run, RunMessage(run)); }

void Log::SetProgress(const v1::RunProgress& progress) {
  v1::LogLine message;
  *message.mutable_time() = progress.time();
  *message.mutable_progress() = progress;
  SetPresent(&Snapshot::progress, message);
}

void Log::MarkDeleted() {
  std::deque<Batch> tail;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  deleted_ = true;
  tail_.swap(tail);
  tail_bytes_ = 0;
  WakeLocked(/*here=*/true);
}

Log::Snapshot Log::GetSnapshot() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_;
}

absl::StatusOr<std::optional<Batch>> Log::Read(int64_t sequence) const {
  {
    absl::MutexLock lock(&mutex_);
    if (deleted_) return absl::NotFoundError(absl::StrCat("run ", run_, " was deleted"));
    if (sequence > snapshot_.last) return std::nullopt;
    if (!tail_.empty() && sequence >= tail_.front().first) {
      return *std::ranges::lower_bound(tail_, sequence, {}, &Batch::last);
    }
  }
  absl::StatusOr<Batch> batch = services_.store->Read(run_, sequence);
  if (!batch.ok()) return batch.status();
  return *std::move(batch);
}

absl::StatusOr<int64_t> Log::FindTime(int64_t unix_nanos) const {
  const int64_t next = GetSnapshot().last + 1;  // first: the log may grow during the search
  const absl::StatusOr<Batch> batch = services_.store->FindTime(run_, unix_nanos);
  if (absl::IsNotFound(batch.status())) return next;
  if (!batch.ok()) return batch.status();
  RecordWalker walker(*batch->bytes);
  v1::LogLine line;
  for (int64_t sequence = batch->first; walker.Next(); ++sequence) {
    const std::string_view payload = walker.payload();
    if (!line.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) break;
    if (ToUnixNanos(line.time()) >= unix_nanos) return sequence;
  }
  return batch->last + 1;
}

bool Log::Wait(int64_t next, int64_t version, std::function<void()> wake, int64_t* id) {
  absl::MutexLock lock(&mutex_);
  if (next <= snapshot_.last || snapshot_.ended || deleted_ || version < snapshot_.version) {
    return false;
  }
  *id = waits_.Add(std::move(wake));
  return true;
}

void Log::CancelWait(int64_t id) {
  WaitList::Function forgotten;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  forgotten = waits_.Remove(id);
}

}  // namespace jobtail
