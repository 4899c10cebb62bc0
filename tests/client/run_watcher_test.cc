// Tests of the run watcher on connections and servers that misbehave.

#include "client/run_watcher.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "client/client.h"
#include "fake_server.h"
#include "tests/support/fake_clock.h"
#include "tests/support/passing_time.h"

namespace jobtail::client {
namespace {

v1::Run MakeRun(const std::string& id, v1::RunState state) {
  v1::Run run;
  run.set_id(id);
  run.set_state(state);
  return run;
}

class RunWatcherTest : public ::testing::Test {
 protected:
  RunWatcherTest() {
    server_.on_list_runs = [](const auto&, auto*) { return grpc::Status::OK; };
  }

  // What the watcher tells next: "ID STATE", or an error's code.
  static std::string Next(RunWatcher& watcher) {
    const absl::StatusOr<v1::Run> run = watcher.Next();
    if (!run.ok()) return absl::StatusCodeToString(run.status().code());
    return run->id() + " " + v1::RunState_Name(run->state()).substr(10);
  }

  std::unique_ptr<RunWatcher> Watch(RunWatcherOptions options = {}) {
    options.resume.backoff.initial = absl::Milliseconds(1);
    return Client(server_.address()).Watch({}, std::move(options));
  }

  FakeServer server_;
};

TEST_F(RunWatcherTest, TellsWhatHappenedWhileTheConnectionWasDown) {
  std::atomic<int> streams = 0;
  server_.on_watch = [&](auto*, const auto&, FakeServer::RunWriter* writer) {
    if (streams++ == 0) {
      writer->Write(MakeRun("run-2", v1::RUN_STATE_RUNNING));
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
    }
    writer->Write(MakeRun("run-5", v1::RUN_STATE_RUNNING));
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "enough");
  };
  server_.on_list_runs = [&](const v1::ListRunsRequest& request, v1::ListRunsResponse* response) {
    const bool first = request.page_token().empty();
    if (first) *response->add_runs() = MakeRun("run-4", v1::RUN_STATE_FAILED);
    if (first) *response->add_runs() = MakeRun("run-3", v1::RUN_STATE_SUCCEEDED);
    if (first) response->set_next_page_token("more");
    if (!first) *response->add_runs() = MakeRun("run-2", v1::RUN_STATE_SUCCEEDED);
    if (!first) *response->add_runs() = MakeRun("run-1", v1::RUN_STATE_SUCCEEDED);
    return grpc::Status::OK;
  };
  int lost = 0;
  int found = 0;
  const auto watcher = Watch({.resume = {.on_connection_lost = [&](const absl::Status&) { ++lost; },
                                         .on_connected_again = [&] { ++found; }}});
  EXPECT_EQ(Next(*watcher), "run-2 RUNNING");
  EXPECT_EQ(Next(*watcher), "run-2 SUCCEEDED");
  EXPECT_EQ(Next(*watcher), "run-3 SUCCEEDED");
  EXPECT_EQ(Next(*watcher), "run-4 FAILED");
  EXPECT_EQ(Next(*watcher), "run-5 RUNNING");
  EXPECT_EQ(Next(*watcher), "NOT_FOUND");
  EXPECT_EQ(Next(*watcher), "NOT_FOUND") << "it stays";
  EXPECT_EQ(lost, 1);
  EXPECT_EQ(found, 1);
}

TEST_F(RunWatcherTest, TellsRunsYoungerThanTheOneItIsGiven) {
  server_.on_watch = [](auto*, const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "enough");
  };
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    *response->add_runs() = MakeRun("run-2", v1::RUN_STATE_SUCCEEDED);
    *response->add_runs() = MakeRun("run-1", v1::RUN_STATE_SUCCEEDED);
    return grpc::Status::OK;
  };
  const auto watcher = Watch({.after = "run-1"});
  EXPECT_EQ(Next(*watcher), "run-2 SUCCEEDED");
  EXPECT_EQ(Next(*watcher), "NOT_FOUND");
}

TEST_F(RunWatcherTest, GivesUpWhereNothingIsHeard) {
  server_.Stop();
  const auto watcher = Watch({.resume = {.retry_for = absl::ZeroDuration()}});
  EXPECT_EQ(Next(*watcher), "UNAVAILABLE");
}

TEST_F(RunWatcherTest, GivesUpInTheEndOnAServerThatIsNotThere) {
  server_.Stop();
  FakeClock clock;
  const PassingTime time(&clock, absl::Milliseconds(50));
  const auto watcher = Watch({.resume = {.retry_for = absl::Seconds(30), .clock = &clock}});
  EXPECT_EQ(Next(*watcher), "UNAVAILABLE");
}

