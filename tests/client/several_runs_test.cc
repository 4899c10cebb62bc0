// Several runs at once: `tail RUN RUN`, `tail --job`, `runs --watch` in a pipe.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <atomic>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "fake_server.h"
#include "process.h"

namespace jobtail::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::MatchesRegex;
using ::testing::Not;

v1::Run MakeRun(const std::string& id, v1::RunState state) {
  v1::Run run;
  run.set_id(id);
  run.set_job("job");
  run.set_state(state);
  return run;
}

void WaitUntilCancelled(grpc::ServerContext* context) {
  while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
}

class SeveralRunsTest : public ::testing::Test {
 protected:
  SeveralRunsTest() {
    setenv("JOBTAIL_CONFIG", "/dev/null", 1);
    server_.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
      *run = MakeRun(request.run(), v1::RUN_STATE_RUNNING);
      return grpc::Status::OK;
    };
    server_.on_get_job = [](const v1::GetJobRequest& request, v1::Job*) {
      return request.job() == "job" ? grpc::Status::OK
                                    : grpc::Status(grpc::StatusCode::NOT_FOUND, "no such job");
    };
    server_.on_list_runs = [](const auto&, auto*) { return grpc::Status::OK; };
    // Each run prints its id and fails with the number at its end.
    server_.on_tail = [](auto*, const v1::TailLogRequest& request, FakeServer::Writer* writer) {
      v1::LogBatch batch;
      *batch.add_lines() = Line(1, request.run() + " is ", v1::STREAM_STDOUT, v1::ENDING_NONE);
      *batch.add_lines() = Line(2, "wrong", v1::STREAM_STDERR);
      *batch.add_lines() = Line(3, "here");
      *batch.add_lines() = ResultLine(4, v1::RUN_STATE_FAILED, request.run().back() - '0');
      writer->Write(batch);
      return grpc::Status::OK;
    };
  }

  std::vector<std::string> Command(std::vector<std::string> arguments) {
    arguments.push_back("--server=" + server_.address());
    return arguments;
  }

  FakeServer server_;
};

TEST_F(SeveralRunsTest, AreToldApartLineByLine) {
  const Finished tail = Jobtail(Command({"tail", "run-1", "run-2"}));
  EXPECT_EQ(tail.code, 2) << "the largest";
  EXPECT_THAT(tail.out, AllOf(HasSubstr("job run-1 | run-1 is here\n"),
                              HasSubstr("job run-2 | run-2 is here\n")));
  EXPECT_THAT(tail.err, AllOf(HasSubstr("job run-1 | wrong\n"),
                              HasSubstr("jobtail: run run-2 FAILED with exit code 2\n")));
}

TEST_F(SeveralRunsTest, InColoursWhereTheyAreWanted) {
  const Finished tail = Jobtail(Command({"tail", "run-1", "run-2", "--color=always"}));
  EXPECT_THAT(tail.out, AllOf(HasSubstr("\x1b[36mjob run-1 |\x1b[0m run-1"),
                              HasSubstr("\x1b[33mjob run-2 |\x1b[0m run-2")));
}

TEST_F(SeveralRunsTest, NameTheRunInJson) {
  const Finished tail = Jobtail(Command({"tail", "run-1", "run-2", "--output=json"}));
  EXPECT_THAT(tail.out, HasSubstr(R"({"runId":"run-2","line":{"sequence":"3",)"));
  EXPECT_EQ(tail.err, "");
}

TEST_F(SeveralRunsTest, GoOnWhenOneOfThemCannotBeRead) {
  const auto serve = server_.on_tail;
  server_.on_tail = [&](auto* context, const v1::TailLogRequest& request, auto* writer) {
    if (request.run() != "run-1") return serve(context, request, writer);
    return grpc::Status(grpc::StatusCode::DATA_LOSS, "torn");
  };
  const Finished tail = Jobtail(Command({"tail", "run-1", "run-2"}));
  EXPECT_EQ(tail.code, 125);
  EXPECT_THAT(tail.out, HasSubstr("run-2 is here"));
  EXPECT_THAT(tail.err, HasSubstr("stopped following run run-1: torn; go on with: jobtail"));
}

