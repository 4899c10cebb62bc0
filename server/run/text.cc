#include "server/run/text.h"

#include <google/protobuf/stubs/common.h>

#include <algorithm>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"

namespace jobtail {

std::string ToUtf8(std::string_view text, size_t max_bytes) {
  text = text.substr(0, max_bytes);
  std::string result(text);
  const char* valid = google::protobuf::internal::UTF8CoerceToStructurallyValid(
      google::protobuf::StringPiece(text.data(), text.size()), result.data(), '?');
  if (valid != result.data()) result.assign(valid, text.size());
  return result;
}

std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 100;
  const std::string_view shown = text.substr(0, kShown);
  return absl::StrCat("\"", absl::CHexEscape({shown.data(), shown.size()}), "\"",
                      text.size() > kShown ? "..." : "");
}

bool IsName(std::string_view name, bool dash) {
  constexpr size_t kMaxBytes = 63;
  if (name.empty() || name.size() > kMaxBytes || !absl::ascii_islower(name.front())) return false;
  return std::ranges::all_of(name, [dash](unsigned char c) {
    return absl::ascii_islower(c) || absl::ascii_isdigit(c) || c == '_' || (dash && c == '-');
  });
}

}  // namespace jobtail
