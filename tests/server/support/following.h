// Ways to follow a log in tests.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_FOLLOWING_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_FOLLOWING_H_

#include <memory>
#include <vector>

#include "absl/status/statusor.h"
#include "jobtail/v1/job_service.pb.h"
#include "server/log/cursor.h"
#include "server/log/log.h"

namespace jobtail::testing {

// A request that follows from the first record on.
v1::TailLogRequest Follow();

// Waits until `cursor` has something, or has ended. True if it waited.
bool Await(Cursor& cursor);

// Waits until readers of `log` can see record `sequence`.
void AwaitRecord(Log& log, int64_t sequence);

// Reads to the end, waiting as often as need be. Ends the process on an error.
std::vector<v1::LogLine> ReadToEnd(Cursor& cursor, size_t bytes_at_once = 64 << 10);
// The same, and returns the records alone.
std::vector<v1::LogLine> ReadToEnd(const std::shared_ptr<Log>& log,
                                   const v1::TailLogRequest& request = Follow());

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_FOLLOWING_H_
