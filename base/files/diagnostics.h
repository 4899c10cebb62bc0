// The list of mistakes in a file that an operator writes, each with its place.
#ifndef JOBTAIL_BASE_FILES_DIAGNOSTICS_H_
#define JOBTAIL_BASE_FILES_DIAGNOSTICS_H_

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <set>
#include <string>
#include <tuple>
#include <utility>
#include <vector>

#include "absl/status/status.h"

namespace jobtail {

// Collects what is wrong with a file in protobuf's text format, as `file:line:column: what, and
// what would be right`.
class Diagnostics : public google::protobuf::io::ErrorCollector {
 public:
  // `types` are the messages that enumerations are looked for in, to name their values.
  explicit Diagnostics(std::string file,
                       std::vector<const google::protobuf::Descriptor*> types = {})
      : file_(std::move(file)), types_(std::move(types)) {}

  // Of the parser; counts from 0.
  void AddError(int line, google::protobuf::io::ColumnNumber column,
                const std::string& message) override;

  // At the `index`th value of a field of the message that `tree` belongs to; -1 for a field that is
  // not repeated. If the field is not in the file, at the message's own place.
  using Tree = google::protobuf::TextFormat::ParseInfoTree;
  using Location = google::protobuf::TextFormat::ParseLocation;
  void Add(Location location, const std::string& message);

  bool ok() const { return errors_.empty(); }
  // All of them, in the order of the file, a line each; INVALID_ARGUMENT.
  absl::Status status() const;

 private:
  std::string Hint(const std::string& message) const;

  const std::string file_;
  const std::vector<const google::protobuf::Descriptor*> types_;
  std::set<std::tuple<int, int, std::string>> errors_;
};

}  // namespace jobtail

#endif  // JOBTAIL_BASE_FILES_DIAGNOSTICS_H_
