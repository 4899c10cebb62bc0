// The check of parameters' declarations and values, which is the engine's.
#ifndef JOBTAIL_SERVER_RUN_PARAMETER_CHECK_H_
#define JOBTAIL_SERVER_RUN_PARAMETER_CHECK_H_

#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "jobtail/v1/job.pb.h"
#include "server/run/parameter_value.h"

namespace jobtail {

// Whether the declaration makes sense: INVALID_ARGUMENT naming what does not.
absl::Status CheckDeclaration(const v1::Parameter& parameter);

// Reads a value in the notation of the parameter's type and checks its limits. INVALID_ARGUMENT
// with the parameter, the value and what would be right.
absl::StatusOr<ParameterValue> ParseValue(const v1::Parameter& parameter, const std::string& text);

// What is shown in place of a secret.
inline constexpr char kMask[] = "***";

// A value in the notation of its type; ParseValue reads it back.
std::string FormatValue(const ParameterValue& value);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_PARAMETER_CHECK_H_
