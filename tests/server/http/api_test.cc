// Tests of the HTTP API on a core without sockets.

#include "server/http/api.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/json_util.h>

#include "server/http/status.h"
#include "tests/server/run/engine_fixture.h"

namespace jobtail::http {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class ApiTest : public jobtail::testing::EngineTest {
 protected:
  ApiTest() {
    AddJob(Job("greet", [](JobContext& run) {
             printf("hello %s\n", run.Get<std::string>("name").c_str());
           }).With(Parameter::String("name").Default("world")));
  }

  Reply Get(const std::string& path, const std::string& query = "",
            const std::string& accept = "") {
    return api_.Handle({.method = "GET", .path = path, .query = query, .accept = accept});
  }
  Reply Send(const std::string& method, const std::string& path, const std::string& body = "") {
    return api_.Handle({.method = method, .path = path, .body = body});
  }
  // An ended run of the job.
  std::string Greeted() {
    const std::string run = Start("greet");
    AwaitLog(run);
    return run;
  }

  static std::string ReadAll(const Reply& reply) {
    std::string all = reply.form->Head();
    while (true) {
      std::vector<Slice> slices;
      const auto next = reply.feed->Read(1 << 20, &slices);
      reply.form->Render(&slices);
      for (const Slice& slice : slices) all += slice.view();
      if (!next.ok()) return all + reply.form->Ending(next.status());
      if (*next == Feed::Next::kEnd) return all + reply.form->Ending(absl::OkStatus());
      if (*next == Feed::Next::kMore) continue;
      absl::Notification woken;
      if (reply.feed->Wait([&woken] { woken.Notify(); })) woken.WaitForNotification();
    }
  }

  template <typename T>
  static T Parse(const Reply& reply) {
    T message;
    EXPECT_TRUE(google::protobuf::util::JsonStringToMessage(reply.body, &message).ok())
        << reply.body;
    return message;
  }

