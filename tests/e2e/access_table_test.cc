// Who may call what: each call and each route for each role, over both doors, held against the
// table in docs/security.md.
#include <gmock/gmock.h>

#include <cstdlib>
#include <fstream>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/str_replace.h"
#include "absl/strings/str_split.h"
#include "server/http/router.h"
#include "tests/e2e/access_fixture.h"

namespace jobtail::e2e {
namespace {

// What comes of a call: "yes", what it tells instead ("401"), or "-" for a list without it.
using Answer = std::string;

const std::vector<std::string>& Roles() {
  static const auto& roles =
      *new std::vector<std::string>{"nobody",   "nothing granted", "elsewhere", "lister", "reader",
                                    "follower", "deployer",        "operator",  "scraper"};
  return roles;
}

Answer OfGrpc(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return "yes";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "401";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "403";
    case grpc::StatusCode::NOT_FOUND:
      return "404";
    default:
      return absl::StrCat("gRPC ", status.error_code(), ": ", status.error_message());
  }
}

Answer OfHttp(int status) { return status == 200 ? "yes" : absl::StrCat(status); }

// What a list tells of something.
Answer InList(const Answer& answer, const std::string& text, const std::string& wanted) {
  if (answer != "yes") return answer;
  return text.find(wanted) == std::string::npos ? "-" : "yes";
}

// The run that a call is made about, with its job.
struct Target {
  std::string run;
  std::string job = "greet";
};

using GrpcCall = std::function<Answer(v1::JobService::Stub&, grpc::ClientContext*, const Target&)>;

template <typename Request>
Request About(const Target& target) {
  Request request;
  if constexpr (requires { request.set_run(""); }) request.set_run(target.run);
  if constexpr (requires { request.set_job(""); }) request.set_job(target.job);
  return request;
}

// A unary call; `wanted` is looked for in the answer, if it is a list.
template <typename Request, typename Response, typename Method>
GrpcCall Unary(Method method, std::string Target::*wanted = nullptr) {
  return [=](v1::JobService::Stub& stub, grpc::ClientContext* context, const Target& target) {
    Response response;
    const Request request = wanted ? Request() : About<Request>(target);
    const Answer answer = OfGrpc((stub.*method)(context, request, &response));
    return wanted ? InList(answer, response.DebugString(), target.*wanted) : answer;
  };
}

// A stream: whether anything comes.
template <typename Request, typename Message, typename Method>
GrpcCall Streamed(Method method, bool of_any_job = false) {
  return [=](v1::JobService::Stub& stub, grpc::ClientContext* context, const Target& target) {
    const Request request = of_any_job ? Request() : About<Request>(target);
    const auto reader = (stub.*method)(context, request);
    Message message;
    if (!reader->Read(&message)) return OfGrpc(reader->Finish());
    context->TryCancel();
    reader->Finish();
    return Answer("yes");
  };
}

std::map<std::string, GrpcCall> GrpcCalls() {
  using Stub = v1::JobService::Stub;
  return {
      {"ListJobs", Unary<v1::ListJobsRequest, v1::ListJobsResponse>(&Stub::ListJobs, &Target::job)},
      {"GetJob", Unary<v1::GetJobRequest, v1::Job>(&Stub::GetJob)},
      {"RunJob", Streamed<v1::RunJobRequest, v1::LogLine>(&Stub::RunJob)},
      {"CreateRun", Unary<v1::CreateRunRequest, v1::Run>(&Stub::CreateRun)},
      {"GetRun", Unary<v1::GetRunRequest, v1::Run>(&Stub::GetRun)},
      {"ListRuns", Unary<v1::ListRunsRequest, v1::ListRunsResponse>(&Stub::ListRuns, &Target::run)},
      {"CancelRun", Unary<v1::CancelRunRequest, v1::Run>(&Stub::CancelRun)},
      {"DeleteRun", Unary<v1::DeleteRunRequest, google::protobuf::Empty>(&Stub::DeleteRun)},
      {"TailLog", Streamed<v1::TailLogRequest, v1::LogBatch>(&Stub::TailLog)},
      {"WatchRuns", Streamed<v1::WatchRunsRequest, v1::Run>(&Stub::WatchRuns, true)},
      {"WhoAmI", Unary<v1::WhoAmIRequest, v1::WhoAmIResponse>(&Stub::WhoAmI)},
  };
}

// What is no rule of jobtail_http.yaml.
struct Page {
  std::string method;
  std::string path;
};

const std::vector<Page>& Pages() {
  static const auto& pages = *new std::vector<Page>{
      {"POST", "/stream/{job}"}, {"GET", "/metrics"}, {"GET", "/healthz"},
      {"GET", "/readyz"},        {"GET", "/"},        {"DELETE", "/session"}};
  return pages;
}

class AccessTableTest : public AccessTest {
 protected:
  AccessTableTest() {
    for (const std::string& role : Roles()) {
      if (role == "nobody") continue;
      const std::string name = absl::StrReplaceAll(role, {{" ", "-"}});
      tokens_[role] = Token(name);
      names_[role] = name;
      Run("wait", name);  // which a watch tells at once
    }
    server_->Add("other-wait", [](JobContext& run) { run.SleepFor(absl::InfiniteDuration()); });
    Run("other-wait", "somebody-else");
  }

