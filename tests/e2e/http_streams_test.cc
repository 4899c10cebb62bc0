// HTTP: streams that go on while a job prints.

#include <gmock/gmock.h>

#include <cstring>
#include <deque>
#include <fstream>
#include <memory>
#include <thread>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/http_client.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

const Headers kEvents = {{"Accept", "text/event-stream"}};
const Headers kNdjson = {{"Accept", "application/x-ndjson"}};

class HttpStreams : public ::testing::Test {
 protected:
  explicit HttpStreams(ServerOptions options = {}) : server_(std::move(options)) {
    server_.Add("two_steps", [this](JobContext&) {
      puts("one");
      go_on_.WaitForNotification();
      puts("two");
    });
  }
  ~HttpStreams() override {
    if (!go_on_.HasBeenNotified()) go_on_.Notify();
  }

  std::string url() { return server_.server().http_url(); }
  std::string LogOf(const std::string& run) { return "/v1/runs/" + run + "/log?follow=true"; }

  // Waits until a line of the figures is there.
  void AwaitFigure(const std::string& line) {
    HttpClient client(url());
    while (!absl::StrContains(client.Get("/metrics").body, line)) std::this_thread::yield();
  }

  absl::Notification go_on_;
  EmbeddedServer server_;
};

TEST_F(HttpStreams, ShowEachLineWhileTheJobIsAtWork) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  HttpClient text(url());
  HttpClient ndjson(url());
  HttpClient events(url());
  text.Send("GET", LogOf(run));
  ndjson.Send("GET", LogOf(run), kNdjson);
  events.Send("GET", LogOf(run), kEvents);
  EXPECT_THAT(text.ReadUntil("one\n"), HasSubstr("Jobtail-Run: " + run));
  EXPECT_THAT(ndjson.ReadUntil("\"one\"}}\n"), HasSubstr("X-Accel-Buffering: no"));
  EXPECT_THAT(events.ReadUntil("\"one\"}\n\n"),
              AllOf(HasSubstr("Content-Type: text/event-stream\r\n"), HasSubstr("id: 1\n")));
  go_on_.Notify();
  EXPECT_THAT(text.ReadUntil("\r\n0\r\n\r\n"), HasSubstr("two\n"));
  EXPECT_THAT(ndjson.ReadUntil("\r\n0\r\n\r\n"),
              AllOf(HasSubstr("\"two\""), HasSubstr("RUN_STATE_SUCCEEDED")));
  EXPECT_THAT(events.ReadUntil("\r\n0\r\n\r\n"),
              AllOf(HasSubstr("event: result\nid: 3\n"), HasSubstr("event: end\ndata: {}\n\n")));
  EXPECT_EQ(text.Get("/healthz").status, 200) << "the connection is still of use";
}

TEST_F(HttpStreams, ResumeStrictlyAfterTheLastEvent) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  std::string seen;
  {
    HttpClient first(url());
    first.Send("GET", LogOf(run), kEvents);
    seen = first.ReadUntil("\"one\"}\n\n");
  }
  HttpClient second(url());
  Headers resume = kEvents;
  resume.emplace_back("Last-Event-ID", "1");
  second.Send("GET", LogOf(run), resume);
  go_on_.Notify();
  const std::string rest = second.ReadUntil("event: end");
  EXPECT_THAT(rest, AllOf(Not(HasSubstr("\"one\"")), HasSubstr("id: 2\n"), HasSubstr("\"two\"")));
}

TEST_F(HttpStreams, AreGivenUpWhenTheClientGoesAway) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  {
    HttpClient client(url());
    client.Send("GET", LogOf(run), kEvents);
    client.ReadUntil("\"one\"");
    AwaitFigure("jobtail_readers{door=\"http\"} 1\n");
  }
  AwaitFigure("jobtail_readers{door=\"http\"} 0\n");
}

