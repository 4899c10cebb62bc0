// How the parts of a log work together, on the threads that print and on the committer.
#include "server/log/log.h"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <string_view>
#include <utility>

#include "base/lz4_block.h"

namespace jobtail {
namespace {

constexpr absl::Duration kRetryDelay = absl::Milliseconds(100);

// What a log may hold though all logs together hold too much, in bytes: a batch that is being
// stored, and one that fills.
constexpr size_t kLeastUnsaved = 2 * kBatchBytes;

size_t BytesOf(const std::vector<Batch>& batches) {
  size_t bytes = 0;
  for (const Batch& batch : batches) bytes += batch.bytes->size();
  return bytes;
}

// Readers that take batches compressed are sent what the store gets. What is small is left as it
// is: it goes into the store's journal, where compressing it would only delay it.
void CompressLarge(absl::Span<Batch> batches) {
  Lz4Encoder encoder;
  for (Batch& batch : batches) {
    if (batch.compressed || batch.is_incompressible || batch.bytes->size() <= kSmallBytes) continue;
    const std::string_view block = encoder.Encode(*batch.bytes);
    batch.is_incompressible = block.empty();
    if (!block.empty()) batch.compressed = Share(std::string(block));
  }
}

}  // namespace

Log::Log(std::string run, LogServices services, LogOptions options)
    : services_(services),
      options_(options),
      published_(std::move(run), services, options.tail_bytes),
      policy_({options.commit_delay, options.full_commit_delay, options.unsaved_bytes}) {}

Log::Log(Ended, const v1::Run& run, const LogExtent& extent, LogServices services)
    : services_(services), published_(run, extent, services), policy_({}), finishing_(true) {}

std::shared_ptr<Log> Log::OpenEnded(const v1::Run& run, const LogExtent& extent,
                                    LogServices services) {
  return std::shared_ptr<Log>(new Log(Ended(), run, extent, services));
}

Log::~Log() {
  if (counted_ > 0) services_.unsaved->bytes.fetch_sub(counted_, std::memory_order_relaxed);
}

// Once lines have been dropped, there is to be room for many before any is taken again. Whether all
// logs hold too much may change at any time; a log that waits has full batches, so that it is
// looked at anew whenever it has stored some of them.
bool Log::HasRoomLocked() const {
  const bool is_crowded = services_.unsaved && services_.unsaved->IsFull();
  const size_t most =
      is_crowded ? std::min(options_.unsaved_bytes, kLeastUnsaved) : options_.unsaved_bytes;
  return builder_.HasGap() ? builder_.unsaved_bytes() <= most / 2 : builder_.unsaved_bytes() < most;
}

// With each batch, not with each line: all logs have the counter in common.
void Log::CountUnsavedLocked() {
  if (!services_.unsaved) return;
  const auto bytes = static_cast<int64_t>(builder_.unsaved_bytes());
  services_.unsaved->bytes.fetch_add(bytes - std::exchange(counted_, bytes),
                                     std::memory_order_relaxed);
}

// A job that was told to wait would wait for ever for somebody to make room on the disk; and once
// that has cost lines, it waits no longer for what is behind them.
bool Log::DropsLocked() const { return options_.drop_when_full || full_ || builder_.HasGap(); }

bool Log::AcceptsLocked() const { return HasRoomLocked() || DropsLocked(); }

Unsaved Log::UnsavedLocked() const {
  return {builder_.open_bytes(), builder_.closed_batches(), builder_.unsaved_bytes()};
}

// Whether the committer comes, and as soon as it would if it were asked now.
bool Log::IsScheduledLocked() const {
  return scheduled_ && scheduled_delay_ <= policy_.DelayNanosOf(UnsavedLocked());
}

void Log::Append(absl::Span<const TextLine> lines) {
  absl::MutexLock lock(&mutex_);
  if (!AcceptsLocked()) mutex_.Await(absl::Condition(this, &Log::AcceptsLocked));
  switch (AppendLocked(lines)) {
    case CommitPolicy::When::kNothing:
      return;
    case CommitPolicy::When::kNow:
      return CommitLocked();
    case CommitPolicy::When::kLater:
      if (!IsScheduledLocked()) ScheduleLocked(policy_.DelayOf(UnsavedLocked()));
  }
}

bool Log::TryAppend(absl::Span<const TextLine> lines) {
  absl::MutexLock lock(&mutex_);
  if (!AcceptsLocked()) return false;
  if (AppendLocked(lines) != CommitPolicy::When::kNothing) {
    ScheduleLocked(policy_.DelayOf(UnsavedLocked()));
  }
  return true;
}

// Returns when what is there is to be stored. Whoever is at the store, or tries again, sees to the
// rest.
CommitPolicy::When Log::AppendLocked(absl::Span<const TextLine> lines) {
  policy_.BeginAppend();
  for (const TextLine& line : lines) AppendLineLocked(line);
  if (storing_ || failing_) return CommitPolicy::When::kNothing;
  const CommitPolicy::Decision decision = policy_.AfterAppend(UnsavedLocked());
  if (decision.close) CloseLocked();
  return decision.when;
}

void Log::AppendLineLocked(const TextLine& line) {
  policy_.Printed(line.time_unix_nanos);
  if (DropsLocked() && !HasRoomLocked()) {
    builder_.DropLine(line, full_ ? v1::GAP_REASON_STORE_FULL : v1::GAP_REASON_DROPPED);
    return;
  }
  if (builder_.open_bytes() == 0) policy_.Opened();
  builder_.AddLine(line);
  if (builder_.open_bytes() >= kBatchBytes) CloseLocked();
}

void Log::AddGapLocked() {
  if (!builder_.HasGap()) return;
  if (builder_.open_bytes() == 0) policy_.Opened();
  builder_.AddGap();
}

void Log::LeaveOut(int64_t count, v1::GapReason reason, int64_t time_unix_nanos) {
  absl::MutexLock lock(&mutex_);
  if (builder_.open_bytes() == 0) policy_.Opened();
  builder_.LeaveOut(count, reason, time_unix_nanos);
}

void Log::CloseLocked() {
  if (builder_.open_bytes() > 0) policy_.Closed(builder_.open_bytes());
  builder_.Close();
  CountUnsavedLocked();
}

// Who is to store what is there. Where lines come fast it will not be small by then.
Scheduler* Log::CommitterLocked() const {
  const bool is_small = builder_.unsaved_bytes() <= kSmallBytes && !policy_.FillsBatches();
  return is_small && services_.small_committer ? services_.small_committer : services_.committer;
}

// Has the committer come for what is there, unless it does already. Logs are served in the order in
// which their delays end, so that none keeps the committer to itself.
void Log::ScheduleLocked(absl::Duration delay) {
  if (IsScheduledLocked()) return;
  if (scheduled_) scheduled_at_->Cancel(scheduled_id_);
  scheduled_ = true;
  scheduled_at_ = CommitterLocked();
  scheduled_first_ = builder_.first_unsaved();
  scheduled_delay_ = policy_.DelayNanosOf(UnsavedLocked());
  scheduled_id_ = scheduled_at_->After(delay, [self = shared_from_this(), schedule = ++schedules_] {
    self->CommitScheduled(schedule);
  });
}

void Log::CommitScheduled(int64_t schedule) {
  absl::MutexLock lock(&mutex_);
  if (schedule != schedules_) return;
  scheduled_ = false;
  if (storing_ || finishing_) return;
  if (scheduled_at_ != CommitterLocked()) return ScheduleLocked(absl::ZeroDuration());  // it grew
  const bool is_newer =
      builder_.closed_batches() == 0 && builder_.first_unsaved() != scheduled_first_;
  if (!is_newer) {
    CommitLocked();
  } else if (builder_.HasUnsaved()) {
    // The thread that prints has stored since what this was for; what is there came later.
    ScheduleLocked(policy_.RestOf(UnsavedLocked()));
  }
}

// Stores what is there, or its beginning, and shows it to the readers. Releases the lock meanwhile;
// what is appended then is left to the committer.
void Log::CommitLocked() {
  if (policy_.ClosesOpen(UnsavedLocked())) CloseLocked();
  std::vector<Batch> batches = builder_.TakeClosed(CommitPolicy::kMostAtOnce);
  if (batches.empty()) return;
  StoreLocked(std::move(batches), /*sync=*/false,
              [this](std::vector<Batch> stored) { published_.Publish(std::move(stored)); });
}

// Has the store take batches, and `publish` show them. Releases the lock meanwhile. False if the
// store refused: then the batches are back, and it is tried again later.
bool Log::StoreLocked(std::vector<Batch> batches, bool sync, Publish publish) {
  storing_ = true;
  mutex_.Unlock();
  if (services_.store->keeps_compressed()) CompressLarge(absl::MakeSpan(batches));
  const absl::Duration began = services_.clock->Steady();
  const absl::Status status = services_.store->Append(run(), batches, sync);
  const absl::Duration took = services_.clock->Steady() - began;
  const size_t bytes = BytesOf(batches);
  if (status.ok()) {
    publish(std::move(batches));  // while nobody else can: in order
    batches.clear();
  }
  mutex_.Lock();
  storing_ = false;
  full_ = absl::IsResourceExhausted(status);
  if (!status.ok()) {
    RefusedLocked(std::move(batches), status);
    return false;
  }
  failing_ = false;
  policy_.Stored(took);
  builder_.Stored(bytes);
  CountUnsavedLocked();
  if (HasRoomLocked()) AddGapLocked();  // the job may print nothing more
  if (builder_.HasUnsaved()) ScheduleLocked(policy_.RestOf(UnsavedLocked()));
  mutex_.Unlock();
  published_.Wake();
  mutex_.Lock();
  return true;
}

// Says so without the lock, if it is the first time: whoever reads what the server says may be
// slow.
void Log::RefusedLocked(std::vector<Batch> batches, const absl::Status& error) {
  const bool is_new = !std::exchange(failing_, true);
  for (Batch& batch : batches) batch.compressed = nullptr;  // not counted among what is unsaved
  builder_.PutBack(std::move(batches));
  if (!finishing_) ScheduleLocked(kRetryDelay);
  if (!is_new) return;
  mutex_.Unlock();
  spdlog::error("run {}: its log cannot be stored; it is tried again until it can: {}", run(),
                error.ToString());
  mutex_.Lock();
}

void Log::Finish(v1::RunResult result, absl::FunctionRef<v1::Run(const v1::RunResult&)> on_stored) {
  absl::MutexLock lock(&mutex_);
  finishing_ = true;  // from here on nobody else stores anything
  mutex_.Await(absl::Condition(this, &Log::IsIdleLocked));
  builder_.AddResult(absl::ToUnixNanos(services_.clock->Now()), &result);
  builder_.Close();
  const auto publish = [&](std::vector<Batch> stored) {
    published_.PublishEnd(std::move(stored), [&] { return on_stored(result); });
  };
  while (!StoreLocked(builder_.TakeClosed(), /*sync=*/true, publish)) {
    mutex_.Unlock();
    AwaitRetry();
    mutex_.Lock();
  }
}

void Log::AwaitRetry() const {
  const absl::Duration due = services_.clock->Steady() + kRetryDelay;
  std::mutex mutex;
  std::condition_variable nothing_else;
  std::unique_lock lock(mutex);
  while (services_.clock->Steady() < due) services_.clock->WaitUntil(due, lock, nothing_else);
}

}  // namespace jobtail
