// How much each principal has over real sockets, and how much those have who do not say who they
// are.
#include <gmock/gmock.h>
#include <sys/stat.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/run/engine.h"
#include "tests/e2e/access_calls.h"
#include "tests/server/oidc/signer.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kPolicy[] = R"(
  token_file: "tokens"
  audit { file: "audit.log" }
  role { name: "few" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL] }
         limits { queued_runs: 1 connections: 2 request_bytes: 1000 } }
  role { name: "all" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, METRICS] } }
  grant { role: "few" principal: "few" }
  grant { role: "all" principal: "all" }
)";

constexpr size_t kConnections = 64;  // of which 16 may be nobody's, 8 of them of one address

ServerOptions FewConnections() {
  ServerOptions options;
  options.http.max_connections = kConnections;
  return options;
}

// As many connections as one address may have that does not prove whose they are.
std::vector<std::unique_ptr<HttpClient>> OpenSilent(const std::string& url) {
  std::vector<std::unique_ptr<HttpClient>> silent;
  for (int i = 0; i < 8; ++i) {
    silent.push_back(std::make_unique<HttpClient>(url));
    EXPECT_EQ(silent.back()->Get("/v1/jobs").status, 401) << i;
  }
  return silent;
}

class PrincipalLimitsTest : public AccessTest {
 protected:
  PrincipalLimitsTest() : AccessTest(kPolicy, FewConnections()) {
    Job queued("queued", [](JobContext& run) { run.SleepFor(absl::InfiniteDuration()); });
    queued.MaxRunning(1).MaxQueued(10);
    EXPECT_TRUE(server().AddJob(std::move(queued)).ok());
  }

  grpc::Status CreateRun(v1::JobService::Stub& stub, const std::string& token,
                         const std::string& job, v1::Run* run, const std::string& name = "") {
    grpc::ClientContext context;
    Authorize(token, &context);
    v1::CreateRunRequest request;
    request.set_job(job);
    if (!name.empty()) (*request.mutable_parameters())["name"] = name;
    return stub.CreateRun(&context, request, run);
  }

  static grpc::Status ListJobs(v1::JobService::Stub& stub, const std::string& token) {
    grpc::ClientContext context;
    Authorize(token, &context);
    v1::ListJobsResponse response;
    return stub.ListJobs(&context, {}, &response);
  }

  const std::string few_ = Token("few");
  const std::string all_ = Token("all");
};

TEST_F(PrincipalLimitsTest, QueuedRunsAreCounted) {
  v1::Run run;
  v1::Run waiting;
  ASSERT_TRUE(CreateRun(stub(), few_, "queued", &run).ok());  // at work
  ASSERT_TRUE(CreateRun(stub(), few_, "queued", &waiting).ok());
  const grpc::Status refused = CreateRun(stub(), few_, "queued", &run);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), AllOf(HasSubstr("queued runs"), HasSubstr("may have 1"),
                                             HasSubstr("come back in 1s")));
  EXPECT_TRUE(CreateRun(stub(), few_, "wait", &run).ok()) << "which does not wait";
  v1::Run others;
  EXPECT_TRUE(CreateRun(stub(), all_, "queued", &others).ok());
  v1::CancelRunRequest cancel;
  cancel.set_run(waiting.id());
  ASSERT_TRUE(server().engine().CancelRun(cancel).ok());
  EXPECT_TRUE(CreateRun(stub(), few_, "queued", &run).ok());
}

