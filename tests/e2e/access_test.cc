// What a caller sees and may do over real sockets, and what becomes of that when it is taken away.
#include <gmock/gmock.h>

#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/access/secret.h"
#include "server/access/token_file.h"
#include "tests/e2e/access_fixture.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

// The longest that a right lives on once it is taken away.
constexpr absl::Duration kSoon = absl::Seconds(1);

class AccessCallsTest : public AccessTest {
 protected:
  using AccessTest::AccessTest;

  grpc::Status GetRun(const std::string& token, const std::string& run, v1::Run* answer) {
    grpc::ClientContext context;
    Authorize(token, &context);
    v1::GetRunRequest request;
    request.set_run(run);
    return stub().GetRun(&context, request, answer);
  }

  std::vector<std::string> ListRuns(const std::string& token, v1::ListRunsRequest request = {}) {
    grpc::ClientContext context;
    Authorize(token, &context);
    v1::ListRunsResponse response;
    EXPECT_TRUE(stub().ListRuns(&context, request, &response).ok());
    std::vector<std::string> runs;
    for (const v1::Run& run : response.runs()) runs.push_back(run.id());
    return runs;
  }

  grpc::Status CreateRun(const std::string& token, const std::string& job, v1::Run* run,
                         const std::string& request_id = "") {
    grpc::ClientContext context;
    Authorize(token, &context);
    v1::CreateRunRequest request;
    request.set_job(job);
    request.set_request_id(request_id);
    return stub().CreateRun(&context, request, run);
  }
};

// A log that is followed, whose stream ends when its reader's right does.
class FollowedLog {
 public:
  FollowedLog(v1::JobService::Stub& stub, const std::string& token, const std::string& run) {
    context_.AddMetadata("authorization", "Bearer " + token);
    reader_ = stub.TailLog(&context_, Follow(run));
    v1::LogBatch batch;
    while (records_ == 0 && reader_->Read(&batch)) Count(batch);
  }

  // Reads to the end, which has to come soon.
  grpc::Status AwaitEnd() {
    const absl::Time begin = absl::Now();
    v1::LogBatch batch;
    while (reader_->Read(&batch)) Count(batch);
    EXPECT_LT(absl::Now() - begin, kSoon);
    return reader_->Finish();
  }

  std::string resume_point() const { return ResumePoint(context_); }

 private:
  void Count(const v1::LogBatch& batch) {
    for (const v1::LogLine& line : batch.lines()) records_ += line.sequence() > 0 ? 1 : 0;
  }

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::LogBatch>> reader_;
  int records_ = 0;
};

TEST_F(AccessCallsTest, ARevokedTokenEndsItsStreamsWithTheResumePoint) {
  const std::string run = Run("wait", "somebody-else");
  FollowedLog log(stub(), Token("follower"), run);
  Revoke("follower");
  const grpc::Status status = log.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("go on with from_sequence=2"));
  EXPECT_EQ(log.resume_point(), "2");
}

TEST_F(AccessCallsTest, AnExpiredTokenEndsItsStreams) {
  const std::string run = Run("wait", "somebody-else");
  const auto token = access::CreateToken(
      directory_.path() + "/tokens",
      {.name = "follower", .expires = absl::Now() + absl::Seconds(3)},  // cut to the second
      absl::Now());
  server().ReloadAccess();
  FollowedLog log(stub(), *token, run);
  v1::Run answer;
  EXPECT_TRUE(testing::Eventually([&] { return !GetRun(*token, run, &answer).ok(); }));
  const grpc::Status status = log.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
  EXPECT_EQ(log.resume_point(), "2");
}

TEST_F(AccessCallsTest, ARightThatIsTakenAwayEndsItsStreams) {
  const std::string run = Run("wait", "somebody-else");
  FollowedLog log(stub(), Token("follower"), run);
  SetPolicy("token_file: \"tokens\"");
  const grpc::Status status = log.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << status.error_message();
  EXPECT_EQ(log.resume_point(), "2");
}

