// Completion, through the shells' own scripts where the shell is installed.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "fake_server.h"
#include "process.h"

namespace jobtail::client {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

using Words = std::vector<std::string>;

class CompletionTest : public ::testing::Test {
 protected:
  CompletionTest() {
    setenv("JOBTAIL_CONFIG", "/dev/null", 1);
    setenv("JOBTAIL_SERVER", server_.address().c_str(), 1);
    server_.on_list_jobs = [](const auto&, v1::ListJobsResponse* response) {
      response->add_jobs()->set_name("backup");
      response->add_jobs()->set_name("count");
      response->mutable_jobs(1)->set_help("Counts.\n");
      return grpc::Status::OK;
    };
    server_.on_get_job = [](const auto&, v1::Job* job) {
      job->add_parameters()->set_name("times");
      v1::Parameter* mode = job->add_parameters();
      mode->set_name("mode");
      mode->add_values("fast");
      mode->add_values("slow");
      mode->set_default_value("slow");
      return grpc::Status::OK;
    };
    server_.on_list_runs = [](const auto&, v1::ListRunsResponse* response) {
      for (const char* id : {"01ab-1", "01ab-2"}) response->add_runs()->set_id(id);
      response->mutable_runs(0)->set_state(v1::RUN_STATE_RUNNING);
      response->mutable_runs(1)->set_state(v1::RUN_STATE_FAILED);
      return grpc::Status::OK;
    };
  }
  ~CompletionTest() override { unsetenv("JOBTAIL_SERVER"); }

  // The candidates, without their help.
  static Words Candidates(Words words) {
    words.insert(words.begin(), {"__complete", "--"});
    const Finished finished = Jobtail(words);
    EXPECT_EQ(finished.code, 0);
    EXPECT_EQ(finished.err, "");
    Words candidates;
    for (const absl::string_view line : absl::StrSplit(finished.out, '\n', absl::SkipEmpty())) {
      candidates.emplace_back(line.substr(0, line.find('\t')));
    }
    return candidates;
  }

