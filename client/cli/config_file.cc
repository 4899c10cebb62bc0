// Finding and reading the user's config file.

#include "client/cli/config_file.h"

#include <cerrno>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/strip.h"
#include "base/quoting.h"
#include "base/utf8.h"

namespace jobtail::client::cli {
namespace {

std::string FromEnvironment(const char* name) {
  const char* value = std::getenv(name);
  return value != nullptr ? value : "";
}

absl::Status AddSetting(const std::string& line, int number,
                        std::map<std::string, Setting>* config) {
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

// The name in "context NAME {", or in "context \"NAME\" {"; nullopt for another line.
std::optional<std::string> ContextOf(absl::string_view line) {
  if (!absl::ConsumePrefix(&line, "context") || !absl::ConsumeSuffix(&line, "{")) {
    return std::nullopt;
  }
  if (line.empty() || !absl::ascii_isspace(static_cast<unsigned char>(line[0]))) {
    return std::nullopt;
  }
  line = absl::StripAsciiWhitespace(line);
  if (line.size() > 1 && line.front() == '"' && line.back() == '"') {
    line = line.substr(1, line.size() - 2);
  }
  return std::string(line);
}

// The file as far as it is read.
class Reader {
 public:
  explicit Reader(Config* config) : config_(*config) {}

  absl::Status Add(const std::string& line, int number) {
    if (line.empty() || line[0] == '#') return absl::OkStatus();
    if (line == "}" && context_) {
      context_ = nullptr;
      return absl::OkStatus();
    }
    if (const auto name = ContextOf(line)) return Open(*name, number);
    return AddSetting(line, number, context_ ? &context_->settings : &config_.settings);
  }

  absl::Status End() const {
    if (!context_) return absl::OkStatus();
    return absl::InvalidArgumentError(
        absl::StrCat("the context that begins in line ", context_->line, " does not end; write }"));
  }

 private:
  absl::Status Open(const std::string& name, int number) {
    if (context_) {
      return absl::InvalidArgumentError(absl::StrCat(
          "the context that begins in line ", context_->line, " has not ended; write } first"));
    }
    if (name.empty()) return absl::InvalidArgumentError("write context NAME {");
    const auto [entry, added] = config_.contexts.emplace(name, Context{number, {}});
    context_ = &entry->second;
    if (added) return absl::OkStatus();
    return absl::InvalidArgumentError(absl::StrCat("there is a context '", Printable(name),
                                                   "' in line ", entry->second.line,
                                                   " already; give this one another name"));
  }

  Config& config_;
  Context* context_ = nullptr;  // that has not ended
};

}  // namespace

std::string ConfigPath() {
  if (std::string path = FromEnvironment("JOBTAIL_CONFIG"); !path.empty()) return path;
  const std::string base = FromEnvironment("XDG_CONFIG_HOME");
  if (!base.empty() && base[0] == '/') return base + "/jobtail/config";
  const std::string home = FromEnvironment("HOME");
  return home.empty() ? "" : home + "/.config/jobtail/config";
}

absl::StatusOr<Config> ReadConfig(const std::string& path) {
  Config config;
  std::ifstream file(path);
  if (!file) {
    if (FromEnvironment("JOBTAIL_CONFIG").empty()) return config;
    return absl::ErrnoToStatus(
        errno, absl::StrCat("cannot read ", Printable(path), ", which JOBTAIL_CONFIG names"));
  }
  Reader reader(&config);
  std::string line;
  int number = 1;
  absl::Status read;
  for (; read.ok() && std::getline(file, line); ++number) {
    if (number == 1) DropByteOrderMark(&line);
    absl::StripAsciiWhitespace(&line);
    read = reader.Add(line, number);
  }
  if (read.ok()) read = reader.End();
  if (read.ok()) return config;
  return absl::InvalidArgumentError(
      absl::StrCat(Printable(path), ":", number - 1, ": ", read.message()));
}

}  // namespace jobtail::client::cli