TEST_F(HttpStreams, AndTheirConnectionsAreLetGoWithTheirClients) {
  for (int i = 0; i < 5; ++i) EXPECT_EQ(HttpClient(url()).Get("/v1/jobs").status, 200);
  AwaitFigure("jobtail_http_connections 1\n");  // the one that asks
}

TEST_F(HttpStreams, ThatStallCostTheJobNothingAndGoOnLater) {
  constexpr int kLines = 200'000;
  server_.Add("firehose", [](JobContext&) {
    for (int i = 1; i <= kLines; ++i) printf("%d %s\n", i, std::string(90, '.').c_str());
  });
  const std::string run = StartRun(server_.stub(), "firehose");
  HttpClient stalled(url());
  stalled.Send("GET", LogOf(run));
  stalled.ReadUntil("1 ..");
  WaitUntilEnded(server_.stub(), run);  // the sockets hold far less than the log
  const HttpAnswer other = HttpClient(url()).Get(LogOf(run));
  EXPECT_THAT(other.body, EndsWith(absl::StrCat(kLines, " ", std::string(90, '.'), "\n")));
  for (const int line : {1000, kLines / 2, kLines}) {
    EXPECT_THAT(stalled.ReadUntil(absl::StrCat("\n", line, " .")), Not(HasSubstr("\r\n0\r\n")));
  }
  EXPECT_THAT(stalled.ReadUntil("\r\n0\r\n\r\n"), EndsWith("\r\n0\r\n\r\n"));
}

TEST_F(HttpStreams, AreTheSameForManyReaders) {
  constexpr int kReaders = 50;
  const std::string run = StartRun(server_.stub(), "two_steps");
  std::vector<std::unique_ptr<HttpClient>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<HttpClient>(url()));
    readers.back()->Send("GET", LogOf(run));
    readers.back()->ReadUntil("one\n");
  }
  go_on_.Notify();
  for (const auto& reader : readers) {
    EXPECT_THAT(reader->ReadUntil("\r\n0\r\n\r\n"), HasSubstr("two\n"));
  }
}

TEST_F(HttpStreams, CancelTheRunWithTheClientIfAsked) {
  HttpClient watching(url());
  watching.Send("GET", "/v1/runs:watch", kNdjson);
  server_.Add("waits", [](JobContext& run) {
    puts("here");
    run.SleepFor(absl::InfiniteDuration());
  });
  {
    HttpClient client(url());
    client.Send("POST", "/v1/jobs/waits:run", {{"Content-Type", "application/json"}},
                R"({"onDisconnect":"ON_DISCONNECT_CANCEL"})");
    client.ReadUntil("here\n");
  }
  EXPECT_THAT(watching.ReadUntil("RUN_STATE_CANCELLED"), EndsWith("RUN_STATE_CANCELLED"));
}