TEST_F(AccessCallsTest, AStreamWhoseRightStaysGoesOnThroughAReload) {
  const std::string run = Run("wait", "somebody-else");
  const std::string token = Token("follower");
  FollowedLog log(stub(), token, run);
  SetPolicy(std::string(kAccessPolicy) + "# the same");
  Revoke("follower");  // and only now it ends
  EXPECT_EQ(log.AwaitEnd().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AccessCallsTest, AWatchEndsAsWell) {
  const std::string run = Run("wait", "somebody-else");
  grpc::ClientContext context;
  Authorize(Token("lister"), &context);
  const auto reader = stub().WatchRuns(&context, v1::WatchRunsRequest());
  v1::Run seen;
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.id(), run);
  SetPolicy("token_file: \"tokens\"");
  while (reader->Read(&seen)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AccessCallsTest, WhatMayNotBeSeenIsNotThere) {
  const std::string own = EndedRun("greet", "deployer");
  const std::string other = EndedRun("greet", "somebody-else");
  const std::string token = Token("deployer");
  EXPECT_THAT(ListRuns(token), ElementsAre(own));
  v1::Run run;
  const grpc::Status unseen = GetRun(token, other, &run);
  EXPECT_EQ(unseen.error_code(), grpc::StatusCode::NOT_FOUND);
  std::string never = other;
  never.back() = never.back() == '0' ? '1' : '0';
  std::string as_unseen = GetRun(token, never, &run).error_message();
  as_unseen.replace(as_unseen.find(never), never.size(), other);
  EXPECT_EQ(as_unseen, unseen.error_message());
  // The beginning of an id is that of a run which is seen, whatever others begin with it.
  const grpc::Status prefix = GetRun(token, own.substr(0, 8), &run);
  EXPECT_TRUE(prefix.ok()) << prefix.error_message();
  EXPECT_EQ(run.id(), own);
  EXPECT_EQ(GetRun(Token("operator"), own.substr(0, 8), &run).error_code(),
            grpc::StatusCode::INVALID_ARGUMENT);
}

TEST_F(AccessCallsTest, TheNamesOfJobsThatMayNotBeSeenAreNotTold) {
  v1::Run run;
  const grpc::Status status = CreateRun(Token("elsewhere"), "greet", &run);
  EXPECT_EQ(status.error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_THAT(status.error_message(), Not(HasSubstr("wait")));
  EXPECT_THAT(status.error_message(), HasSubstr("this server has no jobs"));
}

TEST_F(AccessCallsTest, ParametersAreForWhoMayReadThem) {
  const std::string id = EndedRun("greet", "somebody-else");
  grpc::ClientContext listing;
  Authorize(Token("lister"), &listing);
  v1::ListRunsResponse runs;
  ASSERT_TRUE(stub().ListRuns(&listing, v1::ListRunsRequest(), &runs).ok());
  ASSERT_EQ(runs.runs_size(), 1);
  EXPECT_EQ(runs.runs(0).id(), id);
  EXPECT_TRUE(runs.runs(0).parameters().empty());
  v1::Run run;
  ASSERT_TRUE(GetRun(Token("reader"), id, &run).ok());
  EXPECT_EQ(run.parameters().at("name"), "Rumpelstiltskin");
  EXPECT_EQ(run.created_by(), "somebody-else");
}

TEST_F(AccessCallsTest, ARequestIdIsThePrincipalsOwn) {
  v1::Run first, again, other;
  const std::string deployer = Token("deployer");
  ASSERT_TRUE(CreateRun(deployer, "greet", &first, "id").ok());
  ASSERT_TRUE(CreateRun(deployer, "greet", &again, "id").ok());
  ASSERT_TRUE(CreateRun(Token("deployer-2"), "greet", &other, "id").ok());
  EXPECT_EQ(first.id(), again.id());
  EXPECT_NE(first.id(), other.id());
  EXPECT_EQ(other.created_by(), "deployer-2");
}

TEST_F(AccessCallsTest, RunsAreListedByWhoHasStartedThem) {
  const std::string a = EndedRun("greet", "a");
  const std::string b = EndedRun("greet", "b");
  const std::string token = Token("operator");
  EXPECT_THAT(ListRuns(token), ElementsAre(b, a));
  v1::ListRunsRequest request;
  request.set_created_by("a");
  EXPECT_THAT(ListRuns(token, request), ElementsAre(a));
  EXPECT_THAT(ListRuns(Token("deployer"), request), ElementsAre());
  HttpClient client(server().http_url());
  const HttpAnswer answer = client.Get("/v1/runs?created_by=b", Bearer(token));
  EXPECT_THAT(answer.body, AllOf(HasSubstr(b), Not(HasSubstr(a))));
}

TEST_F(AccessCallsTest, AJobTellsWhatTheCallerMayDoWithIt) {
  grpc::ClientContext context;
  Authorize(Token("deployer"), &context);
  v1::GetJobRequest request;
  request.set_job("greet");
  v1::Job job;
  ASSERT_TRUE(stub().GetJob(&context, request, &job).ok());
  EXPECT_THAT(job.verbs(), UnorderedElementsAre(v1::VERB_LIST, v1::VERB_READ, v1::VERB_READ_LOG,
                                                v1::VERB_RUN, v1::VERB_CANCEL, v1::VERB_DELETE));
  EXPECT_TRUE(job.verbs_on_all_runs().empty());
}

TEST_F(AccessCallsTest, EverybodyIsToldWhoTheyAre) {
  SetPolicy(std::string(kAccessPolicy) + "group { name: \"people\" member: \"reader\" }");
  HttpClient client(server().http_url());
  const HttpAnswer answer = client.Get("/v1/whoami", Bearer(Token("reader", {"web"})));
  EXPECT_EQ(answer.status, 200);
  EXPECT_EQ(answer.body,
            "{\"name\":\"reader\",\"groups\":[\"people\",\"web\"],\"proof\":\"PROOF_TOKEN\","
            "\"rights\":[{\"job\":\"*\",\"verbs\":[\"VERB_LIST\",\"VERB_READ\"]}]}");
}

TEST_F(AccessCallsTest, WhoIsNotKnownIsAskedForAProof) {
  HttpClient client(server().http_url());
  const HttpAnswer answer = client.Get("/v1/jobs");
  EXPECT_EQ(answer.status, 401);
  EXPECT_THAT(answer.header, HasSubstr("WWW-Authenticate: Bearer"));
  EXPECT_THAT(answer.body, HasSubstr("authorization: Bearer"));
  EXPECT_EQ(client.Get("/v1/jobs", Bearer(access::MakeToken())).status, 401);
}

TEST_F(AccessCallsTest, ATokenInAnAddressIsRefused) {
  const std::string token = Token("operator");
  HttpClient client(server().http_url());
  const HttpAnswer answer = client.Get("/v1/jobs?access_token=" + token, Bearer(token));
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("revoke it"), Not(HasSubstr(token))));
}

