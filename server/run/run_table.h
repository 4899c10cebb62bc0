// The table of a server's runs, and the order of their changes.
#ifndef JOBTAIL_SERVER_RUN_RUN_TABLE_H_
#define JOBTAIL_SERVER_RUN_RUN_TABLE_H_

#include <array>
#include <condition_variable>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/btree_map.h"
#include "absl/container/btree_set.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "base/scheduler.h"
#include "base/wait_list.h"
#include "server/run/run.h"
#include "server/run/view.h"

namespace jobtail {

// All runs of a server, and what has become of them in what order: each change of a run gives it
// the next version, so that a watcher is a cursor, too, and reads only the last of several changes
// that it was too slow for. Thread-safe.
//
// It has the runs sorted by job, by whom they were started, and by state, and those that have ended
// by their end, so that nobody goes through all of them under its lock: a page costs what it has,
// however few of all runs are wanted. The table learns of a run's state from the run, which holds
// its own lock meanwhile, and calls nothing of a run that takes one.
class RunTable {
 public:
  // `waker` calls the watchers, and lends the table its clock. It outlives the table.
  explicit RunTable(Scheduler* waker) : waker_(waker) {}

  void Add(std::shared_ptr<Run> run);
  // Adds a run that ended before the server started: no change for anybody.
  void AddEnded(std::shared_ptr<Run> run);
  // Those that are not there are passed over.
  void Remove(absl::Span<const std::shared_ptr<Run>> runs);

  // Notes the run's new state; `now` is by the steady clock. The run's lock may be held.
  void Move(const std::string& id, v1::RunState state, absl::Duration now);
  // Notes that the run has changed.
  void Touch(const std::string& id);
  // Notes that the run's thread is gone, or never was.
  void Done(const std::string& id);

  // By its id, or by the beginning of one, of four characters or more, that no other run's id has.
  // NOT_FOUND if there is none; INVALID_ARGUMENT for an empty id, and for the beginning of several,
  // which are then named. Runs that the filter does not want are not there.
  absl::StatusOr<std::shared_ptr<Run>> Find(const std::string& id,
                                            const RunFilter& filter = {}) const;

  // Newest first, those older than `before` alone (empty: all), `limit` at most.
  std::vector<std::shared_ptr<Run>> List(const std::string& before, size_t limit,
                                         const RunFilter& filter) const;
  // Oldest first, those newer than `after` alone, `limit` at most.
  std::vector<std::shared_ptr<Run>> ListOldest(const std::string& after, size_t limit,
                                               const RunFilter& filter) const;
  // Those of the job that have ended before `time`, by the steady clock; of those that AddEnded has
  // added, before `of_earlier`. The first to end first of either, `limit` at most.
  std::vector<std::shared_ptr<Run>> ListEnded(const std::string& job, absl::Duration time,
                                              absl::Duration of_earlier, size_t limit) const;

  // How many runs there are of each job in each state; jobs and states that have none are left out.
  std::map<std::pair<std::string, v1::RunState>, int64_t> Count() const;

  // The runs that have not ended.
  std::vector<std::shared_ptr<Run>> Active() const;
  // Waits until all have ended and their threads need nothing of the server any more. False if that
  // takes longer than `grace`, by the steady clock.
  bool AwaitIdle(absl::Duration grace) const;

  struct Change {
    std::shared_ptr<Run> run;        // null once it is deleted; then, in its place:
    std::optional<v1::Run> deleted;  // what it was, without its parameters
  };
  int64_t version() const;
  // The first change after `*version`, which is set to the change's.
  std::optional<Change> Next(int64_t* version) const;
  // Has `wake` called once, on another thread, when there is a change after `version`. False if
  // there is already.
  bool Wait(int64_t version, std::function<void()> wake, int64_t* id);
  void CancelWait(int64_t id);

