// The command from the outside: arguments in; output, notices and exit code out.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>

#include <atomic>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "fake_server.h"
#include "process.h"

namespace jobtail::client {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::Pair;
using ::testing::SizeIs;
using ::testing::UnorderedElementsAre;

class CommandTest : public ::testing::Test {
 protected:
  CommandTest() {
    setenv("JOBTAIL_CONFIG", "/dev/null", 1);
    server_.on_create_run = [this](const v1::CreateRunRequest& request, v1::Run* run) {
      created_.push_back(request);
      run->set_id("run-1");
      run->set_job(request.job());
      return grpc::Status::OK;
    };
    server_.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
      if (request.run() != "run-1") {
        return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such run");
      }
      run->set_id(request.run());
      run->set_job("countdown");
      run->set_state(v1::RUN_STATE_RUNNING);
      return grpc::Status::OK;
    };
  }

  Finished Run(std::vector<std::string> arguments) {
    arguments.push_back("--server=" + server_.address());
    return Jobtail(arguments);
  }

  // A run that prints something on both streams and ends like this.
  void ServeRunThatEnds(v1::RunState state, int exit_code, int signal = 0,
                        const std::string& error = "") {
    v1::LogLine result = ResultLine(4, state, exit_code);
    result.mutable_result()->set_signal(signal);
    result.mutable_result()->set_error(error);
    server_.Serve(
        {.log = {Line(1, "one"), Line(2, "two", v1::STREAM_STDERR), Line(3, "three"), result}});
  }

  FakeServer server_;
  std::vector<v1::CreateRunRequest> created_;
};

TEST_F(CommandTest, RunPrintsWhatTheJobPrints) {
  ServeRunThatEnds(v1::RUN_STATE_SUCCEEDED, 0);
  const Finished run = Run({"run", "countdown", "times=3", "note=a b"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, "one\nthree\n");
  EXPECT_EQ(run.err, "two\n");
  ASSERT_THAT(created_, SizeIs(1));
  EXPECT_EQ(created_[0].job(), "countdown");
  EXPECT_THAT(created_[0].parameters(),
              UnorderedElementsAre(Pair("times", "3"), Pair("note", "a b")));
  EXPECT_THAT(created_[0].request_id(), SizeIs(36));
}

TEST_F(CommandTest, RunExitsLikeTheJob) {
  ServeRunThatEnds(v1::RUN_STATE_FAILED, 3, 0, "disk full\x1b[31m");
  const Finished run = Run({"run", "countdown"});
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.err, "two\njobtail: run run-1 FAILED with exit code 3: disk full\\x1b[31m\n");
}

TEST_F(CommandTest, RunOfAKilledJob) {
  ServeRunThatEnds(v1::RUN_STATE_FAILED, 0, SIGKILL);
  EXPECT_EQ(Run({"run", "countdown"}).code, 137);
}

TEST_F(CommandTest, RunThatWasLost) {
  ServeRunThatEnds(v1::RUN_STATE_LOST, 0);
  const Finished run = Run({"run", "countdown"});
  EXPECT_EQ(run.code, 125);
  EXPECT_THAT(run.err, HasSubstr("run run-1 LOST"));
}

TEST_F(CommandTest, RunDetachedPrintsTheIdAlone) {
  const Finished run = Run({"run", "--detach", "countdown"});
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, "run-1\n");
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(Run({"run", "--detach", "--output=json", "countdown"}).out,
            R"({"id":"run-1","job":"countdown","parameters":{},"state":"RUN_STATE_UNSPECIFIED",)"
            R"("lastSequence":"0","cutParameters":[],"omittedParameters":0,"createdBy":""})"
            "\n");
}

TEST_F(CommandTest, RunOfAnUnknownJobSuggestsNearNames) {
  server_.on_create_run = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, "no such job");
  };
  server_.on_list_jobs = [](const auto&, v1::ListJobsResponse* response) {
    response->add_jobs()->set_name("backup");
    response->add_jobs()->set_name("countdown");
    return grpc::Status::OK;
  };
  const Finished run = Run({"run", "countdwon"});
  EXPECT_EQ(run.code, 125);
  EXPECT_EQ(run.out, "");
  EXPECT_EQ(run.err, absl::StrCat("jobtail: there is no job countdwon at ", server_.address(),
                                  "; did you mean countdown?; see 'jobtail --server=",
                                  server_.address(), " jobs'\n"));
}

