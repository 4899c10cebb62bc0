// Settings from the config file and the environment, and checks of options that go together.

#include "client/cli/settings.h"

#include <cstdlib>
#include <set>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "base/nearest_names.h"
#include "base/quoting.h"
#include "client/cli/checks.h"
#include "client/cli/config_file.h"

namespace jobtail::client::cli {
namespace {

struct KnownSetting {
  const char* name;
  std::string (*check)(const std::string&);
  void (*apply)(const std::string&, RawOptions*);
};

constexpr KnownSetting kSettings[] = {
    {"server", CheckServer, [](const std::string& value, RawOptions* raw) { raw->server = value; }},
    {"color", CheckColor, [](const std::string& value, RawOptions* raw) { raw->color = value; }},
    {"retry-for", CheckDuration,
     [](const std::string& value, RawOptions* raw) { raw->retry_for = value; }},
    {"timestamps", CheckBool,
     [](const std::string& value, RawOptions* raw) { raw->default_timestamps = value == "true"; }},
    {"progress", CheckBool,
     [](const std::string& value, RawOptions* raw) { raw->no_progress = value == "false"; }},
};

// What is wrong with a setting; "" if it has been applied.
std::string Apply(const std::string& name, const std::string& value, RawOptions* raw) {
  std::vector<std::string> names;
  for (const KnownSetting& setting : kSettings) {
    names.emplace_back(setting.name);
    if (name != setting.name) continue;
    const std::string problem = setting.check(value);
    if (!problem.empty()) return absl::StrCat(name, ": ", problem);
    setting.apply(value, raw);
    return "";
  }
  return absl::StrCat("there is no setting '", Printable(name), "'; there are ",
                      absl::StrJoin(names, ", "), DidYouMean(name, names));
}

}  // namespace

absl::StatusOr<std::string> ApplySettings(RawOptions* raw) {
  const std::string path = ConfigPath();
  const auto config = ReadConfig(path);
  if (!config.ok()) return config.status();
  for (const auto& [name, setting] : *config) {
    const std::string problem = Apply(name, setting.value, raw);
    if (problem.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(path), ":", setting.line, ": ", problem));
  }
  const char* server = std::getenv("JOBTAIL_SERVER");
  if (server != nullptr && *server != '\0') {
    raw->server = server;
    const std::string problem = CheckServer(server);
    if (!problem.empty()) return absl::InvalidArgumentError("JOBTAIL_SERVER: " + problem);
  }
  return raw->server;
}

std::string CheckTail(const RawOptions& raw) {
  const int starts =
      (raw.from.empty() ? 0 : 1) + (raw.last.empty() ? 0 : 1) + (raw.since.empty() ? 0 : 1);
  if (starts > 1) return "--from, --last and --since exclude each other; give one of them";
  if (raw.runs.empty() && raw.job.empty()) {
    return "tail what? give a RUN or --job=JOB; see jobtail help tail";
  }
  if (!raw.runs.empty() && !raw.job.empty()) {
    return "--job follows all runs of a job, RUN one of them; give one or the other";
  }
  const bool several = raw.runs.size() != 1;
  if (!raw.from.empty() && several) return "--from counts the lines of one run; use --since";
  if (raw.format == "raw" && several) {
    return "--output=raw goes with one run; of several, nobody could tell whose bytes are whose";
  }
  if (raw.no_follow && !raw.job.empty()) {
    return "--no-follow goes with runs; --job waits for those to come";
  }
  return "";
}

std::string CheckParameters(const std::vector<std::string>& parameters) {
  std::set<std::string> seen;
  for (const std::string& parameter : parameters) {
    const std::string name = parameter.substr(0, parameter.find('='));
    if (seen.insert(name).second) continue;
    return absl::StrCat("parameter ", Printable(name), " is given twice; give it once");
  }
  return "";
}

}  // namespace jobtail::client::cli
