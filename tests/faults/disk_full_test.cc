// A disk that runs print until it is full, and that is made larger under the running server.

#include <gmock/gmock.h>

#include <chrono>
#include <iostream>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/faults/faulty_server.h"
#include "tests/faults/full_disk.h"

namespace jobtail::faults {
namespace {

// A shell that has a small disk of its own mounted on the folder that the data directory is to be
// in, and becomes the server.
std::vector<std::string> OnSmallDisk(const std::string& folder) {
  return {"/usr/bin/unshare",
          "--user",
          "--map-root-user",
          "--mount",
          "/bin/sh",
          "-c",
          "mount -t tmpfs -o size=300m none '" + folder + "' && exec \"$0\" \"$@\""};
}

bool Succeeds(std::vector<std::string> command) {
  return testing::Run({.command = std::move(command)}).exit_code == 0;
}

bool CanHaveDisk() {
  const testing::TemporaryDirectory directory;
  std::vector<std::string> command = OnSmallDisk(directory.path());
  command.emplace_back("/bin/true");
  return Succeeds(std::move(command));
}

// As somebody would who is where the disk is.
bool MakeLarger(const FaultyServer& server) {
  return Succeeds({"/usr/bin/nsenter", "--target", std::to_string(server.pid()), "--user",
                   "--mount", "--preserve-credentials", "/bin/mount", "-o", "remount,size=2g",
                   "none", server.directory()});
}

TEST(DiskFull, OfThreeFirehosesIsOverSecondsAfterThereIsRoom) {
  if (!CanHaveDisk()) GTEST_SKIP() << "no user namespaces here, in which to mount a disk";
  FaultyServer server(OnSmallDisk);
  server.Start();
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  server.ExpectServed();
  const FaultyServer::Use before = server.Measure();
  std::vector<std::string> runs;
  for (int i = 0; i < 3; ++i) {
    runs.push_back(
        e2e::StartRun(server.stub(), "firehose", {{"lines", "900000000"}, {"bytes", "100"}}));
  }
  const Answers answers = ExpectFull(server, std::chrono::seconds(6));

  if (!MakeLarger(server)) GTEST_SKIP() << "the disk cannot be made larger from here";
  const auto took = server.ExpectServed();
  std::cout << "[ MEASURED ] a full disk: meanwhile " << answers.ToString()
            << "; served again after " << took.count() << " ms\n";
  ExpectWholeLogs(server, runs);
  server.ExpectUse(before);
}

}  // namespace
}  // namespace jobtail::faults
