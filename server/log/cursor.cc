// Where readers start, and what they read next.
#include "server/log/cursor.h"

#include <google/protobuf/util/time_util.h>

#include <algorithm>
#include <array>
#include <limits>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "base/codec/log_line.h"
#include "base/codec/proto_time.h"
#include "server/log/backward_walk.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

// Less of a batch is not worth looking for the end of a record.
constexpr size_t kLeastPart = 8 << 10;  // bytes

// How far back lines are counted; beyond that, records are.
constexpr size_t kCountedBytes = 64 << 20;

absl::StatusOr<int64_t> CheckedSequence(const Log& log, const Log::Snapshot& snapshot,
                                        int64_t sequence) {
  if (sequence >= 1 && sequence <= snapshot.last + 1) return sequence;
  return absl::OutOfRangeError(
      absl::StrCat("from_sequence ", sequence, ": the log of run ", log.run(),
                   snapshot.ended ? " ends with record " : " has records so far up to ",
                   snapshot.last, "; use 1 to ", snapshot.last + 1));
}

// The first record that this one stands for: of a gap there may be many.
int64_t FirstOf(const LineView& record) {
  if (record.content != v1::LogLine::kGap) return record.sequence;
  v1::Gap gap;
  gap.ParseFromArray(record.bytes.data(), static_cast<int>(record.bytes.size()));
  return gap.first() > 0 ? gap.first() : record.sequence;
}

// The last lines of a log, each with all its records, counted from the end on. What is no text
// counts as a line: a gap, too, whatever is missing.
class LineCounter {
 public:
  explicit LineCounter(int64_t count) : left_(count) {}

  // Takes the record before the last that was taken.
  void Take(const LineView& record) {
    for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
      if (EndsLineOf(stream, record)) BeginOf(stream) = 0;
    }
    if (!record.is_text()) {
      if (CountOne()) first_ = FirstOf(record);
      return;
    }
    int64_t& begin = BeginOf(record.stream);
    if (begin > 0 || CountOne()) first_ = begin = record.sequence;
  }

  bool HasAll() const { return left_ == 0; }
  // Whether there may be more of the lines that have been counted.
  bool IsWithinLine() const { return begins_[0] > 0 || begins_[1] > 0; }

  // Where the log is to be read from, if nothing before this is theirs and records count as lines.
  int64_t first() const { return std::max<int64_t>(1, first_ - left_); }

 private:
  int64_t& BeginOf(v1::Stream stream) { return begins_[stream == v1::STREAM_STDERR ? 1 : 0]; }

  bool CountOne() {
    if (left_ == 0) return false;
    --left_;
    return true;
  }

  int64_t left_;
  int64_t first_ = 0;
  // Of the line of stdout, and of stderr, that is being gone through: what is known as its first
  // record. 0: none.
  std::array<int64_t, 2> begins_{};
};

// Behind the last record that may be a line: the last of an ended log is the result.
int64_t EndOfLines(const Log::Snapshot& snapshot) {
  return snapshot.ended ? snapshot.last : snapshot.last + 1;
}

// Whether `start` is where the last lines begin if each record is one.
bool IsCountedInRecords(const Log::Snapshot& snapshot, int64_t count, int64_t start) {
  return start == EndOfLines(snapshot) - std::min(count, EndOfLines(snapshot) - 1);
}

absl::StatusOr<int64_t> LastLines(const Log& log, const Log::Snapshot& snapshot, int64_t count) {
  if (count < 0) {
    return absl::InvalidArgumentError(
        absl::StrCat("last_lines ", count, ": must not be negative; use 0 for only what comes"));
  }
  const int64_t end = EndOfLines(snapshot);
  if (count == 0) return end;
  if (count >= end - 1) return 1;                           // no more lines than records
  if (snapshot.total_lines == end - 1) return end - count;  // each record is a line
  LineCounter counter(count);
  BackwardWalk walk(&log, end);
  size_t most = kCountedBytes;
  while (walk.bytes() < most) {
    const absl::StatusOr<bool> moved = walk.Next();
    if (!moved.ok()) return moved.status();
    if (!*moved) return counter.HasAll() ? counter.first() : 1;
    const bool had_all = counter.HasAll();
    counter.Take(walk.record());
    if (!counter.HasAll()) continue;
    if (!counter.IsWithinLine()) break;
    if (!had_all) most = walk.bytes() + kLookBackBytes;
  }
  return counter.first();
}

absl::StatusOr<int64_t> FindTime(const Log& log, const google::protobuf::Timestamp& since) {
  using google::protobuf::util::TimeUtil;
  if (since.nanos() < 0 || since.nanos() > 999'999'999 ||
      since.seconds() < TimeUtil::kTimestampMinSeconds ||
      since.seconds() > TimeUtil::kTimestampMaxSeconds) {
    return absl::InvalidArgumentError(
        absl::StrCat("since: ", since.seconds(), " s and ", since.nanos(),
                     " ns is no time; give one from year 1 to 9999, nanos from 0 to 999999999"));
  }
  return log.FindTime(ToUnixNanos(since));
}

