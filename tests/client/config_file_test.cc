// The config file and the environment, and which of them wins.

#include "client/cli/config_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <stdlib.h>
#include <unistd.h>

#include <fstream>
#include <vector>

#include "client/cli/options.h"

namespace jobtail::client::cli {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class ConfigTest : public ::testing::Test {
 protected:
  ConfigTest() : path_(::testing::TempDir() + "jobtail_config_" + std::to_string(getpid())) {
    setenv("JOBTAIL_CONFIG", path_.c_str(), 1);
    unsetenv("JOBTAIL_SERVER");
  }
  ~ConfigTest() override {
    unlink(path_.c_str());
    unsetenv("JOBTAIL_CONFIG");
    unsetenv("JOBTAIL_SERVER");
  }

  void Write(const std::string& text) { std::ofstream(path_) << text; }

  static ParseResult Parse(std::vector<const char*> arguments) {
    arguments.insert(arguments.begin(), "jobtail");
    return ParseOptions(static_cast<int>(arguments.size()), arguments.data());
  }

  static CommonOptions Common(const std::vector<const char*>& arguments) {
    const ParseResult result = Parse(arguments);
    EXPECT_TRUE(result.options.has_value()) << result.text;
    return result.options.has_value() ? result.options->common : CommonOptions();
  }

  const std::string path_;
};

TEST_F(ConfigTest, SetsWhatTheCommandLineLeavesOut) {
  Write("# mine\n\n  server = [::1]:7\ncolor=never\nretry-for = inf\ntimestamps = true\n");
  EXPECT_EQ(Common({"jobs"}).server, "[::1]:7");
  EXPECT_EQ(Common({"jobs"}).program, "jobtail");
  EXPECT_EQ(Common({"jobs"}).color, Color::kNever);
  const auto tail = std::get<TailOptions>(Parse({"tail", "r"}).options->command);
  EXPECT_TRUE(tail.follow.timestamps);
  EXPECT_EQ(tail.follow.retry_for, absl::InfiniteDuration());
  EXPECT_FALSE(std::get<TailOptions>(Parse({"tail", "r", "--output=raw"}).options->command)
                   .follow.timestamps);
}

TEST_F(ConfigTest, TheEnvironmentBeatsItAndTheCommandLineBeatsBoth) {
  Write("server = file:1\n");
  setenv("JOBTAIL_SERVER", "environment:2", 1);
  EXPECT_EQ(Common({"jobs"}).server, "environment:2");
  EXPECT_EQ(Common({"jobs", "--server=line:3"}).server, "line:3");
}

TEST_F(ConfigTest, MistakesAreToldWithFileAndLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"\nsever = h:1\n",
       ":2: there is no setting 'sever'; there are server, color, retry-for, "
       "timestamps, progress; did you mean server?\n"},
      {"server = nowhere\n", ":1: server: 'nowhere' names no host and port; write HOST:PORT"},
      {"color\n", ":1: 'color' is no setting; write NAME = VALUE"},
      {"color = auto\ncolor = never\n", ":2: 'color' is set in line 1 already"},
      {"timestamps = yes\n", ":1: timestamps: 'yes' is neither true nor false"},
  };
  for (const auto& [text, expected] : cases) {
    Write(text);
    const ParseResult result = Parse({"jobs"});
    EXPECT_EQ(result.exit_code, 125);
    EXPECT_THAT(result.text, AllOf(StartsWith("jobtail: " + path_), HasSubstr(expected)));
  }
}

TEST_F(ConfigTest, AFileThatIsNotThereMattersOnlyIfItIsNamed) {
  EXPECT_THAT(Parse({"jobs"}).text, HasSubstr("which JOBTAIL_CONFIG names"));
  EXPECT_EQ(Parse({"--help"}).exit_code, 0) << "help always works";
  setenv("JOBTAIL_CONFIG", "", 1);
  setenv("XDG_CONFIG_HOME", "/nonexistent", 1);
  EXPECT_EQ(ConfigPath(), "/nonexistent/jobtail/config");
  EXPECT_EQ(Common({"jobs"}).server, kDefaultServer);
  unsetenv("XDG_CONFIG_HOME");
}

}  // namespace
}  // namespace jobtail::client::cli