  FakeServer server_;
};

TEST_F(CompletionTest, OfCommandsAndOptions) {
  EXPECT_THAT(Candidates({"r"}), ElementsAre("run", "runs", "rm"));
  EXPECT_THAT(Candidates({"help", "ta"}), ElementsAre("tail"));
  EXPECT_THAT(Candidates({"run", "--de"}), ElementsAre("--detach"));
  EXPECT_THAT(Candidates({"run", "--detach", "--de"}), IsEmpty());
  EXPECT_THAT(Candidates({"--s"}), ElementsAre("--server"));
  EXPECT_THAT(Candidates({"tail", "--output", ""}), ElementsAre("text", "json", "raw"));
  EXPECT_THAT(Candidates({"jobs", "--output=j"}), ElementsAre("--output=json"));
  EXPECT_THAT(Candidates({"runs", "--state=lost,f"}), ElementsAre("--state=lost,failed"));
  EXPECT_THAT(Candidates({"completion", ""}), ElementsAre("bash", "zsh", "fish"));
  EXPECT_THAT(Candidates({"nonsense", ""}), IsEmpty());
  EXPECT_THAT(Candidates({}), Contains("tail"));
}

TEST_F(CompletionTest, OfJobsParametersAndValues) {
  EXPECT_THAT(Candidates({"run", ""}), ElementsAre("backup", "count"));
  EXPECT_THAT(Candidates({"run", "--timeout", "5s", "c"}), ElementsAre("count"));
  EXPECT_THAT(Candidates({"run", "count", ""}), ElementsAre("times=", "mode="));
  EXPECT_THAT(Candidates({"run", "count", "times=3", ""}), ElementsAre("mode="));
  EXPECT_THAT(Candidates({"run", "count", "mode="}), ElementsAre("mode=fast", "mode=slow"));
  EXPECT_THAT(Candidates({"tail", "--job=b"}), ElementsAre("--job=backup"));
}

TEST_F(CompletionTest, OfRunsThatTheCommandCanBeAppliedTo) {
  EXPECT_THAT(Candidates({"tail", "01"}), ElementsAre("01ab-1", "01ab-2"));
  EXPECT_THAT(Candidates({"tail", "01ab-1", ""}), ElementsAre("01ab-2"));
  EXPECT_THAT(Candidates({"cancel", ""}), ElementsAre("01ab-1"));
  EXPECT_THAT(Candidates({"rm", ""}), ElementsAre("01ab-2"));
  EXPECT_THAT(Candidates({"show", "01ab-1", ""}), IsEmpty());
}

TEST_F(CompletionTest, OfContextsAndOfTheirServers) {
  const std::string config = ::testing::TempDir() + "jobtail_contexts_" + std::to_string(getpid());
  std::ofstream(config) << "context away {\n  server = 127.0.0.1:1\n}\ncontext here {\n  server = "
                        << server_.address() << "\n}\n";
  setenv("JOBTAIL_CONFIG", config.c_str(), 1);
  unsetenv("JOBTAIL_SERVER");
  EXPECT_THAT(Candidates({"run", "--context", ""}), ElementsAre("away", "here"));
  EXPECT_THAT(Candidates({"run", "--context=h"}), ElementsAre("--context=here"));
  EXPECT_THAT(Candidates({"run", "--context=here", "b"}), ElementsAre("backup"));
  EXPECT_THAT(Candidates({"run", "--context", "away", "b"}), IsEmpty());
  unlink(config.c_str());
}

TEST_F(CompletionTest, IsSilentWhenTheServerIsAway) {
  server_.Stop();
  EXPECT_THAT(Candidates({"run", ""}), IsEmpty());
  EXPECT_THAT(Candidates({"tail", ""}), IsEmpty());
  EXPECT_THAT(Candidates({"ta"}), ElementsAre("tail"));
  setenv("JOBTAIL_CONFIG", "/nonexistent", 1);
  EXPECT_THAT(Candidates({"ta"}), ElementsAre("tail"));
}

// --- in the shells

// What a shell prints for a script; nothing if it is not installed.
Words Output(const std::string& command) {
  Words lines;
  FILE* pipe = popen(command.c_str(), "r");
  char line[4096];
  while (fgets(line, sizeof line, pipe) != nullptr) {
    lines.push_back(line);
    lines.back().pop_back();
  }
  pclose(pipe);
  return lines;
}

bool IsInstalled(const std::string& shell) { return !Output("command -v " + shell).empty(); }

class BashTest : public CompletionTest {
 protected:
  // What bash would put in place of the line's last word, as readline sees it.
  static Words Replies(const std::string& arguments) {
    const std::string script = absl::StrCat(
        "source <(", JOBTAIL_COMMAND, " completion bash); COMP_LINE=\"", JOBTAIL_COMMAND, " ",
        arguments, "\"; COMP_POINT=${#COMP_LINE}; _jobtail; printf \"%s\\n\" \"${COMPREPLY[@]}\"");
    return Output(absl::StrCat("bash -c '", script, "' 2>&1"));
  }
};

TEST_F(BashTest, CompletesWords) {
  EXPECT_THAT(Replies("run co"), ElementsAre("count"));
  EXPECT_THAT(Replies("run count "), ElementsAre("times=", "mode="));
  EXPECT_THAT(Replies("tail "), ElementsAre("01ab-1", "01ab-2"));
}

TEST_F(BashTest, CompletesWhatStandsBehindAWordBreak) {
  EXPECT_THAT(Replies("run count mode=f"), ElementsAre("fast"));
  EXPECT_THAT(Replies("tail --output=r"), ElementsAre("raw"));
  EXPECT_THAT(Replies("--server=127.0.0.1:1 ta"), ElementsAre("tail"));
}

// The words are the server's; what is typed by completion is run by the shell.
TEST_F(BashTest, QuotesWhatTheShellWouldRun) {
  server_.on_get_job = [](const auto&, v1::Job* job) {
    v1::Parameter* times = job->add_parameters();
    times->set_name("times");
    times->set_default_value("$(echo ran)`echo ran`;a b'\"&|<>*~");
    times->add_values("\x1b]0;title\x07");
    return grpc::Status::OK;
  };
  const Words replies = Replies("run count times=");
  ASSERT_EQ(replies.size(), 1u);
  EXPECT_THAT(replies[0], Not(AnyOf(HasSubstr("ran)`"), HasSubstr("b'"))));
  const Words echoed = Output("printf %s\\\\n " + replies[0]);
  EXPECT_THAT(echoed, ElementsAre("$(echo ran)`echo ran`;a b'\"&|<>*~"));
}

TEST_F(BashTest, CompletesFilesBehindAnAtSign) {
  EXPECT_THAT(Replies("run count times=@/etc/pass"), Contains("/etc/passwd"));
}

TEST_F(CompletionTest, InFish) {
  if (!IsInstalled("fish")) GTEST_SKIP() << "fish is not installed";
  const auto replies = [](const std::string& arguments) {
    return Output(absl::StrCat("HOME=/nonexistent fish --no-config -c '", JOBTAIL_COMMAND,
                               " completion fish | source; PATH=", JOBTAIL_DIRECTORY,
                               ":$PATH complete -C \"jobtail ", arguments, "\"' 2>&1"));
  };
  EXPECT_THAT(replies("run co"), ElementsAre("count\tCounts.\\n"));
  EXPECT_THAT(replies("run count mo"), ElementsAre("mode="));
  EXPECT_THAT(replies("run count mode=f"), ElementsAre("mode=fast"));
}

TEST_F(CompletionTest, InZsh) {
  if (!IsInstalled("zsh")) GTEST_SKIP() << "zsh is not installed";
  // Its functions need a line editor: compadd's stand-in shows what they would offer.
  const auto replies = [](const std::string& words) {
    return Output(absl::StrCat(
        "zsh -f -c 'compdef() { }; compadd() { print -l -- \"${(@P)@[-1]}\"; }; source <(",
        JOBTAIL_COMMAND, " completion zsh); words=(", JOBTAIL_COMMAND, " ", words,
        "); CURRENT=$#words; PREFIX=$words[-1]; _jobtail' 2>&1 | grep ."));
  };
  EXPECT_THAT(replies("run co"), ElementsAre("count"));
  EXPECT_THAT(replies("run count mode="), ElementsAre("mode=fast", "mode=slow"));
}

}  // namespace
}  // namespace jobtail::client
