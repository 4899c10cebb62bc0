#include "server/log/log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"

namespace jobtail {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(100);

// As much as most lines take that come alone.
constexpr size_t kLineBytes = 192;

// So many full batches wait for the committer before the thread that prints helps; and are stored
// together.
constexpr size_t kCrowd = 4;

// So many times after somebody has read something that is not the newest, what leaves the tail is
// kept for him in the cache: that many batches and it is full.
constexpr int kWantedByReader = 64;

// So many readers are woken by the thread that stored the records, which is quickest; more would
// hold up the job.
constexpr size_t kWakeInline = 2;

// A year at most: it is added to the time.
int64_t Nanoseconds(absl::Duration delay) {
  return absl::ToInt64Nanoseconds(std::min(delay, absl::Hours(24 * 365)));
}

v1::LogLine RunMessage(const v1::Run& run) {
  v1::LogLine message;
  *message.mutable_time() = FromUnixNanos(absl::GetCurrentTimeNanos());
  *message.mutable_run() = run;
  return message;
}

}  // namespace

Log::Log(std::string run, LogServices services, LogOptions options)
    : run_(std::move(run)),
      services_(services),
      options_(options),
      commit_delay_(Nanoseconds(options.commit_delay)),
      full_commit_delay_(Nanoseconds(options.full_commit_delay)) {}

std::shared_ptr<Log> Log::OpenEnded(const v1::Run& run, const LogExtent& extent,
                                    LogServices services) {
  auto log = std::make_shared<Log>(run.id(), services);
  absl::MutexLock lock(&log->mutex_);
  log->finishing_ = true;
  log->next_ = extent.last + 1;
  log->encoded_ = extent.last;
  log->last_time_ = extent.last_time_unix_nanos;
  log->first_ = extent.first;
  log->snapshot_.last = extent.last;
  log->snapshot_.ended = true;
  log->SetPresentLocked(&Snapshot::run, RunMessage(run));
  return log;
}

// Once lines have been dropped, there is to be room for many before any is taken again.
bool Log::HasRoomLocked() const {
  return HasGapLocked() ? unsaved_bytes_ <= options_.unsaved_bytes / 2
                        : unsaved_bytes_ < options_.unsaved_bytes;
}

// A job that was told to wait would wait for ever for somebody to make room on the disk.
bool Log::DropsLocked() const { return options_.drop_when_full || full_; }

bool Log::TakesLinesLocked() const { return HasRoomLocked() || DropsLocked(); }

bool Log::HasGapLocked() const { return next_ - 1 > encoded_; }

bool Log::IsNotCommittingLocked() const { return !committing_; }

void Log::Append(absl::Span<const TextLine> lines) {
  absl::MutexLock lock(&mutex_);
  if (!TakesLinesLocked()) mutex_.Await(absl::Condition(this, &Log::TakesLinesLocked));
  AppendLocked(lines);
}

bool Log::TryAppend(absl::Span<const TextLine> lines) {
  absl::MutexLock lock(&mutex_);
  if (!TakesLinesLocked()) return false;
  AppendLocked(lines);
  return true;
}

void Log::AppendLocked(absl::Span<const TextLine> lines) {
  const int64_t quiet_since = std::max(last_time_, last_commit_time_);
  for (const TextLine& line : lines) AppendLineLocked(line);
  if (committing_ || failing_) return;  // whoever is at it, or tries again, sees to the rest
  if (IsDueLocked(quiet_since)) {
    SealLocked();
    CommitLocked(/*sync=*/false, [] {});
  } else if (IsCrowdedLocked()) {
    CommitLocked(/*sync=*/false, [] {});
  } else if (HasUnsavedLocked() && !IsScheduledLocked()) {
    ScheduleLocked(absl::Nanoseconds(DelayLocked()));
  }
}

// Whether the thread that has just appended something is to store it at once: it came after a
// pause, or the committer is late.
bool Log::IsDueLocked(int64_t quiet_since) const {
  if (open_.empty()) return false;
  return last_time_ - quiet_since >= commit_delay_ ||
         (last_time_ - open_time_) / 2 >= OpenDelayLocked();
}

