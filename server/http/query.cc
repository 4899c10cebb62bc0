// Percent-encoding, and values as fields of messages.
#include "server/http/query.h"

#include <google/protobuf/duration.pb.h>
#include <google/protobuf/timestamp.pb.h>
#include <google/protobuf/util/time_util.h>

#include <set>

#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_split.h"
#include "base/quoting.h"
#include "base/utf8.h"

namespace jobtail::http {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::Duration;
using google::protobuf::EnumValueDescriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::Timestamp;

int HexValue(char digit) {
  return absl::ascii_isdigit(digit) ? digit - '0' : (digit | 0x20) - 'a' + 10;
}

absl::Status BadValue(const FieldDescriptor& field, const std::string& value,
                      const std::string& want) {
  return absl::InvalidArgumentError(
      absl::StrCat("parameter ", field.name(), "=", Quoted(value), ": give ", want));
}

absl::Status UnknownName(const Descriptor& type, const std::string& name) {
  std::vector<std::string> names;
  for (int i = 0; i < type.field_count(); ++i) names.push_back(type.field(i)->name());
  return absl::InvalidArgumentError(absl::StrCat("parameter ", Quoted(name),
                                                 ": there is none of this name; there are ",
                                                 absl::StrJoin(names, ", ")));
}

absl::Status SetInteger(const FieldDescriptor& field, const std::string& value,
                        google::protobuf::Message* message) {
  int64_t number;
  const bool small = field.cpp_type() == FieldDescriptor::CPPTYPE_INT32;
  if (!absl::SimpleAtoi(value, &number) || (small && number != static_cast<int32_t>(number))) {
    return BadValue(field, value, "an integer");
  }
  if (small) {
    message->GetReflection()->SetInt32(message, &field, static_cast<int32_t>(number));
  } else {
    message->GetReflection()->SetInt64(message, &field, number);
  }
  return absl::OkStatus();
}

absl::Status SetBool(const FieldDescriptor& field, const std::string& value,
                     google::protobuf::Message* message) {
  const bool is_true = value == "true" || value == "1";
  if (!is_true && value != "false" && value != "0") return BadValue(field, value, "true or false");
  message->GetReflection()->SetBool(message, &field, is_true);
  return absl::OkStatus();
}

absl::Status AddEnum(const FieldDescriptor& field, const std::string& value,
                     google::protobuf::Message* message) {
  const EnumValueDescriptor* found = field.enum_type()->FindValueByName(value);
  int number;
  if (!found && absl::SimpleAtoi(value, &number))
    found = field.enum_type()->FindValueByNumber(number);
  if (!found) {
    return BadValue(field, value,
                    absl::StrCat("a value such as ", field.enum_type()->value(1)->name()));
  }
  if (field.is_repeated()) {
    message->GetReflection()->AddEnum(message, &field, found);
  } else {
    message->GetReflection()->SetEnum(message, &field, found);
  }
  return absl::OkStatus();
}

absl::Status SetTime(const FieldDescriptor& field, const std::string& value,
                     google::protobuf::Message* message) {
  Timestamp time;
  if (!google::protobuf::util::TimeUtil::FromString(value, &time)) {
    return BadValue(field, value, "a time such as 2026-11-23T09:30:00Z");
  }
  message->GetReflection()->MutableMessage(message, &field)->CopyFrom(time);
  return absl::OkStatus();
}

absl::Status SetDuration(const FieldDescriptor& field, const std::string& value,
                         google::protobuf::Message* message) {
  Duration duration;
  if (!google::protobuf::util::TimeUtil::FromString(value, &duration)) {
    return BadValue(field, value, "seconds such as 90s or 0.5s");
  }
  message->GetReflection()->MutableMessage(message, &field)->CopyFrom(duration);
  return absl::OkStatus();
}

absl::Status SetField(const FieldDescriptor& field, const std::string& value,
                      google::protobuf::Message* message) {
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_STRING:
      message->GetReflection()->SetString(message, &field, value);
      return absl::OkStatus();
    case FieldDescriptor::CPPTYPE_BOOL:
      return SetBool(field, value, message);
    case FieldDescriptor::CPPTYPE_INT32:
    case FieldDescriptor::CPPTYPE_INT64:
      return SetInteger(field, value, message);
    case FieldDescriptor::CPPTYPE_ENUM:
      return AddEnum(field, value, message);
    case FieldDescriptor::CPPTYPE_MESSAGE:
      if (field.message_type() == Timestamp::descriptor()) return SetTime(field, value, message);
      if (field.message_type() == Duration::descriptor()) {
        return SetDuration(field, value, message);
      }
      break;
    default:
      break;
  }
  return BadValue(field, value, "this one in the request's body");
}