TEST_F(CommandTest, RunWithWrongParametersSaysWhatTheServerSays) {
  server_.on_create_run = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::INVALID_ARGUMENT, "times: 'x' is not a number\x1b[2J");
  };
  const Finished run = Run({"run", "countdown", "times=x"});
  EXPECT_EQ(run.code, 125);
  EXPECT_EQ(run.err, "jobtail: times: 'x' is not a number\\x1b[2J\n");
}

TEST_F(CommandTest, RunSurvivesBrokenConnections) {
  server_.Serve({.log = NumberedLog(200), .cuts = {3, 0, 7, 1, 20}, .batch = 2});
  const Finished run = Run({"run", "countdown"});
  std::string expected;
  for (int i = 1; i <= 200; ++i) absl::StrAppend(&expected, i, "\n");
  EXPECT_EQ(run.code, 0);
  EXPECT_EQ(run.out, expected);
  EXPECT_THAT(run.err, AllOf(HasSubstr("lost (cut by the script); trying again for 5m"),
                             HasSubstr("jobtail: connected again\n")));
}

TEST_F(CommandTest, RawPrintsNothingOfItsOwn) {
  server_.Serve({.log = {Line(1, "one"), GapLine(2, 4, v1::GAP_REASON_DROPPED), Line(5, "five"),
                         ResultLine(6, v1::RUN_STATE_FAILED, 9)},
                 .cuts = {2, 2},
                 .batch = 1});
  const Finished run = Run({"run", "--output=raw", "countdown"});
  EXPECT_EQ(run.code, 9);
  EXPECT_EQ(run.out, "one\nfive\n");
  EXPECT_EQ(run.err, "");
}

TEST_F(CommandTest, JsonPrintsOneObjectALine) {
  ServeRunThatEnds(v1::RUN_STATE_FAILED, 3);
  const Finished run = Run({"run", "--output=json", "countdown"});
  EXPECT_EQ(run.code, 3);
  EXPECT_EQ(run.err, "");
  EXPECT_EQ(std::count(run.out.begin(), run.out.end(), '\n'), 5);
  EXPECT_THAT(run.out, HasSubstr("\n{\"sequence\":\"2\",\"stream\":\"STREAM_STDERR\","
                                 "\"ending\":\"ENDING_LF\",\"time\":\"2023-11-14T22:13:22Z\","
                                 "\"text\":\"two\"}\n"));
  EXPECT_THAT(run.out, HasSubstr(R"("result":{"state":"RUN_STATE_FAILED","exitCode":3,"signal":0,)"
                                 R"("error":"","totalLines":"0","totalBytes":"0",)"
                                 R"("coreDumped":false,"overwrittenLines":"0"})"));
}

TEST_F(CommandTest, TailPassesItsRequestOn) {
  ServeRunThatEnds(v1::RUN_STATE_FAILED, 4);
  const Finished tail = Run({"tail", "run-1", "--from=3", "--grep=e", "--stdout-only"});
  EXPECT_EQ(tail.code, 4);
  EXPECT_EQ(tail.out, "three\n");
  ASSERT_THAT(server_.tail_requests(), SizeIs(1));
  const v1::TailLogRequest request = server_.tail_requests()[0];
  EXPECT_EQ(request.run(), "run-1");
  EXPECT_EQ(request.from_sequence(), 3);
  EXPECT_EQ(request.pattern(), "e");
  EXPECT_THAT(request.streams(), ElementsAre(v1::STREAM_STDOUT));
  EXPECT_TRUE(request.follow());
}

TEST_F(CommandTest, TailWithoutFollowOfARunThatGoesOn) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    *batch.add_lines() = RunLine(v1::RUN_STATE_RUNNING, 1);
    *batch.add_lines() = Line(1, "one");
    writer->Write(batch);
    return grpc::Status::OK;
  };
  const Finished tail = Run({"tail", "--no-follow", "run-1"});
  EXPECT_EQ(tail.code, 0);
  EXPECT_EQ(tail.out, "one\n");
}

TEST_F(CommandTest, TailFromPastTheResultStillExitsLikeTheJob) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    *batch.add_lines() = RunLine(v1::RUN_STATE_FAILED, 4);
    *batch.mutable_lines(0)->mutable_run()->mutable_result() =
        ResultLine(4, v1::RUN_STATE_FAILED, 3).result();
    writer->Write(batch);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"tail", "--from=5", "run-1"}).code, 3);
}

