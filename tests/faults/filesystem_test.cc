// A disk of each kind that runs print until it is full, and on which there is room again.
//
// Needs a machine of its own with a disk, as tests/support/in_uml.sh makes one: elsewhere these
// tests are skipped, and no disk is formatted.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <iostream>
#include <string>
#include <system_error>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/faults/faulty_server.h"
#include "tests/faults/full_disk.h"
#include "tests/faults/own_machine.h"

namespace jobtail::faults {
namespace {

constexpr char kDisk[] = "/tmp/disk";
constexpr unsigned kDiskMajor = 98;  // of User Mode Linux's block devices; the first is minor 0
constexpr char kBallast[] = "/ballast";

struct Kind {
  const char* name;
  std::string format;
};

std::string NameOf(const ::testing::TestParamInfo<Kind>& info) { return info.param.name; }

bool Succeeds(const std::string& command) {
  const testing::Outcome outcome = testing::Run({.command = {"/bin/sh", "-c", command}});
  if (outcome.exit_code != 0) std::cout << outcome.out << outcome.err;
  return outcome.exit_code == 0;
}

// A shell that mounts the disk on the folder that the data directory is to be in, for itself alone,
// and becomes the server.
std::vector<std::string> OnDisk(const std::string& folder) {
  return {"/usr/bin/unshare", "--mount", "/bin/sh", "-c",
          "mount " + std::string(kDisk) + " '" + folder + "' && exec \"$0\" \"$@\""};
}

// All that is left but a little, which the runs have filled in a moment.
void TakeRoom(const std::string& file) {
  constexpr uintmax_t kLeft = 4 << 20;
  const uintmax_t available =
      std::filesystem::space(std::filesystem::path(file).parent_path()).available;
  ASSERT_GT(available, kLeft);
  const int fd = open(file.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  ASSERT_GE(fd, 0);
  EXPECT_EQ(posix_fallocate(fd, 0, static_cast<off_t>(available - kLeft)), 0);
  close(fd);
}

class FileSystem : public ::testing::TestWithParam<Kind> {
 protected:
  void SetUp() override {
    if (!IsOwnMachine()) GTEST_SKIP() << "it would format this machine's disk";
    BringUpLoopback();
    if (!std::filesystem::exists(kDisk)) {
      ASSERT_EQ(mknod(kDisk, S_IFBLK | 0600, makedev(kDiskMajor, 0)), 0);
    }
    ASSERT_TRUE(Succeeds(GetParam().format + " " + kDisk));
  }
};

TEST_P(FileSystem, ThatWasFullServesAgainOnceThereIsRoom) {
  FaultyServer server(OnDisk);
  server.Start();
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  server.ExpectServed();
  const FaultyServer::Use before = server.Measure();
  const std::string run =
      e2e::StartRun(server.stub(), "firehose", {{"lines", "900000000"}, {"bytes", "100"}});
  // As the server sees it: nobody else has the disk mounted.
  const std::string ballast =
      "/proc/" + std::to_string(server.pid()) + "/root" + server.directory() + kBallast;
  TakeRoom(ballast);
  ASSERT_FALSE(::testing::Test::HasFatalFailure());
  const Answers answers = ExpectFull(server, std::chrono::seconds(4));

  std::error_code error;
  EXPECT_TRUE(std::filesystem::remove(ballast, error)) << error.message();
  const auto took = server.ExpectServed();
  std::cout << "[ MEASURED ] a full disk, " << GetParam().name << ": meanwhile "
            << answers.ToString() << "; served again after " << took.count() << " ms\n";
  ExpectWholeLogs(server, {run});
  server.ExpectUse(before);
}

INSTANTIATE_TEST_SUITE_P(Each, FileSystem,
                         ::testing::Values(Kind{"ext4", "mkfs.ext4 -q -F"},
                                           Kind{"xfs", "mkfs.xfs -q -f"},
                                           Kind{"btrfs", "mkfs.btrfs -q -f"}),
                         NameOf);

}  // namespace
}  // namespace jobtail::faults
