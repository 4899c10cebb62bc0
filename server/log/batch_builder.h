// The numbering and encoding of a log's records into batches.
#ifndef JOBTAIL_SERVER_LOG_BATCH_BUILDER_H_
#define JOBTAIL_SERVER_LOG_BATCH_BUILDER_H_

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "jobtail/v1/log.pb.h"
#include "server/log/batch.h"
#include "server/log/batch_buffer.h"
#include "server/log/record.h"

namespace jobtail {

// The part of a log that numbers records, encodes each once, and holds them until the store has
// them: in batches that are closed, and in an open one to which records are added.
//
// Has no lock and asks no clock; not thread-safe: the log's lock guards it. What it hands out in
// TakeClosed comes back in PutBack, if the store refused it, or is reported in Stored.
class BatchBuilder {
 public:
  // Adds a record with the next number, and a gap before it if lines were dropped.
  void AddLine(const TextLine& line);

  // Gives the line's number away without a record. `reason` is that of the gap, if it begins here.
  void DropLine(const TextLine& line, v1::GapReason reason);

  // Gives the numbers of `count` lines away, and adds a gap in their place.
  void LeaveOut(int64_t count, v1::GapReason reason, int64_t time_unix_nanos);

  // Adds the gap in place of the lines that were dropped, if any were.
  void AddGap();

  // Adds the last record of all. Its totals are filled in: the lines, and the bytes on top of what
  // `*result` has. Returns its number.
  int64_t AddResult(int64_t now_unix_nanos, v1::RunResult* result);

  // Closes the open batch.
  void Close();

  // Takes the first `most` closed batches out, to be stored: all, if nothing is said.
  std::vector<Batch> TakeClosed(size_t most = std::numeric_limits<size_t>::max());
  void PutBack(std::vector<Batch> batches);
  void Stored(size_t bytes) { unsaved_bytes_ -= bytes; }

  // Whether lines were dropped whose gap has not been added yet.
  bool HasGap() const { return next_ - 1 > encoded_; }

  // Whether there is anything to be stored that TakeClosed has not taken.
  bool HasUnsaved() const { return !open_.empty() || !closed_.empty(); }

  size_t open_bytes() const { return open_.size(); }
  size_t closed_batches() const { return closed_.size(); }
  // Of all records that the store does not have, with those that were taken out.
  size_t unsaved_bytes() const { return unsaved_bytes_; }
  // The number of the first record that TakeClosed has not taken, there or to come.
  int64_t first_unsaved() const { return closed_.empty() ? open_first_ : closed_.front().first; }

 private:
  void AddRecord(const v1::LogLine& record);
  // Whether the last record of the stream is to be continued.
  bool& IsOpen(v1::Stream stream) { return is_open_[stream == v1::STREAM_STDERR ? 1 : 0]; }
  // Where so many bytes can be written.
  char* Room(size_t room) {
    if (open_.empty()) [[unlikely]]
      ReserveFor(room);
    return open_.Room(room);
  }
  void ReserveFor(size_t room);

  LineEncoder encoder_;
  std::vector<Batch> closed_;
  BatchBuffer open_;
  int64_t open_first_ = 1;
  size_t last_size_ = 0;  // of the batch that was closed last
  size_t unsaved_bytes_ = 0;
  int64_t encoded_ = 0;  // the number of the last record in open_, or before it
  int64_t next_ = 1;     // the numbers between were given to lines that were dropped
  v1::GapReason gap_reason_ = v1::GAP_REASON_UNSPECIFIED;
  int64_t last_time_ = 0;  // the latest that any line had: a record's time is never before it
  std::array<bool, 2> is_open_{};  // stdout, stderr
  int64_t total_lines_ = 0;
  int64_t total_bytes_ = 0;
};

// In the header: it is called for each line that is printed.
inline void BatchBuilder::AddLine(const TextLine& line) {
  last_time_ = std::max(last_time_, line.time_unix_nanos);
  if (HasGap()) [[unlikely]]
    AddGap();
  char* const begin = Room(MostEncodedBytes(line));
  const char* const end = encoder_.Encode(next_, last_time_, line, begin);
  open_.EndAt(end);
  encoded_ = next_++;
  unsaved_bytes_ += static_cast<size_t>(end - begin);
  bool& is_open = IsOpen(line.stream);
  total_lines_ += is_open ? 0 : 1;
  is_open = !EndsLine(line.ending);
  total_bytes_ += PrintedBytes(line);
}

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_BATCH_BUILDER_H_
