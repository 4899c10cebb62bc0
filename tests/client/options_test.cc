// Tests of command lines, read as options or refused with a remedy.

#include "client/cli/options.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>

#include <initializer_list>
#include <utility>
#include <vector>

namespace jobtail::client::cli {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;
using ::testing::StartsWith;

ParseResult Parse(const std::vector<const char*>& arguments) {
  std::vector<const char*> argv = {"jobtail"};
  argv.insert(argv.end(), arguments.begin(), arguments.end());
  return ParseOptions(static_cast<int>(argv.size()), argv.data());
}

template <typename Command>
Command Parsed(std::initializer_list<const char*> arguments) {
  const ParseResult result = Parse(arguments);
  EXPECT_TRUE(result.options.has_value()) << result.text;
  if (!result.options.has_value()) return {};
  EXPECT_TRUE(std::holds_alternative<Command>(result.options->command));
  return std::get<Command>(result.options->command);
}

CommonOptions Common(std::initializer_list<const char*> arguments) {
  const ParseResult result = Parse(arguments);
  EXPECT_TRUE(result.options.has_value()) << result.text;
  return result.options.has_value() ? result.options->common : CommonOptions();
}

class OptionsTest : public ::testing::Test {
 protected:
  OptionsTest() {
    unsetenv("JOBTAIL_SERVER");
    setenv("JOBTAIL_CONFIG", "/dev/null", 1);
  }
};

TEST_F(OptionsTest, RunTakesAJobAndItsParameters) {
  const auto run = Parsed<RunOptions>({"run", "countdown", "times=3", "x=a=b", "empty="});
  EXPECT_EQ(run.job, "countdown");
  EXPECT_THAT(run.parameters, ElementsAre(Pair("empty", ""), Pair("times", "3"), Pair("x", "a=b")));
  EXPECT_FALSE(run.detach);
  EXPECT_FALSE(run.cancel_on_interrupt);
  EXPECT_EQ(run.follow.retry_for, absl::Minutes(5));
}

TEST_F(OptionsTest, OptionsMayStandAnywhere) {
  const auto run = Parsed<RunOptions>(
      {"run", "--detach", "countdown", "--timestamps", "times=-3", "--cancel-on-interrupt"});
  EXPECT_EQ(run.job, "countdown");
  EXPECT_THAT(run.parameters, ElementsAre(Pair("times", "-3")));
  EXPECT_TRUE(run.detach);
  EXPECT_TRUE(run.cancel_on_interrupt);
  EXPECT_TRUE(run.follow.timestamps);
}

TEST_F(OptionsTest, RowsAreRenderedOnDemand) {
  EXPECT_FALSE(Parsed<RunOptions>({"run", "job"}).follow.rendered);
  EXPECT_TRUE(Parsed<RunOptions>({"run", "job", "--rendered"}).follow.rendered);
  EXPECT_TRUE(Parsed<TailOptions>({"tail", "a", "b", "-n", "5", "--rendered"}).follow.rendered);
  EXPECT_TRUE(Parsed<ExportOptions>({"export", "r", "--rendered"}).rendered);
}

TEST_F(OptionsTest, AJobMayBeCalledLikeACommand) {
  EXPECT_EQ(Parsed<RunOptions>({"run", "tail", "jobs=2"}).job, "tail");
  EXPECT_EQ(Parsed<RunOptions>({"run", "run"}).job, "run");
  EXPECT_EQ(Parsed<RunsOptions>({"runs", "--job", "show"}).job, "show");
}

TEST_F(OptionsTest, TailSaysWhereToStart) {
  EXPECT_EQ(Parsed<TailOptions>({"tail", "r"}).request.start_case(),
            v1::TailLogRequest::START_NOT_SET);
  EXPECT_TRUE(Parsed<TailOptions>({"tail", "r"}).request.follow());
  EXPECT_EQ(Parsed<TailOptions>({"tail", "r", "--from=7"}).request.from_sequence(), 7);
  EXPECT_EQ(Parsed<TailOptions>({"tail", "-n", "20", "r"}).request.last_lines(), 20);
  const auto none = Parsed<TailOptions>({"tail", "--last=0", "r"}).request;
  EXPECT_EQ(none.start_case(), v1::TailLogRequest::kLastLines);
  EXPECT_EQ(none.last_lines(), 0);
  EXPECT_EQ(
      Parsed<TailOptions>({"tail", "r", "--since=2023-11-14T22:13:20Z"}).request.since().seconds(),
      1'700'000'000);
}

TEST_F(OptionsTest, TailFilters) {
  const auto request =
      Parsed<TailOptions>({"tail", "r", "--no-follow", "--grep=a|b", "--stderr-only"}).request;
  EXPECT_FALSE(request.follow());
  EXPECT_EQ(request.pattern(), "a|b");
  EXPECT_THAT(request.streams(), ElementsAre(v1::STREAM_STDERR));
}

TEST_F(OptionsTest, RunsFilters) {
  const auto runs = Parsed<RunsOptions>({"runs", "--state=running,LOST", "--limit=0"});
  EXPECT_THAT(runs.states, ElementsAre(v1::RUN_STATE_RUNNING, v1::RUN_STATE_LOST));
  EXPECT_EQ(runs.limit, 0);
}

TEST_F(OptionsTest, TheServerIsTheDefaultTheEnvironmentsOrTheOptions) {
  EXPECT_EQ(Common({"jobs"}).server, "127.0.0.1:50051");
  EXPECT_EQ(Common({"jobs"}).program, "jobtail");
  EXPECT_EQ(Common({"--server=h:1", "jobs"}).server, "h:1");
  EXPECT_EQ(Common({"jobs", "--server", "h:2"}).server, "h:2");
  EXPECT_EQ(Common({"jobs", "--server", "h:2"}).program, "jobtail --server=h:2");
  setenv("JOBTAIL_SERVER", "env:3", 1);
  EXPECT_EQ(Common({"jobs"}).server, "env:3");
  EXPECT_EQ(Common({"jobs"}).program, "jobtail");
  EXPECT_EQ(Common({"--server=h:1", "jobs"}).server, "h:1");
  EXPECT_EQ(Common({"jobs", "--server=127.0.0.1:50051"}).program,
            "jobtail --server=127.0.0.1:50051");
  unsetenv("JOBTAIL_SERVER");
}

TEST_F(OptionsTest, WrongUsageIsOneLineWithARemedy) {
  const std::vector<std::pair<std::vector<const char*>, const char*>> cases = {
      {{}, "say what to do: run, tail,"},
      {{"frobnicate"}, "frobnicate"},
      {{"run"}, "run needs a JOB; see jobtail help run"},
      {{"run", "job", "times"}, "write name=value"},
      {{"run", "job", "a=1", "a=2"}, "a is given twice"},
      {{"run", "job", "--frob"}, "--frob"},
      {{"run", "job", "--output=xml"}, "xml"},
      {{"run", "job", "--timestamps", "--output=json"}, "--output=text"},
      {{"run", "job", "--timestamps", "--output=raw"}, "--output=text"},
      {{"run", "job", "--retry-for=5"}, "write 30s"},
      {{"jobs", "--output=raw"}, "raw"},
      {{"jobs", "--server=localhost"}, "HOST:PORT"},
      {{"jobs", "--server=http://localhost:1"}, "is a URL"},
      {{"jobs", "--server=[::1]"}, "HOST:PORT"},
      {{"tail"}, "give a RUN or --job=JOB"},
      {{"tail", "r", "--from=0"}, "--from"},
      {{"tail", "r", "--from=x"}, "--from"},
      {{"tail", "r", "--last=-1"}, "--last"},
      {{"tail", "r", "--from=1", "--last=1"}, "--from"},
      {{"tail", "r", "--since=soon"}, "10m"},
      {{"tail", "r", "--stdout-only", "--stderr-only"}, "--stdout-only"},
      {{"show", "a", "b"}, "'b' is one too many for show"},
      {{"rum"}, "did you mean run"},
      {{"help", "rum"}, "did you mean run"},
      {{"run", "job", "--detatch"}, "did you mean --detach?"},
      {{"run", "job", "--timeout=5"}, "write 30s"},
      {{"run", "job", "--timeout=5s", "--detach"}, "leave out --detach"},
      {{"run", "job", "--follow", "--detach"}, "exclude each other"},
      {{"tail", "r", "--from"}, "--from needs a value"},
      {{"tail", "r", "--from=x"}, "'x' is no line number; write a whole number from 1 on"},
      {{"tail", "r", "-n", "2.5"}, "'2.5' is no number; write a whole number from 0 on"},
      {{"tail", "a", "b", "--from=3"}, "--from counts the lines of one run"},
      {{"tail", "a", "b", "--output=raw"}, "--output=raw goes with one run"},
      {{"tail", "r", "--rendered", "--grep=x"}, "leave out --grep"},
      {{"run", "job", "--rendered", "--output=json"}, "--rendered goes with --output=text"},
      {{"export", "r", "--rendered", "--output=json"}, "--rendered goes with --output=text"},
      {{"tail", "r", "--rendered", "--output=raw"}, "raw is nothing but the job's bytes"},
      {{"run", "job", "--rendered", "--raw"}, "--rendered and --raw exclude each other"},
      {{"tail", "a", "--job=b"}, "one or the other"},
      {{"tail", "--job=b", "--no-follow"}, "--no-follow goes with runs"},
      {{"runs", "--limit=many"}, "'many' is no number"},
      {{"jobs", "--color=blue"}, "auto, always and never"},
      {{"completion", "tcsh"}, "bash, zsh and fish"},
      {{"runs", "--state=done"}, "succeeded"},
  };
  for (const auto& [arguments, expected] : cases) {
    const ParseResult result = Parse(arguments);
    EXPECT_FALSE(result.options.has_value());
    EXPECT_EQ(result.exit_code, 125);
    EXPECT_THAT(result.text, AllOf(StartsWith("jobtail: "), HasSubstr(expected)));
    EXPECT_EQ(result.text.find('\n'), result.text.size() - 1) << result.text;
  }
}

TEST_F(OptionsTest, EveryCommandHasHelpWithExamples) {
  EXPECT_THAT(Parse({"--help"}).text, AllOf(HasSubstr("Examples:"), HasSubstr("Exit codes:")));
  for (const char* command :
       {"run", "tail", "jobs", "runs", "show", "cancel", "rm", "export", "whoami"}) {
    const ParseResult result = Parse({command, "--help"});
    EXPECT_EQ(result.exit_code, 0);
    EXPECT_THAT(result.text, AllOf(HasSubstr("Examples:"), HasSubstr("--server"),
                                   HasSubstr(std::string("jobtail ") + command)));
  }
}

TEST_F(OptionsTest, HelpIsACommandToo) {
  EXPECT_EQ(Parse({"help", "tail"}).text, Parse({"tail", "--help"}).text);
  EXPECT_EQ(Parse({"help"}).text, Parse({"--help"}).text);
  EXPECT_EQ(Parse({"help", "tail"}).exit_code, 0);
}

TEST_F(OptionsTest, TailTakesSeveralRunsOrAJob) {
  EXPECT_THAT(Parsed<TailOptions>({"tail", "a", "b"}).runs, ElementsAre("a", "b"));
  const auto job = Parsed<TailOptions>({"tail", "--job=backup", "--since=5m"});
  EXPECT_THAT(job.runs, ElementsAre());
  EXPECT_EQ(job.job, "backup");
  EXPECT_EQ(job.request.since_ago().seconds(), 300);
}

TEST_F(OptionsTest, RunMayHaveATimeout) {
  EXPECT_EQ(Parsed<RunOptions>({"run", "job"}).timeout, absl::InfiniteDuration());
  EXPECT_EQ(Parsed<RunOptions>({"run", "job", "--timeout=90s"}).timeout, absl::Seconds(90));
}

TEST_F(OptionsTest, TellsItsVersion) {
  const ParseResult result = Parse({"--version"});
  EXPECT_EQ(result.exit_code, 0);
  EXPECT_THAT(result.text, StartsWith("jobtail "));
}

}  // namespace
}  // namespace jobtail::client::cli
