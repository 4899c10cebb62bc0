// Declarations of parameters, and the notations of their values.
#include "server/run/parameter.h"

#include <re2/re2.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/quoting.h"
#include "jobtail/v1/job.pb.h"
#include "server/run/name.h"
#include "server/run/parameter_check.h"

namespace jobtail {
namespace {

constexpr size_t kMaxSecretBytes = 64 << 10;

std::optional<ParameterValue> ReadInt(const std::string& text) {
  int64_t value;
  if (!absl::SimpleAtoi(text, &value)) return std::nullopt;
  return value;
}

std::optional<ParameterValue> ReadDouble(const std::string& text) {
  double value;
  if (!absl::SimpleAtod(text, &value) || !std::isfinite(value)) return std::nullopt;
  return value;
}

std::optional<ParameterValue> ReadBool(const std::string& text) {
  for (const char* word : {"true", "1", "yes"}) {
    if (absl::EqualsIgnoreCase(text, word)) return true;
  }
  for (const char* word : {"false", "0", "no"}) {
    if (absl::EqualsIgnoreCase(text, word)) return false;
  }
  return std::nullopt;
}

std::optional<ParameterValue> ReadDuration(const std::string& text) {
  absl::Duration value;
  if (!absl::ParseDuration(text, &value)) return std::nullopt;
  if (value == absl::InfiniteDuration() || value == -absl::InfiniteDuration()) return std::nullopt;
  return value;
}

std::optional<ParameterValue> ReadEnum(const v1::Parameter& parameter, const std::string& text) {
  if (std::ranges::find(parameter.values(), text) == parameter.values().end()) return std::nullopt;
  return text;
}

// Absolute and normalised: whoever allows a directory by a pattern can rely on it.
std::optional<ParameterValue> ReadPath(const std::string& text) {
  if (text == "/") return text;
  if (text.empty() || text.front() != '/' || text.find('\0') != std::string::npos) {
    return std::nullopt;
  }
  for (const absl::string_view part : absl::StrSplit(text.substr(1), '/')) {
    if (part.empty() || part == "." || part == "..") return std::nullopt;
  }
  return text;
}

// A value by type alone, without the limits.
std::optional<ParameterValue> Read(const v1::Parameter& parameter, const std::string& text) {
  switch (parameter.type()) {
    case v1::PARAMETER_TYPE_STRING:
      return text;
    case v1::PARAMETER_TYPE_INT:
      return ReadInt(text);
    case v1::PARAMETER_TYPE_DOUBLE:
      return ReadDouble(text);
    case v1::PARAMETER_TYPE_BOOL:
      return ReadBool(text);
    case v1::PARAMETER_TYPE_ENUM:
      return ReadEnum(parameter, text);
    case v1::PARAMETER_TYPE_DURATION:
      return ReadDuration(text);
    case v1::PARAMETER_TYPE_PATH:
      return ReadPath(text);
    default:
      return std::nullopt;
  }
}

std::string Expected(const v1::Parameter& parameter) {
  switch (parameter.type()) {
    case v1::PARAMETER_TYPE_INT:
      return "an integer of 64 bits, such as 10";
    case v1::PARAMETER_TYPE_DOUBLE:
      return "a finite number, such as 0.5";
    case v1::PARAMETER_TYPE_BOOL:
      return "true or false";
    case v1::PARAMETER_TYPE_ENUM:
      return absl::StrCat("one of: ", absl::StrJoin(parameter.values(), ", "));
    case v1::PARAMETER_TYPE_DURATION:
      return "a duration with its unit, such as 1.5s or 2h30m";
    case v1::PARAMETER_TYPE_PATH:
      return "an absolute path without empty parts, \".\" and \"..\", such as /var/backups";
    default:
      return "text";
  }
}

absl::Status Wrong(const v1::Parameter& parameter, const std::string& text,
                   const std::string& expected) {
  return absl::InvalidArgumentError(absl::StrCat("parameter ", parameter.name(), "=",
                                                 parameter.secret() ? kMask : Quoted(text),
                                                 ": give ", expected));
}

bool HasLimits(v1::ParameterType type) {
  return type == v1::PARAMETER_TYPE_INT || type == v1::PARAMETER_TYPE_DOUBLE ||
         type == v1::PARAMETER_TYPE_DURATION;
}

absl::Status CheckPattern(const v1::Parameter& parameter) {
  if (parameter.pattern().empty()) return absl::OkStatus();
  if (parameter.type() != v1::PARAMETER_TYPE_STRING &&
      parameter.type() != v1::PARAMETER_TYPE_PATH) {
    return absl::InvalidArgumentError(absl::StrCat(
        "parameter ", parameter.name(), ": has a pattern; only String and Path can have one"));
  }
  const RE2 pattern(parameter.pattern(), RE2::Quiet);
  if (pattern.ok()) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("parameter ", parameter.name(), ": pattern ",
                                                 Quoted(parameter.pattern()), ": ", pattern.error(),
                                                 "; give one in RE2's syntax"));
}

absl::Status CheckSecret(const v1::Parameter& parameter) {
  if (!parameter.secret()) return absl::OkStatus();
  if (parameter.type() != v1::PARAMETER_TYPE_STRING) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", parameter.name(), ": is a secret; only String can be one"));
  }
  if (parameter.default_value().empty()) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("parameter ", parameter.name(),
                   ": is a secret and has a default, which everybody would see; leave it out"));
}

