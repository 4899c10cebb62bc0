// The stages that a run's lines go through.
#include "server/run/run_output.h"

namespace jobtail {

RunOutput::RunOutput(Log* log, const Masker* masker, Overwrites overwrites, Scheduler* timers)
    : log_(log), first_(&log_) {
  if (overwrites != Overwrites::kKeep) {
    const int64_t kept = overwrites == Overwrites::kThin ? 0 : OverwriteSink::kMostKept;
    overwrite_ = std::make_shared<OverwriteSink>(
        first_, timers, kept, [log](int64_t lines, int64_t time_unix_nanos) {
          log->LeaveOut(lines, v1::GAP_REASON_OVERWRITTEN, time_unix_nanos);
        });
    first_ = overwrite_.get();
  }
  first_ = &characters_.emplace(first_);
  if (!masker->empty()) first_ = &mask_.emplace(masker, first_);
}

OverwriteSink::Dropped RunOutput::Finish() {
  if (mask_) mask_->Finish();
  characters_->Finish();
  return overwrite_ ? overwrite_->Finish() : OverwriteSink::Dropped();
}

}  // namespace jobtail
