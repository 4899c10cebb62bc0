// Text with places for parameters' values.

#include "server/config/template.h"

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/run/name.h"

namespace jobtail::config {
namespace {

absl::Status Misplaced(const std::string& text, size_t at) {
  return absl::InvalidArgumentError(
      absl::StrCat(Quoted(text), ": the brace at position ", at + 1,
                   " is neither part of a \"{name}\" nor doubled; write \"{{\" or \"}}\" for a "
                   "brace"));
}

}  // namespace

void Template::Append(char c) {
  if (parts_.empty() || parts_.back().is_name) parts_.push_back({"", false});
  parts_.back().text.push_back(c);
}

absl::StatusOr<Template> Template::Parse(const std::string& text) {
  Template result;
  for (size_t at = 0; at < text.size(); ++at) {
    const char c = text[at];
    if (c != '{' && c != '}') {
      result.Append(c);
    } else if (at + 1 < text.size() && text[at + 1] == c) {
      result.Append(c);
      ++at;
    } else {
      const size_t end = text.find('}', at);
      const std::string name = end == std::string::npos ? "" : text.substr(at + 1, end - at - 1);
      if (c == '}' || !IsName(name, /*dash=*/false)) return Misplaced(text, at);
      result.parts_.push_back({name, true});
      at = end;
    }
  }
  return result;
}

std::vector<std::string> Template::Names() const {
  std::vector<std::string> names;
  for (const Part& part : parts_) {
    if (part.is_name) names.push_back(part.text);
  }
  return names;
}

std::string Template::Literal() const {
  std::string text;
  for (const Part& part : parts_) {
    if (!part.is_name) text += part.text;
  }
  return text;
}

std::string Template::Expand(const std::map<std::string, std::string>& values) const {
  std::string text;
  for (const Part& part : parts_) text += part.is_name ? values.at(part.text) : part.text;
  return text;
}

}  // namespace jobtail::config