// Whether so much waits for the committer that whoever appends is to help.
bool Log::IsCrowdedLocked() const {
  return sealed_.size() >= kCrowd || unsaved_bytes_ >= options_.unsaved_bytes / 2;
}

bool Log::HasUnsavedLocked() const { return !open_.empty() || !sealed_.empty(); }

// How long the open batch may stay open.
int64_t Log::OpenDelayLocked() const { return filling_ ? full_commit_delay_ : commit_delay_; }

int64_t Log::DelayLocked() const { return sealed_.empty() ? OpenDelayLocked() : 0; }

// Whether lines come fast enough to fill a batch within full_commit_delay.
bool Log::FillsLocked() const {
  const int64_t waited = std::max(last_time_ - open_time_, commit_delay_);
  return static_cast<double>(open_.size()) / static_cast<double>(kBatchBytes) >=
         static_cast<double>(waited) / static_cast<double>(full_commit_delay_);
}

void Log::AppendLineLocked(const TextLine& line) {
  last_time_ = std::max(last_time_, line.time_unix_nanos);
  total_bytes_ += PrintedBytes(line);
  if (DropsLocked() && !HasRoomLocked()) {
    if (!HasGapLocked()) {
      gap_reason_ = full_ ? v1::GAP_REASON_STORE_FULL : v1::GAP_REASON_DROPPED;
    }
    ++next_;
    return;
  }
  AppendGapLocked();
  BeginLocked();
  const size_t before = open_.size();
  EncodeLine(next_, last_time_, line, &open_);
  encoded_ = next_++;
  unsaved_bytes_ += open_.size() - before;
  total_lines_ += 1;
  if (open_.size() >= kBatchBytes) SealLocked();
}

// A gap in the place of what was dropped, if anything was.
void Log::AppendGapLocked() {
  if (!HasGapLocked()) return;
  AppendRecordLocked(GapRecord(encoded_ + 1, next_ - 1, gap_reason_, last_time_));
}

void Log::AppendRecordLocked(const v1::LogLine& record) {
  BeginLocked();
  const size_t before = open_.size();
  EncodeLine(record, &open_);
  encoded_ = record.sequence();
  unsaved_bytes_ += open_.size() - before;
}

// Before the first record of a batch.
void Log::BeginLocked() {
  if (!open_.empty()) return;
  open_time_ = last_time_;
  open_.reserve(filling_ ? kBatchBytes + kBatchBytes / 8 : kLineBytes);
}

void Log::SealLocked() {
  if (open_.empty()) return;
  filling_ = FillsLocked();
  // The bytes may stay for long: give back what the string grew in vain.
  if (open_.capacity() > open_.size() + open_.size() / 4 + kLineBytes) open_.shrink_to_fit();
  sealed_.push_back({open_first_, encoded_, last_time_, total_lines_, total_bytes_,
                     Share(std::exchange(open_, {}))});
  open_first_ = encoded_ + 1;
}

// Whether the committer comes, and as soon as it would if it were asked now.
bool Log::IsScheduledLocked() const { return scheduled_ && scheduled_delay_ <= DelayLocked(); }

// Has the committer come for what is there.
void Log::ScheduleLocked(absl::Duration delay) {
  if (IsScheduledLocked()) return;
  scheduled_ = true;
  scheduled_first_ = sealed_.empty() ? open_first_ : sealed_.front().first;
  scheduled_delay_ = DelayLocked();
  services_.committer->After(delay, [self = shared_from_this(), schedule = ++schedules_] {
    self->CommitScheduled(schedule);
  });
}

void Log::CommitScheduled(int64_t schedule) {
  absl::MutexLock lock(&mutex_);
  if (schedule != schedules_) return;
  scheduled_ = false;
  if (committing_ || finishing_) return;
  const bool is_newer = sealed_.empty() && open_first_ != scheduled_first_;
  if (!is_newer) {
    CommitLocked(/*sync=*/false, [] {});
  } else if (!open_.empty()) {
    // The thread that prints has stored since what this was for; what is there came later.
    ScheduleRestLocked();
  }
}

