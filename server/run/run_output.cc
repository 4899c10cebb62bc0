// The stages that a run's lines go through.
#include "server/run/run_output.h"

namespace jobtail {

RunOutput::RunOutput(Log* log, const Masker* masker, bool keep_overwritten, Scheduler* timers)
    : log_(log), first_(&log_) {
  if (!keep_overwritten) {
    overwrite_ = std::make_shared<OverwriteSink>(first_, timers);
    first_ = overwrite_.get();
  }
  if (!masker->empty()) first_ = &mask_.emplace(masker, first_);
}

OverwriteSink::Dropped RunOutput::Finish() {
  if (mask_) mask_->Finish();
  return overwrite_ ? overwrite_->Finish() : OverwriteSink::Dropped();
}

}  // namespace jobtail
