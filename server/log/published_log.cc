// What readers see of a log: its tail, what is older from the store, gaps, the present state.
#include "server/log/published_log.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

// So many times after somebody has read something that is not the newest, what leaves the tail is
// kept for him in the cache: that many batches and it is full.
constexpr int kWantedByReader = 64;

// The thread that stored the records wakes so many readers itself, which is quickest. More would
// hold up the job.
constexpr size_t kWakeInline = 2;

}  // namespace

PublishedLog::PublishedLog(std::string run, const LogServices& services, size_t tail_bytes)
    : run_(std::move(run)), services_(services), tail_limit_(tail_bytes) {}

PublishedLog::PublishedLog(const v1::Run& run, const LogExtent& extent, const LogServices& services)
    : run_(run.id()), services_(services), tail_limit_(0) {
  absl::MutexLock lock(&mutex_);
  last_time_ = extent.last_time_unix_nanos;
  first_ = extent.first;
  snapshot_.last = extent.last;
  snapshot_.total_lines = extent.total_lines;
  snapshot_.ended = true;
  SetPresentLocked(&Snapshot::run, RunMessage(run));
}

void PublishedLog::Publish(std::vector<Batch> batches) {
  Surplus surplus;
  {
    absl::MutexLock lock(&mutex_);
    surplus = PushLocked(std::move(batches));
  }
  Remove(surplus);
}

void PublishedLog::PublishEnd(std::vector<Batch> batches, absl::FunctionRef<v1::Run()> end) {
  Surplus surplus;
  {
    absl::MutexLock lock(&mutex_);
    snapshot_.ended = true;
    v1::Run run = end();
    run.set_last_sequence(batches.back().last);
    SetPresentLocked(&Snapshot::run, RunMessage(run));
    surplus = PushLocked(std::move(batches));
  }
  Remove(surplus);
}

PublishedLog::Surplus PublishedLog::PushLocked(std::vector<Batch> batches) {
  for (Batch& batch : batches) {
    snapshot_.last = batch.last;
    snapshot_.total_lines = batch.total_lines;
    last_time_ = batch.last_time_unix_nanos;
    tail_bytes_ += HeldBytes(batch);
    tail_.push_back(std::move(batch));
  }
  Surplus surplus;
  size_t bytes = tail_bytes_;
  for (auto batch = tail_.begin(); bytes > tail_limit_ && batch + 1 != tail_.end(); ++batch) {
    bytes -= HeldBytes(*batch);
    surplus.batches.push_back(*batch);
  }
  surplus.is_wanted = publishings_wanted_ > 0;
  if (surplus.is_wanted) --publishings_wanted_;
  return surplus;
}

// A reader that is a little behind is to find what leaves the tail without the store, or it would
// fall back further: the cache has it before it goes.
void PublishedLog::Remove(const Surplus& surplus) {
  if (surplus.batches.empty()) return;
  if (surplus.is_wanted) {
    for (const Batch& batch : surplus.batches) services_.cache->Add(run_, batch);
  }
  absl::MutexLock lock(&mutex_);
  PopLocked(surplus.batches.back().last);
}

// Takes out of the tail what ends with record `last` or before it, but for the newest.
void PublishedLog::PopLocked(int64_t last) {
  while (tail_.size() > 1 && tail_.front().last <= last) {
    tail_bytes_ -= HeldBytes(tail_.front());
    tail_.pop_front();
  }
}

void PublishedLog::Wake() {
  WaitList::Functions waits;  // destroys readers, perhaps: without the lock
  {
    absl::MutexLock lock(&mutex_);
    if (waits_.empty()) return;
    waits = waits_.TakeAll();
  }
  if (waits.size() <= kWakeInline) return WaitList::CallAll(waits);
  services_.waker->Soon([waits = std::move(waits)] { WaitList::CallAll(waits); });
}

v1::LogLine PublishedLog::RunMessage(const v1::Run& run) const {
  v1::LogLine message;
  *message.mutable_time() = FromUnixNanos(absl::ToUnixNanos(services_.clock->Now()));
  *message.mutable_run() = run;
  return message;
}

void PublishedLog::SetRun(const v1::Run& run) { SetPresent(&Snapshot::run, RunMessage(run)); }

void PublishedLog::SetProgress(const v1::RunProgress& progress) {
  v1::LogLine message;
  *message.mutable_time() = progress.time();
  *message.mutable_progress() = progress;
  SetPresent(&Snapshot::progress, message);
}

// This thread may be the job's, captured, and the readers' work must not look like its: another one
// wakes them.
void PublishedLog::SetPresent(Present Snapshot::*slot, const v1::LogLine& message) {
  absl::MutexLock lock(&mutex_);
  if (snapshot_.ended) return;
  SetPresentLocked(slot, message);
  if (waits_.empty()) return;
  services_.waker->Soon([waits = waits_.TakeAll()] { WaitList::CallAll(waits); });
}

