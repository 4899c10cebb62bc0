// The declaration of a job's parameters.
#ifndef JOBTAIL_SERVER_RUN_PARAMETER_H_
#define JOBTAIL_SERVER_RUN_PARAMETER_H_

#include <concepts>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "absl/time/time.h"
#include "base/time_span.h"
#include "server/run/parameter_value.h"

namespace jobtail {

namespace v1 {
class Parameter;
}  // namespace v1

template <typename Value>
class TypedParameter;

// A parameter of a job, of whatever type; one is declared by the functions that are named as the
// types are:
//
//   Parameter::Int("times").Default(10).Range(0, 1000000).Help("How many lines to print.")
//
// A parameter without default must be given. A mistake in the declaration that the compiler does
// not find is reported when the job is added. A value; not thread-safe.
class Parameter {
 public:
  static TypedParameter<std::string> String(std::string name);
  static TypedParameter<int64_t> Int(std::string name);
  static TypedParameter<double> Double(std::string name);  // finite
  static TypedParameter<bool> Bool(std::string name);
  static TypedParameter<absl::Duration> Duration(std::string name);  // "1.5s", "2h30m"
  // Absolute, normalised; need not exist.
  static TypedParameter<std::string> Path(std::string name);
  static TypedParameter<std::string> Enum(std::string name, const std::vector<std::string>& values);

  Parameter(const Parameter& other);
  Parameter(Parameter&& other) noexcept;
  Parameter& operator=(const Parameter& other);
  Parameter& operator=(Parameter&& other) noexcept;
  ~Parameter();

  const v1::Parameter& proto() const { return *proto_; }

 protected:
  explicit Parameter(std::unique_ptr<v1::Parameter> proto);

  void SetHelp(std::string text);
  // In the notation of values.
  void SetDefault(std::string value);
  void SetRange(std::string minimum, std::string maximum);
  void SetSecret();
  void SetPattern(std::string pattern);
  static std::string Format(const ParameterValue& value);

 private:
  std::unique_ptr<v1::Parameter> proto_;  // null once it is moved from
};

// One whose values have the type: std::string (of String, Path and Enum), int64_t, double, bool or
// absl::Duration.
template <typename Value>
class TypedParameter final : public Parameter {
 public:
  TypedParameter& Help(std::string text) {
    SetHelp(std::move(text));
    return *this;
  }

  // Of String, Path and Enum text; of Int an integer; of Double a number; of Bool a bool; of
  // Duration an absl::Duration, one of <chrono>, or text such as "1.5s".
  template <typename T>
  TypedParameter& Default(const T& value) {
    SetDefault(ToText(value));
    return *this;
  }
  // Inclusive; of Int, Double and Duration.
  template <typename Minimum, typename Maximum>
  TypedParameter& Range(const Minimum& minimum, const Maximum& maximum) {
    constexpr bool has_limits = !kIsOf<std::string> && !kIsOf<bool>;
    static_assert(has_limits, "Range: Parameter::Int, Double and Duration can have one");
    if constexpr (has_limits) SetRange(ToText(minimum), ToText(maximum));
    return *this;
  }

  // The value is masked in the log and never shown or stored; for String. At most 64 KiB. Its only
  // possible default is the empty text.
  TypedParameter& Secret() {
    static_assert(kIsOf<std::string>, "Secret: only Parameter::String can be one");
    SetSecret();
    return *this;
  }
  // In RE2's syntax, matched against the whole value; for String and Path.
  TypedParameter& Pattern(std::string pattern) {
    static_assert(kIsOf<std::string>, "Pattern: Parameter::String and Path can have one");
    SetPattern(std::move(pattern));
    return *this;
  }

 private:
  friend class Parameter;
  using Parameter::Parameter;

  template <typename T>
  static constexpr bool kIsOf = std::same_as<Value, T>;

  template <typename T>
  static constexpr bool kIsText =
      std::convertible_to<const T&, std::string_view> && !std::is_null_pointer_v<T>;

  template <typename T>
  static constexpr bool kIsNumber = std::is_arithmetic_v<T> && !std::same_as<T, bool>;

  // Whether it can be a value of this one.
  template <typename T>
  static constexpr bool Fits() {
    if constexpr (kIsOf<int64_t>) return kIsNumber<T> && std::is_integral_v<T>;
    if constexpr (kIsOf<double>) return kIsNumber<T>;
    if constexpr (kIsOf<bool>) return std::same_as<T, bool>;
    if constexpr (kIsOf<absl::Duration>) {
      return kIsText<T> || (std::convertible_to<const T&, TimeSpan> && !std::is_arithmetic_v<T>);
    }
    return kIsOf<std::string> && kIsText<T>;
  }

  template <typename T>
  static std::string ToText(const T& value) {
    constexpr bool fits = Fits<T>();
    static_assert(fits || !kIsOf<std::string>,
                  "a value of Parameter::String, Path or Enum is text");
    static_assert(fits || !kIsOf<int64_t>, "a value of Parameter::Int is an integer");
    static_assert(fits || !kIsOf<double>, "a value of Parameter::Double is a number");
    static_assert(fits || !kIsOf<bool>, "a value of Parameter::Bool is a bool");
    static_assert(fits || !kIsOf<absl::Duration>,
                  "a value of Parameter::Duration is an absl::Duration, a duration of <chrono>, or "
                  "text such as \"1.5s\"");
    if constexpr (!fits) {
      return "";
    } else if constexpr (kIsText<T>) {
      return std::string(std::string_view(value));
    } else if constexpr (std::is_integral_v<T> && !kIsOf<bool>) {
      return std::to_string(value);  // also what int64_t has no room for: that is told then
    } else if constexpr (kIsOf<absl::Duration>) {
      return Format(absl::Duration(TimeSpan(value)));
    } else {
      return Format(static_cast<Value>(value));
    }
  }
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_PARAMETER_H_
