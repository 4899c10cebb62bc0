// The end of a run that a former server process has left without one.
#ifndef JOBTAIL_SERVER_RUN_LOST_RUN_H_
#define JOBTAIL_SERVER_RUN_LOST_RUN_H_

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "jobtail/storage/v1/stored_run.pb.h"
#include "server/log/log_store.h"

namespace jobtail {

// Brings a run to its end that had none when the server went away: its log gets a result as its
// last record, LOST, unless it has one already, and `stored` and the store are told of it. It is
// dated `now`, or as the line before it if that is later. After an error `stored` says LOST, the
// store may not, and it can be tried again with what `stored` was before.
absl::Status CloseLostRun(LogStore* store, absl::Time now, storage::v1::StoredRun* stored);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_LOST_RUN_H_
