// Numbers records, encodes them and gathers them in batches.
#include "server/log/batch_builder.h"

#include <algorithm>
#include <iterator>
#include <string>
#include <utility>

namespace jobtail {
namespace {

// What most lines take that come alone.
constexpr size_t kLineBytes = 192;

// No batch grows much larger before it is closed.
constexpr size_t kMostReserved = kBatchBytes + kBatchBytes / 8;

}  // namespace

void BatchBuilder::DropLine(const TextLine& line, v1::GapReason reason) {
  last_time_ = std::max(last_time_, line.time_unix_nanos);
  total_bytes_ += PrintedBytes(line);
  if (!HasGap()) gap_reason_ = reason;
  ++next_;
}

void BatchBuilder::LeaveOut(int64_t count, v1::GapReason reason, int64_t time_unix_nanos) {
  AddGap();
  last_time_ = std::max(last_time_, time_unix_nanos);
  gap_reason_ = reason;
  next_ += count;
  AddGap();
}

void BatchBuilder::AddGap() {
  if (HasGap()) AddRecord(GapRecord(encoded_ + 1, next_ - 1, gap_reason_, last_time_));
}

int64_t BatchBuilder::AddResult(int64_t now_unix_nanos, v1::RunResult* result) {
  AddGap();
  result->set_total_lines(total_lines_);
  result->set_total_bytes(result->total_bytes() + total_bytes_);
  last_time_ = std::max(last_time_, now_unix_nanos);
  AddRecord(ResultRecord(next_, *result, last_time_));
  return next_++;
}

void BatchBuilder::AddRecord(const v1::LogLine& record) {
  std::string bytes;
  EncodeLine(record, &bytes);
  for (const v1::Stream stream : {v1::STREAM_STDOUT, v1::STREAM_STDERR}) {
    if (EndsLineOf(stream, record)) IsOpen(stream) = false;
  }
  char* const begin = Room(bytes.size());
  open_.EndAt(std::ranges::copy(bytes, begin).out);
  encoded_ = record.sequence();
  unsaved_bytes_ += bytes.size();
}

// A batch is often about as large as the one before it.
void BatchBuilder::ReserveFor(size_t room) {
  const size_t likely = std::clamp(last_size_ + last_size_ / 8, kLineBytes, kMostReserved);
  open_.Reserve(std::max(room, likely));
}

// The bytes may stay for long: what was reserved in vain is given back.
void BatchBuilder::Close() {
  if (open_.empty()) return;
  last_size_ = open_.size();
  if (open_.capacity() > open_.size() + open_.size() / 4 + kLineBytes) open_.Reserve(open_.size());
  closed_.push_back(
      {open_first_, encoded_, last_time_, total_lines_, total_bytes_,
       Share(std::exchange(open_, {}), [](const BatchBuffer& owner) { return owner.view(); })});
  open_first_ = encoded_ + 1;
}

std::vector<Batch> BatchBuilder::TakeClosed(size_t most) {
  const auto end = closed_.begin() + static_cast<std::ptrdiff_t>(std::min(most, closed_.size()));
  std::vector<Batch> taken(std::make_move_iterator(closed_.begin()), std::make_move_iterator(end));
  closed_.erase(closed_.begin(), end);
  return taken;
}

void BatchBuilder::PutBack(std::vector<Batch> batches) {
  closed_.insert(closed_.begin(), std::make_move_iterator(batches.begin()),
                 std::make_move_iterator(batches.end()));
}

}  // namespace jobtail
