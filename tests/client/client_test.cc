// Tests of the client's unary calls: answers, errors, retries.

#include "client/client.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <set>
#include <string>

#include "client/backoff.h"
#include "client/status_text.h"
#include "fake_server.h"

namespace jobtail::client {
namespace {

ClientOptions QuickCalls() {
  ClientOptions options;
  options.retry_for = absl::InfiniteDuration();
  options.call_timeout = absl::InfiniteDuration();
  options.backoff = {.initial = absl::Microseconds(10), .max = absl::Milliseconds(1)};
  return options;
}

const grpc::Status kUnavailable(grpc::StatusCode::UNAVAILABLE, "shutting down");

TEST(ClientTest, ReturnsTheAnswer) {
  FakeServer server;
  server.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
    run->set_id(request.run());
    run->set_job("backup");
    return grpc::Status::OK;
  };
  const absl::StatusOr<v1::Run> run = Client(server.address()).GetRun("run-7");
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(run->id(), "run-7");
  EXPECT_EQ(run->job(), "backup");
}

TEST(ClientTest, KeepsTheServersErrors) {
  FakeServer server;
  server.on_get_run = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such run");
  };
  const absl::Status status = Client(server.address()).GetRun("run-7").status();
  EXPECT_TRUE(absl::IsNotFound(status));
  EXPECT_EQ(status.message(), "no such run");
}

// They come as metadata, of which gRPC by itself takes 8 KiB.
TEST(ClientTest, KeepsTheServersLongErrors) {
  FakeServer server;
  const std::string text(20'000, 'x');
  server.on_get_run = [&](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, text);
  };
  const absl::Status status = Client(server.address()).GetRun("run-7").status();
  EXPECT_EQ(status, absl::NotFoundError(text));
}

TEST(ClientTest, TriesAgainWhatMayPass) {
  FakeServer server;
  std::atomic<int> calls = 0;
  server.on_get_run = [&](const auto&, v1::Run* run) {
    run->set_id("run-7");
    return ++calls < 5 ? kUnavailable : grpc::Status::OK;
  };
  EXPECT_TRUE(Client(server.address(), QuickCalls()).GetRun("run-7").ok());
  EXPECT_EQ(calls, 5);
}

TEST(ClientTest, StartsARunAgainOnlyIfThatIsSafe) {
  FakeServer server;
  std::set<std::string> ids;
  int calls = 0;
  server.on_create_run = [&](const v1::CreateRunRequest& request, v1::Run*) {
    ids.insert(request.request_id());
    return ++calls % 3 != 0 ? kUnavailable : grpc::Status::OK;
  };
  const Client client(server.address(), QuickCalls());
  v1::CreateRunRequest request;
  EXPECT_TRUE(absl::IsUnavailable(client.CreateRun(request).status()));
  EXPECT_EQ(calls, 1);
  request.set_request_id(NewRequestId());
  EXPECT_TRUE(client.CreateRun(request).ok());
  EXPECT_EQ(calls, 3);
  EXPECT_EQ(ids.size(), 2u);  // none, and the same one in each attempt
}

TEST(ClientTest, ADeletedRunIsDeletedHoweverManyAttemptsItTook) {
  FakeServer server;
  int calls = 0;
  server.on_delete_run = [&](const auto&) {
    return ++calls == 1 ? kUnavailable : grpc::Status(grpc::StatusCode::NOT_FOUND, "no such run");
  };
  const Client client(server.address(), QuickCalls());
  EXPECT_TRUE(client.DeleteRun("run-7").ok());
  EXPECT_TRUE(absl::IsNotFound(client.DeleteRun("run-7")));
}

TEST(ClientTest, GivesUpOnAServerThatIsNotThere) {
  FakeServer server;
  server.Stop();
  ClientOptions options = QuickCalls();
  options.retry_for = absl::Milliseconds(5);
  const absl::Status status = Client(server.address(), options).GetRun("run-7").status();
  EXPECT_TRUE(absl::IsUnavailable(status));
  EXPECT_EQ(StatusText(status), "Connection refused");
}

TEST(ClientTest, ReachesAServerThatComesLater) {
  int port;
  {
    FakeServer gone;
    port = gone.port();
  }
  const Client client("127.0.0.1:" + std::to_string(port), QuickCalls());
  FakeServer server(port);
  server.on_get_run = [](const auto&, auto*) { return grpc::Status::OK; };
  EXPECT_TRUE(client.GetRun("run-7").ok());
}

TEST(ReasonTest, IsTheTellingPart) {
  EXPECT_EQ(StatusText(absl::UnavailableError(
                "failed to connect to all addresses; last error: UNKNOWN: ipv4:127.0.0.1:1: Failed "
                "to connect to remote host: Connection refused")),
            "Connection refused");
  EXPECT_EQ(StatusText(absl::UnavailableError("Socket closed")), "Socket closed");
  EXPECT_EQ(StatusText(absl::InvalidArgumentError("job: 'A b' is no name")),
            "job: 'A b' is no name");
  EXPECT_EQ(StatusText(absl::InternalError("")), "INTERNAL");
}

TEST(RequestIdTest, IsNew) { EXPECT_NE(NewRequestId(), NewRequestId()); }

TEST(BackoffTest, GrowsToItsLimitAndStartsAgain) {
  Backoff backoff({.initial = absl::Milliseconds(50), .max = absl::Seconds(5)});
  absl::Duration limit = absl::Milliseconds(50);
  for (int i = 0; i < 20; ++i) {
    const absl::Duration wait = backoff.Next();
    EXPECT_LE(wait, limit);
    EXPECT_GE(wait, limit / 2);
    limit = std::min(limit * 2, absl::Seconds(5));
  }
  EXPECT_EQ(limit, absl::Seconds(5));
  backoff.Reset();
  EXPECT_LE(backoff.Next(), absl::Milliseconds(50));
}

}  // namespace
}  // namespace jobtail::client
