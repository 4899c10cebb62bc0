// The thread that syncs, recovers and watches the room on the disk.
#include "server/log/rocksdb_upkeep.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"

namespace jobtail {
namespace {

absl::Duration Now() { return Clock::System()->Steady(); }

}  // namespace

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

absl::Status Upkeep::CheckHealth() const {
  const int64_t began = round_began_nanos_;
  if (began == 0) return absl::OkStatus();
  const absl::Duration took = Now() - absl::Nanoseconds(began);
  if (took <= kPatience) return absl::OkStatus();
  return absl::UnavailableError(absl::StrCat(
      gate_->name(), ": the disk has not answered for ",
      absl::FormatDuration(absl::Trunc(took, absl::Seconds(1))), "; see whether it works"));
}

void Upkeep::Run() {
  const absl::Duration began = Now();
  round_began_nanos_ = absl::ToInt64Nanoseconds(began);
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
  round_began_nanos_ = 0;
  // What is written just after a sync has begun is on the disk when the next has ended: rounds
  // begin twice in the time that is promised.
  const absl::Duration took = Now() - began;
  thread_.After(std::max(interval_ / 2 - took, absl::ZeroDuration()), [this] { Run(); });
}

}  // namespace jobtail
