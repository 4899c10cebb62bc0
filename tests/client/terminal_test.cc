// The command on a terminal: progress bars, colours, live tables.

#include "terminal.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/notification.h"
#include "fake_server.h"

namespace jobtail::client {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

v1::LogLine Progress(double fraction, const std::string& text) {
  v1::LogLine line;
  line.mutable_progress()->set_fraction(fraction);
  line.mutable_progress()->set_text(text);
  line.mutable_progress()->mutable_remaining()->set_seconds(7);
  return line;
}

void Write(FakeServer::Writer* writer, const std::vector<v1::LogLine>& lines) {
  v1::LogBatch batch;
  for (const v1::LogLine& line : lines) *batch.add_lines() = line;
  writer->Write(batch);
}

class TerminalTest : public ::testing::Test {
 protected:
  TerminalTest() {
    setenv("JOBTAIL_CONFIG", "/dev/null", 1);
    unsetenv("NO_COLOR");
    server_.on_get_run = [](const v1::GetRunRequest&, v1::Run* run) {
      run->set_id("run-1");
      run->set_state(v1::RUN_STATE_RUNNING);
      return grpc::Status::OK;
    };
  }
  ~TerminalTest() override { unsetenv("NO_COLOR"); }

  std::vector<std::string> Command(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), JOBTAIL_COMMAND);
    arguments.push_back("--server=" + server_.address());
    return arguments;
  }

  FakeServer server_;
};

TEST_F(TerminalTest, ShowsProgressBelowTheLinesAndTakesItAwayAtTheEnd) {
  absl::Notification seen;
  server_.on_tail = [&](auto*, const auto&, FakeServer::Writer* writer) {
    Write(writer, {RunLine(v1::RUN_STATE_RUNNING, 0), Line(1, "one"), Progress(0.5, "halfway")});
    seen.WaitForNotification();
    Write(writer, {Line(2, "two"), ResultLine(3)});
    return grpc::Status::OK;
  };
  Terminal terminal(Command({"tail", "run-1", "--color=never"}), 60);
  ASSERT_TRUE(terminal.WaitFor("halfway  7.00s left"));
  EXPECT_THAT(terminal.shown(), HasSubstr("one\r\n\r[##########----------]  50%  halfway"));
  seen.Notify();
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_THAT(terminal.shown(), HasSubstr("left\x1b[K\r\x1b[Ktwo\r\n"));
}

// A log's text is the job's, which may be anybody's.
TEST_F(TerminalTest, IsNotDrivenByAJob) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    Write(writer, {Line(1,
                        "\x1b[1;31mred\x1b[0m \x1b]52;c;aGk=\x07"
                        "clip\x1b[2J\x1b[6n"),
                   Line(2, "ti\x1b]0;t", v1::STREAM_STDOUT, v1::ENDING_SPLIT),
                   Line(3, "itle\x1b\\tle", v1::STREAM_STDERR), Line(4, "itle\x1b\\tle"),
                   Line(5, "10%", v1::STREAM_STDOUT, v1::ENDING_CR),
                   Line(6,
                        "\x1b[K20%\xc2\x9b"
                        "6n \x1b[32mgreen"),
                   ResultLine(7)});
    return grpc::Status::OK;
  };
  const std::string kept =
      "\x1b[1;31mred\x1b[0m clip\r\ntiitletle\r\ntle\r\n10%\r\x1b[K20% "
      "\x1b[32mgreen\r\n\x1b[m";
  Terminal terminal(Command({"tail", "run-1"}));
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_EQ(terminal.shown(), kept);
  for (const char* flag : {"--raw", "--output=raw"}) {
    Terminal raw(Command({"tail", "run-1", flag}));
    EXPECT_EQ(raw.Wait(), 0);
    EXPECT_THAT(raw.shown(), AllOf(HasSubstr("\x1b]52;c;aGk=\x07"), HasSubstr("\x1b[6n"))) << flag;
  }
}

