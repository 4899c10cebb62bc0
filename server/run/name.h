// The form of jobs' and parameters' names.
#ifndef JOBTAIL_SERVER_RUN_NAME_H_
#define JOBTAIL_SERVER_RUN_NAME_H_

#include <string_view>

namespace jobtail {

// Whether `name` is fit for a job (`dash` allowed) or parameter: a lower-case letter, then
// lower-case letters, digits, "_" and perhaps "-"; at most 63 bytes.
bool IsName(std::string_view name, bool dash);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_NAME_H_
