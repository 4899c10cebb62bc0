#ifndef JOBTAIL_CLIENT_CLI_TABLE_H_
#define JOBTAIL_CLIENT_CLI_TABLE_H_

#include <string>
#include <vector>

namespace jobtail::client::cli {

// Lines up cells in columns, each as wide as its widest cell, with two spaces between and none at
// the end of a line.
class Table {
 public:
  // Rows may differ in length. Cells are made harmless by Printable().
  void AddRow(const std::vector<std::string>& cells);

  // The rows, each after `indent`.
  std::string Render(const std::string& indent = "") const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TABLE_H_