void PublishedLog::SetPresentLocked(Present Snapshot::*slot, const v1::LogLine& message) {
  std::string bytes;
  EncodeLine(message, &bytes);
  snapshot_.*slot = {Share(std::move(bytes)), ++snapshot_.version};
}

void PublishedLog::MarkDeleted() {
  std::deque<Batch> tail;  // destroyed without the lock
  {
    absl::MutexLock lock(&mutex_);
    deleted_ = true;
    tail_.swap(tail);
    tail_bytes_ = 0;
  }
  Wake();
}

void PublishedLog::SetFirst(int64_t first) {
  absl::MutexLock lock(&mutex_);
  first_ = std::max(first_, first);
  PopLocked(first_ - 1);
}

PublishedLog::Snapshot PublishedLog::GetSnapshot() const {
  absl::MutexLock lock(&mutex_);
  return snapshot_;
}

absl::StatusOr<std::optional<Batch>> PublishedLog::Read(int64_t sequence) const {
  return Read(sequence, /*keep=*/true);
}

absl::StatusOr<std::optional<Batch>> PublishedLog::ReadOnce(int64_t sequence) const {
  return Read(sequence, /*keep=*/false);
}

absl::StatusOr<std::optional<Batch>> PublishedLog::Read(int64_t sequence, bool keep) const {
  if (auto found = TryRead(sequence)) return found;
  {
    absl::MutexLock lock(&mutex_);
    if (deleted_) return absl::NotFoundError(absl::StrCat("run ", run_, " was deleted"));
    if (sequence > snapshot_.last) return std::nullopt;
  }
  absl::StatusOr<Batch> batch =
      keep ? services_.store->Read(run_, sequence) : services_.store->ReadOnce(run_, sequence);
  if (batch.ok() && batch->first <= sequence) {
    if (keep) return services_.cache->Add(run_, *std::move(batch));
    return *std::move(batch);
  }
  batch = MakeGap(sequence, batch);
  if (!batch.ok()) return batch.status();
  return *std::move(batch);
}

std::optional<LogStore::CompressedBatch> PublishedLog::ReadCompressed(int64_t sequence) const {
  {
    absl::MutexLock lock(&mutex_);
    if (deleted_ || sequence < first_ || sequence > snapshot_.last) return std::nullopt;
  }
  return services_.store->ReadCompressed(run_, sequence);
}

std::optional<Batch> PublishedLog::TryRead(int64_t sequence) const {
  {
    absl::MutexLock lock(&mutex_);
    if (deleted_ || sequence > snapshot_.last) return std::nullopt;
    if (!tail_.empty() && sequence < tail_.back().first) publishings_wanted_ = kWantedByReader;
    if (!tail_.empty() && sequence >= tail_.front().first) {
      return *std::ranges::lower_bound(tail_, sequence, {}, &Batch::last);
    }
    if (sequence < first_) return std::nullopt;
  }
  return services_.cache->Find(run_, sequence);
}

bool PublishedLog::IsInMemory(int64_t sequence) const {
  {
    absl::MutexLock lock(&mutex_);
    if (sequence > snapshot_.last) return true;
    if (!tail_.empty() && sequence >= tail_.front().first) return true;
    if (sequence < first_) return false;
  }
  return services_.cache->Find(run_, sequence).has_value();
}

// Whether the store no longer knows the run, though nobody may have said so yet.
bool PublishedLog::IsDeletedInStore() const {
  const absl::StatusOr<LogExtent> extent = services_.store->GetExtent(run_);
  return extent.ok() ? extent->last == 0 : absl::IsNotFound(extent.status());
}

// What readers get for records from `sequence` on that the store does not have. `next` is what it
// has after them, or why it has nothing. Were they the last of all, the result is not lost: the run
// has it.
absl::StatusOr<Batch> PublishedLog::MakeGap(int64_t sequence,
                                            const absl::StatusOr<Batch>& next) const {
  const bool missing = absl::IsNotFound(next.status()) || absl::IsDataLoss(next.status());
  if (!next.ok() && !missing) return next.status();
  if (!next.ok() && IsDeletedInStore()) {
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

absl::StatusOr<int64_t> PublishedLog::FindTime(int64_t unix_nanos) const {
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

bool PublishedLog::Wait(int64_t next, int64_t version, std::function<void()> wake, int64_t* id) {
  absl::MutexLock lock(&mutex_);
  if (next <= snapshot_.last || snapshot_.ended || deleted_ || version < snapshot_.version) {
    return false;
  }
  *id = waits_.Add(std::move(wake));
  return true;
}

void PublishedLog::CancelWait(int64_t id) {
  WaitList::Function forgotten;  // destroyed without the lock
  absl::MutexLock lock(&mutex_);
  forgotten = waits_.Remove(id);
}

}  // namespace jobtail