absl::Status CheckFree(const FieldDescriptor& field, const google::protobuf::Message& message) {
  if (field.is_repeated()) return absl::OkStatus();
  if (const auto* oneof = field.real_containing_oneof()) {
    const FieldDescriptor* other = message.GetReflection()->GetOneofFieldDescriptor(message, oneof);
    if (other && other != &field) {
      return absl::InvalidArgumentError(
          absl::StrCat("parameters ", other->name(), " and ", field.name(), " exclude each other"));
    }
  }
  return absl::OkStatus();
}

// The field of that name, which then is in `seen`: each may be there once, unless it is repeated.
absl::StatusOr<const FieldDescriptor*> TakeField(const Descriptor& type, const std::string& name,
                                                 std::set<const FieldDescriptor*>* seen) {
  const FieldDescriptor* field = FindField(type, name);
  if (!field) return UnknownName(type, name);
  if (!seen->insert(field).second && !field->is_repeated()) {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", field->name(), " is given twice; give it once"));
  }
  return field;
}

}  // namespace

bool IsUtf8(std::string_view text) { return ToUtf8(text, text.size()) == text; }

const FieldDescriptor* FindField(const Descriptor& type, const std::string& name) {
  for (int i = 0; i < type.field_count(); ++i) {
    const FieldDescriptor* field = type.field(i);
    if (field->name() == name || field->json_name() == name) return field;
  }
  return nullptr;
}

absl::StatusOr<std::string> PercentDecode(std::string_view text, bool plus_is_space) {
  std::string decoded;
  decoded.reserve(text.size());
  for (size_t at = 0; at < text.size(); ++at) {
    if (text[at] == '+' && plus_is_space) {
      decoded += ' ';
    } else if (text[at] != '%') {
      decoded += text[at];
    } else if (at + 2 < text.size() && absl::ascii_isxdigit(text[at + 1]) &&
               absl::ascii_isxdigit(text[at + 2])) {
      decoded += static_cast<char>(HexValue(text[at + 1]) << 4 | HexValue(text[at + 2]));
      at += 2;
    } else {
      return absl::InvalidArgumentError(absl::StrCat(
          "the address has a \"%\" without two hexadecimal digits; write a percent sign as %25"));
    }
  }
  return decoded;
}

absl::StatusOr<Query> ParseQuery(std::string_view text) {
  Query query;
  const absl::string_view all(text.data(), text.size());
  for (const absl::string_view part : absl::StrSplit(all, '&', absl::SkipEmpty())) {
    const std::pair<absl::string_view, absl::string_view> halves =
        absl::StrSplit(part, absl::MaxSplits('=', 1));
    auto name = PercentDecode({halves.first.data(), halves.first.size()}, true);
    if (!name.ok()) return name.status();
    auto value = PercentDecode({halves.second.data(), halves.second.size()}, true);
    if (!value.ok()) return value.status();
    query.emplace_back(*std::move(name), *std::move(value));
  }
  return query;
}

absl::Status SetFields(const Query& query, google::protobuf::Message* message) {
  std::set<const FieldDescriptor*> seen;
  for (const auto& [name, value] : query) {
    const auto field = TakeField(*message->GetDescriptor(), name, &seen);
    if (!field.ok()) return field.status();
    if (const absl::Status free = CheckFree(**field, *message); !free.ok()) return free;
    if ((*field)->cpp_type() == FieldDescriptor::CPPTYPE_STRING && !IsUtf8(value)) {
      return BadValue(**field, value, "text in UTF-8");
    }
    if (const absl::Status set = SetField(**field, value, message); !set.ok()) return set;
  }
  return absl::OkStatus();
}

absl::Status CheckNoQuery(const Query& query, const Descriptor& type) {
  if (query.empty()) return absl::OkStatus();
  const std::string& name = query.front().first;
  const FieldDescriptor* field = FindField(type, name);
  std::string body = "{\"";
  if (field) {
    absl::StrAppend(&body, name, "\": ...}");
  } else if (type.FindFieldByName("parameters")) {
    body += "parameters\": {...}}";
  } else {
    return absl::InvalidArgumentError(
        absl::StrCat("parameter ", Quoted(name), ": this call takes none in its address"));
  }
  return absl::InvalidArgumentError(
      absl::StrCat("parameter ", Quoted(name), ": this call takes none in its address; give it in ",
                   "the body, as JSON: ", body));
}

absl::Status SetVariable(std::string_view name, const std::string& value,
                         google::protobuf::Message* message) {
  if (name.empty()) return absl::OkStatus();
  const FieldDescriptor* field = FindField(*message->GetDescriptor(), std::string(name));
  const std::string given = message->GetReflection()->GetString(*message, field);
  if (!given.empty() && given != value) {
    return absl::InvalidArgumentError(absl::StrCat(field->name(), ": the path says ", Quoted(value),
                                                   ", the rest of the request ", Quoted(given),
                                                   "; give it in the path alone"));
  }
  return SetFields({{field->name(), value}}, message);
}

}  // namespace jobtail::http