TEST_F(TerminalTest, IsNotDrivenByOneOfSeveralJobs) {
  server_.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
    run->set_id(request.run());
    run->set_job("job");
    return grpc::Status::OK;
  };
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    Write(writer, {Line(1,
                        "\x1b[31mred \x1b]52;c;aGk=\x07"
                        "clip"),
                   ResultLine(2)});
    return grpc::Status::OK;
  };
  Terminal terminal(Command({"tail", "run-1", "run-2", "--color=never"}));
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_THAT(terminal.shown(),
              AllOf(HasSubstr("| \x1b[31mred clip\x1b[m\r\n"), Not(HasSubstr("\x1b]"))));
}

// A colour of one is not another's, and none draws over what stands before a line.
TEST_F(TerminalTest, KeepsSeveralJobsApart) {
  server_.on_get_run = [](const v1::GetRunRequest& request, v1::Run* run) {
    run->set_id(request.run());
    run->set_job(request.run());
    return grpc::Status::OK;
  };
  server_.on_tail = [](auto*, const v1::TailLogRequest& request, FakeServer::Writer* writer) {
    if (request.run() == "red") {
      Write(writer,
            {Line(1, "\x1b[31mone"), Line(2, "\x1b[5A\b\b\b\b\x1b[2Ktwo"),
             Line(3, "10%", v1::STREAM_STDOUT, v1::ENDING_CR), Line(4, "20%"), ResultLine(5)});
    } else {
      Write(writer, {Line(1, "plain"), ResultLine(2)});
    }
    return grpc::Status::OK;
  };
  Terminal terminal(Command({"tail", "red", "other", "--color=never"}));
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_THAT(terminal.shown(), AllOf(HasSubstr("red red | \x1b[31mone\x1b[m\r\n"),
                                      HasSubstr("red red | \x1b[31mtwo\x1b[m\r\n"),
                                      HasSubstr("red red | \x1b[31m20%\x1b[m\r\n"),
                                      HasSubstr("other other | plain\r\n")));
}

TEST_F(TerminalTest, DrawsTheRowsOfAJobAndLeavesThem) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    Write(writer, {Line(1, "a: waiting"), Line(2, "b: waiting"),
                   Line(3, "\x1b[2A\x1b[Ka: done", v1::STREAM_STDOUT, v1::ENDING_CR),
                   Progress(0.5, "hidden"), ResultLine(4)});
    return grpc::Status::OK;
  };
  Terminal terminal(Command({"tail", "run-1"}));
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_EQ(terminal.shown(), "a: waiting\r\nb: waiting\r\n\x1b[2A\x1b[Ka: done\r\x1b[2B");
}

// Who looks at a terminal is told how such rows would be readable in a file.
TEST_F(TerminalTest, TellsOnceThatRowsWhichGoElsewhereAreDrawnOver) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    Write(writer, {Line(1, "\x1b[32mone\x1b[m"), Line(2, "two"), Line(3, "\x1b[2A\x1b[2Kone: done"),
                   Line(4, "\x1b[1A\x1b[2Kone: done again"), ResultLine(5)});
    return grpc::Status::OK;
  };
  const auto shown = [this](const std::string& flags) {
    Terminal terminal(
        {"/bin/sh", "-c",
         absl::StrCat(JOBTAIL_COMMAND, " tail run-1 --server=", server_.address(), " ", flags)});
    EXPECT_EQ(terminal.Wait(), 0);
    return terminal.shown();
  };
  EXPECT_EQ(
      shown(">/dev/null"),
      "jobtail: the job draws over rows that it has printed; with --rendered they are printed "
      "as they are in the end\r\n");
  EXPECT_EQ(shown("--rendered >/dev/null"), "");
  EXPECT_EQ(shown("--output=raw >/dev/null"), "");
  EXPECT_EQ(shown(">/dev/null 2>/dev/null"), "");
  EXPECT_THAT(shown(""), Not(HasSubstr("--rendered"))) << "the terminal shows them";
}