 private:
  // A run's id: the run's own, which is in runs_ for as long as anything here has it.
  using Id = std::string_view;
  using Ids = absl::btree_set<Id>;
  struct Entry {
    std::shared_ptr<Run> run;
    v1::RunState state;
    int64_t version = 0;  // of its last change; 0 if there was none
  };
  using IdsByState = std::array<Ids, v1::RunState_ARRAYSIZE>;
  struct JobRuns {
    IdsByState by_state;
    std::map<std::string, IdsByState> by_creator;  // of those that have one, once more
    // By their end, nanoseconds of the steady clock: those that have ended since the start, and
    // those that had ended before.
    using ByEnd = absl::btree_set<std::pair<int64_t, Id>>;
    ByEnd by_end;
    ByEnd earlier_by_end;
  };

  // What is to be known of a run before the table's lock is taken.
  struct Removal {
    const Run* run;
    absl::Duration ended;
    v1::Run last;
  };

  void AddLocked(std::shared_ptr<Run> run, v1::RunState state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void RemoveLocked(Removal* removal) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void InsertLocked(Id id, const Run& run, v1::RunState state)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void EraseLocked(Id id, const Run& run, v1::RunState state) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  static const IdsByState* ChooseLocked(const std::string& name, const JobRuns& job,
                                        const RunFilter& filter);
  std::vector<const Ids*> ChooseLocked(const RunFilter& filter) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  absl::StatusOr<std::shared_ptr<Run>> FindByPrefixLocked(const std::string& prefix,
                                                          const RunFilter& filter) const
      ABSL_SHARED_LOCKS_REQUIRED(mutex_);
  void TouchLocked(Id id, Entry* entry) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WakeLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsIdle() const;

  Scheduler* const waker_;

  // For AwaitIdle, which goes by the clock: taken before mutex_.
  mutable std::mutex idle_mutex_;
  mutable std::condition_variable idle_changed_;

  mutable absl::Mutex mutex_;
  absl::btree_map<Id, Entry> runs_ ABSL_GUARDED_BY(mutex_);
  std::map<std::string, JobRuns> jobs_ ABSL_GUARDED_BY(mutex_);                 // that have runs
  std::map<std::string, std::shared_ptr<Run>> active_ ABSL_GUARDED_BY(mutex_);  // until Done
  int64_t version_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::btree_map<int64_t, Id> changes_ ABSL_GUARDED_BY(mutex_);  // each run's last, by version
  std::map<int64_t, v1::Run> deleted_ ABSL_GUARDED_BY(mutex_);    // the same of the latest deleted
  WaitList waits_ ABSL_GUARDED_BY(mutex_);
};

// A watcher's place among the changes: first each run that has not ended, then each change. Owned
// by its reader; not thread-safe. The table outlives it.
class RunWatch {
 public:
  // Only runs of `job`; empty for all. Those that `view` lets be listed, as it lets them be seen;
  // null: all.
  RunWatch(RunTable* table, std::string job, std::unique_ptr<View> view = nullptr);
  ~RunWatch() { CancelWait(); }

  RunWatch(const RunWatch&) = delete;
  RunWatch& operator=(const RunWatch&) = delete;

  // The next run, as it is now; nullopt if nothing has changed.
  std::optional<v1::Run> Next();

  // What its reader holds, and whether it may read on: see Cursor::Guard.
  void Guard(std::function<absl::Status()> may_read) { may_read_ = std::move(may_read); }
  absl::Status MayRead() const { return may_read_ ? may_read_() : absl::OkStatus(); }

  // See RunTable::Wait.
  bool Wait(std::function<void()> wake);
  void CancelWait();

 private:
  bool IsWanted(const std::string& job, const std::string& created_by) const;
  v1::Run Show(const Run& run) const;

  RunTable* const table_;
  const std::string job_;
  const std::unique_ptr<View> view_;
  std::function<absl::Status()> may_read_;
  int64_t version_;
  std::deque<std::shared_ptr<Run>> initial_;
  int64_t wait_ = -1;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RUN_TABLE_H_