TEST_F(HttpStreams, ThatFilterLookThroughTheLogElsewhere) {
  server_.Add("numbers", [](JobContext&) {
    for (int i = 0; i < 100'000; ++i) printf("%d\n", i);
  });
  const std::string run = StartRun(server_.stub(), "numbers");
  EXPECT_EQ(HttpClient(url()).Get(LogOf(run) + "&pattern=^9999[0-4]$").body,
            "99990\n99991\n99992\n99993\n99994\n");
}

TEST_F(HttpStreams, AreReadByTheReadmesLineAsItIsPrinted) {
  if (jobtail::testing::Run({.command = {"/bin/sh", "-c", "command -v curl"}}).exit_code != 0) {
    GTEST_SKIP() << "no curl here";
  }
  std::ifstream readme(JOBTAIL_EXAMPLES "/../README.md");
  std::string line;
  while (std::getline(readme, line) && !absl::StartsWith(line, "$ curl ")) continue;
  ASSERT_THAT(line, HasSubstr("localhost:8080/")) << "the README shows how curl reads a log";
  const std::string command =
      absl::StrReplaceAll(line.substr(2), {{"localhost:8080/", url().substr(strlen("http://"))}});
  const std::string run = StartRun(server_.stub(), "two_steps");
  go_on_.Notify();
  WaitUntilEnded(server_.stub(), run);
  const jobtail::testing::Outcome outcome = jobtail::testing::Run(
      {.command = {"/bin/sh", "-c", command}, .environment = {"RUN=" + run, "no_proxy=*"}});
  EXPECT_EQ(outcome.out, "one\ntwo\n") << command << "\n" << outcome.err;
}

class HttpStopping : public HttpStreams {
 protected:
  HttpStopping() : HttpStreams({.stop_grace = absl::ZeroDuration()}) {}
};

TEST_F(HttpStopping, EndsStreamsWithAResumePoint) {
  server_.Add("stubborn", [this](JobContext&) {
    puts("here");
    go_on_.WaitForNotification();
  });
  const std::string run = StartRun(server_.stub(), "stubborn");
  HttpClient text(url());
  HttpClient ndjson(url());
  HttpClient events(url());
  HttpClient idle(url());
  text.Send("GET", LogOf(run));
  text.ReadUntil("here\n\r\n");
  ndjson.Send("GET", LogOf(run), kNdjson);
  ndjson.ReadUntil("\"here\"}}\n");
  events.Send("GET", LogOf(run), kEvents);
  events.ReadUntil("\"here\"}\n\n");
  EXPECT_EQ(server_.server().Stop(), 1u);
  EXPECT_THAT(ndjson.ReadUntil("\r\n0\r\n\r\n"),
              AllOf(HasSubstr("{\"error\":{\"code\":14,"), HasSubstr("from_sequence=2")));
  EXPECT_THAT(events.ReadUntil("\r\n0\r\n\r\n"), Not(HasSubstr("event: end")));
  EXPECT_EQ(text.ReadUntil("\r\n0\r\n\r\n"), "") << "an incomplete body";
  EXPECT_TRUE(idle.AwaitClose());
}

class HttpHeartbeats : public HttpStreams {
 protected:
  HttpHeartbeats() : HttpStreams({.heartbeat = absl::Milliseconds(20)}) {}
};

TEST_F(HttpHeartbeats, ComeOnAnIdleStream) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  HttpClient client(url());
  client.Send("GET", LogOf(run), kEvents);
  client.ReadUntil("\"one\"");
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(client.ReadUntil("event: heartbeat\n"), HasSubstr("event: heartbeat"));
  }
  EXPECT_THAT(client.ReadUntil("\n\n"), StartsWith("id: 1\ndata: {"));
  HttpClient watch(url());
  watch.Send("GET", "/v1/runs:watch", kEvents);
  EXPECT_THAT(watch.ReadUntil("event: heartbeat\ndata: {}\n\n"), HasSubstr("event: heartbeat"));
  HttpClient lines(url());
  lines.Send("GET", "/v1/runs:watch", kNdjson);
  EXPECT_THAT(lines.ReadUntil("\r\n1\r\n\n\r\n"), HasSubstr("Jobtail-Heartbeat: 0.02\r\n"));
}

TEST_F(HttpHeartbeats, SayHowOftenTheyCome) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  go_on_.Notify();
  WaitUntilEnded(server_.stub(), run);
  HttpClient client(url());
  EXPECT_THAT(client.Get(LogOf(run), kNdjson).header, HasSubstr("Jobtail-Heartbeat: 0.02\r\n"));
  EXPECT_THAT(client.Get(LogOf(run), kEvents).header, HasSubstr("Jobtail-Heartbeat: 0.02\r\n"));
  EXPECT_THAT(client.Get(LogOf(run)).header, Not(HasSubstr("Jobtail-Heartbeat")));
}