  Answer AskGrpc(const GrpcCall& call, const std::string& role, const Target& target) {
    grpc::ClientContext context;
    Authorize(tokens_[role], &context);
    return call(stub(), &context, target);
  }

  // `headers` prove who asks.
  Answer AskHttp(const Headers& headers, const std::string& method, const std::string& pattern,
                 const Target& target, const std::string& rpc) {
    HttpClient client(server().http_url());
    const std::string path =
        absl::StrReplaceAll(pattern, {{"{run}", target.run}, {"{job}", target.job}});
    Headers all = headers;
    std::string body;
    if (method == "POST" && path.starts_with("/v1/")) {
      all.emplace_back("Content-Type", "application/json");
      body = rpc == "CreateRun" ? "{\"job\":\"" + target.job + "\"}" : "{}";
    }
    if (method == "POST" && path.starts_with("/stream/")) {
      all.emplace_back("Origin", server().http_url().substr(0, server().http_url().size() - 1));
      all.emplace_back("Content-Type", "application/json");
    }
    client.Send(method, path, all, body);
    if (rpc == "WatchRuns" || rpc == "TailLog" || rpc == "RunJob") {  // whether it begins
      const std::string header = client.ReadUntil("\r\n\r\n");
      return header.size() < 12 ? "nothing" : OfHttp(std::atoi(header.substr(9, 3).c_str()));
    }
    const HttpAnswer answer = client.ReadAnswer();
    if (rpc == "ListJobs") return InList(OfHttp(answer.status), answer.body, target.job);
    if (rpc == "ListRuns") return InList(OfHttp(answer.status), answer.body, target.run);
    return OfHttp(answer.status);
  }

  // What comes of it with one's own run, and with another's.
  Answer WithBoth(const std::string& role, const std::function<Answer(const Target&)>& ask) {
    const Answer own =
        ask({.run = EndedRun("greet", names_[role].empty() ? "nobody" : names_[role])});
    const Answer others = ask({.run = EndedRun("greet", "somebody-else")});
    if (own == others) return own;
    return absl::StrCat(own == "yes" ? "own" : own + " own",
                        others == "404" || others == "-" ? "" : ", else " + others);
  }

  // The cookie of one who has signed in with the role's token.
  Headers Cookie(const std::string& role) {
    if (tokens_[role].empty()) return {};
    HttpClient client(server().http_url());
    const HttpAnswer answer = client.Ask("POST", "/session", {{"Content-Type", "application/json"}},
                                         "{\"token\":\"" + tokens_[role] + "\"}");
    EXPECT_EQ(answer.status, 200);
    const size_t begin = answer.header.find("jobtail-session=");
    EXPECT_NE(begin, std::string::npos) << answer.header;
    return {{"Cookie", answer.header.substr(begin, answer.header.find(';', begin) - begin)}};
  }