TEST_F(PrincipalLimitsTest, ConnectionsAreCountedAtBothDoorsTogether) {
  const auto grpc = Connect(server().grpc_address());
  ASSERT_TRUE(ListJobs(*grpc, few_).ok());
  auto second = std::make_unique<HttpClient>(server().http_url());
  EXPECT_EQ(second->Get("/v1/jobs", Bearer(few_)).status, 200);
  HttpClient third(server().http_url());
  const HttpAnswer refused = third.Get("/v1/jobs", Bearer(few_));
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.header, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(refused.body, AllOf(HasSubstr("connections"), HasSubstr("may have 2")));
  EXPECT_EQ(ListJobs(*Connect(server().grpc_address()), few_).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(CountOf(R"("verb":"CONNECT","outcome":"DENIED")", Audit()), 2) << Audit();
  EXPECT_THAT(Audit(), HasSubstr(R"("principal":"few","proof":"token","peer":"http:)"));
  EXPECT_EQ(third.Get("/v1/jobs", Bearer(all_)).status, 200) << "others do not notice";
  EXPECT_EQ(second->Get("/v1/jobs", Bearer(few_)).status, 200) << "nor do those that are there";
  EXPECT_TRUE(ListJobs(*grpc, few_).ok());
  second.reset();
  EXPECT_TRUE(testing::Eventually(
      [&] { return HttpClient(server().http_url()).Get("/v1/jobs", Bearer(few_)).status == 200; }));
}

TEST_F(PrincipalLimitsTest, AConnectionOfGrpcThatIsClosedIsGivenBack) {
  {
    const auto first = Connect(server().grpc_address());
    const auto second = Connect(server().grpc_address());
    ASSERT_TRUE(ListJobs(*first, few_).ok() && ListJobs(*second, few_).ok());
  }
  const auto third = Connect(server().grpc_address());
  EXPECT_TRUE(testing::Eventually([&] { return ListJobs(*third, few_).ok(); }));
}

TEST_F(PrincipalLimitsTest, BytesOfRequestsAreCounted) {
  const std::string large(2000, 'x');
  v1::Run run;
  const grpc::Status refused = CreateRun(stub(), few_, "greet", &run, large);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("bytes of requests"));
  EXPECT_TRUE(CreateRun(stub(), all_, "greet", &run, large).ok());
  const std::string body = R"({"job":"greet","parameters":{"name":")" + large + "\"}}";
  const auto post = [&](const std::string& token, const std::string& json) {
    Headers headers = Bearer(token);
    headers.emplace_back("Content-Type", "application/json");
    return HttpClient(server().http_url()).Ask("POST", "/v1/runs", headers, json).status;
  };
  EXPECT_EQ(post(few_, body), 429);
  EXPECT_EQ(post(all_, body), 200);
  EXPECT_TRUE(testing::Eventually([&] {
    return CountOf(R"("verb":"REQUEST","outcome":"DENIED")", Audit()) == 2;
  })) << Audit();
  for (int i = 0; i < 3; ++i) {  // what was answered counts no more
    EXPECT_EQ(post(few_, R"({"job":"greet"})"), 200);
    EXPECT_TRUE(CreateRun(stub(), few_, "greet", &run, std::string(600, 'x')).ok());
  }
}

// Whose it is counts once it was verified: none of the doors' own threads waits for that.
TEST_F(PrincipalLimitsTest, BytesOfRequestsWithAnIssuersTokenAreCounted) {
  const std::string keys = directory_.path() + "/keys.json";
  testing::WriteFile(keys, oidc::testing::Jwks(oidc::testing::RsaSigner().Jwk()));
  ASSERT_EQ(chmod(keys.c_str(), 0600), 0);
  SetPolicy(std::string(kPolicy) + R"(
    oidc { issuer: "https://issuer.example" audience: "jobtail" jwks_file: "keys.json" }
    grant { role: "few" principal: "oidc:*" })");
  const auto token = [](const std::string& name) {
    const int64_t end = absl::ToUnixSeconds(absl::Now()) + 600;
    return oidc::testing::RsaSigner().Sign(
        "RS256", absl::StrCat(R"({"iss":"https://issuer.example","aud":"jobtail","sub":")", name,
                              R"(","exp":)", end, "}"));
  };
  const std::string large(2000, 'x');
  v1::Run run;
  const grpc::Status refused = CreateRun(stub(), token("one"), "greet", &run, large);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED) << refused.error_message();
  EXPECT_THAT(refused.error_message(), HasSubstr("bytes of requests"));
  Headers headers = Bearer(token("two"));
  headers.emplace_back("Content-Type", "application/json");
  EXPECT_EQ(HttpClient(server().http_url())
                .Ask("POST", "/v1/runs", headers,
                     R"({"job":"greet","parameters":{"name":")" + large + "\"}}")
                .status,
            429);
  EXPECT_EQ(CountOf(R"("verb":"REQUEST","outcome":"DENIED")", Audit()), 2) << Audit();
  EXPECT_TRUE(CreateRun(stub(), token("one"), "greet", &run).ok());
}

