// How a log collects, keeps in memory and drops what a job prints.
#ifndef JOBTAIL_SERVER_LOG_LOG_OPTIONS_H_
#define JOBTAIL_SERVER_LOG_LOG_OPTIONS_H_

#include <cstddef>

#include "base/time_span.h"

namespace jobtail {

struct LogOptions {
  // What a log may hold that the store does not have yet, in bytes. At the bound the job waits or,
  // if it was declared so or the store is full, its lines are dropped, and a gap says which.
  size_t unsaved_bytes = 8 << 20;
  bool drop_when_full = false;
  // How much of the end of a log readers find in memory, in bytes of encoded records.
  size_t tail_bytes = 1 << 20;
  // How long lines that follow closely on one another are collected before they are stored
  // together; and how long at most where they come so fast that they fill whole batches.
  TimeSpan commit_delay = absl::Microseconds(200);
  TimeSpan full_commit_delay = absl::Milliseconds(2);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LOG_OPTIONS_H_
