// The thread that syncs, recovers and watches the room on the disk.
#include "server/log/rocksdb_upkeep.h"

#include <utility>

namespace jobtail {

Upkeep::Upkeep(const RocksDbOptions& options, WriteGate* gate)
    : sync_(options.sync),
      interval_(sync_ == SyncMode::kInterval ? options.sync_interval : absl::Seconds(1)),
      gate_(gate),
      thread_("store-upkeep") {
  Run();
}

Upkeep::~Upkeep() {
  thread_.Stop();
  if (sync_ != SyncMode::kNone) gate_->Sync().IgnoreError();
}

void Upkeep::SetBeforeSync(std::function<void()> function) {
  absl::MutexLock lock(&mutex_);
  before_sync_ = std::move(function);
}

void Upkeep::Run() {
  std::function<void()> before_sync;
  {
    absl::MutexLock lock(&mutex_);
    before_sync = before_sync_;
  }
  if (before_sync) before_sync();
  if (sync_ == SyncMode::kInterval) gate_->Sync().IgnoreError();  // the gate tells of it
  gate_->Recover();
  gate_->ForgetRoom();
  gate_->CheckRoom().IgnoreError();
  thread_.After(interval_, [this] { Run(); });
}

}  // namespace jobtail
