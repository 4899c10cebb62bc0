// Tests of config files, read or refused with the place of each mistake.

#include "server/config/config.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <optional>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "tests/server/process/process_fixture.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/descriptor_shortage.h"

namespace jobtail::config {
namespace {

using jobtail::testing::Lines;
using jobtail::testing::Parameters;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

// A variable of this process's environment, while it lasts.
class ChangedVariable {
 public:
  ChangedVariable(const char* name, const char* value) : name_(name) {
    if (const char* before = getenv(name)) before_ = before;
    setenv(name, value, 1);
  }
  ~ChangedVariable() {
    if (before_) setenv(name_, before_->c_str(), 1);
    if (!before_) unsetenv(name_);
  }
  ChangedVariable(const ChangedVariable&) = delete;
  ChangedVariable& operator=(const ChangedVariable&) = delete;

 private:
  const char* const name_;
  std::optional<std::string> before_;
};

class ConfigTest : public jobtail::testing::HasPool, public jobtail::testing::EngineTest {
 protected:
  std::string ErrorOf(const std::string& text) {
    const auto jobs = Parse(text, "jobs.txt", &pool_);
    EXPECT_FALSE(jobs.ok()) << text;
    return std::string(jobs.status().message());
  }
  // Of a job with these fields besides a name and a command.
  std::string ErrorOfJob(const std::string& fields) {
    return ErrorOf(absl::StrCat("job {\n  name: \"j\" command: \"true\"\n  ", fields, "\n}\n"));
  }