TEST_F(TerminalTest, TakesAColourUpAgainAfterANotice) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    v1::LogLine gap;
    gap.set_sequence(4);
    gap.mutable_gap()->set_first(2);
    gap.mutable_gap()->set_last(4);
    Write(writer, {Line(1, "\x1b[31mred"), gap, Line(5, "still"), ResultLine(6)});
    return grpc::Status::OK;
  };
  Terminal terminal(Command({"tail", "run-1"}));
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_THAT(terminal.shown(), AllOf(HasSubstr("\x1b[31mred\r\n\x1b[mjobtail: "),
                                      HasSubstr("\x1b[31mstill\r\n\x1b[m")));
}

// However it ends, and also when the job could do what it liked.
TEST_F(TerminalTest, IsAsBeforeAfterAJobThatLeftItOtherwise) {
  server_.on_tail = [&](auto* context, const auto&, FakeServer::Writer* writer) {
    Write(writer, {Line(1, "\x1b[31mred \x1b[?25l\x1b[?1049h\x1b[?1000hshown")});
    while (!context->IsCancelled()) std::this_thread::yield();
    return grpc::Status::CANCELLED;
  };
  Terminal terminal(Command({"tail", "run-1"}));
  ASSERT_TRUE(terminal.WaitFor("shown\r\n"));
  terminal.Type("\x03");
  EXPECT_EQ(terminal.Wait(), 130);
  EXPECT_THAT(terminal.shown(), HasSubstr("\x1b[31mred shown\r\n"));
  const size_t reset = terminal.shown().find("\x1b[m");
  EXPECT_LT(reset, terminal.shown().find("jobtail: interrupted"));
  for (const char* flag : {"--raw", "--output=raw"}) {
    Terminal raw(Command({"tail", "run-1", flag}));
    ASSERT_TRUE(raw.WaitFor("shown\r\n"));
    raw.Type("\x03");
    EXPECT_EQ(raw.Wait(), 130);
    EXPECT_THAT(raw.shown(), HasSubstr("\x1b[m\x1b[?1000l\x1b[?1049l\x1b[?25h")) << flag;
  }
}

TEST_F(TerminalTest, LeavesTheLineToAJobThatDrawsABarItself) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    Write(writer, {RunLine(v1::RUN_STATE_RUNNING, 0),
                   Line(1, "10%", v1::STREAM_STDOUT, v1::ENDING_CR), Progress(0.1, "hidden")});
    Write(writer, {Line(2, "20%", v1::STREAM_STDOUT, v1::ENDING_CR), Progress(0.2, "hidden"),
                   ResultLine(3)});
    return grpc::Status::OK;
  };
  Terminal terminal(Command({"tail", "run-1"}));
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_EQ(terminal.shown(), "10%\r20%\r");
}

TEST_F(TerminalTest, ShowsNoProgressWhereNobodyWantsIt) {
  server_.on_tail = [](auto*, const auto&, FakeServer::Writer* writer) {
    Write(writer, {Progress(0.5, "halfway")});
    Write(writer, {Line(1, "one"), ResultLine(2)});
    return grpc::Status::OK;
  };
  for (const char* option : {"--no-progress", "--output=raw"}) {
    Terminal terminal(Command({"tail", "run-1", option}));
    EXPECT_EQ(terminal.Wait(), 0);
    EXPECT_EQ(terminal.shown(), "one\r\n");
  }
}

TEST_F(TerminalTest, InterruptTakesTheBarAway) {
  server_.on_create_run = [](const v1::CreateRunRequest&, v1::Run* run) {
    run->set_id("run-1");
    return grpc::Status::OK;
  };
  server_.on_tail = [](grpc::ServerContext* context, const auto&, FakeServer::Writer* writer) {
    Write(writer, {RunLine(v1::RUN_STATE_RUNNING, 0), Progress(0.5, "halfway")});
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    return grpc::Status::CANCELLED;
  };
  Terminal terminal(Command({"run", "job"}));
  ASSERT_TRUE(terminal.WaitFor("left\x1b[K"));
  terminal.Type("\x03");
  EXPECT_EQ(terminal.Wait(), 130);
  EXPECT_THAT(terminal.shown(), AllOf(HasSubstr("\r\x1b[K"), HasSubstr("run run-1 goes on")));
}