TEST_F(CommandTest, TailOfAnUnknownRun) {
  const Finished tail = Run({"tail", "run-2"});
  EXPECT_EQ(tail.code, 125);
  EXPECT_THAT(tail.err, AllOf(HasSubstr("there is no run run-2 at " + server_.address()),
                              HasSubstr(" runs' lists those there are\n")));
}

TEST_F(CommandTest, TailGivesUpWithTheWayBack) {
  server_.Serve({.log = NumberedLog(3), .cuts = {2, 0, 0}, .batch = 1});
  const Finished tail = Run({"tail", "--retry-for=0", "run-1"});
  EXPECT_EQ(tail.code, 125);
  EXPECT_EQ(tail.out, "1\n");
  EXPECT_THAT(tail.err, AllOf(HasSubstr("cut by the script"), HasSubstr("go on with: jobtail"),
                              HasSubstr(" tail run-1 --from=2\n")));
}

TEST_F(CommandTest, AServerThatIsNotThere) {
  const std::string address = server_.address();
  server_.Stop();
  const Finished jobs = Jobtail({"jobs", "--server=" + address});
  EXPECT_EQ(jobs.code, 125);
  EXPECT_EQ(jobs.err, absl::StrCat("jobtail: cannot reach a server at ", address,
                                   ": Connection refused; start one or name another with "
                                   "--server=HOST:PORT\n"));
}

TEST_F(CommandTest, AServerOfAnotherKind) {
  const Finished jobs = Run({"jobs"});
  EXPECT_EQ(jobs.code, 125);
  EXPECT_THAT(jobs.err, HasSubstr("is not a jobtail server"));
}

TEST_F(CommandTest, ListsAllPagesOfJobs) {
  server_.on_list_jobs = [](const v1::ListJobsRequest& request, v1::ListJobsResponse* response) {
    const bool first = request.page_token().empty();
    response->add_jobs()->set_name(first ? "backup" : "countdown");
    if (first) response->set_next_page_token("more");
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"jobs"}).out, "backup\n\ncountdown\n");
  EXPECT_EQ(Run({"jobs", "--output=json"}).out,
            "{\"name\":\"backup\",\"help\":\"\",\"parameters\":[],\"labels\":{},\"verbs\":[],"
            "\"verbsOnAllRuns\":[]}\n"
            "{\"name\":\"countdown\",\"help\":\"\",\"parameters\":[],\"labels\":{},\"verbs\":[],"
            "\"verbsOnAllRuns\":[]}\n");
}

TEST_F(CommandTest, RefusesAListThatHasNoEnd) {
  std::atomic<int> pages = 0;
  const auto circle = [&](auto* response) {
    const int page = ++pages;
    if (page > 100) return grpc::Status(grpc::StatusCode::NOT_FOUND, "asked without end");
    response->set_next_page_token(page % 2 == 0 ? "even" : "odd");
    return grpc::Status::OK;
  };
  server_.on_list_jobs = [&](const auto&, auto* response) { return circle(response); };
  server_.on_list_runs = [&](const auto&, auto* response) { return circle(response); };
  for (const char* command : {"jobs", "runs"}) {
    pages = 0;
    const Finished list = Run({command});
    EXPECT_EQ(list.code, 125) << command;
    EXPECT_THAT(list.err, HasSubstr("the server's list has no end")) << command;
  }
}

