#ifndef JOBTAIL_SERVER_RUN_RUN_ID_H_
#define JOBTAIL_SERVER_RUN_RUN_ID_H_

#include <cstddef>
#include <string>

namespace jobtail {

// The length of every id.
inline constexpr size_t kRunIdSize = 36;

// A new UUID of version 7 (RFC 9562) in its text form: ordered by time, each greater than those
// that this process made before it, with 62 bits from the system's random source. Thread-safe.
std::string NewRunId();

// Whether `text` has the form of an id: a UUID in lower-case hexadecimal.
bool IsRunId(const std::string& text);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_RUN_ID_H_
