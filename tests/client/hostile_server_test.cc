// A server that has escape sequences wherever it can have text: none comes to the terminal.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <stdlib.h>

#include <atomic>
#include <functional>
#include <string>
#include <vector>

#include "absl/time/clock.h"
#include "fake_server.h"
#include "process.h"

namespace jobtail::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

// Each way to begin a sequence, and a line that looks like one of ours.
const std::string kHostile = "\x1b]0;title\x07\u009b2J\njobtail: forged";

auto IsHarmless() {
  return AllOf(HasSubstr("title"), Not(HasSubstr("\x1b")), Not(HasSubstr("\u009b")),
               Not(HasSubstr("\njobtail: forged")));
}

v1::Run HostileRun() {
  v1::Run run;
  run.set_id(kHostile);
  run.set_job(kHostile);
  run.set_created_by(kHostile);
  run.set_state(v1::RUN_STATE_RUNNING);
  (*run.mutable_parameters())[kHostile] = kHostile;
  run.mutable_progress()->set_text(kHostile);
  return run;
}

class HostileServerTest : public ::testing::Test {
 protected:
  HostileServerTest() {
    setenv("JOBTAIL_CONFIG", "/dev/null", 1);
    server_.on_list_jobs = [](const auto&, v1::ListJobsResponse* response) {
      v1::Job* const job = response->add_jobs();
      job->set_name(kHostile);
      job->set_help(kHostile);
      v1::Parameter* const parameter = job->add_parameters();
      for (std::string* text : {parameter->mutable_name(), parameter->mutable_help(),
                                parameter->mutable_default_value(), parameter->mutable_minimum(),
                                parameter->mutable_maximum(), parameter->add_values()}) {
        *text = kHostile;
      }
      return grpc::Status::OK;
    };
    server_.on_get_job = [](const auto&, auto*) { return grpc::Status::OK; };
    server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
      *response->add_runs() = HostileRun();
      return grpc::Status::OK;
    };
    server_.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
      *run = HostileRun();
      run->set_id(request.run());
      return grpc::Status::OK;
    };
    server_.on_cancel_run = [this](const auto&, v1::Run* run) {
      *run = HostileRun();
      run->set_state(cancelled_);
      return grpc::Status::OK;
    };
    server_.on_watch = [](grpc::ServerContext* context, const auto&, auto* writer) {
      writer->Write(HostileRun());
      while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
      return grpc::Status::CANCELLED;
    };
    server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
      v1::LogBatch batch;
      *batch.add_lines() = Line(1, "one");
      *batch.add_lines() = GapLine(2, 3, v1::GAP_REASON_DAMAGED);
      batch.add_lines()->mutable_cut()->set_first(4);
      *batch.add_lines() = ResultLine(5, v1::RUN_STATE_FAILED, 1);
      batch.mutable_lines(3)->mutable_result()->set_error(kHostile);
      writer->Write(batch);
      return grpc::Status::OK;
    };
  }

  std::vector<std::string> Command(std::vector<std::string> arguments) const {
    arguments.push_back("--server=" + server_.address());
    return arguments;
  }
  std::string AllOfIt(const std::vector<std::string>& arguments) const {
    const Finished finished = Jobtail(Command(arguments));
    return finished.out + finished.err;
  }
  // What a command that goes on for ever says until it has said that, to stderr or to stdout.
  std::string UntilItSays(const std::string& text, bool to_stderr,
                          const std::vector<std::string>& arguments) const {
    Process process(Command(arguments));
    EXPECT_TRUE(to_stderr ? process.WaitForErr(text) : process.WaitForOut(text)) << text;
    process.Signal(SIGINT);
    process.Wait();
    return process.out() + process.err();
  }

  std::atomic<v1::RunState> cancelled_ = v1::RUN_STATE_RUNNING;
  FakeServer server_;
};

TEST_F(HostileServerTest, HasItsListsShown) {
  for (const std::string output : {"--output=text", "--output=json"}) {
    EXPECT_THAT(AllOfIt({"jobs", output}), IsHarmless());
    EXPECT_THAT(AllOfIt({"runs", output}), IsHarmless());
    EXPECT_THAT(AllOfIt({"show", "run-1", output}), IsHarmless());
    EXPECT_THAT(UntilItSays("title", /*to_stderr=*/false, {"runs", "--watch", output}),
                IsHarmless());
  }
}

TEST_F(HostileServerTest, HasItsAnswersTold) {
  EXPECT_THAT(AllOfIt({"cancel", "run-1"}), AllOf(HasSubstr("asked to stop"), IsHarmless()));
  cancelled_ = v1::RUN_STATE_SUCCEEDED;
  EXPECT_THAT(AllOfIt({"cancel", "run-1"}), AllOf(HasSubstr("already ended"), IsHarmless()));
  server_.on_create_run = [](const auto&, auto*) {
    return grpc::Status(grpc::StatusCode::NOT_FOUND, kHostile);
  };
  EXPECT_THAT(AllOfIt({"run", "nothing"}), AllOf(HasSubstr("it has: "), IsHarmless()));
}

TEST_F(HostileServerTest, HasItsErrorsTold) {
  for (int code = 1; code <= 16; ++code) {
    server_.on_cancel_run = [code](const auto&, auto*) {
      return grpc::Status(static_cast<grpc::StatusCode>(code), kHostile);
    };
    EXPECT_THAT(AllOfIt({"cancel", kHostile}), IsHarmless()) << code;
  }
}

TEST_F(HostileServerTest, HasItsRunsFollowed) {
  EXPECT_THAT(AllOfIt({"tail", "run-1"}), IsHarmless());
  EXPECT_THAT(AllOfIt({"tail", "run-1", "run-2"}), IsHarmless());
  EXPECT_THAT(UntilItSays("FAILED", /*to_stderr=*/true, {"tail", "--job=job"}), IsHarmless());
  EXPECT_THAT(UntilItSays("FAILED", /*to_stderr=*/false, {"tail", "--job=job", "--output=json"}),
              IsHarmless());
}

TEST_F(HostileServerTest, HasItsStreamsBroken) {
  const auto end_with = [this](grpc::StatusCode code) {
    server_.on_tail = [code](auto*, const auto&, auto*) { return grpc::Status(code, kHostile); };
  };
  end_with(grpc::StatusCode::UNAVAILABLE);
  EXPECT_THAT(UntilItSays("trying again", true, {"tail", "run-1"}), IsHarmless());
  EXPECT_THAT(UntilItSays("trying again", true, {"tail", "--job=job"}), IsHarmless());
  end_with(grpc::StatusCode::DATA_LOSS);
  EXPECT_THAT(AllOfIt({"tail", "run-1"}), AllOf(HasSubstr("go on with"), IsHarmless()));
  EXPECT_THAT(UntilItSays("go on with", true, {"tail", "--job=job"}), IsHarmless());
}

}  // namespace
}  // namespace jobtail::client