// The byte hides the end of the connection from who only looks whether there is something to read.
TEST_F(HttpHeartbeats, FindClientsThatSentSomethingBeforeTheyLeft) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  for (const Headers& format : {Headers{}, kNdjson, kEvents}) {
    {
      HttpClient client(url());
      client.Send("GET", LogOf(run), format);
      client.ReadUntil("one");
      client.SendBytes("G");
      AwaitFigure("jobtail_readers{door=\"http\"} 1\n");
    }
    AwaitFigure("jobtail_readers{door=\"http\"} 0\n");
  }
}

TEST_F(HttpHeartbeats, AreNotForTheBytesAsTheJobPrintedThem) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  HttpClient events(url());
  HttpClient text(url());
  text.Send("GET", LogOf(run));
  text.ReadUntil("one\n\r\n");
  events.Send("GET", LogOf(run), kEvents);
  for (int i = 0; i < 3; ++i) events.ReadUntil("event: heartbeat\n");
  go_on_.Notify();
  EXPECT_EQ(text.ReadUntil("\r\n0\r\n\r\n"), "4\r\ntwo\n\r\n0\r\n\r\n");
}

class HttpLimits : public HttpStreams {
 protected:
  HttpLimits()
      : HttpStreams({.http = {.max_connections = 2, .request_timeout = absl::Milliseconds(50)}}) {}
};

TEST_F(HttpLimits, EndRequestsThatTakeTooLong) {
  HttpClient client(url());
  client.SendBytes("GET /v1/jobs HTTP/1.1\r\nHost: local");
  EXPECT_TRUE(client.AwaitClose());
  HttpClient body(url());
  body.SendBytes(
      "POST /v1/runs HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Content-Length: 100\r\n\r\n{");
  EXPECT_TRUE(body.AwaitClose());
}

TEST_F(HttpLimits, DoNotEndStreamsOrWaitingClients) {
  const std::string run = StartRun(server_.stub(), "two_steps");
  HttpClient stream(url());
  stream.Send("GET", LogOf(run));
  stream.ReadUntil("one\n");
  HttpClient slow(url());
  slow.SendBytes("GET /");
  EXPECT_TRUE(slow.AwaitClose()) << "so the time is up";
  go_on_.Notify();
  EXPECT_THAT(stream.ReadUntil("\r\n0\r\n\r\n"), HasSubstr("two\n"));
}

TEST_F(HttpLimits, RefuseConnectionsBeyondTheirNumber) {
  HttpClient one(url());
  HttpClient two(url());
  EXPECT_EQ(one.Get("/healthz").status, 200);
  EXPECT_EQ(two.Get("/healthz").status, 200);
  HttpClient three(url());
  EXPECT_EQ(three.ReadAnswer().status, 503);
  EXPECT_TRUE(three.AwaitClose());
  EXPECT_THAT(one.Get("/metrics").body, HasSubstr("jobtail_http_refused_connections_total 1\n"));
}

class HttpIdleLimit : public HttpStreams {
 protected:
  HttpIdleLimit() : HttpStreams({.http = {.idle_timeout = absl::Milliseconds(50)}}) {}
};

TEST_F(HttpIdleLimit, EndsConnectionsWithoutARequest) {
  HttpClient silent(url());
  EXPECT_TRUE(silent.AwaitClose());
  HttpClient client(url());
  EXPECT_EQ(client.Get("/healthz").status, 200);
  EXPECT_TRUE(client.AwaitClose());
}

class HttpLimitsOfAddress : public HttpStreams {
 protected:
  HttpLimitsOfAddress() : HttpStreams({.http = {.max_connections = 4}}) {}
};

TEST_F(HttpLimitsOfAddress, LeaveConnectionsToOthers) {
  std::deque<HttpClient> clients;
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(clients.emplace_back(url()).Get("/healthz").status, 200);
  }
  HttpClient beyond(url());
  EXPECT_EQ(beyond.ReadAnswer().status, 503);
  HttpClient other(url(), "127.0.0.2");
  EXPECT_EQ(other.Get("/healthz").status, 200);
}

}  // namespace
}  // namespace jobtail::e2e