  void Load(const std::string& text) {
    auto jobs = Parse(text, "jobs.txt", &pool_);
    ASSERT_TRUE(jobs.ok()) << jobs.status();
    for (Job& job : *jobs) AddJob(std::move(job));
  }
};

// Whatever the server's own environment says: it may have been started by somebody else, as by
// sudo.
TEST_F(ConfigTest, ItsEnvironmentTellsWhoItRunsAs) {
  const ChangedVariable home("HOME", "/nowhere");
  const ChangedVariable user("USER", "somebody");
  constexpr char kShow[] =
      R"(command: "sh" argument: ["-c", "echo $HOME $USER $LOGNAME $SHELL"] })";
  const process::User own = process::ProcessUser();
  Load(absl::StrCat(R"(job { name: "own" )", kShow));
  EXPECT_THAT(Lines(Run("own")),
              ElementsAre(absl::StrCat(own.home, " ", own.name, " ", own.name, " ", own.shell)));
  if (geteuid() != 0) GTEST_SKIP() << "root alone can run a job as somebody else";
  Load(absl::StrCat(R"(job { name: "other" user: "nobody" )", kShow));
  EXPECT_THAT(Lines(Run("other")), ElementsAre("/nonexistent nobody nobody /bin/sh"));
}

TEST_F(ConfigTest, AProgramsPathMayHaveASpace) {
  const jobtail::testing::TemporaryDirectory directory;
  const std::string program = directory.path() + "/my program";
  EXPECT_THAT(ErrorOf(absl::StrCat("job { name: \"p\" command: \"", program, "\" }")),
              HasSubstr("no shell to take it apart"));
  std::filesystem::copy_file("/bin/echo", program);
  Load(absl::StrCat("job { name: \"p\" command: \"", program, "\" argument: \"here\" }"));
  EXPECT_THAT(Lines(Run("p")), ElementsAre("here"));
}

TEST_F(ConfigTest, AJobIsWhatTheFileSays) {
  Load(R"(
    # A comment.
    job {
      name: "show"
      help: "Shows."
      command: "/bin/sh"
      argument: ["-c", "echo \"$1\"; echo $COLOR $JOBTAIL_JOB; cat; pwd", "sh", "<{what}>"]
      parameter { name: "what" default: "things" help: "What to show." pattern: "[^x]*" }
      parameter { name: "colour" type: ENUM values: ["red", "blue"] }
      environment { name: "COLOR" value: "{colour}" }
      stdin: "{what}!\n"
      directory: "/tmp"
      timeout: "1m"
      labels { key: "team" value: "a" }
    })");
  v1::GetJobRequest request;
  request.set_job("show");
  const v1::Job job = *engine_.GetJob(request);
  EXPECT_EQ(job.help(), "Shows.");
  EXPECT_EQ(job.timeout().seconds(), 60);
  EXPECT_EQ(job.labels().at("team"), "a");
  ASSERT_EQ(job.parameters_size(), 2);
  EXPECT_EQ(job.parameters(1).type(), v1::PARAMETER_TYPE_ENUM);
  EXPECT_THAT(Lines(Run("show", {{"colour", "red"}, {"what", "$(id); \"a\nb"}})),
              ElementsAre("<$(id); \"a", "b>", "red show", "$(id); \"a", "b!", "/tmp"));
}

// One file is for both: on a laptop, where everything is one's own, and for a server that is root.
TEST_F(ConfigTest, TheFilesUserIsForJobsOfARootServerThatNameNone) {
  Load(R"(user: "games"
          job { name: "any" command: "sh" argument: ["-c", "id -un; echo $USER $HOME"] }
          job { name: "root" command: "id" argument: "-un" user: "root" }
          job { name: "nobody" command: "id" argument: "-un" user: "nobody" })");
  if (geteuid() != 0) {
    EXPECT_EQ(Run("any").back().result().state(), v1::RUN_STATE_SUCCEEDED) << "as itself";
    return;
  }
  EXPECT_THAT(Lines(Run("any")), ElementsAre("games", "games /usr/games"));
  EXPECT_THAT(Lines(Run("root")), ElementsAre("root"));
  EXPECT_THAT(Lines(Run("nobody")), ElementsAre("nobody"));
}

TEST_F(ConfigTest, AFilesUserWhomTheSystemDoesNotKnowIsToldOnce) {
  EXPECT_EQ(ErrorOf("job { name: \"a\" command: \"true\" }\njob { name: \"b\" command: \"true\" }\n"
                    "user: \"nobody-here\""),
            "jobs.txt:3:1: the system has no user \"nobody-here\"; give one that `getent passwd` "
            "lists, or none");
}

TEST_F(ConfigTest, AParameterThatNoProgramCanHaveIsRefused) {
  Load(R"(job { name: "j" command: "echo" argument: "{p}" parameter { name: "p" } })");
  const auto run = Create("j", {{"p", std::string("a\0b", 3)}});
  EXPECT_TRUE(absl::IsInvalidArgument(run.status()));
  EXPECT_THAT(std::string(run.status().message()), HasSubstr("parameter p has a NUL byte"));
}

TEST_F(ConfigTest, AHundredThousandParametersAreRefusedWithTheFirstThatIsWrong) {
  Load(R"(job { name: "j" command: "true" })");
  Parameters parameters;
  for (int i = 0; i < 100'000; ++i) parameters[absl::StrCat("p", i)] = "x";
  const auto run = Create("j", parameters);
  EXPECT_TRUE(absl::IsInvalidArgument(run.status())) << run.status();
  EXPECT_THAT(std::string(run.status().message()), HasSubstr("it has none"));
}

TEST_F(ConfigTest, AJobCanHaveAThousandParametersAndNoMore) {
  const auto config = [](int count) {
    std::string text = "job { name: \"j\" command: \"true\"";
    for (int i = 0; i < count; ++i) {
      absl::StrAppend(&text, " argument: \"{p", i, "}\" parameter { name: \"p", i,
                      "\" default: \"\" }");
    }
    return text + "}";
  };
  EXPECT_TRUE(Parse(config(1000), "f", &pool_).ok());
  EXPECT_THAT(ErrorOf(config(100'000)), HasSubstr("has 100000 parameters; at most 1000"));
}

TEST_F(ConfigTest, MistakesAreToldWithTheirPlaceAndWhatWouldBeRight) {
  EXPECT_EQ(ErrorOf("job {\n  nme: \"a\"\n}"),
            "jobs.txt:2:6: Message type \"jobtail.config.v1.Job\" has no field named \"nme\"; did "
            "you mean name?");
  EXPECT_THAT(ErrorOf("jobs {}"), HasSubstr("did you mean job?"));
  EXPECT_THAT(ErrorOfJob("order: EXAKT"), HasSubstr("did you mean EXACT?"));
  EXPECT_THAT(ErrorOfJob("help: hello"), HasSubstr("put the text in quotes"));
  EXPECT_THAT(ErrorOf("job { name: \"a\""), HasSubstr("Expected"));
  EXPECT_THAT(ErrorOf("job {\n}\n"), HasSubstr("jobs.txt:1:1: job \"\" has no command; give"));
}

TEST_F(ConfigTest, EveryFieldIsChecked) {
  const auto expect = [&](const std::string& fields, const std::string& error) {
    EXPECT_THAT(ErrorOfJob(fields), HasSubstr(error));
    EXPECT_THAT(ErrorOfJob(fields), StartsWith("jobs.txt:3:")) << fields;
  };
  expect("grace: \"5\"", "give a duration with its unit");
  expect("timeout: \"x\"", "give a duration with its unit");
  expect("stop_signal: \"SIGFOO\"", "no such signal");
  expect("nice: 20", "give -20");
  expect("io_priority: \"fast\"", "give \"idle\"");
  expect("directory: \"tmp\"", "give an absolute path");
  expect("user: \"nobody-here\"", "the system has no user \"nobody-here\"");
  expect("tty: true order: EXACT", "leave out tty");
  expect("tty: true order: EXACT_WITHOUT_LIBRARY", "leave out tty");
  expect("argument: \"{x}\"", "no parameter x is declared");
  expect("argument: \"{\"", "write \"{{\"");
  expect("argument: \"a\\000b\"", "NUL");
  expect("parameter { name: \"p\" }", "parameter \"p\" is not used");
  expect("argument: \"{p}\" parameter { name: \"p\" type: INT default: \"x\" }", "give an integer");
  expect("argument: \"{p}\" parameter { name: \"p\" pattern: \"(\" }", "RE2");
  expect("environment { name: \"A B\" }", "a name is letters");
  expect("argument: \"{p}\" parameter { name: \"p\" } parameter { name: \"p\" }", "declared twice");
}

TEST_F(ConfigTest, AllMistakesAreToldAtOnce) {
  const std::string error = ErrorOfJob("nice: 99\n  directory: \"x\"");
  EXPECT_THAT(error, HasSubstr("jobs.txt:3:3: 99"));
  EXPECT_THAT(error, HasSubstr("\njobs.txt:4:3: \"x\""));
}

TEST_F(ConfigTest, TwoJobsOfOneNameAreAMistake) {
  EXPECT_THAT(ErrorOf("job { name: \"a\" command: \"x\" }\njob { name: \"a\" command: \"x\" }"),
              HasSubstr("jobs.txt:2:1: job \"a\" is there already, in line 1"));
}

TEST_F(ConfigTest, ACommandLineIsNotACommand) {
  EXPECT_THAT(ErrorOf("job { name: \"a\" command: \"ls -l\" }"), HasSubstr("no shell"));
}

TEST_F(ConfigTest, ASecretIsNoArgument) {
  EXPECT_THAT(ErrorOfJob("argument: \"{s}\" parameter { name: \"s\" secret: true }"),
              HasSubstr("is secret"));
}

TEST_F(ConfigTest, ASecretIsNotShownAnywhere) {
  Load(R"(job { name: "j" command: "sh" argument: ["-c", "echo $T; cat"] stdin: "{s}"
                environment { name: "T" value: "<{s}>" } mask: "[0-9]{4}"
                parameter { name: "s" secret: true } })");
  const std::string run = Start("j", {{"s", "hunter-two"}});
  EXPECT_THAT(Lines(AwaitLog(run)), ElementsAre("<***>", "***"));
  EXPECT_EQ(Get(run).parameters().at("s"), "***");
}

TEST_F(ConfigTest, LimitsAreTheJobs) {
  Load(R"(job { name: "j" command: "sleep" argument: "1000" concurrency { limit: 1 } })");
  const std::string run = Start("j");
  EXPECT_TRUE(absl::IsResourceExhausted(Create("j").status()));
  EXPECT_TRUE(Cancel(run).ok());
  EXPECT_THAT(ErrorOfJob("concurrency { queue: 1 }"), HasSubstr("give a limit"));
  EXPECT_THAT(ErrorOfJob("keep { age: \"x\" }"), HasSubstr("give a duration"));
  EXPECT_THAT(ErrorOfJob("mask: \"(\""), HasSubstr("RE2"));
}

TEST_F(ConfigTest, LinesThatAreOverwrittenAreKeptOrThinnedOut) {
  const auto overwrites = [this](const std::string& field) {
    const auto jobs =
        Parse(absl::StrCat(R"(job { name: "j" command: "true" )", field, "}"), "jobs.txt", &pool_);
    EXPECT_TRUE(jobs.ok()) << jobs.status();
    return jobs->front().options().overwrites;
  };
  EXPECT_EQ(overwrites(""), Overwrites::kKeepFew);
  EXPECT_EQ(overwrites("overwrites: KEEP"), Overwrites::kKeep);
  EXPECT_EQ(overwrites("overwrites: THIN"), Overwrites::kThin);
}

TEST_F(ConfigTest, AParameterInAShellsScriptIsAMistake) {
  EXPECT_THAT(ErrorOf("job { name: \"a\" command: \"bash\" argument: [\"-ec\", \"ls {p}\"] "
                      "parameter { name: \"p\" } }"),
              HasSubstr("the value of parameter p would be run as code"));
  Load(
      "job { name: \"a\" command: \"sh\" argument: [\"-c\", \"echo $1\", \"sh\", \"{p}\"] "
      "parameter { name: \"p\" } }");
}

TEST_F(ConfigTest, CodeIsFoundWhereverItIs) {
  for (const char* line :
       {R"("sh" argument: ["-ce", "ls {p}"])", R"("bash" argument: ["-c", "--", "ls {p}"])",
        R"("env" argument: ["sh", "-c", "ls {p}"])",
        R"j("python3" argument: ["-c", "print({p})"])j", R"("sh" stdin: "ls {p}")",
        R"("sudo" argument: ["{p}"])"}) {
    const std::string error = ErrorOf(
        absl::StrCat("job { name: \"a\"\n command: ", line, " parameter { name: \"p\" } }"));
    EXPECT_THAT(error, HasSubstr("the value of parameter p would")) << line;
    EXPECT_THAT(error, StartsWith("jobs.txt:2:")) << line;
  }
}

TEST_F(ConfigTest, AParameterSetsNoVariableThatProgramsObey) {
  for (const char* name : {"LD_PRELOAD", "PATH", "BASH_ENV", "ENV", "IFS", "PYTHONPATH"}) {
    const auto job = [&](const char* type) {
      return absl::StrCat("environment { name: \"", name,
                          "\" value: \"a{p}\" } parameter { name: \"p\" ", type, " }");
    };
    EXPECT_THAT(ErrorOfJob(job("pattern: \"x\"")), HasSubstr("programs obey the variable"));
    Load(absl::StrCat("job { name: \"n-", absl::AsciiStrToLower(name), "\" command: \"true\" ",
                      job("type: ENUM values: \"b\""), "}"));
  }
  EXPECT_THAT(ErrorOf("job { name: \"a\" command: \"env\" argument: [\"LD_PRELOAD={p}\", "
                      "\"ls\"] parameter { name: \"p\" } }"),
              HasSubstr("programs obey the variable LD_PRELOAD"));
  EXPECT_THAT(ErrorOfJob("environment { name: \"X_PATH\" value: \"{p}\" } "
                         "parameter { name: \"p\" type: PATH }"),
              HasSubstr("give parameter p a pattern"));
  Load(R"(job { name: "b" command: "true" environment { name: "X_PATH" value: "{p}" }
          parameter { name: "p" type: PATH pattern: "/srv/.*" } })");
}

TEST_F(ConfigTest, WhatMakeWouldExpandTakesAPattern) {
  const auto job = [](const char* argument, const char* type) {
    return absl::StrCat("job { name: \"m\" command: \"make\" argument: [\"all\", \"", argument,
                        "\"] parameter { name: \"p\" ", type, " } }");
  };
  for (const char* argument : {"VERSION={p}", "{p}"}) {
    EXPECT_THAT(ErrorOf(job(argument, "")), HasSubstr("would run what the value of parameter p"));
    EXPECT_TRUE(Parse(job(argument, "pattern: \"[0-9.]+\""), "f", &pool_).ok());
    EXPECT_TRUE(Parse(job(argument, "type: INT"), "f", &pool_).ok());
  }
  EXPECT_THAT(ErrorOf(job("SHELL={p}", "pattern: \"/bin/.*\"")), HasSubstr("programs obey"));
}

TEST_F(ConfigTest, AValueIsNoOptionUnlessTheJobSaysSo) {
  Load(R"(job { name: "echo" command: "echo" argument: ["{a}{b}", "<{b}>", "{n}"]
                parameter { name: "a" default: "" } parameter { name: "b" default: "b" }
                parameter { name: "n" type: INT default: "1" } }
          job { name: "free" command: "printf" argument: ["--", "%s", "{a}"]
                parameter { name: "a" } }
          job { name: "meant" command: "echo" argument: ["{a}", "{n}", "{e}"]
                parameter { name: "a" allow_dash: true }
                parameter { name: "n" type: INT minimum: "-3" }
                parameter { name: "e" type: ENUM values: ["-x"] default: "-x" } })");
  for (const Parameters& values : {Parameters{{"a", "-n"}}, Parameters{{"b", "--help"}},
                                   Parameters{{"a", "-"}}, Parameters{{"n", "-9"}}}) {
    const auto run = Create("echo", values);
    EXPECT_TRUE(absl::IsInvalidArgument(run.status())) << values.begin()->second;
    EXPECT_THAT(std::string(run.status().message()),
                HasSubstr(absl::StrCat("parameter ", values.begin()->first)));
  }
  EXPECT_THAT(Lines(Run("echo", {{"a", "a"}, {"b", "-b"}})), ElementsAre("a-b <-b> 1"));
  EXPECT_THAT(Lines(Run("free", {{"a", "-x"}})), ElementsAre("-x"));
  EXPECT_THAT(Lines(Run("meant", {{"a", "-E"}, {"n", "-2"}})), ElementsAre("-2 -x"));
  EXPECT_THAT(ErrorOfJob("argument: \"{p}\" parameter { name: \"p\" default: \"-r\" }"),
              HasSubstr("would take \"-r\", the default of parameter p, for an option"));
}

TEST_F(ConfigTest, ACommandHasItsLimits) {
  Load(R"(job { name: "j" command: "bash"
               argument: ["-c", "ulimit -Sn; ulimit -Ht; ulimit -Sf; ulimit -Sv; ulimit -Su; "
                                "grep NoNewPrivs /proc/self/status"]
               limits { open_files: 77 cpu_time: "1m" file_size: "3M" memory: "4G" processes: 9000 } }
          job { name: "k" command: "grep" argument: ["NoNewPrivs", "/proc/self/status"]
               new_privileges: true })");
  rlimit most{};
  getrlimit(RLIMIT_NPROC, &most);
  const std::string processes = std::to_string(std::min<rlim_t>(most.rlim_max, 9000));
  EXPECT_THAT(Lines(Run("j")),
              ElementsAre("77", "65", "3072", "4194304", processes, "NoNewPrivs:\t1"));
  EXPECT_THAT(Lines(Run("k")), ElementsAre("NoNewPrivs:\t0"));
  EXPECT_THAT(ErrorOfJob("limits { memory: \"x\" }"), HasSubstr("memory \"x\": give bytes"));
  EXPECT_THAT(ErrorOfJob("limits { memory: \"9999999999T\" }"), HasSubstr("give bytes"));
  EXPECT_THAT(ErrorOfJob("limits { processes: -1 }"), HasSubstr("processes -1: give 1 or more"));
  EXPECT_THAT(ErrorOfJob("limits { cpu_time: \"0s\" }"), HasSubstr("give a duration"));
  EXPECT_THAT(ErrorOfJob("limits { cpu_time: \"5\" }"), HasSubstr("give a duration"));
}

TEST_F(ConfigTest, TheFilesLimitsAreThoseOfJobsThatNameNoneOfTheKind) {
  Load(R"(limits { open_files: 70 file_size: "2M" }
          job { name: "any" command: "bash" argument: ["-c", "ulimit -Sn; ulimit -Sf"] }
          job { name: "own" command: "bash" argument: ["-c", "ulimit -Sn; ulimit -Sf"]
                limits { open_files: 90 } })");
  EXPECT_THAT(Lines(Run("any")), ElementsAre("70", "2048"));
  EXPECT_THAT(Lines(Run("own")), ElementsAre("90", "2048"));
  EXPECT_EQ(
      ErrorOf("job { name: \"a\" command: \"true\" }\njob { name: \"b\" command: \"true\" }\n"
              "limits { memory: \"much\" }"),
      "jobs.txt:3:1: limits: memory \"much\": give bytes, or a number with K, M, G or T, such as "
      "\"512M\"");
}

TEST_F(ConfigTest, StdioWritesLineByLineIfAskedTo) {
  // Without, the line would wait in tr's buffer.
  Load(R"(job { name: "j" command: "sh" line_buffered: true
               argument: ["-c", "(echo line; exec sleep 1000) | tr a-z A-Z"] })");
  const std::string run = Start("j");
  EXPECT_TRUE(jobtail::testing::Eventually([&] { return !ReadLog(run).empty(); }));
  EXPECT_TRUE(Cancel(run).ok());
}

TEST_F(ConfigTest, ExactOrderCanBeHadWithoutALibrary) {
  const auto load = [&](const std::string& name, const std::string& order) {
    Load("job { name: \"" + name + "\" command: \"/bin/sh\" order: " + order +
         R"( argument: ["-c", "test -S /proc/self/fd/1; echo $? ${{LD_PRELOAD:+library}}"] })");
  };
  load("with", "EXACT");
  EXPECT_THAT(Lines(Run("with")), ElementsAre("0 library"));
  load("without", "EXACT_WITHOUT_LIBRARY");
  EXPECT_THAT(Lines(Run("without")), ElementsAre("0"));
}

TEST_F(ConfigTest, AFileThatCannotBeReadIsToldByItsName) {
  const auto jobs = config::Load("/no/such/file", &pool_);
  EXPECT_TRUE(absl::IsNotFound(jobs.status()));
  EXPECT_THAT(std::string(jobs.status().message()), HasSubstr("/no/such/file"));
}

TEST_F(ConfigTest, ACommandForWhichThereAreNoDescriptorsIsRefused) {
  if (jobtail::testing::kShortagesAreMisread) GTEST_SKIP() << "UBSan needs descriptors";
  Load(R"(job { name: "j" command: "true" })");
  v1::CreateRunRequest request;
  request.set_job("j");
  {
    const jobtail::testing::DescriptorShortage shortage;
    const auto refused = engine_.CreateRun(request);
    EXPECT_EQ(refused.status().code(), absl::StatusCode::kResourceExhausted);
    EXPECT_THAT(refused.status().message(), HasSubstr("descriptors"));
  }
  const auto run = engine_.CreateRun(request);
  ASSERT_TRUE(run.ok()) << run.status();
  EXPECT_EQ(AwaitLog(run->id()).back().result().state(), v1::RUN_STATE_SUCCEEDED);
}

}  // namespace
}  // namespace jobtail::config
