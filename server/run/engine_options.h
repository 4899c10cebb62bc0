// Limits of the engine, and what it is built on.
#ifndef JOBTAIL_SERVER_RUN_ENGINE_OPTIONS_H_
#define JOBTAIL_SERVER_RUN_ENGINE_OPTIONS_H_

#include <cstddef>
#include <cstdint>

#include "base/clock.h"
#include "server/log/log_options.h"
#include "server/run/retention_options.h"

namespace jobtail {

namespace access {
class AccessControl;
}  // namespace access

struct EngineOptions {
  LogOptions log = {};
  // How many runs may be at work at the same time, and how many may wait to be, of those jobs that
  // let runs wait.
  int64_t max_active_runs = 1000;
  int64_t max_queued_runs = 1000;
  // How large the parameters of a run may be in all, in bytes.
  size_t max_parameter_bytes = 1 << 20;
  // How much of what was read from the store last is kept in memory, of all logs. 0 for a store
  // that has everything there anyway.
  size_t cache_bytes = size_t{16} << 20;
  // What all logs together may hold that the store does not have yet, in bytes.
  int64_t unsaved_bytes = int64_t{256} << 20;
  // Whether the store waits for the disk with every write: then more threads store what is small.
  bool store_syncs_always = false;
  RetentionOptions retention = {};
  // Who may do what. Null: nobody is asked. Outlives the engine.
  access::AccessControl* access = nullptr;
  // What everything goes by that takes or tells time. Outlives the engine.
  Clock* clock = Clock::System();
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_ENGINE_OPTIONS_H_
