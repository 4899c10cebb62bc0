// What a caller sees and may do over real sockets.
#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "server/access/secret.h"
#include "tests/e2e/access_calls.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::UnorderedElementsAre;

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

TEST_F(AccessCallsTest, ARunThatIsCancelledForWantOfItsClientIsCancelledInItsName) {
  {
    grpc::ClientContext context;
    Authorize(Token("deployer"), &context);
    v1::RunJobRequest request;
    request.set_job("wait");
    request.set_on_disconnect(v1::ON_DISCONNECT_CANCEL);
    const auto reader = stub().RunJob(&context, request);
    v1::LogLine line;
    ASSERT_TRUE(reader->Read(&line));
    context.TryCancel();
    reader->Finish();
  }
  EXPECT_TRUE(testing::Eventually([this] {
    return Audit().find("\"verb\":\"CANCEL\",\"job\":\"wait\"") != std::string::npos;
  }));
  const std::string audit = Audit();
  const std::string record = audit.substr(audit.rfind('\n', audit.find("\"CANCEL\"")) + 1);
  EXPECT_THAT(record.substr(0, record.find('\n')), HasSubstr("\"principal\":\"deployer\""));
}

TEST_F(AccessCallsTest, ProbesAreOpenUnlessTheyAreClosed) {
  HttpClient client(server().http_url());
  EXPECT_EQ(client.Get("/healthz").status, 200);
  SetPolicy(std::string(kAccessPolicy) + "probes_need_identity: true");
  EXPECT_EQ(client.Get("/healthz").status, 401);
  EXPECT_EQ(client.Get("/readyz").status, 401);
  EXPECT_EQ(client.Get("/readyz", Bearer(Token("lister"))).status, 200);
}

ServerOptions KeepingOneRun() {
  ServerOptions options;
  options.engine.retention.max_runs = 1;
  options.engine.retention.interval = absl::Milliseconds(20);
  return options;
}

class KeepingOneRunTest : public AccessTest {
 protected:
  KeepingOneRunTest() : AccessTest(kAccessPolicy, KeepingOneRun()) {}
};

TEST_F(KeepingOneRunTest, WhatIsDeletedByTheServerItselfIsWrittenDown) {
  const std::string first = EndedRun("greet", "somebody");
  Run("wait", "somebody");
  EXPECT_TRUE(testing::Eventually([&] {
    return Audit().find("\"proof\":\"local\",\"verb\":\"DELETE\",\"job\":\"greet\",\"run\":\"" +
                        first + "\",\"outcome\":\"ALLOWED\"") != std::string::npos;
  })) << Audit();
}

TEST_F(AccessCallsTest, PagesOfOtherSitesAreWrittenDownNowAndThen) {
  const Headers foreign = {{"Origin", "https://evil.example"},
                           {"Content-Type", "application/json"}};
  for (int i = 0; i < 100; ++i) {  // each over a connection of its own: a refusal ends it
    HttpClient client(server().http_url());
    ASSERT_EQ(client.Ask("POST", "/v1/runs", foreign, "{}").status, 403) << i;
  }
  const std::string audit = Audit();
  EXPECT_THAT(audit, HasSubstr("\"verb\":\"FOREIGN\",\"outcome\":\"DENIED\",\"reason\":\"a page of "
                               "\\\"https://evil.example\\\""));
  EXPECT_GE(CountOf("FOREIGN", audit), 20U);
  EXPECT_LT(CountOf("FOREIGN", audit), 100U);
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

// Whether or not anything is started for it.
TEST_F(AccessCallsTest, ALogThatIsOpenedByRunningAJobIsWrittenDown) {
  const std::string token = Token("deployer");
  v1::RunJobRequest request;
  request.set_job("greet");
  request.set_request_id("the-same");
  const auto records = [this](const std::string& verb) {
    const std::string audit = Audit();
    const std::vector<std::string> parts =
        absl::StrSplit(audit, absl::StrCat("\"verb\":\"", verb, "\""));
    return parts.size() - 1;
  };
  for (size_t i = 0; i < 2; ++i) {
    grpc::ClientContext context;
    Authorize(token, &context);
    const auto stream = stub().RunJob(&context, request);
    v1::LogLine line;
    while (stream->Read(&line)) continue;
    EXPECT_TRUE(stream->Finish().ok());
    EXPECT_EQ(records("READ_LOG"), i + 1) << Audit();
    EXPECT_EQ(records("RUN"), 1) << Audit();
  }
}

// Whoever looks for what is not theirs is to be found, without learning that it is there.
TEST_F(AccessCallsTest, WhatMayNotBeSeenIsDeniedInTheAuditLogAlone) {
  const std::string other = EndedRun("greet", "somebody-else");
  v1::Run run;
  EXPECT_EQ(GetRun(Token("deployer"), other, &run).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(CreateRun(Token("elsewhere"), "greet", &run).error_code(), grpc::StatusCode::NOT_FOUND);
  EXPECT_EQ(CreateRun(Token("elsewhere"), "nowhere", &run).error_code(),
            grpc::StatusCode::NOT_FOUND);
  const std::string audit = Audit();
  EXPECT_THAT(audit, HasSubstr("\"verb\":\"READ\",\"job\":\"greet\",\"run\":\"" + other +
                               "\",\"outcome\":\"DENIED\""));
  EXPECT_THAT(audit, HasSubstr("\"verb\":\"RUN\",\"job\":\"greet\",\"outcome\":\"DENIED\""));
  EXPECT_THAT(audit, Not(HasSubstr("nowhere")));
}

TEST_F(AccessCallsTest, WhatAJobSaysOfItselfIsForWhoMayReadItsRuns) {
  server_->Add("fails", [](JobContext& run) {
    run.Progress(0.5, "halfway to the secret");
    return absl::InternalError("the secret is out");
  });
  const std::string id = EndedRun("fails", "somebody-else");
  grpc::ClientContext listing;
  Authorize(Token("lister"), &listing);
  v1::ListRunsResponse runs;
  ASSERT_TRUE(stub().ListRuns(&listing, v1::ListRunsRequest(), &runs).ok());
  ASSERT_EQ(runs.runs_size(), 1);
  EXPECT_EQ(runs.runs(0).result().state(), v1::RUN_STATE_FAILED);
  EXPECT_THAT(runs.runs(0).ShortDebugString(), Not(HasSubstr("secret")));
  v1::Run run;
  ASSERT_TRUE(GetRun(Token("reader"), id, &run).ok());
  EXPECT_THAT(run.result().error(), HasSubstr("the secret is out"));
  EXPECT_EQ(run.progress().text(), "halfway to the secret");
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

TEST_F(AccessSessionTest, CountsAsACallWhenItIsBegun) {
  SetPolicy(absl::StrCat(kAccessPolicy,
                         "role { name: \"slow\" allow { job: \"*\" verb: [LIST] } "
                         "limits { calls_per_second: 1 } } "
                         "grant { role: \"slow\" principal: \"slow\" }"));
  const std::string body = "{\"token\":\"" + Token("slow") + "\"}";
  HttpClient client(server().http_url());
  int status = 200;
  for (int i = 0; i < 100 && status == 200; ++i) {
    status = client.Ask("POST", "/session", {{"Content-Type", "application/json"}}, body).status;
  }
  EXPECT_EQ(status, 429);
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

}  // namespace
}  // namespace jobtail::e2e