// Has the committer come for what was appended while something was stored.
void Log::ScheduleRestLocked() {
  const int64_t delay = DelayLocked();
  ScheduleLocked(absl::Nanoseconds(delay - std::clamp<int64_t>(last_time_ - open_time_, 0, delay)));
}

// Stores what is there and shows it to the readers. Releases the lock meanwhile; what is appended
// then is left to the committer. False if the store refused: then it is tried again later.
bool Log::CommitLocked(bool sync, OnStored on_stored) {
  // A batch that fills is not cut short because the one before it is full.
  if (sync || sealed_.empty() || last_time_ - open_time_ >= OpenDelayLocked()) SealLocked();
  if (sealed_.empty()) return true;
  std::vector<Batch> batches = TakeSealedLocked(sync);
  committing_ = true;
  mutex_.Unlock();
  const int64_t began = absl::GetCurrentTimeNanos();
  const absl::Status stored = services_.store->Append(run_, batches, sync);
  mutex_.Lock();
  committing_ = false;
  full_ = absl::IsResourceExhausted(stored);
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
  // If storing took long, because many runs store at once, the next line must not look as if it
  // came after a pause, or each would be stored alone.
  const int64_t now = absl::GetCurrentTimeNanos();
  last_commit_time_ = last_time_ + (now - began);
  for (const Batch& batch : batches) unsaved_bytes_ -= batch.bytes->size();
  if (HasRoomLocked()) AppendGapLocked();  // the job may print nothing more
  if (HasUnsavedLocked()) ScheduleRestLocked();
  PublishLocked(std::move(batches));
  return true;
}

// What is stored next: at the end everything, else so little that readers can keep up.
std::vector<Batch> Log::TakeSealedLocked(bool all) {
  const auto end = all || sealed_.size() <= kCrowd ? sealed_.end() : sealed_.begin() + kCrowd;
  std::vector<Batch> taken(std::make_move_iterator(sealed_.begin()), std::make_move_iterator(end));
  sealed_.erase(sealed_.begin(), end);
  return taken;
}