TEST_F(AccessCallsTest, MetricsNameOnlyTheJobsThatMayBeSeen) {
  EndedRun("greet", "a");
  SetPolicy(R"(token_file: "tokens" role { name: "s" allow { job: "gr*" verb: METRICS } }
               role { name: "t" allow { job: "x" verb: METRICS } }
               grant { role: "s" principal: "scraper" } grant { role: "t" principal: "other" })");
  HttpClient client(server().http_url());
  EXPECT_THAT(client.Get("/metrics", Bearer(Token("scraper"))).body,
              AllOf(HasSubstr("job=\"greet\""), HasSubstr("jobtail_failed_authentications_total")));
  EXPECT_THAT(client.Get("/metrics", Bearer(Token("other"))).body, Not(HasSubstr("job=\"greet\"")));
}

TEST_F(AccessCallsTest, ProbesAreOpenUnlessTheyAreClosed) {
  HttpClient client(server().http_url());
  EXPECT_EQ(client.Get("/healthz").status, 200);
  SetPolicy(std::string(kAccessPolicy) + "probes_need_identity: true");
  EXPECT_EQ(client.Get("/healthz").status, 401);
  EXPECT_EQ(client.Get("/readyz").status, 401);
  EXPECT_EQ(client.Get("/readyz", Bearer(Token("lister"))).status, 200);
}

TEST_F(AccessCallsTest, EachActIsWrittenDownBeforeItIsDone) {
  const std::string token = Token("deployer");
  v1::Run run;
  ASSERT_TRUE(CreateRun(token, "wait", &run, "some-request").ok());
  HttpClient client(server().http_url());
  Headers headers = Bearer(token);
  headers.emplace_back("Content-Type", "application/json");
  headers.emplace_back("traceparent", "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01");
  EXPECT_EQ(client.Ask("POST", "/v1/runs/" + run.id() + ":cancel", headers, "{}").status, 200);
  EXPECT_EQ(client.Get("/v1/runs/" + run.id() + "/log?follow=true", Bearer(token)).status, 200);
  EXPECT_EQ(client.Ask("DELETE", "/v1/runs/" + run.id(), Bearer(token)).status, 200);
  EXPECT_EQ(CreateRun(Token("reader"), "greet", &run).error_code(),
            grpc::StatusCode::PERMISSION_DENIED);
  const std::string audit = Audit();
  const auto record = [&](const std::string& verb, const std::string& outcome) {
    return absl::StrCat("\"verb\":\"", verb, "\",\"job\":\"wait\",\"run\":\"", run.id(),
                        "\",\"outcome\":\"", outcome, "\"");
  };
  EXPECT_THAT(audit,
              HasSubstr("\"principal\":\"deployer\",\"proof\":\"token\",\"peer\":\"ipv4:127"));
  EXPECT_THAT(audit, HasSubstr(record("RUN", "ALLOWED") + ",\"request_id\":\"some-request\""));
  EXPECT_THAT(audit, HasSubstr(record("CANCEL", "ALLOWED") +
                               ",\"trace_id\":\"0123456789abcdef0123456789abcdef\""));
  EXPECT_THAT(audit, HasSubstr(record("READ_LOG", "ALLOWED")));
  EXPECT_THAT(audit, HasSubstr(record("DELETE", "ALLOWED")));
  EXPECT_THAT(audit, HasSubstr("\"verb\":\"RUN\",\"job\":\"greet\",\"outcome\":\"DENIED\""));
  EXPECT_THAT(audit, Not(HasSubstr(token.substr(20))));
}

