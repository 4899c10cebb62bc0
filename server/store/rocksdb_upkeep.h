// What a store does by itself, once a second or so.
#ifndef JOBTAIL_SERVER_STORE_ROCKSDB_UPKEEP_H_
#define JOBTAIL_SERVER_STORE_ROCKSDB_UPKEEP_H_

#include <atomic>
#include <cstdint>
#include <functional>

#include "absl/base/thread_annotations.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "server/store/rocksdb_options.h"
#include "server/store/rocksdb_write_gate.h"

namespace jobtail {

// Syncs, looks at the room on the disk and recovers from errors, over and over, on a thread of its
// own, and the first time in the constructor. A store owns it; `gate` outlives it. Thread-safe.
class Upkeep {
 public:
  Upkeep(const RocksDbOptions& options, WriteGate* gate);
  // Syncs for the last time, unless with SyncMode::kNone.
  ~Upkeep();

  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  // Has `function` called before each sync; where there are none, twice a second. It must not take
  // long, or call `progressed` whenever the disk has done its part, and may be called until the
  // destructor has returned.
  using BeforeSync = std::function<void(absl::FunctionRef<void()> progressed)>;
  void SetBeforeSync(BeforeSync function);

  // UNAVAILABLE while nothing has come of a round for longer than kPatience: the disk does not
  // answer. Never waits.
  absl::Status CheckHealth() const;

  static constexpr absl::Duration kPatience = absl::Seconds(5);

 private:
  void Run();
  void NoteProgress();

  Clock* const clock_;
  const SyncMode sync_;
  const absl::Duration interval_;
  WriteGate* const gate_;
  // When the round that is going on began or came further, by the steady clock; zero between
  // rounds.
  std::atomic<int64_t> progressed_nanos_ = 0;

  absl::Mutex mutex_;
  BeforeSync before_sync_ ABSL_GUARDED_BY(mutex_);

  void PauseCompactions();

  Scheduler thread_;       // last, these two: they use the rest
  Scheduler compactions_;  // never writes: it ends what writing waits for
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STORE_ROCKSDB_UPKEEP_H_
