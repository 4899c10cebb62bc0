// HTTP: calls, pages and errors.

#include "tests/e2e/http_calls.h"

#include <gmock/gmock.h>

#include <csignal>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "server/http/router.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/http_client.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// "hello", compressed by gzip.
constexpr char kHelloBytes[] =
    "\x1f\x8b\x08\x00\x00\x00\x00\x00\x02\x03\xcb\x48\xcd\xc9\xc9\x07\x00\x86"
    "\xa6\x10\x36\x05\x00\x00\x00";
constexpr std::string_view kHello(kHelloBytes, sizeof kHelloBytes - 1);

TEST_F(HttpCalls, AreAnsweredOneAfterTheOtherOnAConnection) {
  HttpClient client(url());
  EXPECT_THAT(client.Get("/v1/jobs").body, HasSubstr("\"name\":\"hello\""));
  const HttpAnswer created = client.Post("/v1/runs", R"({"job":"waits"})");
  ASSERT_EQ(created.status, 200) << created.body;
  EXPECT_THAT(created.header, HasSubstr("Content-Type: application/json\r\n"));
  const std::string run = created.body.substr(created.body.find("\"id\":\"") + 6, 36);
  EXPECT_EQ(client.Ask("DELETE", "/v1/runs/" + run).status, 400) << "it is at work";
  EXPECT_EQ(client.Ask("POST", "/v1/runs/" + run + ":cancel").status, 200);
  EXPECT_TRUE(client.Get("/v1/runs/" + run + "/log?follow=true").complete);
  EXPECT_EQ(client.Ask("DELETE", "/v1/runs/" + run).body, "{}");
  EXPECT_EQ(client.Get("/v1/runs/" + run).status, 404);
}

TEST_F(HttpCalls, MayBeSentBeforeTheAnswerToTheLast) {
  HttpClient client(url());
  client.Send("GET", "/v1/jobs/hello");
  client.Send("GET", "/v1/jobs/waits");
  EXPECT_THAT(client.ReadAnswer().body, HasSubstr("hello"));
  EXPECT_THAT(client.ReadAnswer().body, HasSubstr("waits"));
}

TEST_F(HttpCalls, OfHeadHaveNoBody) {
  HttpClient client(url());
  const HttpAnswer head = client.Ask("HEAD", "/v1/jobs/hello");
  EXPECT_EQ(head.status, 200);
  EXPECT_THAT(client.Get("/v1/jobs/waits").body, HasSubstr("waits")) << "on the same connection";
  const std::string run = client.Post("/v1/jobs/hello:run", "{}").header;
  const std::string id = run.substr(run.find("Jobtail-Run: ") + 13, 36);
  const HttpAnswer log = client.Ask("HEAD", "/v1/runs/" + id + "/log?follow=true");
  EXPECT_EQ(log.status, 200);
  EXPECT_THAT(log.header, HasSubstr("Content-Type: text/plain"));
  EXPECT_EQ(client.Ask("HEAD", "/v1/runs:watch").status, 200);
  EXPECT_EQ(client.Ask("HEAD", "/v1/runs/none/log").status, 404);
  EXPECT_EQ(client.Ask("HEAD", "/healthz").status, 200);
  EXPECT_EQ(client.Ask("HEAD", "/metrics").status, 200);
  EXPECT_EQ(client.Ask("HEAD", "/v1/jobs/hello:run").status, 405);
  EXPECT_EQ(client.Get("/healthz").body, "ok\n") << "still on the same connection";
}

TEST_F(HttpCalls, OfAMethodThatIsNotServedAreToldWhichAre) {
  HttpClient client(url());
  const std::pair<const char*, const char*> kCases[] = {
      {"/v1/jobs", "GET, HEAD, OPTIONS"},      {"/v1/runs", "POST, GET, HEAD, OPTIONS"},
      {"/v1/jobs/hello:run", "POST, OPTIONS"}, {"/stream/hello", "GET, HEAD, POST, OPTIONS"},
      {"/healthz", "GET, HEAD, OPTIONS"},      {"/readyz", "GET, HEAD, OPTIONS"},
      {"/metrics", "GET, HEAD, OPTIONS"}};
  for (const auto& [path, allowed] : kCases) {
    const std::string line = std::string("Allow: ") + allowed + "\r\n";
    const HttpAnswer refused = client.Ask("PUT", path);
    EXPECT_EQ(refused.status, 405) << path;
    EXPECT_THAT(refused.header, HasSubstr(line)) << path;
    EXPECT_THAT(refused.body, HasSubstr(allowed)) << path;
    EXPECT_THAT(client.Ask("OPTIONS", path).header, HasSubstr(line)) << path;
  }
  EXPECT_EQ(client.Ask("POST", "/healthz").status, 405);
  EXPECT_EQ(client.Ask("PUT", "/v1/nothing").status, 404);
}

