// A request line: "GET /v1/runs/x/log?follow=true". What the router and the query's reader take
// means what they say; what they take, written anew, means the same.

#include <google/protobuf/util/time_util.h>

#include <string>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "jobtail/v1/job_service.pb.h"
#include "server/http/query.h"
#include "server/http/router.h"
#include "tests/fuzz/fuzz.h"

namespace jobtail::http {
namespace {

using fuzz::Check;
using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

std::string PercentEncode(std::string_view text) {
  constexpr char kHex[] = "0123456789ABCDEF";
  std::string encoded;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    encoded += {'%', kHex[byte >> 4], kHex[byte & 15]};
  }
  return encoded;
}

void CheckDecoding(std::string_view text) {
  for (const bool plus_is_space : {false, true}) {
    const auto decoded = PercentDecode(text, plus_is_space);
    Check(decoded.ok() || text.find('%') != std::string_view::npos,
          "only a percent sign is refused");
    if (!decoded.ok()) continue;
    const auto again = PercentDecode(PercentEncode(*decoded), plus_is_space);
    Check(again.ok() && *again == *decoded, "decoding undoes encoding");
  }
}

void CheckPath(std::string_view method, std::string_view path) {
  const auto match = FindRoute(method, path);
  const std::string allowed = AllowedMethods(path);
  if (absl::IsNotFound(match.status())) return Check(allowed.empty(), "nothing is served there");
  Check(!allowed.empty(), "something is served there");
  if (!match.ok()) {
    Check(absl::IsUnimplemented(match.status()) || absl::IsInvalidArgument(match.status()),
          "a refusal has a reason", match.status().ToString());
    return;
  }
  const Route& route = *match->route;
  Check(route.method == (method == "HEAD" ? "GET" : method), "the route is of that method");
  Check(absl::StrContains(allowed, absl::string_view(route.method.data(), route.method.size())),
        "which is allowed");
  // The same path with its variable encoded whole leads to the same place.
  std::string pattern(route.pattern);
  const std::string name = absl::StrCat("{", std::string(VariableOf(route.pattern)), "}");
  if (const size_t at = pattern.find(name); at != std::string::npos) {
    Check(!match->variable.empty(), "a variable has a value");
    pattern.replace(at, name.size(), PercentEncode(match->variable));
  } else {
    Check(match->variable.empty() && path == pattern, "a path without a variable is the route's");
  }
  const auto again = FindRoute(method, pattern);
  Check(again.ok() && again->route == match->route && again->variable == match->variable,
        "encoding is no matter", pattern);
}

std::string Encode(const Query& query) {
  std::string text;
  for (const auto& [name, value] : query) {
    absl::StrAppend(&text, text.empty() ? "" : "&", PercentEncode(name), "=", PercentEncode(value));
  }
  return text;
}

// The fields that can be in a query, in one form each.
Query ToQuery(const Message& message) {
  Query query;
  const auto* reflection = message.GetReflection();
  std::vector<const FieldDescriptor*> fields;
  reflection->ListFields(message, &fields);
  for (const FieldDescriptor* field : fields) {
    if (field->is_repeated()) {
      for (int i = 0; i < reflection->FieldSize(message, field); ++i) {
        query.emplace_back(field->json_name(),
                           reflection->GetRepeatedEnum(message, field, i)->name());
      }
      continue;
    }
    switch (field->cpp_type()) {
      case FieldDescriptor::CPPTYPE_STRING:
        query.emplace_back(field->name(), reflection->GetString(message, field));
        break;
      case FieldDescriptor::CPPTYPE_BOOL:
        query.emplace_back(field->name(), reflection->GetBool(message, field) ? "true" : "false");
        break;
      case FieldDescriptor::CPPTYPE_INT32:
        query.emplace_back(field->name(), absl::StrCat(reflection->GetInt32(message, field)));
        break;
      case FieldDescriptor::CPPTYPE_INT64:
        query.emplace_back(field->name(), absl::StrCat(reflection->GetInt64(message, field)));
        break;
      case FieldDescriptor::CPPTYPE_ENUM:
        query.emplace_back(field->name(), reflection->GetEnum(message, field)->name());
        break;
      default: {
        const auto& time = dynamic_cast<const google::protobuf::Timestamp&>(
            reflection->GetMessage(message, field));
        query.emplace_back(field->name(), google::protobuf::util::TimeUtil::ToString(time));
      }
    }
  }
  return query;
}

template <typename T>
void CheckFields(const Query& query) {
  T message;
  const absl::Status set = SetFields(query, &message);
  if (!set.ok()) {
    Check(absl::IsInvalidArgument(set), "a refusal is the client's", set.ToString());
    return;
  }
  std::string bytes;
  Check(message.SerializeToString(&bytes) && T().ParseFromString(bytes), "all of it is UTF-8");
  T again;
  const absl::Status set_again = SetFields(ToQuery(message), &again);
  Check(set_again.ok(), "what was understood can be said", set_again.ToString());
  Check(again.SerializeAsString() == bytes, "and means the same", message.DebugString());
}

void Run(std::string_view line) {
  const size_t space = line.find(' ');
  const std::string_view method = line.substr(0, space);
  const std::string_view address = space == std::string_view::npos ? "" : line.substr(space + 1);
  const size_t mark = address.find('?');
  const std::string_view path = address.substr(0, mark);
  CheckDecoding(address);
  CheckPath(method, path);
  if (mark == std::string_view::npos) return;
  const auto query = ParseQuery(address.substr(mark + 1));
  if (!query.ok()) return;
  const auto again = ParseQuery(Encode(*query));
  Check(again.ok() && *again == *query, "a query that is written anew is the same");
  CheckFields<v1::TailLogRequest>(*query);
  CheckFields<v1::ListRunsRequest>(*query);
  CheckFields<v1::WatchRunsRequest>(*query);
}

}  // namespace
}  // namespace jobtail::http

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  jobtail::http::Run(jobtail::fuzz::AsText(data, size));
  return 0;
}
