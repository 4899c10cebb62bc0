// A reader's place in a log, and how it reads on from there.
#ifndef JOBTAIL_SERVER_LOG_CURSOR_H_
#define JOBTAIL_SERVER_LOG_CURSOR_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobtail/v1/job_service.pb.h"
#include "server/log/batch.h"
#include "server/log/filter.h"
#include "server/log/log.h"
#include "server/log/log_search.h"

namespace jobtail {

// A reader's place in a log. It pulls at its own pace: what it has not read yet costs it nothing,
// since it lies in the log's tail or in the store anyway. Owned by its reader; not thread-safe.
// Holds the log.
//
// Hazard: Open and Read may wait for the store. A thread that must not uses TryRead.
//
//   while (true) {
//     slices.clear();
//     switch (cursor.Read(limit, &slices)) { ... }   // send `slices`; on kWait call Wait, on kEnd
//     finish
//   }
class Cursor {
 public:
  // Opens the log where `request` wants to start (its fields `start`, `follow`, `streams` and
  // `pattern`). OUT_OF_RANGE for a sequence number outside the log, INVALID_ARGUMENT for a filter
  // or number that makes no sense.
  static absl::StatusOr<std::unique_ptr<Cursor>> Open(std::shared_ptr<Log> log,
                                                      const v1::TailLogRequest& request);
  ~Cursor();

  Cursor(const Cursor&) = delete;
  Cursor& operator=(const Cursor&) = delete;

  enum class Next {
    kMore,  // there may be more at once
    kWait,  // nothing more until Wait calls back
    kEnd,   // nothing more will come
  };

  // Appends to `*slices` what comes next: messages on the present state that are new to this
  // reader, then records, up to a little more than `max_bytes` of them (decompressed). With a
  // filter, looks through kSearchedBytes for each byte of that at most, and for kSearchTime and a
  // little more (see LogSearch): others are to have a turn. So it may append nothing and return
  // kMore.
  absl::StatusOr<Next> Read(size_t max_bytes, std::vector<Slice>* slices);

  // The same from memory alone: reads no further than that goes, looks into no line and never waits
  // for the store. Nullopt, having appended nothing, if what comes next cannot be read in that way:
  // Read it.
  std::optional<Next> TryRead(size_t max_bytes, std::vector<Slice>* slices);

  // From now on appends batches as blocks of LZ4 (see Slice), where they are to be had so and all
  // of the batch is wanted; within one call always behind everything else. For a reader without a
  // filter: nothing changes for one that has.
  void AcceptCompressed() { takes_compressed_ = search_ == nullptr; }

  // With a filter, a part of a long search may be done by whom `run_beside` finds (see LogSearch).
  void ShareSearch(RunBeside run_beside) {
    if (search_) search_->ShareWith(std::move(run_beside));
  }

  // Has `wake` called once as soon as Read has something new (see Log::Wait). False if it has
  // already.
  bool Wait(std::function<void()> wake);

  // Forgets the `wake` of the last Wait. One that is just being called is not waited for.
  void CancelWait();

  // Where a new reader would have to go on: the next record to read or, with a pattern, the first
  // of those that have been looked at and may yet come.
  int64_t next() const {
    const int64_t held = search_ ? search_->first_held() : 0;
    return held > 0 ? held : next_;
  }

  // When something is to be read though nothing new has come, by the log's steady clock; infinite
  // most of the time. May be called beside another function.
  absl::Duration ReadsAt() const {
    return search_ ? search_->GivesUpAt() : absl::InfiniteDuration();
  }

  // Whether Read has to look into every line.
  bool filters() const { return search_ != nullptr; }

  // Whether TryRead would find something, or that there is nothing yet. It may be gone a moment
  // later, as others let go of it: for decisions that may be wrong.
  bool IsCheap() const { return !filters() && log_->IsInMemory(next_); }

  // What its reader holds, and whether it may read on: `may_read` tells, for as long as the cursor
  // lives. To be called once at most, before all else. MayRead may be called beside another
  // function, by any thread.
  void Guard(std::function<absl::Status()> may_read) { may_read_ = std::move(may_read); }
  absl::Status MayRead() const { return may_read_ ? may_read_() : absl::OkStatus(); }

  // A heartbeat for this log, as an element of a LogBatch, that says that the reader has looked at
  // everything up to `searched_through`. May be called beside another function.
  Slice Heartbeat(int64_t searched_through) const;

 private:
  Cursor(std::shared_ptr<Log> log, const Log::Snapshot& snapshot, int64_t next, int64_t stop,
         std::unique_ptr<const LogFilter> filter);
  void ReadPresent(const Log::Snapshot& snapshot, std::vector<Slice>* slices);
  absl::StatusOr<size_t> ReadBatch(size_t max_bytes, std::vector<Slice>* slices);
  bool WantsWhole(int64_t first, int64_t last, size_t size, size_t max_bytes) const;
  size_t TakeCompressed(SharedBytes block, size_t size, int64_t last, std::vector<Slice>* slices);
  size_t Take(const Batch& batch, size_t max_bytes, std::vector<Slice>* slices);
  Next NextAfter(const Log::Snapshot& snapshot) const;

  std::function<absl::Status()> may_read_;
  const std::shared_ptr<Log> log_;
  const int64_t stop_;                 // do not read beyond this record
  std::unique_ptr<LogSearch> search_;  // null: no filter
  int64_t next_;
  SharedBytes run_;      // as it was at the start; null once it has been read
  int64_t run_version_;  // that of run_
  int64_t version_ = 0;  // the newest message on the present state that was read
  int64_t wait_ = -1;
  bool takes_compressed_ = false;
  // Whether the reader is to be told where it begins, with run_: it cannot tell from that.
  bool tells_start_ = false;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_CURSOR_H_