TEST_F(RunWatcherTest, AsksAgainForWhatItMissedWhereAskingFails) {
  std::atomic<int> lists = 0;
  server_.on_watch = [](grpc::ServerContext* context, const auto&, auto*) {
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  server_.on_list_runs = [&](const v1::ListRunsRequest& request, v1::ListRunsResponse* response) {
    if (!request.page_token().empty() && lists++ == 0) {
      return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
    }
    const bool first = request.page_token().empty();
    *response->add_runs() = MakeRun(first ? "run-3" : "run-2", v1::RUN_STATE_SUCCEEDED);
    if (first) response->set_next_page_token("more");
    return grpc::Status::OK;
  };
  const auto watcher = Watch({.after = "run-1"});
  EXPECT_EQ(Next(*watcher), "run-2 SUCCEEDED");
  EXPECT_EQ(Next(*watcher), "run-3 SUCCEEDED");
  watcher->Cancel();
  EXPECT_EQ(Next(*watcher), "CANCELLED");
}

TEST_F(RunWatcherTest, TellsTheDeletionOfARunThatVanishedWhileTheConnectionWasDown) {
  std::atomic<int> streams = 0;
  std::atomic<int> pages = 0;
  server_.on_watch = [&](auto*, const auto&, FakeServer::RunWriter* writer) {
    if (const int stream = streams++; stream == 0) {
      v1::Run run = MakeRun("run-2", v1::RUN_STATE_RUNNING);
      run.set_job("backup");
      writer->Write(run);
      writer->Write(MakeRun("run-3", v1::RUN_STATE_RUNNING));
    } else if (stream == 2) {
      return grpc::Status(grpc::StatusCode::NOT_FOUND, "enough");
    }
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
  };
  server_.on_list_runs = [&](const v1::ListRunsRequest& request, v1::ListRunsResponse* response) {
    ++pages;
    if (request.page_token().empty()) {
      *response->add_runs() = MakeRun("run-4", v1::RUN_STATE_RUNNING);
      *response->add_runs() = MakeRun("run-3", v1::RUN_STATE_RUNNING);
      response->set_next_page_token("more");
    } else {
      *response->add_runs() = MakeRun("run-1", v1::RUN_STATE_SUCCEEDED);
      response->set_next_page_token("all of history");
    }
    return grpc::Status::OK;
  };
  const auto watcher = Watch();
  EXPECT_EQ(Next(*watcher), "run-2 RUNNING");
  EXPECT_EQ(Next(*watcher), "run-3 RUNNING");
  EXPECT_EQ(Next(*watcher), "run-3 RUNNING");
  EXPECT_EQ(Next(*watcher), "run-4 RUNNING");
  const absl::StatusOr<v1::Run> gone = watcher->Next();
  ASSERT_TRUE(gone.ok()) << gone.status();
  EXPECT_EQ(gone->id(), "run-2");
  EXPECT_EQ(gone->job(), "backup");
  EXPECT_GE(gone->delete_time().seconds(), 1'700'000'000);
  pages = 0;
  EXPECT_EQ(Next(*watcher), "run-3 RUNNING");
  EXPECT_EQ(Next(*watcher), "run-4 RUNNING");
  EXPECT_EQ(Next(*watcher), "NOT_FOUND") << "a run is told as deleted once";
  EXPECT_EQ(pages, 2) << "the search ends at the oldest run that goes on";
}

TEST_F(RunWatcherTest, GivesUpWhereEveryStreamIsCutAfterWhatIsKnown) {
  std::atomic<int> streams = 0;
  server_.on_watch = [&](auto*, const auto&, FakeServer::RunWriter* writer) {
    v1::Run run = MakeRun("run-2", v1::RUN_STATE_RUNNING);
    run.set_last_sequence(++streams);  // it prints, but that is no news
    writer->Write(run);
    return grpc::Status(grpc::StatusCode::UNAVAILABLE, "cut");
  };
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    *response->add_runs() = MakeRun("run-2", v1::RUN_STATE_RUNNING);
    return grpc::Status::OK;
  };
  FakeClock clock;
  const PassingTime time(&clock, absl::Seconds(1));
  const auto watcher = Watch({.resume = {.retry_for = absl::Hours(2),
                                         .backoff = {.max = absl::Hours(1)},  // no call is so long
                                         .clock = &clock}});
  std::string told;
  do {
    told = Next(*watcher);
  } while (told == "run-2 RUNNING" && streams < 10'000);
  EXPECT_EQ(told, "UNAVAILABLE");
}

TEST_F(RunWatcherTest, RefusesAListThatHasNoEnd) {
  std::atomic<int> pages = 0;
  server_.on_watch = [](grpc::ServerContext* context, const auto&, auto*) {
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  server_.on_list_runs = [&](const auto&, v1::ListRunsResponse* response) {
    const int page = ++pages;
    if (page > 100) return grpc::Status(grpc::StatusCode::NOT_FOUND, "asked without end");
    response->set_next_page_token(page % 2 == 0 ? "even" : "odd");
    return grpc::Status::OK;
  };
  const auto watcher = Watch({.after = "run-1"});
  EXPECT_EQ(Next(*watcher), "DATA_LOSS");
}

TEST_F(RunWatcherTest, CanBeCancelledWhileItWaits) {
  std::atomic<bool> watching = false;
  server_.on_watch = [&](grpc::ServerContext* context, const auto&, auto*) {
    watching = true;
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  const auto watcher = Watch();
  std::thread canceller([&] {
    while (!watching) std::this_thread::yield();
    watcher->Cancel();
  });
  EXPECT_EQ(Next(*watcher), "CANCELLED");
  canceller.join();
}

TEST_F(RunWatcherTest, CanBeCancelledBeforeItBegins) {
  const auto watcher = Watch();
  watcher->Cancel();
  EXPECT_EQ(Next(*watcher), "CANCELLED");
}

}  // namespace
}  // namespace jobtail::client