void Log::PublishLocked(std::vector<Batch> batches) {
  for (Batch& batch : batches) {
    snapshot_.last = batch.last;
    tail_bytes_ += batch.bytes->size();
    tail_.push_back(std::move(batch));
  }
  // A reader that is a little behind is to find it without the store: it would fall back further.
  const bool is_wanted = publishings_wanted_ > 0;
  if (is_wanted) --publishings_wanted_;
  while (tail_.size() > 1 && tail_bytes_ > options_.tail_bytes) {
    if (is_wanted) services_.cache->Add(run_, tail_.front());
    PopTailLocked();
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
  result.set_total_bytes(result.total_bytes() + total_bytes_);
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
  AppendGapLocked();
  last_time_ = std::max(last_time_, absl::GetCurrentTimeNanos());
  AppendRecordLocked(ResultRecord(next_++, result, last_time_));
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
  snapshot_.*slot = {Share(std::move(bytes)), ++snapshot_.version};
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

void Log::SetFirst(int64_t first) {
  absl::MutexLock lock(&mutex_);
  first_ = std::max(first_, first);
  while (tail_.size() > 1 && tail_.front().last < first_) PopTailLocked();
}

void Log::PopTailLocked() {
  tail_bytes_ -= tail_.front().bytes->size();
  tail_.pop_front();
}

Log::Snapshot Log::GetSnapshot() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_;
}

absl::StatusOr<std::optional<Batch>> Log::Read(int64_t sequence) const {
  bool is_kept;
  {
    absl::MutexLock lock(&mutex_);
    if (deleted_) return absl::NotFoundError(absl::StrCat("run ", run_, " was deleted"));
    if (sequence > snapshot_.last) return std::nullopt;
    if (!tail_.empty() && sequence < tail_.back().first) publishings_wanted_ = kWantedByReader;
    if (!tail_.empty() && sequence >= tail_.front().first) {
      return *std::ranges::lower_bound(tail_, sequence, {}, &Batch::last);
    }
    is_kept = sequence >= first_;
  }
  if (is_kept) {
    if (auto cached = services_.cache->Find(run_, sequence)) return cached;
  }
  absl::StatusOr<Batch> batch = services_.store->Read(run_, sequence);
  if (batch.ok() && batch->first <= sequence) return services_.cache->Add(run_, *std::move(batch));
  batch = MakeGap(sequence, batch);
  if (!batch.ok()) return batch.status();
  return *std::move(batch);
}

bool Log::IsInMemory(int64_t sequence) const {
  {
    absl::MutexLock lock(&mutex_);
    if (sequence > snapshot_.last) return true;
    if (!tail_.empty() && sequence >= tail_.front().first) return true;
    if (sequence < first_) return false;
  }
  return services_.cache->Find(run_, sequence).has_value();
}

// Whether the store no longer knows the run, though nobody may have said so yet.
bool Log::IsDeleted() const {
  const absl::StatusOr<LogExtent> extent = services_.store->GetExtent(run_);
  return extent.ok() ? extent->last == 0 : absl::IsNotFound(extent.status());
}

// What readers get for records from `sequence` on that the store does not have. `next` is what it
// has after them, or why it has nothing. Were they the last of all, the result is not lost: the run
// has it.
absl::StatusOr<Batch> Log::MakeGap(int64_t sequence, const absl::StatusOr<Batch>& next) const {
  const bool missing = absl::IsNotFound(next.status()) || absl::IsDataLoss(next.status());
  if (!next.ok() && !missing) return next.status();
  if (!next.ok() && IsDeleted()) {
    return absl::NotFoundError(absl::StrCat("run ", run_, " was deleted"));
  }
  absl::MutexLock lock(&mutex_);
  const bool to_the_end = !next.ok() && tail_.empty();
  int64_t last = snapshot_.last;
  if (next.ok()) last = next->first - 1;
  if (!next.ok() && !tail_.empty()) last = tail_.front().first - 1;
  v1::GapReason reason = v1::GAP_REASON_DAMAGED;
  if (sequence < first_) {
    reason = v1::GAP_REASON_RETENTION;
    last = std::min(last, first_ - 1);
  }
  const int64_t time = next.ok() ? TimeOfFirst(*next->bytes) : last_time_;
  v1::LogBatch run;
  const bool has_result = to_the_end && snapshot_.ended && last == snapshot_.last &&
                          run.ParseFromArray(snapshot_.run.bytes->data(),
                                             static_cast<int>(snapshot_.run.bytes->size()));
  std::string bytes;
  const int64_t gap_last = has_result ? last - 1 : last;
  if (sequence <= gap_last) EncodeLine(GapRecord(sequence, gap_last, reason, time), &bytes);
  if (has_result) EncodeLine(ResultRecord(last, run.lines(0).run().result(), time), &bytes);
  return Batch{sequence, last, time, 0, 0, Share(std::move(bytes))};
}

absl::StatusOr<int64_t> Log::FindTime(int64_t unix_nanos) const {
  const int64_t next = GetSnapshot().last + 1;  // first: the log may grow during the search
  const absl::StatusOr<Batch> batch = services_.store->FindTime(run_, unix_nanos);
  if (absl::IsNotFound(batch.status())) return next;
  if (!batch.ok()) return batch.status();
  services_.cache->Add(run_, *batch);  // it is read next
  RecordWalker walker(*batch->bytes);
  while (walker.Next()) {
    if (TimeOf(walker.payload()) < unix_nanos) continue;
    const int64_t sequence = SequenceOf(walker.payload());
    absl::MutexLock lock(&mutex_);
    // Of those that were deleted some may have been made at that time, too.
    return first_ > 1 && sequence == first_ ? 1 : sequence;
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
