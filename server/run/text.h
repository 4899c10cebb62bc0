#ifndef JOBTAIL_SERVER_RUN_TEXT_H_
#define JOBTAIL_SERVER_RUN_TEXT_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace jobtail {

// `text` fit for a proto3 string: bytes that are not valid UTF-8 become "?", and what exceeds
// `max_bytes` is cut off.
std::string ToUtf8(std::string_view text, size_t max_bytes);

// `text` in quotes for an error message: cut after 100 bytes, with what is not printable ASCII
// escaped.
std::string Quoted(std::string_view text);

// Whether `name` is fit for a job (`dash` allowed) or parameter: a lower-case letter, then
// lower-case letters, digits,
// "_" and perhaps "-"; at most 63 bytes.
bool IsName(std::string_view name, bool dash);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_TEXT_H_