// As proxies are asked. The address says which host is meant, whatever the header says.
TEST_F(HttpCalls, MayNameTheHostInTheAddress) {
  HttpClient client(url());
  EXPECT_THAT(client.Get("http://localhost/v1/jobs/hello").body, HasSubstr("hello"));
  EXPECT_EQ(client.Get("HTTP://localhost:8080?x=1").status, 200) << "the console page";
  EXPECT_THAT(client.Get("http://localhost/v1/runs?page_size=-1").body, HasSubstr("page_size"));
  EXPECT_EQ(HttpClient(url()).Get("http://evil.example/v1/jobs").status, 403);
  EXPECT_EQ(HttpClient(url()).Get("http://localhost/v1/jobs", {{"Host", "evil.example"}}).status,
            200);
  for (const char* target : {"http://", "http:///v1/jobs", "http://me@localhost/v1/jobs",
                             "ftp://localhost/v1/jobs", "v1/jobs", "*", "localhost:80"}) {
    EXPECT_EQ(HttpClient(url()).Get(target).status, 400) << target;
  }
  EXPECT_EQ(client.Ask("OPTIONS", "*").status, 204);
}

TEST_F(HttpCalls, NeedAHost) {
  HttpClient client(url());
  client.SendBytes("GET /v1/jobs HTTP/1.1\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer().status, 400);
}

// Load balancers ask so. Everything else has to name the server, by which a foreign page that has
// its own name resolve to this machine is told from its own.
TEST_F(HttpCalls, OfHttp10NeedNoHostToAskHowTheServerIs) {
  const auto status = [this](const std::string& line) {
    HttpClient client(url());
    client.SendBytes(line + " HTTP/1.0\r\n\r\n");
    return client.ReadAnswer().status;
  };
  for (const char* path : {"/healthz", "/readyz", "/metrics"}) {
    EXPECT_EQ(status(std::string("GET ") + path), 200) << path;
    EXPECT_EQ(status(std::string("POST ") + path), 403) << path;
  }
  EXPECT_EQ(status("GET /v1/jobs"), 403);
  EXPECT_EQ(status("GET /"), 403);
  HttpClient client(url());
  client.SendBytes("GET /healthz HTTP/1.0\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(client.ReadAnswer().status, 403);
}

TEST_F(HttpCalls, MayHaveABodyWithAByteOrderMark) {
  const HttpAnswer answer = HttpClient(url()).Post("/v1/runs", "\xEF\xBB\xBF{\"job\": \"hello\"}");
  EXPECT_EQ(answer.status, 200) << answer.body;
}

TEST_F(HttpCalls, RefuseAQueryThatWouldBeIgnored) {
  const HttpAnswer answer = HttpClient(url()).Post("/v1/jobs/hello:run?times=10", "{}");
  EXPECT_EQ(answer.status, 400);
  EXPECT_THAT(answer.body, AllOf(HasSubstr("times"), HasSubstr("parameters")));
}

// Whoever opens the address: a person, a link, a redirect from another site, a program that fetches
// whatever address it is given.
TEST_F(HttpCalls, ThatWouldStartARunByAnAddressShowAButton) {
  const auto runs = [this] { return HttpClient(url()).Get("/v1/runs").body; };
  for (const Headers& from :
       {Headers{}, Headers{{"User-Agent", "curl/7.88.1"}}, Headers{{"Sec-Fetch-Site", "none"}},
        Headers{{"Sec-Fetch-Site", "same-origin"}, {"Origin", url_origin()}},
        Headers{{"Sec-Fetch-Site", "cross-site"}}, Headers{{"Sec-Purpose", "prefetch"}}}) {
    const HttpAnswer page = HttpClient(url()).Get("/stream/hello", from);
    EXPECT_EQ(page.status, 200);
    EXPECT_THAT(page.body, HasSubstr("<form method=\"post\">"));
    EXPECT_THAT(page.header, AllOf(HasSubstr("form-action 'self'"), HasSubstr("frame-ancestors")));
  }
  EXPECT_EQ(runs(), "{}");
}

TEST_F(HttpCalls, StartARunByTheButtonOfThePageAlone) {
  const auto runs = [this] { return HttpClient(url()).Get("/v1/runs").body; };
  Headers pressed = {{"Content-Type", "application/x-www-form-urlencoded"}};
  const auto press = [&] { return HttpClient(url()).Ask("POST", "/stream/hello", pressed); };
  EXPECT_EQ(press().status, 403) << "a form of another site, in a browser that does not tell";
  pressed.emplace_back("Sec-Fetch-Site", "none");
  EXPECT_EQ(press().status, 403);
  pressed.back() = {"Origin", "http://evil.example"};
  EXPECT_EQ(press().status, 403);
  pressed.back().second = "null";
  EXPECT_EQ(press().status, 403) << "as after a redirect";
  EXPECT_EQ(runs(), "{}");
  pressed.back().second = url_origin();
  EXPECT_THAT(press().body, HasSubstr("RUN_STATE_SUCCEEDED"));
}

// Every address that there is, by the methods that browsers and crawlers use unasked.
TEST_F(HttpCalls, ThatOnlyReadChangeNothing) {
  const std::string id = StartRun(server_.stub(), "hello");
  WaitUntilEnded(server_.stub(), id);
  const std::string waits = StartRun(server_.stub(), "waits");
  WaitUntilStarted(server_.stub(), waits);
  std::vector<std::string> paths = {
      "/", "/healthz", "/readyz", "/metrics", "/stream/hello", "/jobs/hello", "/runs/" + id};
  for (const http::Route& route : http::Routes()) {
    for (const std::string& run : {id, waits}) {
      paths.push_back(
          absl::StrReplaceAll(std::string(route.pattern), {{"{job}", "hello"}, {"{run}", run}}));
    }
  }
  const std::string before = HttpClient(url()).Get("/v1/runs").body;
  for (const char* method : {"GET", "HEAD", "OPTIONS"}) {
    for (const std::string& path : paths) {
      HttpClient client(url());
      client.Send(method, path);
      const std::string header = client.ReadUntil("\r\n\r\n");
      EXPECT_THAT(header, StartsWith("HTTP/1.1 ")) << method << " " << path;
      EXPECT_EQ(HttpClient(url()).Get("/v1/runs").body, before) << method << " " << path;
    }
  }
}

TEST_F(HttpCalls, ThatAreNoneAreErrorsInJson) {
  HttpClient client(url());
  EXPECT_THAT(client.Get("/v1/runs/none").body, StartsWith("{\"code\":5,"));
  EXPECT_EQ(client.Ask("PUT", "/v1/jobs").status, 405);
  EXPECT_EQ(client.Get("/nothing").status, 404);
  EXPECT_EQ(client.Ask("POST", "/v1/runs", {}, "job=hello").status, 415);
  HttpClient other(url());
  other.SendBytes("this is no request\r\n\r\n");
  EXPECT_EQ(other.ReadAnswer().status, 400);
  EXPECT_TRUE(other.AwaitClose());
}

// Two programs that read such a request differently could be told two different things by it.
TEST_F(HttpCalls, RefuseWhatIsAmbiguous) {
  for (const char* line : {"Transfer-Encoding: xchunked", "Transfer-Encoding: gzip, chunked",
                           "Host: localhost\r\nContent-Length: 0"}) {
    HttpClient client(url());
    client.SendBytes(std::string("POST /v1/runs HTTP/1.1\r\nHost: localhost\r\n"
                                 "Content-Type: application/json\r\n") +
                     line + "\r\n\r\n0\r\n\r\n");
    EXPECT_EQ(client.ReadAnswer().status, 400) << line;
    EXPECT_TRUE(client.AwaitClose()) << line;
  }
}

TEST_F(HttpCalls, SendTheirBodyAsItIs) {
  const auto post = [this](const Headers& headers) {
    Headers all = {{"Content-Type", "application/json"}};
    all.insert(all.end(), headers.begin(), headers.end());
    return HttpClient(url()).Ask("POST", "/v1/runs", all, R"({"job":"hello"})");
  };
  const HttpAnswer zipped = post({{"Content-Encoding", "gzip"}});
  EXPECT_EQ(zipped.status, 415);
  EXPECT_THAT(zipped.body, AllOf(HasSubstr("gzip"), HasSubstr("as it is")));
  EXPECT_EQ(post({{"Content-Encoding", "identity"}}).status, 200);
  EXPECT_EQ(post({{"Content-Type", "application/json"}}).status, 400) << "two of them";
  const auto typed = [this](const std::string& type) {
    return HttpClient(url()).Ask("POST", "/v1/runs", {{"Content-Type", type}},
                                 R"({"job":"hello"})");
  };
  EXPECT_THAT(typed("application/json; charset=iso-8859-1").body, HasSubstr("iso-8859-1"));
  EXPECT_EQ(typed("application/json; charset=iso-8859-1").status, 415);
  EXPECT_EQ(typed("application/json; Charset=\"UTF-8\"").status, 200);
}

TEST_F(HttpCalls, HaveALimitForChunksToo) {
  for (const std::string& begin : {std::string("0\r\nX: "), std::string("1;")}) {
    HttpClient client(url());
    client.SendBytes(
        "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
        "Transfer-Encoding: chunked\r\n\r\n" +
        begin + std::string(300 << 10, 'x'));
    EXPECT_EQ(client.ReadAnswer().status, 431) << begin;
  }
}

TEST_F(HttpCalls, HaveALimit) {
  HttpClient header(url());
  header.Send("GET", "/v1/jobs", {{"X", std::string(20'000, 'x')}});
  EXPECT_EQ(header.ReadAnswer().status, 431);
  HttpClient body(url());
  const HttpAnswer refused = body.Post("/v1/runs", std::string(5 << 20, ' '));
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr("4194304"));
  EXPECT_EQ(
      HttpClient(url()).Post("/v1/runs", R"({"job":"hello"})" + std::string(2 << 20, ' ')).status,
      200);
}

TEST_F(HttpCalls, MayAskBeforeTheyGoOn) {
  HttpClient client(url());
  client.SendBytes(
      "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 15\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.ReadUntil("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.SendBytes(R"({"job":"hello"})");
  EXPECT_EQ(client.ReadAnswer().status, 200);
}

TEST_F(HttpCalls, TellOperatorsHowThingsStand) {
  HttpClient client(url());
  EXPECT_EQ(client.Get("/healthz").body, "ok\n");
  EXPECT_EQ(client.Get("/readyz").body, "ok\n");
  client.Post("/v1/jobs/hello:run", "{}");
  const HttpAnswer metrics = client.Get("/metrics");
  EXPECT_THAT(metrics.header, HasSubstr("Content-Type: text/plain; version=0.0.4"));
  EXPECT_THAT(metrics.body,
              AllOf(HasSubstr("\njobtail_lines_total 1\n"), HasSubstr("jobtail_runs{job=\"hello\""),
                    HasSubstr("jobtail_http_connections 1\n")));
}

TEST_F(HttpCalls, RunAJobInAPlainPage) {
  const HttpAnswer page =
      HttpClient(url()).Ask("POST", "/stream/hello", {{"Origin", url_origin()}});
  EXPECT_THAT(page.header, HasSubstr("Content-Type: text/html; charset=utf-8"));
  EXPECT_THAT(page.body, AllOf(HasSubstr("hello\n"), HasSubstr("RUN_STATE_SUCCEEDED")));
}

constexpr http::StaticFile kPage[] = {
    {"/index.html", "text/html; charset=utf-8", "\"1\"", kHello},
    {"/assets/a.js", "text/javascript", "\"2\"", kHello},
};

class HttpPage : public HttpCalls {
 protected:
  HttpPage() : HttpCalls({.files = kPage}) {}
};

TEST_F(HttpPage, IsServedAtItsAddresses) {
  HttpClient client(url());
  for (const char* path : {"/", "/runs/01-x?y", "/jobs/hello"}) {
    const HttpAnswer page = client.Get(path);
    EXPECT_EQ(page.body, "hello") << path;
    EXPECT_THAT(page.header, AllOf(HasSubstr("Content-Security-Policy: default-src 'none'; script"),
                                   HasSubstr("Cache-Control: no-cache"), HasSubstr("ETag: \"1\"")));
  }
  const HttpAnswer zipped = client.Get("/assets/a.js", {{"Accept-Encoding", "br, gzip"}});
  EXPECT_EQ(zipped.body, kHello);
  EXPECT_THAT(zipped.header, AllOf(HasSubstr("Content-Encoding: gzip"), HasSubstr("immutable")));
  EXPECT_EQ(client.Get("/", {{"If-None-Match", "\"1\""}}).status, 304);
  EXPECT_EQ(client.Get("/assets/b.js").status, 404);
  EXPECT_EQ(client.Ask("POST", "/").status, 405);
  EXPECT_EQ(client.Ask("HEAD", "/").status, 200);
  EXPECT_EQ(client.Get("http://localhost:8080").body, "hello");
}

}  // namespace
}  // namespace jobtail::e2e
