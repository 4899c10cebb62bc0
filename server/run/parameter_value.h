// The values of parameters.
#ifndef JOBTAIL_SERVER_RUN_PARAMETER_VALUE_H_
#define JOBTAIL_SERVER_RUN_PARAMETER_VALUE_H_

#include <cstdint>
#include <map>
#include <string>
#include <variant>

#include "absl/time/time.h"

namespace jobtail {

// A parameter's value: of an enum or a path, the string.
using ParameterValue = std::variant<std::string, int64_t, double, bool, absl::Duration>;

// The values of a run's parameters by name.
using ParameterValues = std::map<std::string, ParameterValue>;

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_PARAMETER_VALUE_H_