  Api api_{&engine_};
};

TEST_F(ApiTest, AnswersUnaryCallsInJson) {
  const Reply jobs = Get("/v1/jobs");
  EXPECT_EQ(jobs.status, 200u);
  EXPECT_EQ(jobs.content_type, "application/json");
  EXPECT_EQ(Parse<v1::ListJobsResponse>(jobs).jobs(0).name(), "greet");
  EXPECT_EQ(Parse<v1::Job>(Get("/v1/jobs/greet")).parameters(0).name(), "name");

  const Reply created =
      Send("POST", "/v1/runs", R"({"job":"greet","parameters":{"name":"you"},"requestId":"1"})");
  EXPECT_EQ(created.status, 200u);
  const std::string run = Parse<v1::Run>(created).id();
  AwaitLog(run);
  EXPECT_EQ(Parse<v1::Run>(Get("/v1/runs/" + run)).result().state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(Parse<v1::Run>(Send("POST", "/v1/runs/" + run + ":cancel")).id(), run);
  EXPECT_EQ(Parse<v1::ListRunsResponse>(Get("/v1/runs", "states=RUN_STATE_SUCCEEDED")).runs_size(),
            1);
  EXPECT_EQ(Parse<v1::ListRunsResponse>(Get("/v1/runs", "states=RUN_STATE_FAILED")).runs_size(), 0);
  EXPECT_EQ(Send("DELETE", "/v1/runs/" + run).body, "{}");
  EXPECT_EQ(Get("/v1/runs/" + run).status, 404u);
}

TEST_F(ApiTest, AnswersErrorsAsStatusInJson) {
  EXPECT_EQ(Get("/v1/runs/none").status, 404u);
  EXPECT_THAT(Get("/v1/runs/none").body, StartsWith("{\"code\":5,\"message\":\"no run "));
  EXPECT_EQ(Send("POST", "/v1/runs", "{").status, 400u);
  EXPECT_EQ(Send("POST", "/v1/runs", R"({"jobb":"greet"})").status, 400u);
  EXPECT_THAT(Send("POST", "/v1/runs", R"({"job":"greet","parameters":{"x":"1"}})").body,
              StartsWith("{\"code\":3,"));
  EXPECT_EQ(Get("/v1/runs", "page_size=-1").status, 400u);
  EXPECT_EQ(Send("PUT", "/v1/runs").status, 405u);
  EXPECT_EQ(Get("/v1/nothing").status, 404u);
  AddWaitingJob("waits");
  EXPECT_EQ(Send("DELETE", "/v1/runs/" + Start("waits")).status, 400u) << "FAILED_PRECONDITION";
}

TEST_F(ApiTest, RefusesWhatIsInTheWrongPlace) {
  const auto post = [this](const std::string& path, const std::string& query) {
    return api_.Handle({.method = "POST", .path = path, .query = query});
  };
  const Reply run = post("/v1/jobs/greet:run", "name=you");
  EXPECT_EQ(run.status, 400u);
  EXPECT_THAT(run.body, AllOf(HasSubstr("name"), HasSubstr("parameters")));
  EXPECT_EQ(post("/v1/runs", "job=greet").status, 400u);
  EXPECT_EQ(post("/v1/runs/none:cancel", "x=1").status, 400u);
  EXPECT_EQ(post("/v1/runs/none:cancel", "x=%").status, 400u);
  EXPECT_EQ(Send("POST", "/v1/jobs/greet:run", R"({"job":"another"})").status, 400u);
  EXPECT_EQ(Get("/v1/runs/none", "run=other").status, 400u);
  EXPECT_EQ(Send("GET", "/v1/runs", R"({"pageSize":1})").status, 400u);
  EXPECT_EQ(Send("DELETE", "/v1/runs/none", R"({"run":"none"})").status, 400u);
  EXPECT_EQ(Send("DELETE", "/v1/runs/none", " {} ").status, 404u);
  EXPECT_EQ(Parse<v1::ListRunsResponse>(Get("/v1/runs")).runs_size(), 0) << "nothing was started";
}

TEST_F(ApiTest, NamesTheMethodsThatThereAre) {
  EXPECT_EQ(Send("PUT", "/v1/runs").allow, "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(Get("/v1/runs").allow, "");
}

TEST_F(ApiTest, AnErrorsMessageIsNeverMarkupNorBadUtf8) {
  const Reply reply = Get("/v1/jobs/%3Cscript%3E%FF");
  EXPECT_EQ(reply.status, 400u) << "a name that is not UTF-8";
  EXPECT_THAT(Get("/v1/jobs/%3Cscript%3E").body, Not(HasSubstr("<script>")));
}

TEST_F(ApiTest, StreamsALogInEachForm) {
  const std::string path = "/v1/runs/" + Greeted() + "/log";
  const Reply text = Get(path);
  EXPECT_EQ(text.content_type, "text/plain; charset=utf-8");
  EXPECT_EQ(ReadAll(text), "hello world\n");
  EXPECT_FALSE(text.run.empty());

  const Reply ndjson = Get(path, "", "application/x-ndjson");
  const std::string lines = ReadAll(ndjson);
  EXPECT_EQ(std::count(lines.begin(), lines.end(), '\n'), 3) << "the run, a line, the result";
  EXPECT_THAT(lines, HasSubstr("\"text\":\"hello world\"}}\n"));

  const Reply events = Get(path, "", "text/event-stream");
  EXPECT_THAT(ReadAll(events),
              AllOf(StartsWith("retry: "), HasSubstr("event: run\n"), HasSubstr("id: 1\n"),
                    HasSubstr("event: result\nid: 2\n"), EndsWith("event: end\ndata: {}\n\n")));
  EXPECT_EQ(Get(path, "", "image/png").status, 406u);
}

TEST_F(ApiTest, StreamsThePartThatTheQueryNames) {
  AddJob(Job("lines", [](JobContext&) {
    for (int i = 1; i <= 9; ++i) printf("%d\n", i);
    fputs("oh\n", stderr);
  }));
  const std::string run = Start("lines");
  AwaitLog(run);
  const std::string path = "/v1/runs/" + run + "/log";
  EXPECT_EQ(ReadAll(Get(path, "from_sequence=9")), "9\noh\n");
  EXPECT_EQ(ReadAll(Get(path, "last_lines=1")), "oh\n");
  EXPECT_EQ(ReadAll(Get(path, "streams=STREAM_STDERR")), "oh\n");
  EXPECT_EQ(ReadAll(Get(path, "pattern=%5B37%5D&follow=true")), "3\n7\n");
  EXPECT_EQ(Get(path, "from_sequence=99").status, 400u) << "OUT_OF_RANGE";
  EXPECT_EQ(Get(path, "pattern=(").status, 400u);
}

TEST_F(ApiTest, ResumesStrictlyAfterTheLastEvent) {
  const std::string path = "/v1/runs/" + Greeted() + "/log";
  const auto resume = [&](const std::string& id, const std::string& query = "") {
    return api_.Handle({.method = "GET",
                        .path = path,
                        .query = query,
                        .accept = "text/event-stream",
                        .last_event_id = id});
  };
  EXPECT_THAT(ReadAll(resume("1")),
              AllOf(Not(HasSubstr("hello")), HasSubstr("id: 2\n"), HasSubstr("event: end")));
  EXPECT_THAT(ReadAll(resume("0", "last_lines=0")), HasSubstr("hello"))
      << "before what the address says";
  EXPECT_THAT(ReadAll(resume("2")), AllOf(Not(HasSubstr("id:")), HasSubstr("event: end")));
  for (const char* id : {"99", "x", "-1", "1.5", "9223372036854775806", "9223372036854775807",
                         "9223372036854775808", "99999999999999999999999"}) {
    EXPECT_EQ(resume(id).status, 400u) << id;
  }
  EXPECT_THAT(resume("9223372036854775807").body, HasSubstr("Last-Event-ID"))
      << "there is no number after it";
}

TEST_F(ApiTest, RunsAJobAndFollowsIt) {
  Reply reply = api_.Handle(
      {.method = "POST", .path = "/v1/jobs/greet:run", .body = R"({"parameters":{"name":"you"}})"});
  ASSERT_EQ(reply.status, 200u) << reply.body;
  EXPECT_EQ(ReadAll(reply), "hello you\n");
}

TEST_F(ApiTest, CancelsARunWhoseClientGoesAwayIfAsked) {
  AddWaitingJob("waits");
  Reply stays = Send("POST", "/v1/jobs/waits:run");
  Reply goes = Send("POST", "/v1/jobs/waits:run", R"({"onDisconnect":"ON_DISCONNECT_CANCEL"})");
  stays.feed->ClientGone();
  goes.feed->ClientGone();
  EXPECT_EQ(AwaitResult(goes.run).state(), v1::RUN_STATE_CANCELLED);
  EXPECT_FALSE(EngineTest::Get(stays.run).has_result());
}

TEST_F(ApiTest, EndsTheStreamOfADeletedRunForGood) {
  const std::string run = Greeted();
  const Reply reply = Get("/v1/runs/" + run + "/log", "", "text/event-stream");
  ASSERT_TRUE(Delete(run).ok());
  EXPECT_THAT(ReadAll(reply), HasSubstr("event: end\ndata: {\"error\":{\"code\":5,"));
}

TEST_F(ApiTest, AServerThatStopsLeavesEventsOpenForReturning) {
  const Reply events = Get("/v1/runs/" + Greeted() + "/log", "", "text/event-stream");
  const absl::Status stopping = absl::UnavailableError("later");
  EXPECT_THAT(events.form->Ending(stopping), Not(HasSubstr("event:")));
  const Reply lines = Get("/v1/runs/" + Greeted() + "/log", "", "application/x-ndjson");
  EXPECT_EQ(lines.form->Ending(stopping), "{\"error\":{\"code\":14,\"message\":\"later\"}}\n");
}

TEST_F(ApiTest, RunsAJobInAPageOfPlainHtml) {
  AddJob(Job("hostile", [](JobContext&) { puts("</pre><script>alert(1)</script>"); }));
  Reply reply =
      api_.RunInPage({.method = "POST", .path = "/stream/greet", .query = "name=%3Ci%3E"}, true);
  ASSERT_EQ(reply.status, 200u) << reply.body;
  EXPECT_EQ(reply.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(ReadAll(reply),
              AllOf(HasSubstr("hello &lt;i&gt;\n"), HasSubstr("RUN_STATE_SUCCEEDED"),
                    EndsWith("</html>\n"), Not(HasSubstr("<script"))));
  Reply hostile = api_.RunInPage({.method = "POST", .path = "/stream/hostile"}, true);
  EXPECT_THAT(ReadAll(hostile), AllOf(Not(HasSubstr("<script")), HasSubstr("&lt;script")));
  const auto status = [this](Request request) { return api_.RunInPage(request, true).status; };
  EXPECT_EQ(status({.method = "POST", .path = "/stream/none"}), 404u);
  EXPECT_EQ(status({.method = "POST", .path = "/stream/greet", .query = "name=a&name=b"}), 400u);
  EXPECT_EQ(status({.method = "POST", .path = "/stream/greet", .body = "name=a"}), 400u);
}

TEST_F(ApiTest, StartsNothingByAnAddressThatIsNotUtf8) {
  for (const char* query : {"name=%FF", "name=a%C3", "%FF=a", "name=%ED%A0%80"}) {
    const Reply reply =
        api_.RunInPage({.method = "POST", .path = "/stream/greet", .query = query}, true);
    EXPECT_EQ(reply.status, 400u) << query;
    EXPECT_THAT(reply.body, HasSubstr("give")) << query;
    EXPECT_EQ(
        api_.RunInPage({.method = "GET", .path = "/stream/greet", .query = query}, false).status,
        400u)
        << "nor is it asked about";
  }
  EXPECT_EQ(api_.RunInPage({.method = "POST", .path = "/stream/%FF"}, true).status, 400u);
  EXPECT_EQ(Parse<v1::ListRunsResponse>(Get("/v1/runs")).runs_size(), 0);
}

TEST_F(ApiTest, TakesNoBodyThatCouldBeReadInTwoWays) {
  for (const char* body :
       {R"({"job":"greet","job":"greet"})", R"({job:"greet"})", R"({'job':'greet'})",
        R"({"job":"greet","requestId":"1","request_id":"2"})", R"({"job":"greet"} {})",
        R"({"job":"greet","parameters":{"name":"a","name":"b"}})",
        "{\"job\":\"greet\",\"parameters\":{\"name\":\"\xff\"}}",
        R"({"job":"greet","parameters":{"name":"\ud800"}})", R"({"job":"greet",})",
        R"({"job":"greet","parameters":{"name":null}})",
        R"({"job":"greet","parameters":{"name":1e3}})", R"(["greet"])", R"("greet")",
        "\xef\xbb\xbf{\"job\":\"greet\"}"}) {
    EXPECT_EQ(Send("POST", "/v1/runs", body).status, 400u) << body;
  }
  EXPECT_EQ(Parse<v1::ListRunsResponse>(Get("/v1/runs")).runs_size(), 0);
}

TEST_F(ApiTest, AsksInAPageAndStartsNothing) {
  const Request request{.method = "GET", .path = "/stream/greet", .query = "name=%3Ci%3E"};
  const Reply reply = api_.RunInPage(request, true);
  EXPECT_EQ(reply.status, 200u) << "to a page of ours, too";
  Request posted = request;
  posted.method = "POST";
  EXPECT_EQ(api_.RunInPage(posted, false).status, 403u);
  EXPECT_EQ(reply.feed, nullptr);
  EXPECT_THAT(reply.body, AllOf(HasSubstr("<form method=\"post\">"), HasSubstr("name=&lt;i&gt;")));
  EXPECT_EQ(Parse<v1::ListRunsResponse>(Get("/v1/runs")).runs_size(), 0);
  EXPECT_EQ(api_.RunInPage({.method = "GET", .path = "/stream/none"}, false).status, 404u);
}

TEST_F(ApiTest, SaysInAPageWhyNothingWasStarted) {
  const Reply page = api_.RunInPage({.method = "POST",
                                     .path = "/stream/greet",
                                     .query = "%3Cb%3E=1",
                                     .accept = "text/html,*/*;q=0.8"},
                                    true);
  EXPECT_EQ(page.status, 400u);
  EXPECT_EQ(page.content_type, "text/html; charset=utf-8");
  EXPECT_THAT(page.body, AllOf(HasSubstr("&lt;b&gt;"), Not(HasSubstr("<b>"))));
}

TEST_F(ApiTest, WatchesRuns) {
  AddWaitingJob("waits");
  const std::string run = Start("waits");
  Reply reply = Get("/v1/runs:watch", "", "text/event-stream");
  std::vector<Slice> slices;
  ASSERT_TRUE(reply.feed->Read(1 << 20, &slices).ok());
  reply.form->Render(&slices);
  ASSERT_EQ(slices.size(), 1u);
  EXPECT_THAT(std::string(slices[0].view()),
              AllOf(StartsWith("event: run\ndata: {"), HasSubstr(run)));
  EXPECT_EQ(Get("/v1/runs:watch", "", "text/plain").status, 400u + 6);
}

TEST(HttpStatus, GoesWithTheCode) {
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kOk), 200u);
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kInvalidArgument), 400u);
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kNotFound), 404u);
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kAlreadyExists), 409u);
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kPermissionDenied), 403u);
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kResourceExhausted), 429u);
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kUnavailable), 503u);
  EXPECT_EQ(ToHttpStatus(absl::StatusCode::kDataLoss), 500u);
}

}  // namespace
}  // namespace jobtail::http