absl::StatusOr<int64_t> FindAge(const Log& log, const google::protobuf::Duration& age) {
  using google::protobuf::util::TimeUtil;
  if (age.seconds() < 0 || age.seconds() > TimeUtil::kDurationMaxSeconds || age.nanos() < 0 ||
      age.nanos() > 999'999'999) {
    return absl::InvalidArgumentError(
        absl::StrCat("since_ago: ", age.seconds(), " s and ", age.nanos(),
                     " ns is no age; give none below zero, nanos from 0 to 999999999"));
  }
  return log.FindTime(absl::ToUnixNanos(log.clock()->Now() - ToDuration(age)));
}

absl::StatusOr<int64_t> Start(const Log& log, const Log::Snapshot& snapshot,
                              const v1::TailLogRequest& request) {
  switch (request.start_case()) {
    case v1::TailLogRequest::kFromSequence:
      return CheckedSequence(log, snapshot, request.from_sequence());
    case v1::TailLogRequest::kLastLines:
      return LastLines(log, snapshot, request.last_lines());
    case v1::TailLogRequest::kSince:
      return FindTime(log, request.since());
    case v1::TailLogRequest::kSinceAgo:
      return FindAge(log, request.since_ago());
    case v1::TailLogRequest::START_NOT_SET:
      break;
  }
  return 1;
}

// The message on the run with the last record as it is now: a client counts from there.
SharedBytes RunAsOf(const Log::Snapshot& snapshot) {
  v1::LogBatch batch;
  const SharedBytes& bytes = snapshot.run.bytes;
  if (!bytes || !batch.ParseFromArray(bytes->data(), static_cast<int>(bytes->size()))) return bytes;
  batch.mutable_lines(0)->mutable_run()->set_last_sequence(snapshot.last);
  return Share(batch.SerializeAsString());
}

}  // namespace

absl::StatusOr<std::unique_ptr<Cursor>> Cursor::Open(std::shared_ptr<Log> log,
                                                     const v1::TailLogRequest& request) {
  auto filter = LogFilter::Make(request);
  if (!filter.ok()) return filter.status();
  const Log::Snapshot snapshot = log->GetSnapshot();
  const absl::StatusOr<int64_t> start = Start(*log, snapshot, request);
  if (!start.ok()) return start.status();
  const int64_t stop = request.follow() ? std::numeric_limits<int64_t>::max() : snapshot.last;
  std::unique_ptr<Cursor> cursor(
      new Cursor(std::move(log), snapshot, *start, stop, *std::move(filter)));
  cursor->tells_start_ =
      request.has_last_lines() && !IsCountedInRecords(snapshot, request.last_lines(), *start);
  if (cursor->search_) {
    const absl::Status begun = cursor->search_->BeginAt(*start);
    if (!begun.ok()) return begun;
  }
  return cursor;
}

Cursor::Cursor(std::shared_ptr<Log> log, const Log::Snapshot& snapshot, int64_t next, int64_t stop,
               std::unique_ptr<const LogFilter> filter)
    : log_(std::move(log)),
      stop_(stop),
      next_(next),
      run_(RunAsOf(snapshot)),
      run_version_(snapshot.run.version) {
  if (!filter) return;
  search_ = std::make_unique<LogSearch>(SearchTask{log_, std::move(filter), stop_});
}

Cursor::~Cursor() { CancelWait(); }

absl::StatusOr<Cursor::Next> Cursor::Read(size_t max_bytes, std::vector<Slice>* slices) {
  const Log::Snapshot snapshot = log_->GetSnapshot();
  ReadPresent(snapshot, slices);
  const int64_t last = std::min(snapshot.last, stop_);
  if (search_) {
    const bool is_end = snapshot.ended || last == stop_;
    const absl::Status searched = search_->Read(last, is_end, max_bytes, &next_, slices);
    if (!searched.ok()) return searched;
    return NextAfter(snapshot);
  }
  for (size_t bytes = 0; next_ <= last && bytes < max_bytes;) {
    const absl::StatusOr<size_t> read = ReadBatch(max_bytes, slices);
    if (!read.ok()) return read.status();
    if (*read == 0) break;
    bytes += *read;
  }
  return NextAfter(snapshot);
}

std::optional<Cursor::Next> Cursor::TryRead(size_t max_bytes, std::vector<Slice>* slices) {
  if (search_) return std::nullopt;
  const Log::Snapshot snapshot = log_->GetSnapshot();
  const int64_t last = std::min(snapshot.last, stop_);
  std::optional<Batch> batch;  // in hand, so that nobody can take it away
  if (next_ <= last) {
    batch = log_->TryRead(next_);
    if (!batch) return std::nullopt;
  }
  ReadPresent(snapshot, slices);
  for (size_t bytes = 0; batch;) {
    const size_t taken = Take(*batch, max_bytes, slices);
    bytes += taken;
    if (taken == 0 || next_ > last || bytes >= max_bytes) break;
    batch = log_->TryRead(next_);
  }
  return NextAfter(snapshot);
}

