// What is wrong with a file that an operator writes, and hints at what would be right.

#include "base/files/diagnostics.h"

#include <google/protobuf/descriptor.h>
#include <re2/re2.h>

#include <algorithm>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest_names.h"

namespace jobtail {
namespace {

std::string Suggest(const std::string& wrong, const std::vector<std::string>& right) {
  const std::string question = DidYouMean(wrong, right);
  return question.empty() ? absl::StrCat("; there are: ", absl::StrJoin(right, ", ")) : question;
}

}  // namespace

// What would be right instead of what protobuf's parser complains of.
std::string Diagnostics::Hint(const std::string& message) const {
  std::string type, wrong;
  if (RE2::PartialMatch(message, R"re(Message type "([^"]+)" has no field named "([^"]+)")re",
                        &type, &wrong)) {
    const auto* const descriptor =
        google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
    std::vector<std::string> names;
    for (int i = 0; descriptor && i < descriptor->field_count(); ++i) {
      names.push_back(descriptor->field(i)->name());
    }
    return Suggest(wrong, names);
  }
  if (RE2::PartialMatch(message, R"re(enumeration value of "([^"]+)" for field "([^"]+)")re",
                        &wrong, &type)) {
    std::vector<std::string> names;
    for (const auto* message_type : types_) {
      const auto* const field = message_type->FindFieldByName(type);
      if (!field || !field->enum_type()) continue;
      for (int i = 1; i < field->enum_type()->value_count(); ++i) {
        names.push_back(field->enum_type()->value(i)->name());
      }
    }
    return Suggest(wrong, names);
  }
  if (absl::StrContains(message, "Expected string")) return "; put the text in quotes";
  if (absl::StrContains(message, "is specified multiple times")) return "; give it once";
  return "";
}

void Diagnostics::AddError(int line, google::protobuf::io::ColumnNumber column,
                           const std::string& message) {
  std::string text = message;
  while (!text.empty() && text.back() == '.') text.pop_back();
  errors_.emplace(line, column, absl::StrCat(text, Hint(message)));
}

void Diagnostics::Add(Location location, const std::string& message) {
  errors_.emplace(std::max(location.line, 0), std::max(location.column, 0), message);
}

absl::Status Diagnostics::status() const {
  if (errors_.empty()) return absl::OkStatus();
  std::vector<std::string> lines;
  for (const auto& [line, column, text] : errors_) {
    lines.push_back(absl::StrCat(file_, ":", line + 1, ":", column + 1, ": ", text));
  }
  return absl::InvalidArgumentError(absl::StrJoin(lines, "\n"));
}

}  // namespace jobtail
