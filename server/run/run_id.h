// The ids of runs: UUIDs of version 7 that never run backwards.
#ifndef JOBTAIL_SERVER_RUN_RUN_ID_H_
#define JOBTAIL_SERVER_RUN_RUN_ID_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>

#include "absl/time/time.h"

namespace jobtail {

// The length of every id.
inline constexpr size_t kRunIdSize = 36;

// Makes the ids of a server's runs: UUIDs of version 7 (RFC 9562) in their text form, which begin
// with the time, with 62 bits from the system's random source. Thread-safe.
//
// Each id is greater than those before it, so that runs sorted by id are in the order in which they
// were created. After the clock has been set back, ids go on from the latest time that one had.
class RunIds {
 public:
  std::string Make(absl::Time now);

  // Those that are made from now on are greater than `id`, which an earlier process made.
  void Continue(const std::string& id);

 private:
  std::atomic<uint64_t> last_ = 0;  // what the latest began with: see .cc
};

// Whether `text` has the form of an id: a UUID in lower-case hexadecimal.
bool IsRunId(const std::string& text);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RUN_ID_H_
