// The stages between a job that prints and its run's log.
#ifndef JOBTAIL_SERVER_RUN_RUN_OUTPUT_H_
#define JOBTAIL_SERVER_RUN_RUN_OUTPUT_H_

#include <memory>
#include <optional>

#include "base/scheduler.h"
#include "capture/sink.h"
#include "server/log/log.h"
#include "server/run/character_sink.h"
#include "server/run/job_options.h"
#include "server/run/log_sink.h"
#include "server/run/mask_sink.h"
#include "server/run/masker.h"
#include "server/run/overwrite_sink.h"

namespace jobtail {

// What lies between a job that prints and its run's log, for functions and processes alike: secrets
// are masked, pieces of characters put together, then lines that overwrite one another are thinned
// out. A stage that a run does not need is not there. Thread-safe.
class RunOutput {
 public:
  // All outlive this; the log is used until Finish.
  RunOutput(Log* log, const Masker* masker, Overwrites overwrites, Scheduler* timers);

  capture::Sink& sink() { return *first_; }

  // Hands on what is held back, once the job prints no more.
  OverwriteSink::Dropped Finish();

 private:
  LogSink log_;
  std::shared_ptr<OverwriteSink> overwrite_;  // null if all is kept
  std::optional<CharacterSink> characters_;   // always there
  std::optional<MaskSink> mask_;              // none if there is nothing to mask
  capture::Sink* first_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RUN_OUTPUT_H_