TEST_F(SeveralRunsTest, TellOfEachOutageAlsoAfterARunThatEndedInOne) {
  const auto serve = server_.on_tail;
  const grpc::Status cut(grpc::StatusCode::UNAVAILABLE, "cut");
  absl::Notification first_is_over;
  std::atomic<int> calls_1 = 0;
  std::atomic<int> calls_2 = 0;
  server_.on_tail = [&](auto* context, const v1::TailLogRequest& request, auto* writer) {
    if (request.run() == "run-1") {
      return calls_1++ == 0 ? cut : grpc::Status(grpc::StatusCode::NOT_FOUND, "gone");
    }
    first_is_over.WaitForNotification();
    return calls_2++ == 0 ? cut : serve(context, request, writer);
  };
  Process tail(Command({"tail", "run-1", "run-2"}));
  EXPECT_TRUE(tail.WaitForErr("stopped following run run-1: gone"));
  first_is_over.Notify();
  EXPECT_EQ(tail.Wait(), 125);
  EXPECT_THAT(tail.out(), HasSubstr("run-2 is here"));
  EXPECT_THAT(tail.err(), MatchesRegex(".*lost \\(cut\\).*run-1: gone.*connected again\n"
                                       ".*lost \\(cut\\).*connected again\n.*"));
}

TEST_F(SeveralRunsTest, OfAJobAreFollowedAsTheyCome) {
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    *response->add_runs() = MakeRun("run-1", v1::RUN_STATE_RUNNING);
    return grpc::Status::OK;
  };
  absl::Notification first;
  server_.on_watch = [&](grpc::ServerContext* context, const v1::WatchRunsRequest& request,
                         FakeServer::RunWriter* writer) {
    EXPECT_EQ(request.job(), "job");
    first.WaitForNotification();
    writer->Write(MakeRun("run-1", v1::RUN_STATE_FAILED));
    writer->Write(MakeRun("run-2", v1::RUN_STATE_RUNNING));
    WaitUntilCancelled(context);
    return grpc::Status::CANCELLED;
  };
  Process tail(Command({"tail", "--job=job", "--stdout-only"}));
  EXPECT_TRUE(tail.WaitForOut("job run-1 | run-1 is here\n"));
  first.Notify();
  EXPECT_TRUE(tail.WaitForOut("job run-2 | run-2 is here\n"));
  tail.Signal(SIGINT);
  EXPECT_EQ(tail.Wait(), 130);
  for (const v1::TailLogRequest& request : server_.tail_requests()) {
    EXPECT_EQ(request.streams_size(), 1);
  }
}

TEST_F(SeveralRunsTest, OfNoJobAreAnError) {
  const Finished tail = Jobtail(Command({"tail", "--job=jbo"}));
  EXPECT_EQ(tail.code, 125);
  EXPECT_THAT(tail.err, HasSubstr("no such job"));
}

TEST_F(SeveralRunsTest, EndQuietlyWhenNobodyReads) {
  server_.on_tail = [](grpc::ServerContext* context, const auto&, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    for (int i = 1; i <= 1000; ++i) *batch.add_lines() = Line(i, std::string(80, 'x'));
    while (!context->IsCancelled() && writer->Write(batch)) {
      for (auto& line : *batch.mutable_lines()) line.set_sequence(line.sequence() + 1000);
    }
    return grpc::Status::CANCELLED;
  };
  Process tail(Command({"tail", "run-1", "run-2"}));
  ASSERT_TRUE(tail.WaitForOut("xxx\n"));
  tail.CloseStdout();
  EXPECT_EQ(tail.Wait(), -SIGPIPE);
  EXPECT_EQ(tail.err(), "");
}

TEST_F(SeveralRunsTest, AreWatchedLineByLineInAPipe) {
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    *response->add_runs() = MakeRun("run-1", v1::RUN_STATE_RUNNING);
    return grpc::Status::OK;
  };
  server_.on_watch = [](grpc::ServerContext* context, const auto&, FakeServer::RunWriter* writer) {
    v1::Run run = MakeRun("run-1", v1::RUN_STATE_RUNNING);
    run.mutable_progress()->set_fraction(0.5);
    writer->Write(run);
    writer->Write(MakeRun("run-1", v1::RUN_STATE_SUCCEEDED));
    run.mutable_delete_time()->set_seconds(1);
    writer->Write(run);
    WaitUntilCancelled(context);
    return grpc::Status::CANCELLED;
  };
  Process runs(Command({"runs", "--watch"}));
  EXPECT_TRUE(runs.WaitForOut("  run-1  job  DELETED\n"));
  EXPECT_THAT(runs.out(), AllOf(HasSubstr("  run-1  job  RUNNING\n"),
                                HasSubstr("  run-1  job  SUCCEEDED\n"), Not(HasSubstr("\x1b"))));
  EXPECT_EQ(std::count(runs.out().begin(), runs.out().end(), '\n'), 3) << "progress is no change";
  runs.Signal(SIGINT);
  EXPECT_EQ(runs.Wait(), 130);
}

}  // namespace
}  // namespace jobtail::client
