// The declaration of a job's parameters.
#ifndef JOBTAIL_SERVER_RUN_PARAMETER_H_
#define JOBTAIL_SERVER_RUN_PARAMETER_H_

#include <concepts>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "base/time_span.h"
#include "server/run/parameter_value.h"

namespace jobtail {

namespace v1 {
class Parameter;
}  // namespace v1

// Declares a parameter of a job:
//
//   Parameter::Int("times").Default(10).Range(0, 1000000).Help("How many lines to print.")
//
// A parameter without default must be given. A mistake in the declaration is reported when the job
// is added. A value; not thread-safe.
class Parameter {
 public:
  static Parameter String(std::string name);
  static Parameter Int(std::string name);     // 64 bits
  static Parameter Double(std::string name);  // finite
  static Parameter Bool(std::string name);
  static Parameter Duration(std::string name);  // "1.5s", "2h30m"
  static Parameter Path(std::string name);      // absolute, normalised; need not exist
  static Parameter Enum(std::string name, const std::vector<std::string>& values);

  Parameter(const Parameter& other);
  Parameter(Parameter&& other) noexcept;
  Parameter& operator=(const Parameter& other);
  Parameter& operator=(Parameter&& other) noexcept;
  ~Parameter();

  Parameter& Help(std::string text);

  // Text, a number, a bool, or a duration: absl::Duration or of <chrono>. Text is read as if it
  // were given with a run.
  template <typename T>
  Parameter& Default(const T& value) {
    return SetDefault(ToText(value));
  }
  // Inclusive; for Int, Double and Duration.
  template <typename Minimum, typename Maximum>
  Parameter& Range(const Minimum& minimum, const Maximum& maximum) {
    return SetRange(ToText(minimum), ToText(maximum));
  }

  // The value is masked in the log and never shown or stored; for String. At most 64 KiB. Its only
  // possible default is the empty text.
  Parameter& Secret();

  // In RE2's syntax, matched against the whole value; for String and Path.
  Parameter& Pattern(std::string pattern);

  const v1::Parameter& proto() const { return *proto_; }

 private:
  explicit Parameter(std::unique_ptr<v1::Parameter> proto);

  // In the notation of values.
  template <typename T>
  static std::string ToText(const T& value) {
    constexpr bool is_text =
        std::convertible_to<const T&, std::string_view> && !std::is_null_pointer_v<T>;
    constexpr bool is_duration = std::convertible_to<const T&, TimeSpan>;
    static_assert(
        std::is_arithmetic_v<T> || std::same_as<T, ParameterValue> || is_text || is_duration,
        "a parameter's value is text, a number, a bool, an absl::Duration or a duration "
        "of <chrono>");
    if constexpr (std::same_as<T, bool>) {
      return value ? "true" : "false";
    } else if constexpr (std::is_floating_point_v<T>) {
      return FormatDouble(static_cast<double>(value));
    } else if constexpr (std::is_integral_v<T>) {
      return std::to_string(value);
    } else if constexpr (is_text) {
      return std::string(std::string_view(value));
    } else if constexpr (is_duration) {
      return absl::FormatDuration(TimeSpan(value));
    } else if constexpr (std::same_as<T, ParameterValue>) {
      return Format(value);
    } else {
      return "";
    }
  }
  static std::string FormatDouble(double value);
  static std::string Format(const ParameterValue& value);

  Parameter& SetDefault(std::string value);
  Parameter& SetRange(std::string minimum, std::string maximum);

  std::unique_ptr<v1::Parameter> proto_;  // null once it is moved from
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_PARAMETER_H_
