// Settings from the config file and the environment, and checks of options that go together.

#include "client/cli/settings.h"

#include <cstdlib>
#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/types/span.h"
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

std::string CheckName(const std::string& text) { return text.empty() ? "this is empty" : ""; }

// A path of a context: from the user's home, or from the config file's folder.
void Default(const std::string& path, std::string* file) {
  if (!file->empty()) return;
  const char* const home = std::getenv("HOME");
  if (absl::StartsWith(path, "~/") && home != nullptr) {
    *file = absl::StrCat(home, path.substr(1));
  } else {
    *file = std::filesystem::path(ConfigPath()).parent_path() / path;
  }
}

constexpr KnownSetting kSettings[] = {
    {"server", CheckServer, [](const std::string& value, RawOptions* raw) { raw->server = value; }},
    {"color", CheckColor, [](const std::string& value, RawOptions* raw) { raw->color = value; }},
    {"retry-for", CheckDuration,
     [](const std::string& value, RawOptions* raw) { raw->retry_for = value; }},
    {"timestamps", CheckBool,
     [](const std::string& value, RawOptions* raw) { raw->default_timestamps = value == "true"; }},
    {"progress", CheckBool,
     [](const std::string& value, RawOptions* raw) { raw->no_progress = value == "false"; }},
    {"compression", CheckBool,
     [](const std::string& value, RawOptions* raw) { raw->no_compression |= value == "false"; }},
    {"context", CheckName, [](const std::string& value, RawOptions* raw) { raw->context = value; }},
};

// What a context may say. Credentials are of a server, so that they are nowhere else.
constexpr KnownSetting kContextSettings[] = {
    {"server", CheckServer, [](const std::string& value, RawOptions* raw) { raw->server = value; }},
    {"tls", CheckBool,
     [](const std::string& value, RawOptions* raw) { raw->credentials.tls |= value == "true"; }},
    {"tls-ca", CheckName,
     [](const std::string& value, RawOptions* raw) { Default(value, &raw->credentials.ca_file); }},
    {"tls-cert", CheckName,
     [](const std::string& value, RawOptions* raw) {
       Default(value, &raw->credentials.certificate_file);
     }},
    {"tls-key", CheckName,
     [](const std::string& value, RawOptions* raw) { Default(value, &raw->credentials.key_file); }},
    {"token-file", CheckName,
     [](const std::string& value, RawOptions* raw) {
       Default(value, &raw->credentials.token_file);
     }},
};

// What is wrong with a setting; "" if it has been applied.
std::string Apply(absl::Span<const KnownSetting> settings, const std::string& name,
                  const std::string& value, RawOptions* raw) {
  std::vector<std::string> names;
  for (const KnownSetting& setting : settings) {
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

// Applies a part of the file, or says what is wrong with which line.
absl::Status ApplyAll(absl::Span<const KnownSetting> known,
                      const std::map<std::string, Setting>& settings, RawOptions* raw) {
  for (const auto& [name, setting] : settings) {
    const std::string problem = Apply(known, name, setting.value, raw);
    if (problem.empty()) continue;
    return absl::InvalidArgumentError(
        absl::StrCat(Printable(ConfigPath()), ":", setting.line, ": ", problem));
  }
  return absl::OkStatus();
}

std::string NoContext(const RawOptions& raw) {
  std::vector<std::string> names;
  for (const auto& [name, context] : raw.contexts) names.push_back(Printable(name));
  return absl::StrCat("there is no context '", Printable(raw.context), "' in ",
                      Printable(ConfigPath()), names.empty() ? "" : "; there are ",
                      absl::StrJoin(names, ", "), DidYouMean(raw.context, names));
}

}  // namespace

std::string ChooseServer(bool server_given, bool context_given, RawOptions* raw) {
  if (server_given && context_given) {
    return "--server and --context both name a server; give one of them";
  }
  if (server_given || raw->context.empty()) return "";
  const auto found = raw->contexts.find(raw->context);
  if (found == raw->contexts.end()) return NoContext(*raw);
  const Context& context = found->second;
  if (!context.settings.contains("server")) {
    return absl::StrCat(Printable(ConfigPath()), ":", context.line, ": context '",
                        Printable(raw->context), "' names no server; add server = HOST:PORT");
  }
  return std::string(ApplyAll(kContextSettings, context.settings, raw).message());
}

absl::StatusOr<std::string> ApplySettings(RawOptions* raw) {
  const std::string path = ConfigPath();
  auto config = ReadConfig(path);
  if (!config.ok()) return config.status();
  if (absl::Status applied = ApplyAll(kSettings, config->settings, raw); !applied.ok()) {
    return applied;
  }
  raw->contexts = std::move(config->contexts);
  for (const auto& [name, context] : raw->contexts) {  // each is to be right, not only this one
    RawOptions unused;
    absl::Status applied = ApplyAll(kContextSettings, context.settings, &unused);
    if (!applied.ok()) return applied;
  }
  const char* const context = std::getenv("JOBTAIL_CONTEXT");
  const bool has_context = context != nullptr && *context != '\0';
  if (has_context) raw->context = context;
  const char* server = std::getenv("JOBTAIL_SERVER");
  if (server != nullptr && *server != '\0') {
    raw->server = server;
    const std::string problem = CheckServer(server);
    if (!problem.empty()) return absl::InvalidArgumentError("JOBTAIL_SERVER: " + problem);
    if (has_context) {
      return absl::InvalidArgumentError(
          "JOBTAIL_SERVER and JOBTAIL_CONTEXT both name a server; unset one of them");
    }
    raw->context = "";
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