TEST_F(PrincipalLimitsTest, ConnectionsThatNeverSayWhoTheyAreLeaveRoom) {
  HttpClient known(server().http_url());
  ASSERT_EQ(known.Get("/v1/jobs", Bearer(all_)).status, 200);
  const auto silent = OpenSilent(server().http_url());
  EXPECT_EQ(HttpClient(server().http_url()).Get("/v1/jobs", Bearer(all_)).status, 503)
      << "as many as one address may have";
  const HttpAnswer metrics = known.Get("/metrics", Bearer(all_));
  EXPECT_THAT(metrics.body, AllOf(HasSubstr("jobtail_unproven_connections 8\n"),
                                  HasSubstr("jobtail_http_refused_connections_total 1\n")));
  EXPECT_EQ(silent[0]->Get("/v1/jobs", Bearer(all_)).status, 200);  // and counts no more
  EXPECT_EQ(HttpClient(server().http_url()).Get("/v1/jobs", Bearer(all_)).status, 200);
}

// They are admitted, and have proved nothing all the same.
TEST_F(PrincipalLimitsTest, ConnectionsOfCallersWhoAreNotKnownLeaveRoom) {
  SetPolicy(std::string(kPolicy) + R"(
    role { name: "seen" allow { job: "greet" verb: LIST } }
    grant { role: "seen" anonymous: true })");
  std::vector<std::unique_ptr<HttpClient>> anonymous;
  for (int i = 0; i < 8; ++i) {
    anonymous.push_back(std::make_unique<HttpClient>(server().http_url()));
    ASSERT_EQ(anonymous.back()->Get("/v1/jobs").status, 200) << i;
  }
  HttpClient client(server().http_url());
  const HttpAnswer refused = client.Get("/v1/jobs");
  EXPECT_EQ(refused.status, 429) << "as many as one address may have";
  EXPECT_THAT(refused.header, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(Audit(), HasSubstr(R"("verb":"CONNECT","outcome":"DENIED")"));
  EXPECT_EQ(client.Get("/v1/jobs", Bearer(all_)).status, 200) << "who is known does not notice";
  EXPECT_THAT(client.Get("/metrics", Bearer(all_)).body,
              HasSubstr("jobtail_unproven_connections 8\n"));
  EXPECT_EQ(anonymous[0]->Get("/v1/jobs").status, 200) << "nor those that are there";
  anonymous.pop_back();
  EXPECT_TRUE(testing::Eventually(
      [&] { return HttpClient(server().http_url()).Get("/v1/jobs").status == 200; }));
}

TEST_F(PrincipalLimitsTest, ConnectionsOfTooManyCallersWhoAreNotKnownMakeRoomAtOnce) {
  SetPolicy(std::string(kPolicy) + R"(
    role { name: "seen" allow { job: "greet" verb: LIST } }
    grant { role: "seen" anonymous: true })");
  std::vector<std::unique_ptr<HttpClient>> anonymous;  // as many as may be, and as many again
  for (int i = 0; i < 16; ++i) {
    anonymous.push_back(std::make_unique<HttpClient>(server().http_url()));
    ASSERT_EQ(anonymous.back()->Get("/v1/jobs").status, i < 8 ? 200 : 429) << i;
  }
  EXPECT_EQ(HttpClient(server().http_url()).Get("/v1/jobs", Bearer(all_)).status, 200)
      << "long before the patience is over that silent ones have";
  EXPECT_TRUE(anonymous[8]->AwaitClose());
  EXPECT_EQ(anonymous[0]->Get("/v1/jobs").status, 200);
}

// Who keeps connections open without a proof keeps nobody out for longer than the patience lasts.
class ImpatientServerTest : public AccessTest {
 protected:
  ImpatientServerTest() : AccessTest(kPolicy, Options()) {}

  static ServerOptions Options() {
    ServerOptions options = FewConnections();
    options.http.newcomer_patience = absl::Milliseconds(200);
    options.http.request_timeout = absl::Seconds(1);
    return options;
  }

  const std::string all_ = Token("all");
};

TEST_F(ImpatientServerTest, ConnectionsThatNeverSayWhoTheyAreGiveWay) {
  HttpClient known(server().http_url());
  ASSERT_EQ(known.Get("/v1/jobs", Bearer(all_)).status, 200);
  const auto silent = OpenSilent(server().http_url());
  for (int i = 0; i < 8; i += 2)
    silent[i]->SendBytes("GET /v1/jobs HTTP/1.1\r\n");  // no more of it
  // As many again. Whichever of them had to give way as well had begun later.
  std::vector<std::unique_ptr<HttpClient>> others;
  while (others.size() < silent.size()) {
    const auto connect = [&] {
      others.push_back(std::make_unique<HttpClient>(server().http_url()));
      if (others.back()->Get("/v1/jobs").status == 401) return true;
      others.pop_back();
      return false;
    };
    ASSERT_TRUE(testing::Eventually(connect)) << others.size();
  }
  for (const auto& connection : silent) EXPECT_TRUE(connection->AwaitClose());
  EXPECT_EQ(known.Get("/v1/jobs", Bearer(all_)).status, 200) << "who is known does not notice";
}

// --- What a token has

class AccessLimitsTest : public AccessCallsTest {
 protected:
  AccessLimitsTest()
      : AccessCallsTest(R"(token_file: "tokens" audit { file: "audit.log" }
          role { name: "few" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL] }
                 limits { active_runs: 1 streams: 1 } }
          role { name: "slow" allow { job: "*" verb: LIST } limits { calls_per_second: 1 } }
          grant { role: "few" principal: "few" principal: "others" }
          grant { role: "slow" principal: "slow" })") {}
};

