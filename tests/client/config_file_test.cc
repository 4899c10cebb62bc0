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
    unsetenv("JOBTAIL_CONTEXT");
  }
  ~ConfigTest() override {
    unlink(path_.c_str());
    unsetenv("JOBTAIL_CONFIG");
    unsetenv("JOBTAIL_CONTEXT");
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

TEST_F(ConfigTest, MayBeginWithAByteOrderMark) {
  Write("\xEF\xBB\xBFserver = [::1]:7\n");
  EXPECT_EQ(Common({"jobs"}).server, "[::1]:7");
}

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

constexpr char kContexts[] = R"(server = file:1
context "prod" {
  server = prod.example.com:50051
  tls-ca = ca.pem
  tls-cert = /etc/me.pem
  tls-key = /etc/me.key
  token-file = ~/prod.token
}
context lab {
  server = unix:/run/jobtail/grpc.sock
}
)";

TEST_F(ConfigTest, AContextIsAServerWithItsCredentials) {
  Write(kContexts);
  const CommonOptions prod = Common({"jobs", "--context=prod"});
  EXPECT_EQ(prod.server, "prod.example.com:50051");
  const std::string folder = path_.substr(0, path_.rfind('/'));
  EXPECT_EQ(prod.credentials.ca_file, folder + "/ca.pem");
  EXPECT_EQ(prod.credentials.certificate_file, "/etc/me.pem");
  EXPECT_EQ(prod.credentials.token_file, std::string(getenv("HOME")) + "/prod.token");
  EXPECT_EQ(prod.program, "jobtail --context=prod");
  EXPECT_EQ(Common({"--context=lab", "jobs"}).server, "unix:/run/jobtail/grpc.sock");
  EXPECT_EQ(Common({"jobs"}).server, "file:1");
  EXPECT_EQ(Common({"jobs", "--context=prod", "--tls-ca=other.pem"}).credentials.ca_file,
            "other.pem");
}

TEST_F(ConfigTest, TheEnvironmentAndTheFileMayNameTheContext) {
  Write(std::string(kContexts) + "context = lab\n");
  EXPECT_EQ(Common({"jobs"}).server, "unix:/run/jobtail/grpc.sock");
  EXPECT_EQ(Common({"jobs"}).program, "jobtail");
  setenv("JOBTAIL_CONTEXT", "prod", 1);
  EXPECT_EQ(Common({"jobs"}).server, "prod.example.com:50051");
  EXPECT_EQ(Common({"jobs"}).program, "jobtail");
  EXPECT_EQ(Common({"jobs", "--context=lab"}).server, "unix:/run/jobtail/grpc.sock");
}

// A token, above all.
TEST_F(ConfigTest, AContextsCredentialsGoToNoOtherServer) {
  Write(std::string(kContexts) + "context = prod\n");
  EXPECT_EQ(Common({"jobs", "--server=other:1"}).server, "other:1");
  EXPECT_EQ(Common({"jobs", "--server=other:1"}).credentials, CredentialFiles());
  setenv("JOBTAIL_SERVER", "other:2", 1);
  EXPECT_EQ(Common({"jobs"}).server, "other:2");
  EXPECT_EQ(Common({"jobs"}).credentials, CredentialFiles());
  EXPECT_EQ(Common({"jobs", "--context=prod"}).server, "prod.example.com:50051");
  setenv("JOBTAIL_CONTEXT", "prod", 1);
  EXPECT_THAT(Parse({"jobs"}).text, HasSubstr("both name a server; unset one of them"));
  EXPECT_THAT(Parse({"jobs", "--server=h:1", "--context=prod"}).text,
              HasSubstr("both name a server"));
}

TEST_F(ConfigTest, AContextHasToBeThereAndNameItsServer) {
  Write(std::string(kContexts) + "context none {\n}\n");
  EXPECT_THAT(Parse({"jobs", "--context=prd"}).text,
              HasSubstr("there is no context 'prd' in " + path_ +
                        "; there are lab, none, prod; did you mean prod?"));
  EXPECT_THAT(Parse({"jobs", "--context=none"}).text, HasSubstr("'none' names no server"));
}

TEST_F(ConfigTest, MistakesAreToldWithFileAndLine) {
  const std::pair<const char*, const char*> cases[] = {
      {"\nsever = h:1\n",
       ":2: there is no setting 'sever'; there are server, color, retry-for, "
       "timestamps, progress, compression, context; did you mean server?\n"},
      {"server = nowhere\n", ":1: server: 'nowhere' names no host and port; write HOST:PORT"},
      {"color\n", ":1: 'color' is no setting; write NAME = VALUE"},
      {"color = auto\ncolor = never\n", ":2: 'color' is set in line 1 already"},
      {"timestamps = yes\n", ":1: timestamps: 'yes' is neither true nor false"},
      {"token-file = x\n", ":1: there is no setting 'token-file'"},
      {"context a {\n  color = auto\n}\n",
       ":2: there is no setting 'color'; there are server, tls"},
      {"context a {\n  server = h:1\n",
       ":2: the context that begins in line 1 does not end; write }"},
      {"context a {\ncontext b {\n}\n", ":2: the context that begins in line 1 has not ended"},
      {"context a {\n}\ncontext a {\n}\n", ":3: there is a context 'a' in line 1 already"},
      {"context {\n}\n", "context NAME {"},
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
