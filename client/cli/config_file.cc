// Finding and reading the user's config file.

#include "client/cli/config_file.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"

namespace jobtail::client::cli {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

absl::Status AddLine(const std::string& line, int number, std::map<std::string, Setting>* config) {
  if (line.empty() || line[0] == '#') return absl::OkStatus();
  const size_t equals = line.find('=');
  if (equals == std::string::npos) {
    return absl::InvalidArgumentError(
        absl::StrCat("'", Printable(line), "' is no setting; write NAME = VALUE"));
  }
  std::string name = line.substr(0, equals);
  std::string value = line.substr(equals + 1);
  absl::StripAsciiWhitespace(&name);
  absl::StripAsciiWhitespace(&value);
  const auto [entry, added] = config->emplace(name, Setting{value, number});
  if (added) return absl::OkStatus();
  return absl::InvalidArgumentError(absl::StrCat("'", Printable(name), "' is set in line ",
                                                 entry->second.line, " already; set it once"));
}

}  // namespace

std::string ConfigPath() {
  if (std::string path = FromEnvironment("JOBTAIL_CONFIG"); !path.empty()) return path;
  const std::string base = FromEnvironment("XDG_CONFIG_HOME");
  if (!base.empty() && base[0] == '/') return base + "/jobtail/config";
  const std::string home = FromEnvironment("HOME");
  return home.empty() ? "" : home + "/.config/jobtail/config";
}

absl::StatusOr<std::map<std::string, Setting>> ReadConfig(const std::string& path) {
  std::map<std::string, Setting> config;
  std::ifstream file(path);
  if (!file) {
    if (FromEnvironment("JOBTAIL_CONFIG").empty()) return config;
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot read ", Printable(path), ", which JOBTAIL_CONFIG names"));
  }
  std::string line;
  for (int number = 1; std::getline(file, line); ++number) {
    absl::StripAsciiWhitespace(&line);
    const absl::Status added = AddLine(line, number, &config);
    if (added.ok()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(path), ":", number, ": ", added.message()));
  }
  return config;
}

}  // namespace jobtail::client::cli
