// Searching a log, by one thread or two.
#ifndef JOBTAIL_SERVER_LOG_LOG_SEARCH_H_
#define JOBTAIL_SERVER_LOG_LOG_SEARCH_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/log/batch.h"
#include "server/log/filter.h"
#include "server/log/filter_pass.h"
#include "server/log/log.h"

namespace jobtail {

// A search looks through so many bytes for each byte that it may return, and for so long and a
// little more, before it lets others have a turn.
inline constexpr size_t kSearchedBytes = 32;
inline constexpr absl::Duration kSearchTime = absl::Milliseconds(5);

// How far back a search looks for the beginning of a line that it begins within.
inline constexpr size_t kLookBackBytes = 256 << 10;
// How long a line that passes waits for an unfinished one before it, of the other stream, where the
// log has nothing more for now.
inline constexpr absl::Duration kWaitForLine = absl::Milliseconds(500);

// Has a function called, perhaps, by another thread.
using RunBeside = std::function<void(std::function<void()>)>;

// What there is to be searched, and for what.
struct SearchTask {
  std::shared_ptr<Log> log;
  std::shared_ptr<const LogFilter> filter;
  int64_t stop = 0;  // the last record that may be looked at
};

// A piece of a search that another thread may do while its reader searches what lies before it. It
// begins with a batch, the one after that with record `before`: there its reader arrives as well,
// unless batches have been joined meanwhile. It takes the batch to begin with a line's beginning: a
// reader that arrives within a line has no use for it.
//
// Held by its reader, and by the function that has been given away. Thread-safe.
class SearchAhead : public std::enable_shared_from_this<SearchAhead> {
 public:
  // Begins no batch after record `last`, and finds a little more than `max_bytes` at most.
  SearchAhead(SearchTask task, RunBeside run_beside, int64_t before, int64_t last, size_t max_bytes)
      : task_(std::move(task)),
        run_beside_(std::move(run_beside)),
        before_(before),
        last_(last),
        max_bytes_(max_bytes),
        pass_(task_.filter.get()) {}

  void Begin();
  // Once this has been done: so that a reader has one thread beside its own, which need not wait
  // for the reader between two pieces.
  void BeginAfterwards(std::shared_ptr<SearchAhead> next);

  int64_t last() const { return last_; }
  // Whether a reader whose next record is `next` may have come to where this begins.
  bool IsReached(int64_t next) const { return next > before_; }

  // Nobody is to begin it any more.
  void Cancel();

  enum class Taken {
    kAll,      // appended, and `*next` is behind what was looked at
    kNotYet,   // the reader is still before it
    kNothing,  // nothing will be of use
  };
  // For a reader whose next record is `*next`, and whose state up to there is `*pass`: appends what
  // was found and adds its size to `*found`. Waits for who has begun; if nobody has, nobody will.
  Taken Take(int64_t* next, FilterPass* pass, size_t* found, std::vector<Slice>* slices);

 private:
  enum class State { kWaiting, kSearching, kDone };

  void Search();

  const SearchTask task_;
  const RunBeside run_beside_;
  const int64_t before_;
  const int64_t last_;
  const size_t max_bytes_;

  absl::Mutex mutex_;
  State state_ ABSL_GUARDED_BY(mutex_) = State::kWaiting;
  // Once it is done. Where it has begun; 0 if it has not, or met an error: the reader meets that
  // itself.
  int64_t first_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t next_ ABSL_GUARDED_BY(mutex_) = 0;
  size_t found_ ABSL_GUARDED_BY(mutex_) = 0;
  FilterPass pass_ ABSL_GUARDED_BY(mutex_);
  std::vector<Slice> slices_ ABSL_GUARDED_BY(mutex_);
  std::shared_ptr<SearchAhead> afterwards_ ABSL_GUARDED_BY(mutex_);
};

// The search of one reader, whose place in the log is the reader's. Owned by it; not thread-safe.
class LogSearch {
 public:
  explicit LogSearch(SearchTask task) : task_(std::move(task)), pass_(task_.filter.get()) {}
  ~LogSearch();

  LogSearch(const LogSearch&) = delete;
  LogSearch& operator=(const LogSearch&) = delete;

  // From now on a long search has every other piece of it done by whom `run_beside` finds, one
  // after the other, if anybody has time for it.
  void ShareWith(RunBeside run_beside) { run_beside_ = std::move(run_beside); }

  // To be called first, where the reader begins with record `next`: finds out what lines are
  // unfinished there, as far as kLookBackBytes back. Their pieces from there on pass if they match
  // as a whole.
  absl::Status BeginAt(int64_t next);

  // Looks from record `*next` on, up to `last` at most, and moves `*next` behind what it has looked
  // at. Appends what passes the filter, a little more than twice `max_bytes` at most. If nothing
  // comes after `last`, for good, it `is_end`.
  absl::Status Read(int64_t last, bool is_end, size_t max_bytes, int64_t* next,
                    std::vector<Slice>* slices);

  // The first record that has been looked at and may yet be appended; 0 if there is none.
  int64_t first_held() const { return pass_.first_held(); }

  // When what passes has waited long enough for an unfinished line before it, by the log's steady
  // clock: a Read after that appends it. Infinite while nothing waits. May be called beside another
  // function.
  absl::Duration GivesUpAt() const {
    const int64_t at = gives_up_at_.load(std::memory_order_relaxed);
    return at == 0 ? absl::InfiniteDuration() : absl::Nanoseconds(at);
  }

 private:
  bool TakeAhead(int64_t* next, size_t* found, std::vector<Slice>* slices);
  void CatchUp(bool is_end, std::vector<Slice>* slices);
  void SearchAheadOf(int64_t next, int64_t records, int64_t last, size_t max_bytes);

  const SearchTask task_;
  FilterPass pass_;
  std::atomic<int64_t> gives_up_at_ = 0;            // nanoseconds; 0: nothing waits
  RunBeside run_beside_;                            // null: nobody
  std::deque<std::shared_ptr<SearchAhead>> ahead_;  // kPiecesAhead at most, the nearest first
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_SEARCH_H_
