// jansson, told to be strict.
#include "server/oidc/json.h"

#include <algorithm>
#include <cmath>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "base/utf8.h"

namespace jobtail::oidc {

Json ParseObject(std::string_view text) {
  text = WithoutByteOrderMark(text);
  Json json(json_loadb(text.data(), text.size(), JSON_REJECT_DUPLICATES, nullptr));
  return json_is_object(json.get()) ? std::move(json) : nullptr;
}

std::optional<std::string> DecodeBase64Url(std::string_view text) {
  const auto fits = [](unsigned char c) { return absl::ascii_isalnum(c) || c == '-' || c == '_'; };
  std::string decoded;
  if (text.size() % 4 == 1 || !std::ranges::all_of(text, fits) ||
      !absl::WebSafeBase64Unescape(absl::string_view(text.data(), text.size()), &decoded)) {
    return std::nullopt;
  }
  return decoded;
}

std::string StringAt(const Json& object, const std::string& name) {
  const char* const text = json_string_value(json_object_get(object.get(), name.c_str()));
  return text ? text : "";
}

bool Has(const Json& object, const std::string& name) {
  return json_object_get(object.get(), name.c_str()) != nullptr;
}

std::optional<std::vector<std::string>> ListAt(const Json& object, const std::string& name) {
  const json_t* const value = json_object_get(object.get(), name.c_str());
  if (!value) return std::vector<std::string>();
  if (const char* const text = json_string_value(value)) return std::vector<std::string>{text};
  if (!json_is_array(value)) return std::nullopt;
  std::vector<std::string> list;
  for (size_t i = 0; i < json_array_size(value); ++i) {
    const char* const text = json_string_value(json_array_get(value, i));
    if (!text) return std::nullopt;
    list.emplace_back(text);
  }
  return list;
}

std::optional<absl::Time> TimeAt(const Json& object, const std::string& name) {
  const json_t* const value = json_object_get(object.get(), name.c_str());
  if (!json_is_number(value)) return std::nullopt;
  constexpr double kLatest = 253402300799;  // the year 9999
  const double seconds = json_number_value(value);
  if (!std::isfinite(seconds) || seconds < 0 || seconds > kLatest) return std::nullopt;
  return absl::UnixEpoch() + absl::Seconds(seconds);
}

}  // namespace jobtail::oidc