TEST_F(TerminalTest, ColoursStatesUnlessToldNotTo) {
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    response->add_runs()->set_id("run-1");
    response->mutable_runs(0)->set_state(v1::RUN_STATE_FAILED);
    return grpc::Status::OK;
  };
  Terminal plain(Command({"runs"}));
  EXPECT_EQ(plain.Wait(), 0);
  EXPECT_THAT(plain.shown(), HasSubstr("\x1b[31mFAILED\x1b[0m"));
  setenv("NO_COLOR", "1", 1);
  Terminal told(Command({"runs"}));
  EXPECT_EQ(told.Wait(), 0);
  EXPECT_THAT(told.shown(), Not(HasSubstr("\x1b")));
  Terminal insisting(Command({"runs", "--color=always"}));
  EXPECT_EQ(insisting.Wait(), 0);
  EXPECT_THAT(insisting.shown(), HasSubstr("\x1b[31m"));
}

TEST_F(TerminalTest, CutsTablesToANarrowTerminal) {
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    response->add_runs()->set_id("01a20a54-f9e6-7d3b-942b-be0d72b3085e");
    response->mutable_runs(0)->set_job("countdown");
    return grpc::Status::OK;
  };
  Terminal terminal(Command({"runs", "--color=never"}), 40);
  EXPECT_EQ(terminal.Wait(), 0);
  EXPECT_EQ(terminal.shown(),
            "RUN                 JOB        STATE   …\r\n"
            "01a20a54-f9e6-7d3b  countdown  UNKNOWN …\r\n");
}

TEST_F(TerminalTest, WatchesRunsInATableThatFollowsTheTerminalsSize) {
  absl::Notification drawn;
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    response->add_runs()->set_id("run-1");
    response->mutable_runs(0)->set_state(v1::RUN_STATE_RUNNING);
    return grpc::Status::OK;
  };
  server_.on_watch = [&](grpc::ServerContext* context, const auto&, FakeServer::RunWriter* writer) {
    drawn.WaitForNotification();
    v1::Run run;
    run.set_id("run-1");
    run.set_state(v1::RUN_STATE_SUCCEEDED);
    writer->Write(run);
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    return grpc::Status::CANCELLED;
  };
  Terminal terminal(Command({"runs", "--watch", "--color=never"}));
  EXPECT_TRUE(terminal.WaitFor("RUNNING"));
  drawn.Notify();
  EXPECT_TRUE(terminal.WaitFor("SUCCEEDED"));
  terminal.Resize(20, 24);
  EXPECT_TRUE(terminal.WaitFor("RUN    JOB  STATE  …\x1b[K"));
  terminal.Type("\x03");
  EXPECT_EQ(terminal.Wait(), 130);
  EXPECT_THAT(terminal.shown(), AllOf(HasSubstr("\x1b[?1049h"), HasSubstr("\x1b[?1049l")));
}

TEST_F(TerminalTest, WatchesRunsOfJobsWhoseNamesAreWide) {
  server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
    for (const auto& [id, job] : {std::pair("run-1", "備份"), std::pair("run-2", "ab")}) {
      v1::Run* const run = response->add_runs();
      run->set_id(id);
      run->set_job(job);
      run->set_state(v1::RUN_STATE_RUNNING);
    }
    return grpc::Status::OK;
  };
  server_.on_watch = [&](grpc::ServerContext* context, const auto&, FakeServer::RunWriter*) {
    while (!context->IsCancelled()) absl::SleepFor(absl::Milliseconds(1));
    return grpc::Status::CANCELLED;
  };
  Terminal terminal(Command({"runs", "--watch", "--color=never"}));
  EXPECT_TRUE(terminal.WaitFor("RUN    JOB   STATE"));
  EXPECT_TRUE(terminal.WaitFor("run-1  備份  RUNNING"));
  EXPECT_TRUE(terminal.WaitFor("run-2  ab    RUNNING"));
  terminal.Type("\x03");
  EXPECT_EQ(terminal.Wait(), 130);
}

}  // namespace
}  // namespace jobtail::client
