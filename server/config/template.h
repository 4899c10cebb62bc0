// Command arguments with places for parameter values.
#ifndef JOBTAIL_SERVER_CONFIG_TEMPLATE_H_
#define JOBTAIL_SERVER_CONFIG_TEMPLATE_H_

#include <map>
#include <string>
#include <vector>

#include "absl/status/statusor.h"

namespace jobtail::config {

// Text with places for values: "--level={level}". "{{" and "}}" stand for a brace.
class Template {
 public:
  Template() = default;

  // INVALID_ARGUMENT for a brace that is out of place.
  static absl::StatusOr<Template> Parse(const std::string& text);

  // The names in it, in their order.
  std::vector<std::string> Names() const;

  // The text without the values.
  std::string Literal() const;

  // The text before the first value.
  std::string Beginning() const {
    return parts_.empty() || parts_.front().is_name ? "" : parts_.front().text;
  }

  // Whether a value comes first.
  bool BeginsWithValue() const { return !parts_.empty() && parts_.front().is_name; }

  // With the values, as they are, in their places; all names must be among them.
  std::string Expand(const std::map<std::string, std::string>& values) const;

 private:
  struct Part {
    std::string text;
    bool is_name;
  };
  void Append(char c);

  std::vector<Part> parts_;
};

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_TEMPLATE_H_
