// Parameters of jobs: their declaration, and the check of their values.
#ifndef JOBTAIL_SERVER_RUN_PARAMETER_H_
#define JOBTAIL_SERVER_RUN_PARAMETER_H_

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "jobtail/v1/job.pb.h"

namespace jobtail {

// A parameter's value: of an enum or a path, the string.
using ParameterValue = std::variant<std::string, int64_t, double, bool, absl::Duration>;

// The values of a run's parameters by name.
using ParameterValues = std::map<std::string, ParameterValue>;

// Declares a parameter of a job:
//
//   Parameter::Int("times").Default(10).Range(0, 1000000).Help("How many lines to print.")
//
// A parameter without default must be given. A mistake in the declaration is reported when the job
// is added.
class Parameter {
 public:
  static Parameter String(std::string name);
  static Parameter Int(std::string name);     // 64 bits
  static Parameter Double(std::string name);  // finite
  static Parameter Bool(std::string name);
  static Parameter Duration(std::string name);  // "1.5s", "2h30m"
  static Parameter Path(std::string name);      // absolute, normalised; need not exist
  static Parameter Enum(std::string name, const std::vector<std::string>& values);

  Parameter& Help(std::string text);
  Parameter& Default(const ParameterValue& value);
  // Inclusive; for Int, Double and Duration.
  Parameter& Range(const ParameterValue& minimum, const ParameterValue& maximum);

  // The value is masked in the log and never shown or stored; for String. At most 64 KiB. Its only
  // possible default is the empty text.
  Parameter& Secret();

  // In RE2's syntax, matched against the whole value; for String and Path.
  Parameter& Pattern(std::string pattern);

  const v1::Parameter& proto() const { return proto_; }

 private:
  Parameter(std::string name, v1::ParameterType type);

  v1::Parameter proto_;
};

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

#endif  // JOBTAIL_SERVER_RUN_PARAMETER_H_
