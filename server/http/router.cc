// The table of paths.
#include "server/http/router.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/http/query.h"

namespace jobtail::http {
namespace {

constexpr Route kRoutes[] = {
    {"GET", "/v1/jobs", "ListJobs", Call::kListJobs, false},
    {"POST", "/v1/jobs/{job}:run", "RunJob", Call::kRunJob, true},
    {"GET", "/v1/jobs/{job}", "GetJob", Call::kGetJob, false},
    {"POST", "/v1/runs", "CreateRun", Call::kCreateRun, true},
    {"GET", "/v1/runs", "ListRuns", Call::kListRuns, false},
    {"GET", "/v1/runs:watch", "WatchRuns", Call::kWatchRuns, false},
    {"POST", "/v1/runs/{run}:cancel", "CancelRun", Call::kCancelRun, true},
    {"GET", "/v1/runs/{run}/log", "TailLog", Call::kTailLog, false},
    {"GET", "/v1/runs/{run}", "GetRun", Call::kGetRun, false},
    {"DELETE", "/v1/runs/{run}", "DeleteRun", Call::kDeleteRun, false},
    {"GET", "/v1/whoami", "WhoAmI", Call::kWhoAmI, false},
};

// What stands for the variable, still encoded; nullopt if the path does not fit. Colons are verbs'
// alone: no name of a job or run has one.
std::optional<std::string_view> MatchPattern(std::string_view pattern, std::string_view path) {
  const size_t open = pattern.find('{');
  if (open == std::string_view::npos) {
    return pattern == path ? std::optional<std::string_view>("") : std::nullopt;
  }
  const std::string_view before = pattern.substr(0, open);
  const std::string_view after = pattern.substr(pattern.find('}') + 1);
  if (path.size() <= before.size() + after.size() || !path.starts_with(before) ||
      !path.ends_with(after)) {
    return std::nullopt;
  }
  path.remove_prefix(before.size());
  path.remove_suffix(after.size());
  if (path.find_first_of("/:") != std::string_view::npos) return std::nullopt;
  return path;
}

}  // namespace

std::span<const Route> Routes() { return kRoutes; }

std::string_view VariableOf(std::string_view pattern) {
  const size_t open = pattern.find('{');
  if (open == std::string_view::npos) return "";
  return pattern.substr(open + 1, pattern.find('}') - open - 1);
}

std::string AllowedMethods(std::string_view path) {
  std::string methods;
  for (const Route& route : kRoutes) {
    if (!MatchPattern(route.pattern, path)) continue;
    absl::StrAppend(&methods, std::string(route.method), route.method == "GET" ? ", HEAD, " : ", ");
  }
  return methods.empty() ? "" : methods + "OPTIONS";
}

absl::StatusOr<Match> FindRoute(std::string_view method, std::string_view path) {
  if (method == "HEAD") method = "GET";
  bool known_path = false;
  for (const Route& route : kRoutes) {
    const auto variable = MatchPattern(route.pattern, path);
    if (!variable) continue;
    known_path = true;
    if (route.method != method) continue;
    absl::StatusOr<std::string> decoded = PercentDecode(*variable, /*plus_is_space=*/false);
    if (!decoded.ok()) return decoded.status();
    return Match{&route, *std::move(decoded)};
  }
  if (known_path) {
    return absl::UnimplementedError(absl::StrCat("method ", Quoted(std::string(method)),
                                                 " is not served at ", Quoted(std::string(path)),
                                                 "; see docs/http.md for what is"));
  }
  return absl::NotFoundError(absl::StrCat("there is nothing at ", Quoted(std::string(path)),
                                          "; the API begins at /v1/jobs and /v1/runs"));
}

}  // namespace jobtail::http
