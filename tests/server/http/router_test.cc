// Tests of the HTTP routes, against the API configuration file.

#include "server/http/router.h"

#include <gmock/gmock.h>
#include <yaml-cpp/yaml.h>

#include <set>
#include <string>
#include <tuple>

#include "jobtail/v1/job_service.pb.h"

namespace jobtail::http {
namespace {

using ::testing::HasSubstr;

using Rule = std::tuple<std::string, std::string, std::string, bool>;

// The rules of the API configuration: rpc, method, path, and whether the body is the message.
std::set<Rule> RulesInFile() {
  std::set<Rule> rules;
  for (const YAML::Node& rule : YAML::LoadFile(JOBTAIL_HTTP_RULES)["http"]["rules"]) {
    const bool has_body = rule["body"] && rule["body"].as<std::string>() == "*";
    for (const std::string method : {"get", "post", "delete", "put", "patch"}) {
      if (!rule[method]) continue;
      std::string upper = method;
      for (char& letter : upper) letter = static_cast<char>(std::toupper(letter));
      rules.emplace(rule["selector"].as<std::string>(), upper, rule[method].as<std::string>(),
                    has_body);
    }
  }
  return rules;
}

TEST(Routes, AreTheRulesOfTheApiConfiguration) {
  std::set<Rule> served;
  for (const Route& route : Routes()) {
    served.emplace("jobtail.v1.JobService." + std::string(route.rpc), route.method, route.pattern,
                   route.has_body);
  }
  EXPECT_EQ(served, RulesInFile());
}

TEST(Routes, ServeEveryCallAndNameAFieldOfItsRequest) {
  const auto* service = v1::ListJobsRequest::descriptor()->file()->FindServiceByName("JobService");
  std::set<std::string> served;
  for (const Route& route : Routes()) {
    served.emplace(route.rpc);
    const auto* method = service->FindMethodByName(std::string(route.rpc));
    ASSERT_NE(method, nullptr) << route.rpc;
    const std::string variable(VariableOf(route.pattern));
    EXPECT_TRUE(variable.empty() || method->input_type()->FindFieldByName(variable)) << variable;
  }
  EXPECT_EQ(served.size(), static_cast<size_t>(service->method_count()));
}

TEST(FindRoute, TellsTheCallAndTheVariable) {
  const auto match = FindRoute("POST", "/v1/runs/abc:cancel");
  ASSERT_TRUE(match.ok());
  EXPECT_EQ(match->route->call, Call::kCancelRun);
  EXPECT_EQ(match->variable, "abc");
  EXPECT_EQ(FindRoute("GET", "/v1/runs:watch")->route->call, Call::kWatchRuns);
  EXPECT_EQ(FindRoute("GET", "/v1/runs/abc/log")->route->call, Call::kTailLog);
  EXPECT_EQ(FindRoute("DELETE", "/v1/runs/abc")->route->call, Call::kDeleteRun);
  EXPECT_EQ(FindRoute("HEAD", "/v1/runs/abc")->route->call, Call::kGetRun);
}

TEST(AllowedMethods, AreThoseOfAllRoutesOfThePath) {
  EXPECT_EQ(AllowedMethods("/v1/runs"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(AllowedMethods("/v1/runs/abc"), "GET, HEAD, DELETE, OPTIONS");
  EXPECT_EQ(AllowedMethods("/v1/jobs/a:run"), "POST, OPTIONS");
  EXPECT_EQ(AllowedMethods("/v1/nothing"), "");
}

TEST(FindRoute, DecodesTheVariable) {
  EXPECT_EQ(FindRoute("GET", "/v1/jobs/a%2Fb+c")->variable, "a/b+c");
  EXPECT_FALSE(FindRoute("GET", "/v1/jobs/a%2").ok());
}

TEST(FindRoute, TellsWhatIsNotThere) {
  for (const char* path : {"/", "/v1", "/v1/", "/v1/jobs/", "/v1/runs/a/b", "/v1/runs/:cancel",
                           "/v1/runs//log", "/v1/jobs/a:b:run", "/v2/jobs"}) {
    EXPECT_EQ(FindRoute("GET", path).status().code(), absl::StatusCode::kNotFound) << path;
  }
  EXPECT_EQ(FindRoute("PUT", "/v1/runs").status().code(), absl::StatusCode::kUnimplemented);
  EXPECT_EQ(FindRoute("GET", "/v1/jobs/a:run").status().code(), absl::StatusCode::kUnimplemented);
}

}  // namespace
}  // namespace jobtail::http
