// Which path and method is which call.
#ifndef JOBTAIL_SERVER_HTTP_ROUTER_H_
#define JOBTAIL_SERVER_HTTP_ROUTER_H_

#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace jobtail::http {

// A call of jobtail.v1.JobService.
enum class Call {
  kListJobs,
  kGetJob,
  kRunJob,
  kCreateRun,
  kListRuns,
  kWatchRuns,
  kGetRun,
  kCancelRun,
  kDeleteRun,
  kTailLog,
  kWhoAmI,
};

// One rule of proto/jobtail/v1/jobtail_http.yaml.
struct Route {
  std::string_view method;   // "GET"
  std::string_view pattern;  // "/v1/runs/{run}:cancel"; at most one variable, a whole segment or
                             // its beginning
  std::string_view rpc;      // "CancelRun"
  Call call;
  bool has_body;  // of the rule's "body: *"
};

// Every route that is served for the API.
std::span<const Route> Routes();

struct Match {
  const Route* route;
  std::string variable;  // the decoded value of the pattern's variable; empty if it has none
};

// NOT_FOUND if no route has this path, UNIMPLEMENTED if one has, but not for this method; "HEAD" is
// a "GET". `path` is as it came, encoded and without the query.
absl::StatusOr<Match> FindRoute(std::string_view method, std::string_view path);

// What a header Allow says of the path: "GET, HEAD, OPTIONS". Empty if no route has it.
std::string AllowedMethods(std::string_view path);

// The name of the pattern's variable; empty if it has none.
std::string_view VariableOf(std::string_view pattern);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_ROUTER_H_
