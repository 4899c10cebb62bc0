// Reading a config file.

#include "server/config/config.h"

#include <unistd.h>

#include <map>
#include <optional>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files/diagnostics.h"
#include "base/files/trusted_file.h"
#include "base/quoting.h"
#include "jobtail/config/v1/config.pb.h"
#include "server/config/job_builder.h"
#include "server/config/limits.h"
#include "server/config/system_names.h"

namespace jobtail::config {
namespace {

using google::protobuf::TextFormat;

const google::protobuf::FieldDescriptor* JobField() {
  return v1::Config::descriptor()->FindFieldByName("job");
}

// Whom jobs run as that name nobody; nothing: the server's user. A name that the system does not
// know is wrong on every server: a file that one of them checks is right on all.
std::optional<process::User> DefaultUser(const v1::Config& config,
                                         const TextFormat::ParseInfoTree& tree,
                                         Diagnostics* diagnostics) {
  if (config.user().empty()) return std::nullopt;
  absl::StatusOr<process::User> user = LookUpUser(config.user());
  if (!user.ok()) {
    const auto* const field = v1::Config::descriptor()->FindFieldByName("user");
    diagnostics->Add(tree.GetLocation(field, -1), std::string(user.status().message()));
    return std::nullopt;
  }
  return geteuid() == 0 ? std::optional(*std::move(user)) : std::nullopt;
}

process::Limits DefaultLimits(const v1::Config& config, const TextFormat::ParseInfoTree& tree,
                              Diagnostics* diagnostics) {
  const auto* const field = v1::Config::descriptor()->FindFieldByName("limits");
  return ParseLimits(config.limits(), {}, [&](const std::string& message) {
    diagnostics->Add(tree.GetLocation(field, -1), absl::StrCat("limits: ", message));
  });
}

}  // namespace

absl::StatusOr<std::vector<Job>> Parse(const std::string& text, const std::string& file,
                                       process::ProcessPool* pool) {
  Diagnostics diagnostics(file, {v1::Job::descriptor(), v1::Parameter::descriptor()});
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&diagnostics);
  parser.WriteLocationsTo(&tree);
  v1::Config config;
  if (!parser.ParseFromString(text, &config)) return diagnostics.status();

  const JobDefaults defaults = {.user = DefaultUser(config, tree, &diagnostics),
                                .limits = DefaultLimits(config, tree, &diagnostics)};
  std::vector<Job> jobs;
  std::map<std::string, int> lines;
  for (int i = 0; i < config.job_size(); ++i) {
    const TextFormat::ParseLocation location = tree.GetLocation(JobField(), i);
    TextFormat::ParseInfoTree* const places = tree.GetTreeForNested(JobField(), i);
    std::optional<Job> job =
        JobBuilder(config.job(i), location, places, defaults, &diagnostics).Build(pool);
    const auto [earlier, is_new] = lines.emplace(config.job(i).name(), location.line + 1);
    if (!is_new) {
      diagnostics.Add(location, absl::StrCat("job ", Quoted(config.job(i).name()),
                                             " is there already, in line ", earlier->second,
                                             "; give it another name"));
    }
    if (job) jobs.push_back(*std::move(job));
  }
  if (!diagnostics.ok()) return diagnostics.status();
  return jobs;
}

absl::StatusOr<std::vector<Job>> Load(const std::string& file, process::ProcessPool* pool) {
  const absl::StatusOr<std::string> text = ReadTrustedFile(file);
  if (!text.ok()) return text.status();
  return Parse(*text, file, pool);
}

}  // namespace jobtail::config