// The default and the limits must themselves be values of the type.
absl::Status CheckOwnValues(const v1::Parameter& parameter) {
  if (const absl::Status status = CheckPattern(parameter); !status.ok()) return status;
  if (const absl::Status status = CheckSecret(parameter); !status.ok()) return status;
  for (const std::string& limit : {parameter.minimum(), parameter.maximum()}) {
    if (limit.empty()) continue;
    if (!HasLimits(parameter.type())) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameter ", parameter.name(),
                       ": has a range; only Int, Double and Duration can have one"));
    }
    if (!Read(parameter, limit)) return Wrong(parameter, limit, Expected(parameter));
  }
  if (!parameter.minimum().empty() && !parameter.maximum().empty() &&
      *Read(parameter, parameter.minimum()) > *Read(parameter, parameter.maximum())) {
    return absl::InvalidArgumentError(absl::StrCat("parameter ", parameter.name(),
                                                   ": its range is empty: ", parameter.minimum(),
                                                   " to ", parameter.maximum()));
  }
  if (parameter.required()) return absl::OkStatus();
  return ParseValue(parameter, parameter.default_value()).status();
}

std::unique_ptr<v1::Parameter> Declare(std::string name, v1::ParameterType type) {
  auto proto = std::make_unique<v1::Parameter>();
  proto->set_name(std::move(name));
  proto->set_type(type);
  proto->set_required(true);
  return proto;
}

}  // namespace

Parameter::Parameter(std::unique_ptr<v1::Parameter> proto) : proto_(std::move(proto)) {}
Parameter::Parameter(const Parameter& other)
    : proto_(std::make_unique<v1::Parameter>(*other.proto_)) {}
Parameter::Parameter(Parameter&& other) noexcept = default;
Parameter& Parameter::operator=(const Parameter& other) { return *this = Parameter(other); }
Parameter& Parameter::operator=(Parameter&& other) noexcept = default;
Parameter::~Parameter() = default;

TypedParameter<std::string> Parameter::String(std::string name) {
  return TypedParameter<std::string>(Declare(std::move(name), v1::PARAMETER_TYPE_STRING));
}

TypedParameter<int64_t> Parameter::Int(std::string name) {
  return TypedParameter<int64_t>(Declare(std::move(name), v1::PARAMETER_TYPE_INT));
}