TEST_F(CommandTest, RefusesAListOfEmptyPagesWithoutEnd) {
  std::atomic<int> pages = 0;
  server_.on_list_runs = [&](const auto&, v1::ListRunsResponse* response) {
    if (++pages > 20'000) return grpc::Status(grpc::StatusCode::NOT_FOUND, "asked without end");
    response->set_next_page_token(absl::StrCat(pages.load()));
    return grpc::Status::OK;
  };
  const Finished list = Run({"runs"});
  EXPECT_EQ(list.code, 125);
  EXPECT_THAT(list.err, HasSubstr("the server's list has no end"));
}

TEST_F(CommandTest, ShowsNoIdThatIsNone) {
  const std::string bad = "x\x1b]0;title\x07\"; $(id)";
  server_.on_get_run = [&](const auto&, v1::Run* run) {
    run->set_id(bad);
    return grpc::Status::OK;
  };
  server_.on_create_run = [&](const auto&, v1::Run* run) {
    run->set_id(bad);
    return grpc::Status::OK;
  };
  server_.on_get_job = [&](const auto&, v1::Job*) { return grpc::Status::OK; };
  server_.on_list_runs = [&](const auto&, v1::ListRunsResponse* response) {
    response->add_runs()->set_id(bad);
    return grpc::Status::OK;
  };
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    v1::LogBatch batch;
    *batch.add_lines() = Line(1, "one");
    *batch.add_lines() = ResultLine(2, v1::RUN_STATE_FAILED, 1);
    writer->Write(batch);
    return grpc::Status::OK;
  };
  for (const std::vector<std::string>& command : {std::vector<std::string>{"tail", "x"},
                                                  {"run", "job"},
                                                  {"run", "--detach", "job"},
                                                  {"export", "x"},
                                                  {"rm", "x"}}) {
    const Finished finished = Run(command);
    EXPECT_EQ(finished.code, 125) << command[0];
    EXPECT_THAT(finished.err, HasSubstr("which is none")) << command[0];
    EXPECT_THAT(finished.out + finished.err, Not(HasSubstr("\x1b"))) << command[0];
  }
}

TEST_F(CommandTest, ListsRunsUpToTheLimit) {
  int next = 0;
  server_.on_list_runs = [&](const v1::ListRunsRequest& request, v1::ListRunsResponse* response) {
    EXPECT_EQ(request.job(), "backup");
    EXPECT_THAT(request.states(), ElementsAre(v1::RUN_STATE_FAILED));
    for (int i = 0; i < std::min(request.page_size(), 3); ++i) {
      response->add_runs()->set_id(absl::StrCat("run-", ++next));
    }
    response->set_next_page_token(absl::StrCat("more-", next));
    return grpc::Status::OK;
  };
  const Finished runs =
      Run({"runs", "--limit=5", "--job=backup", "--state=failed", "--output=json"});
  for (int i = 1; i <= 5; ++i) {
    EXPECT_THAT(runs.out, HasSubstr(absl::StrCat("{\"id\":\"run-", i, "\"")));
  }
  EXPECT_EQ(std::count(runs.out.begin(), runs.out.end(), '\n'), 5);
}

TEST_F(CommandTest, ShowsARun) {
  const Finished show = Run({"show", "run-1"});
  EXPECT_EQ(show.code, 0);
  EXPECT_THAT(show.out, AllOf(HasSubstr("run-1\n"), HasSubstr("RUNNING\n")));
  EXPECT_THAT(Run({"show", "run-1", "--output=json"}).out,
              HasSubstr(R"("state":"RUN_STATE_RUNNING","lastSequence":"0",)"));
}

TEST_F(CommandTest, CancelsARun) {
  v1::RunState state = v1::RUN_STATE_RUNNING;
  server_.on_cancel_run = [&](const v1::CancelRunRequest& request, v1::Run* run) {
    run->set_id(request.run());
    run->set_state(state);
    return grpc::Status::OK;
  };
  EXPECT_EQ(Run({"cancel", "run-1"}).out, "run run-1 has been asked to stop\n");
  state = v1::RUN_STATE_SUCCEEDED;
  EXPECT_EQ(Run({"cancel", "run-1"}).out, "run run-1 had already ended: SUCCEEDED\n");
}

TEST_F(CommandTest, DeletesARunByItsWholeId) {
  server_.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
    run->set_id(request.run() == "run" ? "run-1" : request.run());
    return grpc::Status::OK;
  };
  server_.on_delete_run = [](const v1::DeleteRunRequest& request) {
    return request.run() == "run-1"
               ? grpc::Status::OK
               : grpc::Status(grpc::StatusCode::FAILED_PRECONDITION, "run-2 is still running");
  };
  EXPECT_EQ(Run({"rm", "run"}).code, 0);
  const Finished refused = Run({"rm", "run-2"});
  EXPECT_EQ(refused.code, 125);
  EXPECT_EQ(refused.err, "jobtail: run-2 is still running\n");
}

TEST_F(CommandTest, DiesQuietlyWhenNobodyReads) {
  server_.Serve({.log = NumberedLog(200'000), .batch = 1000});
  Process run({"run", "countdown", "--server=" + server_.address()});
  ASSERT_TRUE(run.WaitForOut("1\n"));
  run.CloseStdout();
  EXPECT_EQ(run.Wait(), -SIGPIPE);
  EXPECT_EQ(run.err(), "");
}

}  // namespace
}  // namespace jobtail::client