TEST_F(AccessLimitsTest, RunsThatHaveNotEndedAreCounted) {
  const std::string token = Token("few");
  v1::Run first, second;
  ASSERT_TRUE(CreateRun(token, "wait", &first).ok());
  const grpc::Status refused = CreateRun(token, "wait", &second);
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("come back"));
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"RUN\",\"job\":\"wait\",\"outcome\":\"DENIED\""));
  EXPECT_TRUE(CreateRun(Token("others"), "wait", &second).ok());
  v1::CancelRunRequest cancel;
  cancel.set_run(first.id());
  ASSERT_TRUE(server().engine().CancelRun(cancel).ok());
  EXPECT_TRUE(testing::Eventually([&] { return CreateRun(token, "wait", &second).ok(); }));
}

TEST_F(AccessLimitsTest, StreamsAreCounted) {
  const std::string run = Run("wait", "x");
  const std::string token = Token("few");
  const FollowedLog log(stub(), token, run);
  HttpClient client(server().http_url());
  const HttpAnswer refused = client.Get("/v1/runs/" + run + "/log", Bearer(token));
  EXPECT_EQ(refused.status, 429);
  EXPECT_THAT(refused.header, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"READ_LOG\",\"job\":\"wait\",\"outcome\":\"DENIED\""));
  EXPECT_EQ(client.Get("/v1/runs/" + run + "/log", Bearer(Token("others"))).status, 200);
}

TEST_F(AccessLimitsTest, CallsASecondAreCounted) {
  const std::string token = Token("slow");
  HttpClient client(server().http_url());
  std::vector<int> answers;
  HttpAnswer last;
  for (int i = 0; i < 5; ++i) {
    last = client.Get("/v1/jobs", Bearer(token));
    answers.push_back(last.status);
  }
  EXPECT_EQ(answers.front(), 200);
  EXPECT_EQ(answers.back(), 429);
  EXPECT_THAT(last.header, HasSubstr("Retry-After: 1"));
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"CALL\",\"outcome\":\"DENIED\""));
  EXPECT_EQ(client.Get("/v1/jobs", Bearer(Token("few"))).status, 200);
}

}  // namespace
}  // namespace jobtail::e2e