TypedParameter<double> Parameter::Double(std::string name) {
  return TypedParameter<double>(Declare(std::move(name), v1::PARAMETER_TYPE_DOUBLE));
}

TypedParameter<bool> Parameter::Bool(std::string name) {
  return TypedParameter<bool>(Declare(std::move(name), v1::PARAMETER_TYPE_BOOL));
}

TypedParameter<absl::Duration> Parameter::Duration(std::string name) {
  return TypedParameter<absl::Duration>(Declare(std::move(name), v1::PARAMETER_TYPE_DURATION));
}

TypedParameter<std::string> Parameter::Path(std::string name) {
  return TypedParameter<std::string>(Declare(std::move(name), v1::PARAMETER_TYPE_PATH));
}

TypedParameter<std::string> Parameter::Enum(std::string name,
                                            const std::vector<std::string>& values) {
  auto proto = Declare(std::move(name), v1::PARAMETER_TYPE_ENUM);
  proto->mutable_values()->Add(values.begin(), values.end());
  return TypedParameter<std::string>(std::move(proto));
}

void Parameter::SetHelp(std::string text) { proto_->set_help(std::move(text)); }

void Parameter::SetDefault(std::string value) {
  proto_->set_required(false);
  proto_->set_default_value(std::move(value));
}

void Parameter::SetRange(std::string minimum, std::string maximum) {
  proto_->set_minimum(std::move(minimum));
  proto_->set_maximum(std::move(maximum));
}

void Parameter::SetSecret() { proto_->set_secret(true); }

void Parameter::SetPattern(std::string pattern) { proto_->set_pattern(std::move(pattern)); }

std::string Parameter::Format(const ParameterValue& value) { return FormatValue(value); }

absl::Status CheckDeclaration(const v1::Parameter& parameter) {
  if (!IsName(parameter.name(), /*dash=*/false)) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", Quoted(parameter.name()),
                     ": a name is a lower-case letter, then lower-case letters, digits and \"_\"; "
                     "at most 63 in all"));
  }
  if (parameter.type() == v1::PARAMETER_TYPE_ENUM && parameter.values().empty()) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", parameter.name(), ": an enum needs at least one value"));
  }
  return CheckOwnValues(parameter);
}

absl::StatusOr<ParameterValue> ParseValue(const v1::Parameter& parameter, const std::string& text) {
  std::optional<ParameterValue> value = Read(parameter, text);
  if (!value) return Wrong(parameter, text, Expected(parameter));
  if (!parameter.minimum().empty() && *value < *Read(parameter, parameter.minimum())) {
    return Wrong(parameter, text, absl::StrCat(parameter.minimum(), " or more"));
  }
  if (!parameter.maximum().empty() && *value > *Read(parameter, parameter.maximum())) {
    return Wrong(parameter, text, absl::StrCat(parameter.maximum(), " or less"));
  }
  if (!parameter.pattern().empty() && !RE2::FullMatch(text, parameter.pattern())) {
    return Wrong(parameter, text, absl::StrCat("text that matches ", parameter.pattern()));
  }
  if (parameter.secret() && text.size() > kMaxSecretBytes) {
    return Wrong(parameter, text, absl::StrCat("at most ", kMaxSecretBytes, " bytes"));
  }
  return *std::move(value);
}

std::string FormatValue(const ParameterValue& value) {
  struct Formatter {
    std::string operator()(const std::string& text) { return text; }
    std::string operator()(int64_t number) { return absl::StrCat(number); }
    std::string operator()(double number) {
      std::array<char, 32> digits;  // the fewest that read back the same
      const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), number).ptr;
      return {digits.data(), end};
    }
    std::string operator()(bool flag) { return flag ? "true" : "false"; }
    std::string operator()(absl::Duration duration) { return absl::FormatDuration(duration); }
  };
  return std::visit(Formatter{}, value);
}

}  // namespace jobtail