TEST_F(AccessCallsTest, WhatCannotBeWrittenDownIsNotDone) {
  std::string policy = kAccessPolicy;
  policy.replace(policy.find("audit.log"), 9, "/dev/full");
  SetPolicy(policy);
  const std::string token = Token("operator");
  v1::Run run;
  EXPECT_EQ(CreateRun(token, "greet", &run).error_code(), grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(ListRuns(token), ElementsAre());
}

class AccessLimitsTest : public AccessCallsTest {
 protected:
  AccessLimitsTest()
      : AccessCallsTest(R"(token_file: "tokens"
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
  EXPECT_EQ(client.Get("/v1/jobs", Bearer(Token("few"))).status, 200);
}

using AccessSessionTest = AccessCallsTest;

TEST_F(AccessSessionTest, IsBegunWithATokenAndOver) {
  const std::string token = Token("reader");
  HttpClient client(server().http_url());
  const Headers json = {{"Content-Type", "application/json"}};
  const HttpAnswer wrong =
      client.Ask("POST", "/session", json, "{\"token\":\"" + access::MakeToken() + "\"}");
  EXPECT_EQ(wrong.status, 401);
  EXPECT_THAT(wrong.header, HasSubstr("jobtail-session=; "));
  const HttpAnswer right = client.Ask("POST", "/session", json, "{\"token\":\"" + token + "\"}");
  EXPECT_EQ(right.status, 200);
  EXPECT_THAT(right.header, HasSubstr("; Path=/; HttpOnly; SameSite=Strict"));
  EXPECT_THAT(right.header, Not(HasSubstr("Secure")));  // there is no TLS
  const size_t begin = right.header.find("jobtail-session=");
  const Headers cookie = {
      {"Cookie", right.header.substr(begin, right.header.find(';', begin) - begin)}};
  EXPECT_THAT(client.Get("/v1/whoami", cookie).body, HasSubstr("PROOF_SESSION"));
  Headers foreign = cookie;
  foreign.emplace_back("Sec-Fetch-Site", "cross-site");
  EXPECT_EQ(client.Get("/v1/whoami", foreign).status, 401);
  EXPECT_EQ(client.Ask("DELETE", "/session", cookie).status, 200);
  EXPECT_EQ(client.Get("/v1/whoami", cookie).status, 401);
}

TEST_F(AccessSessionTest, CannotBeBegunByAPageOfAnotherSite) {
  const std::string body = "{\"token\":\"" + Token("reader") + "\"}";
  HttpClient client(server().http_url());
  EXPECT_EQ(
      client
          .Ask("POST", "/session",
               {{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}}, body)
          .status,
      403);
  HttpClient form(server().http_url());
  EXPECT_EQ(form.Ask("POST", "/session", {{"Content-Type", "text/plain"}}, body).status, 415);
}

TEST_F(AccessSessionTest, ItsStreamsEndWhenItIsOver) {
  const std::string run = Run("wait", "x");
  HttpClient client(server().http_url());
  const HttpAnswer signed_in =
      client.Ask("POST", "/session", {{"Content-Type", "application/json"}},
                 "{\"token\":\"" + Token("follower") + "\"}");
  const size_t begin = signed_in.header.find("jobtail-session=");
  const Headers cookie = {
      {"Cookie", signed_in.header.substr(begin, signed_in.header.find(';', begin) - begin)}};
  Headers stream = cookie;
  stream.emplace_back("Accept", "text/event-stream");
  HttpClient follower(server().http_url());
  follower.Send("GET", "/v1/runs/" + run + "/log?follow=true", stream);
  EXPECT_THAT(follower.ReadUntil("waiting"), HasSubstr("waiting"));
  EXPECT_EQ(client.Ask("DELETE", "/session", cookie).status, 200);
  EXPECT_THAT(follower.ReadUntil("0\r\n\r\n"), HasSubstr("the session has ended"));
}

}  // namespace
}  // namespace jobtail::e2e
