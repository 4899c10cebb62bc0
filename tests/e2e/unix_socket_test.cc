// Whole servers at unix sockets instead of ports.

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <unistd.h>

#include <csignal>
#include <filesystem>
#include <string>
#include <vector>

#include "client/client.h"
#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Outcome;
using jobtail::testing::TemporaryDirectory;
using ::testing::HasSubstr;

class UnixSocketTest : public ::testing::Test {
 protected:
  std::vector<std::string> Flags(std::vector<std::string> more = {}) const {
    more.insert(more.end(), {"--grpc-address=unix:" + grpc_, "--http-address=unix:" + http_});
    return more;
  }

  Outcome Curl(const std::string& url) const {
    return jobtail::testing::Run(
        {.command = {"/usr/bin/curl", "-sS", "--max-time", "30", "--unix-socket", http_, url}});
  }

  Outcome Jobtail(std::vector<std::string> arguments) const {
    arguments.insert(arguments.begin(), {JOBTAIL_COMMAND, "--server=unix:" + grpc_});
    return jobtail::testing::Run(
        {.command = std::move(arguments), .environment = {"JOBTAIL_CONFIG=/dev/null"}});
  }

  static mode_t Mode(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0);
    return status.st_mode & 0777;
  }

  TemporaryDirectory directory_;
  const std::string grpc_ = directory_.path() + "/grpc.sock";
  const std::string http_ = directory_.path() + "/http.sock";
};

TEST_F(UnixSocketTest, BothDoorsServeThere) {
  DemoServer server(Flags());
  EXPECT_EQ(server.address(), "unix:" + grpc_);
  EXPECT_EQ(server.http_url(), "unix:" + http_);
  EXPECT_EQ(Mode(grpc_), 0600);
  EXPECT_EQ(Mode(http_), 0600);
  const Outcome run = Jobtail({"run", "countdown", "times=1", "interval=0s"});
  EXPECT_EQ(run.exit_code, 0) << run.err;
  EXPECT_THAT(run.out, HasSubstr("Done"));
  EXPECT_THAT(Curl("http://localhost/v1/jobs").out, HasSubstr("countdown"));
  server.process().Signal(SIGTERM);
  EXPECT_EQ(server.process().Wait().exit_code, 0);
  EXPECT_FALSE(std::filesystem::exists(grpc_));
  EXPECT_FALSE(std::filesystem::exists(http_));
}

TEST_F(UnixSocketTest, AGroupMayHaveThem) {
  DemoServer server(Flags({"--socket-group=" + std::to_string(getgid())}));
  EXPECT_EQ(Mode(grpc_), 0660);
  EXPECT_EQ(Mode(http_), 0660);
}

TEST_F(UnixSocketTest, TheModeCanBeGiven) {
  DemoServer server(Flags({"--socket-mode=0666"}));
  EXPECT_EQ(Mode(grpc_), 0666);
  EXPECT_EQ(Mode(http_), 0666);
}

TEST_F(UnixSocketTest, WhatAKilledServerLeavesIsReplacedALiveOneIsNot) {
  DemoServer first(Flags());
  std::vector<std::string> again = Flags();
  again.insert(again.begin(), JOBTAIL_DEMO);
  const Outcome second = jobtail::testing::Run({.command = again});
  EXPECT_EQ(second.exit_code, 1);
  EXPECT_THAT(second.err, HasSubstr("a server listens there already"));
  first.process().Signal(SIGKILL);
  first.process().Wait();
  ASSERT_TRUE(std::filesystem::exists(grpc_));
  DemoServer third(Flags());
  EXPECT_EQ(Jobtail({"jobs"}).exit_code, 0);
}

TEST_F(UnixSocketTest, OtherNamesAreRefusedAsOnLoopback) {
  DemoServer server(Flags());
  EXPECT_THAT(Curl("http://evil.example/v1/jobs").out, HasSubstr("is not a name of this server"));
}

TEST_F(UnixSocketTest, TheClientLibraryConnectsThere) {
  DemoServer server(Flags());
  client::Client client("unix:" + grpc_);
  EXPECT_TRUE(client.ListJobs({}).ok());
}

}  // namespace
}  // namespace jobtail::e2e