// Once a reader has got what there was at the time of the snapshot, or a part of it.
Cursor::Next Cursor::NextAfter(const Log::Snapshot& snapshot) const {
  if (next_ <= std::min(snapshot.last, stop_)) return Next::kMore;
  return snapshot.ended || next_ > stop_ ? Next::kEnd : Next::kWait;
}

void Cursor::ReadPresent(const Log::Snapshot& snapshot, std::vector<Slice>* slices) {
  const auto add = [slices](SharedBytes bytes) {
    const size_t size = bytes->size();
    slices->push_back({std::move(bytes), 0, size});
  };
  if (run_) add(std::exchange(run_, nullptr));
  if (std::exchange(tells_start_, false)) slices->push_back(Heartbeat(next_ - 1));
  if (snapshot.run.version > std::max(version_, run_version_)) add(snapshot.run.bytes);
  if (snapshot.progress.version > version_) add(snapshot.progress.bytes);
  version_ = snapshot.version;
}

// Reads the batch with record next_, which is there, and takes of what is left of it. Returns its
// size; 0, with nothing taken, as Take does.
absl::StatusOr<size_t> Cursor::ReadBatch(size_t max_bytes, std::vector<Slice>* slices) {
  std::optional<Batch> in_memory = takes_compressed_ ? log_->TryRead(next_) : std::nullopt;
  if (in_memory) return Take(*in_memory, max_bytes, slices);
  if (takes_compressed_) {
    auto stored = log_->ReadCompressed(next_);
    if (stored && WantsWhole(next_, stored->last, stored->block->size(), max_bytes)) {
      return TakeCompressed(std::move(stored->block), stored->size, stored->last, slices);
    }
  }
  absl::StatusOr<std::optional<Batch>> read = log_->Read(next_);
  if (!read.ok()) return read.status();
  if (!*read) return absl::InternalError(absl::StrCat("record ", next_, " is missing"));
  return Take(**read, max_bytes, slices);
}

// Whether a batch is to be taken as one that has so many bytes compressed.
bool Cursor::WantsWhole(int64_t first, int64_t last, size_t size, size_t max_bytes) const {
  return first >= next_ && last <= stop_ && size / 2 <= std::max(max_bytes, kLeastPart);
}

size_t Cursor::TakeCompressed(SharedBytes block, size_t size, int64_t last,
                              std::vector<Slice>* slices) {
  const size_t block_size = block->size();
  slices->push_back({std::move(block), 0, block_size, size});
  next_ = last + 1;
  return size;
}

// Appends what is left of the batch from record next_ on; where that is far more than `max_bytes`,
// the records at its beginning that fill them. Returns the size. 0, with nothing taken, for records
// as they are behind compressed ones: those are for the next call.
size_t Cursor::Take(const Batch& batch, size_t max_bytes, std::vector<Slice>* slices) {
  if (takes_compressed_ && batch.compressed &&
      WantsWhole(batch.first, batch.last, batch.compressed->size(), max_bytes)) {
    return TakeCompressed(batch.compressed, batch.bytes->size(), batch.last, slices);
  }
  if (!slices->empty() && slices->back().decompressed_size > 0) return 0;
  Slice slice = PartOf(batch, next_, stop_);
  next_ = batch.last + 1;
  const size_t most = std::max(max_bytes, kLeastPart);
  if (slice.size / 2 > most) {
    RecordWalker walker(slice.view());
    size_t size = 0;
    while (size < most && walker.Next()) size += walker.element().size();
    if (!walker.rest().empty() && size > 0) {
      next_ = SequenceOf(walker.payload()) + 1;
      slice.size = size;
    }
  }
  if (slice.size > 0) slices->push_back(slice);
  return std::max<size_t>(slice.size, 1);
}

bool Cursor::Wait(std::function<void()> wake) {
  CancelWait();  // a heartbeat may have gone out meanwhile: one wait at a time
  return log_->Wait(next_, version_, std::move(wake), &wait_);
}

void Cursor::CancelWait() {
  if (wait_ >= 0) log_->CancelWait(std::exchange(wait_, -1));
}

Slice Cursor::Heartbeat(int64_t searched_through) const {
  v1::LogLine message;
  *message.mutable_time() = FromUnixNanos(absl::ToUnixNanos(log_->clock()->Now()));
  message.mutable_heartbeat()->set_last_sequence(log_->GetSnapshot().last);
  *message.mutable_heartbeat()->mutable_time() = message.time();
  message.mutable_heartbeat()->set_searched_through(searched_through);
  std::string bytes;
  EncodeLine(message, &bytes);
  const size_t size = bytes.size();
  return {Share(std::move(bytes)), 0, size};
}

}  // namespace jobtail