  std::map<std::string, std::string> tokens_;  // by role
  std::map<std::string, std::string> names_;
};

std::string Row(const std::string& first, const std::vector<std::string>& cells) {
  return absl::StrCat("| ", first, " | ", absl::StrJoin(cells, " | "), " |\n");
}

TEST_F(AccessTableTest, IsThatOfTheDocs) {
  std::vector<std::string> line(Roles().size(), "---");
  std::string table = Row("call", Roles()) + Row("---", line);
  const std::map<std::string, GrpcCall> calls = GrpcCalls();
  const auto* const service = google::protobuf::DescriptorPool::generated_pool()->FindServiceByName(
      v1::JobService::service_full_name());
  std::set<std::string> routes;
  for (int i = 0; i < service->method_count(); ++i) {
    const std::string name = service->method(i)->name();
    ASSERT_TRUE(calls.contains(name)) << name << ": no rule for this call; add it to this test";
    const http::Route* route = nullptr;
    for (const http::Route& each : http::Routes()) {
      if (each.rpc == name) route = &each;
    }
    ASSERT_TRUE(route) << name << " has no route";
    routes.insert(absl::StrCat(std::string(route->method), " ", std::string(route->pattern)));
    std::vector<std::string> cells;
    for (const std::string& role : Roles()) {
      const Answer grpc = WithBoth(
          role, [&](const Target& target) { return AskGrpc(calls.at(name), role, target); });
      const auto over_http = [&](const Headers& headers) {
        return WithBoth(role, [&](const Target& target) {
          return AskHttp(headers, std::string(route->method), std::string(route->pattern), target,
                         name);
        });
      };
      EXPECT_EQ(over_http(Bearer(tokens_[role])), grpc) << name << " of " << role << " by token";
      EXPECT_EQ(over_http(Cookie(role)), grpc) << name << " of " << role << " by cookie";
      cells.push_back(grpc);
    }
    table += Row(absl::StrCat("`", name, "`, `", std::string(route->method), " ",
                              std::string(route->pattern), "`"),
                 cells);
  }
  EXPECT_EQ(routes.size(), http::Routes().size()) << "a route that is no call's";
  for (const Page& page : Pages()) {
    std::vector<std::string> cells;
    for (const std::string& role : Roles()) {
      const Answer answer =
          AskHttp(Bearer(tokens_[role]), page.method, page.path, {.run = "none"}, "");
      EXPECT_EQ(AskHttp(Cookie(role), page.method, page.path, {.run = "none"}, ""), answer)
          << page.path << " of " << role << " by cookie";
      cells.push_back(answer);
    }
    table += Row(absl::StrCat("`", page.method, " ", page.path, "`"), cells);
  }

  std::ostringstream text;
  text << std::ifstream(JOBTAIL_DOCS "/security.md").rdbuf();
  const std::string docs = text.str();
  const std::string begin = "<!-- table: calls by role -->\n";
  const std::string end = "<!-- end of table -->";
  const size_t first = docs.find(begin);
  const size_t last = docs.find(end);
  ASSERT_TRUE(first != std::string::npos && last != std::string::npos);
  const size_t from = first + begin.size();
  if (std::getenv("JOBTAIL_WRITE_DOCS")) {
    std::ofstream(JOBTAIL_DOCS "/security.md")
        << docs.substr(0, from) << table << docs.substr(last);
    return;
  }
  EXPECT_EQ(docs.substr(from, last - from), table)
      << "run this test with JOBTAIL_WRITE_DOCS=1, and look at what it has changed";
}

}  // namespace
}  // namespace jobtail::e2e
