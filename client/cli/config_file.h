// The user's config file: where it is, and the settings in it.
#ifndef JOBTAIL_CLIENT_CLI_CONFIG_FILE_H_
#define JOBTAIL_CLIENT_CLI_CONFIG_FILE_H_

#include <map>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace jobtail::client::cli {

// The user's config file: JOBTAIL_CONFIG, else $XDG_CONFIG_HOME/jobtail/config, else
// ~/.config/jobtail/config. "" where none of these is known.
std::string ConfigPath();

// A setting of the file.
struct Setting {
  std::string value;
  int line = 0;
};

// A server with what it takes to call it: a section of the file.
struct Context {
  int line = 0;  // where it begins
  std::map<std::string, Setting> settings;
};

struct Config {
  std::map<std::string, Setting> settings;
  std::map<std::string, Context> contexts;
};

// Reads "NAME = VALUE" lines; "#" begins a line of comment, and blank lines do not count. Each NAME
// may come once; and once more between "context NAME {" and "}". A file that is not there is empty,
// unless JOBTAIL_CONFIG names it. Errors name file and line. (CLI11's own reader knows no line
// numbers and takes "[::1]:50051" for a list.)
absl::StatusOr<Config> ReadConfig(const std::string& path);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_CONFIG_FILE_H_
