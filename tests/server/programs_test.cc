// Tests of what the compiler says of programs that embed a server: the right ones, and the wrong.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/match.h"
#include "absl/strings/str_split.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/subprocess.h"

namespace jobtail {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

// The lines of the compiler that are errors. The headers are the system's, as CMake has it for a
// package that was found.
std::vector<std::string> ErrorsOf(const std::string& program,
                                  const std::string& compiler = JOBTAIL_COMPILER,
                                  const std::vector<std::string>& flags = {}) {
  const testing::TemporaryDirectory directory;
  const std::string file = directory.path() + "/program.cc";
  std::ofstream(file) << "#include \"server/server.h\"\n" << program;
  std::vector<std::string> command = {compiler, "-std=c++20", "-fsyntax-only"};
  command.insert(command.end(), flags.begin(), flags.end());
  for (const absl::string_view include : absl::StrSplit(JOBTAIL_INCLUDES, ',', absl::SkipEmpty())) {
    // The compiler's own, whose place among its others must stay as it is.
    if (include == "/usr/include") continue;
    command.insert(command.end(), {"-isystem", std::string(include)});
  }
  command.push_back(file);
  const testing::Outcome outcome = testing::Run({.command = command, .environment = {}});
  std::vector<std::string> errors;
  for (const absl::string_view line : absl::StrSplit(outcome.err, '\n')) {
    if (absl::StrContains(line, "error:")) errors.emplace_back(line);
  }
  EXPECT_EQ(outcome.exit_code == 0, errors.empty()) << outcome.err;
  return errors;
}

// The one error of a function that has this in it.
std::string ErrorIn(const std::string& statement) {
  const std::vector<std::string> errors =
      ErrorsOf("void F(jobtail::JobContext& run) { " + statement + " }");
  EXPECT_THAT(errors, SizeIs(1));
  return errors.empty() ? "" : errors.front();
}

TEST(WrongPrograms, GetOfATypeThatNoParameterHas) {
  for (const char* type : {"int", "float", "unsigned", "char*"}) {
    EXPECT_THAT(ErrorIn("run.Get<" + std::string(type) + ">(\"times\");"),
                HasSubstr("Get<T>: T is std::string, int64_t (of Parameter::Int)"));
  }
}

// The one error of a declaration: "Int(\"n\").Default(1)".
std::string ErrorInParameter(const std::string& declaration) {
  return ErrorIn("jobtail::Parameter::" + declaration + ";");
}

TEST(WrongPrograms, ADefaultThatIsNoValue) {
  const std::string of_int = "a value of Parameter::Int is an integer";
  for (const char* value : {"std::vector<int>()", "nullptr", "\"ten\"", "0.5", "true"}) {
    EXPECT_THAT(ErrorInParameter("Int(\"n\").Default(" + std::string(value) + ")"),
                HasSubstr(of_int));
  }
  EXPECT_THAT(ErrorInParameter("Double(\"x\").Default(\"0.5\")"),
              HasSubstr("a value of Parameter::Double is a number"));
  EXPECT_THAT(ErrorInParameter("Bool(\"b\").Default(1)"),
              HasSubstr("a value of Parameter::Bool is a bool"));
  EXPECT_THAT(ErrorInParameter("Duration(\"d\").Default(5)"),
              HasSubstr("a value of Parameter::Duration is an absl::Duration, a duration of"));
  for (const char* declaration : {"String(\"s\")", "Path(\"p\")", "Enum(\"e\", {\"a\"})"}) {
    EXPECT_THAT(ErrorInParameter(std::string(declaration) + ".Default(1)"),
                HasSubstr("a value of Parameter::String, Path or Enum is text"));
  }
}

TEST(WrongPrograms, WhatATypeOfParameterCannotHave) {
  EXPECT_THAT(ErrorInParameter("String(\"s\").Range(\"a\", \"b\")"),
              HasSubstr("Range: Parameter::Int, Double and Duration can have one"));
  EXPECT_THAT(ErrorInParameter("Int(\"n\").Range(0, 1.5)"),
              HasSubstr("a value of Parameter::Int is an integer"));
  EXPECT_THAT(ErrorInParameter("Int(\"n\").Secret()"),
              HasSubstr("Secret: only Parameter::String can be one"));
  EXPECT_THAT(ErrorInParameter("Int(\"n\").Pattern(\"[0-9]\")"),
              HasSubstr("Pattern: Parameter::String and Path can have one"));
}

TEST(WrongPrograms, AJobThatTakesNoContext) {
  const char* const kExpected = "a job's function takes a JobContext&";
  EXPECT_THAT(ErrorIn("jobtail::Job(\"job\", [] {});"), HasSubstr(kExpected));
  EXPECT_THAT(ErrorIn("jobtail::Job(\"job\", [](int) {});"), HasSubstr(kExpected));
  EXPECT_THAT(ErrorIn("jobtail::Job(\"job\", 7);"), HasSubstr(kExpected));
}

TEST(WrongPrograms, AJobThatReturnsSomethingElse) {
  EXPECT_THAT(ErrorIn("jobtail::Job(\"job\", [](jobtail::JobContext&) { return std::string(); });"),
              HasSubstr("a job returns void, int (its exit code) or absl::Status"));
}

TEST(RightPrograms, AreCompiled) {
  EXPECT_THAT(ErrorsOf(R"(
    void F(jobtail::JobContext& run) {
      run.SleepFor(std::chrono::seconds(1));
      run.SleepFor(absl::Seconds(1));
      jobtail::Parameter::Duration("d").Default(std::chrono::hours(1)).Range("1s", absl::Hours(2));
      jobtail::Parameter::Double("x").Default(1).Range(0, 0.5f);
      jobtail::Parameter::Int("n").Default(10u).Range(int16_t{1}, 20L);
      jobtail::Parameter::Bool("b").Default(false);
      jobtail::Parameter::Duration("d").Default("1.5s").Default(std::chrono::duration<double>(1.5));
      const jobtail::Parameter kept = jobtail::Parameter::Enum("e", {"a"}).Default("a").Help("x");
      jobtail::Parameter::String("s").Default(std::string("x")).Default(std::string_view("y"));
      jobtail::Job("moves", [p = std::make_unique<int>(1)](jobtail::JobContext&) { return *p; });
      jobtail::Job("mutable", [n = 0](jobtail::JobContext&) mutable { ++n; });
      jobtail::Job("auto", [](auto& context) { return absl::OkStatus(); }).Timeout(
          std::chrono::minutes(1));
      jobtail::ServerOptions options{.heartbeat = std::chrono::seconds(1)};
      options.stop_grace = absl::Seconds(1);
      options.http.idle_timeout = std::chrono::minutes(1);
    })"),
              SizeIs(0));
}

// Names that a program is likely to have itself.
TEST(RightPrograms, MayUseTheNamesOfInnerRooms) {
  EXPECT_THAT(ErrorsOf(R"(
    using namespace jobtail;
    class Run {}; class Log {}; class Stream {}; class Cursor {}; class Scheduler {};
    class View {}; class Line {}; class Batch {}; class Filter {}; class Record {};
    class Relay {}; class Execution {}; class RunId {}; class Retention {}; class Snapshot {};
    class Health {}; class Metrics {}; class Present {}; class Gap {}; class Feed {};
    int Call();
    const char kMask[] = "";
    void FormatValue(int);
    Run run; Log a_log; Stream stream; Cursor cursor; Scheduler scheduler; View view; Line line;
    Batch batch; Filter filter; Record record; Relay relay; Execution execution; RunId run_id;
    Retention retention; Snapshot snapshot; Health health; Metrics metrics; Present present;
    Gap gap; Feed feed;
    const char* mask = kMask;)"),
              SizeIs(0));
}

// A program that sets one of the options gives the rest no initializers.
TEST(RightPrograms, AreCompiledWithoutAWarning) {
  const std::string program = R"(
    #include "client/client.h"
    #include "client/log_reader.h"
    #include "client/run_watcher.h"
    #include "server/run/engine_options.h"

    using namespace std::chrono_literals;

    void TakeOptions(const jobtail::ServerOptions&) {}
    void TakeOptions(const jobtail::client::ClientOptions&) {}
    void TakeOptions(const jobtail::client::RunWatcherOptions&) {}

    int main() {
      TakeOptions(jobtail::ServerOptions{.grpc_address = "127.0.0.1:0"});
      TakeOptions({.grpc_address = "unix:/tmp/socket", .insecure = true});
      TakeOptions(jobtail::ServerOptions{
          .tls = {.certificate_file = "a", .key_file = "b"},
          .socket = {.group = "users"},
          .http = {.address = "", .public_url = {.path = "/jobs/"}},
          .stop_grace = 1min,
          .store = {.directory = "/var/lib/jobtail"},
          .engine = {.log = {.drop_when_full = true}, .retention = {.max_age = 24h}}});
      TakeOptions(jobtail::client::ClientOptions{.call_timeout = 30s, .backoff = {.max = 1s}});
      TakeOptions(jobtail::client::RunWatcherOptions{.resume = {.retry_for = 5min}});
      jobtail::Job("job", [](jobtail::JobContext&) { return 0; })
          .InChildProcess({.grace = 1s})
          .Capture({.replace_stdio = true});
      return jobtail::JobResult{.exit_code = 3}.exit_code;
    })";
  for (const std::string compiler : {JOBTAIL_COMPILER, "/usr/bin/g++", "/usr/bin/clang++-14"}) {
    if (access(compiler.c_str(), X_OK) != 0) continue;
    EXPECT_THAT(ErrorsOf(program, compiler, {"-Wall", "-Wextra", "-Wpedantic", "-Werror"}),
                IsEmpty())
        << compiler;
  }
}

}  // namespace
}  // namespace jobtail
