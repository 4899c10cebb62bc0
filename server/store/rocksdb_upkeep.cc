// The thread that syncs, recovers and watches the room on the disk.
#include "server/store/rocksdb_upkeep.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"

namespace jobtail {

Upkeep::Upkeep(const RocksDbOptions& options, WriteGate* gate)
    : clock_(options.clock),
      sync_(options.sync),
      interval_(sync_ == SyncMode::kInterval ? options.sync_interval : TimeSpan(absl::Seconds(1))),
      gate_(gate),
      thread_("store-upkeep", clock_),
      compactions_("store-compactions", clock_) {
  Run();
  PauseCompactions();
}

void Upkeep::PauseCompactions() {
  gate_->PauseCompactions();
  compactions_.After(absl::Seconds(1), [this] { PauseCompactions(); });
}

Upkeep::~Upkeep() {
  compactions_.Stop();
  thread_.Stop();
  if (sync_ != SyncMode::kNone) gate_->Sync().IgnoreError();
}

void Upkeep::SetBeforeSync(BeforeSync function) {
  absl::MutexLock lock(&mutex_);
  before_sync_ = std::move(function);
}

absl::Status Upkeep::CheckHealth() const {
  const int64_t progressed = progressed_nanos_;
  if (progressed == 0) return absl::OkStatus();
  const absl::Duration took = clock_->Steady() - absl::Nanoseconds(progressed);
  if (took <= kPatience) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      gate_->name(), ": the disk has not answered for ",
      absl::FormatDuration(absl::Trunc(took, absl::Seconds(1))), "; see whether it works"));
}

void Upkeep::NoteProgress() {
  progressed_nanos_ = std::max<int64_t>(absl::ToInt64Nanoseconds(clock_->Steady()), 1);
}

void Upkeep::Run() {
  const absl::Duration began = clock_->Steady();
  NoteProgress();
  BeforeSync before_sync;
  {
    absl::MutexLock lock(&mutex_);
    before_sync = before_sync_;
  }
  if (before_sync) before_sync([this] { NoteProgress(); });
  if (sync_ == SyncMode::kInterval) gate_->Sync().IgnoreError();  // the gate tells of it
  gate_->Recover();
  gate_->ForgetRoom();
  gate_->CheckRoom().IgnoreError();
  progressed_nanos_ = 0;
  // What is written just after a sync has begun is on the disk when the next has ended: rounds
  // begin twice in the time that is promised.
  const absl::Duration took = clock_->Steady() - began;
  thread_.After(std::max(interval_ / 2 - took, absl::ZeroDuration()), [this] { Run(); });
}

}  // namespace jobtail
