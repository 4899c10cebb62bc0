// The list of mistakes in a config file, each with its place.
#ifndef JOBTAIL_SERVER_CONFIG_DIAGNOSTICS_H_
#define JOBTAIL_SERVER_CONFIG_DIAGNOSTICS_H_

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

#include <set>
#include <string>
#include <tuple>

#include "absl/status/status.h"

namespace jobtail::config {

// Collects what is wrong with a config file, as `file:line:column: what, and what would be right`.
class Diagnostics : public google::protobuf::io::ErrorCollector {
 public:
  explicit Diagnostics(std::string file) : file_(std::move(file)) {}

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
  const std::string file_;
  std::set<std::tuple<int, int, std::string>> errors_;
};

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_DIAGNOSTICS_H_
