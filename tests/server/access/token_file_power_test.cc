// What a loss of power leaves of the tokens' file: this program notes what is forced onto the disk.
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "server/access/token_file.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail::access {
namespace {

using jobtail::testing::ReadFile;

// A disk that keeps of a file what was in it at its last fsync, and under a name the file that had
// it at the directory's last fsync. It watches one name, and is one thread's.
class Disk {
 public:
  explicit Disk(std::string file) : file_(std::move(file)) { present = this; }
  ~Disk() { present = nullptr; }
  Disk(const Disk&) = delete;
  Disk& operator=(const Disk&) = delete;

  // What is there under the name after a loss of power.
  const std::string& kept() const { return kept_; }

  void Sync(int fd) {
    struct stat synced {};
    struct stat named {};
    if (fstat(fd, &synced) != 0) return;
    if (S_ISREG(synced.st_mode)) {
      content_of_ = synced.st_ino;
      content_ = ReadFile("/proc/self/fd/" + std::to_string(fd));
      return;
    }
    const bool is_there = stat(file_.c_str(), &named) == 0;
    kept_ = is_there && named.st_ino == content_of_ ? content_ : "";
  }

  static Disk* present;

 private:
  const std::string file_;
  ino_t content_of_ = 0;  // the last file that was synced,
  std::string content_;   // and what was in it
  std::string kept_;
};

Disk* Disk::present = nullptr;

}  // namespace

// Called through the C library's function, which this program has in its place.
void NoteSync(int fd) {
  if (Disk::present) Disk::present->Sync(fd);
}

namespace {

const absl::Time kToday = absl::UnixEpoch() + absl::Hours(500'000);

class TokenFilePowerTest : public ::testing::Test {
 protected:
  const jobtail::testing::TemporaryDirectory directory_;
  const std::string file_ = directory_.path() + "/tokens";
  Disk disk_{file_};
};

TEST_F(TokenFilePowerTest, ATokenThatWasMadeIsThere) {
  ASSERT_TRUE(CreateToken(file_, {.name = "alice"}, kToday).ok());
  EXPECT_THAT(disk_.kept(), ::testing::HasSubstr("alice"));
  EXPECT_EQ(disk_.kept(), ReadFile(file_));
}

TEST_F(TokenFilePowerTest, ATokenThatWasRevokedStaysRevoked) {
  ASSERT_TRUE(CreateToken(file_, {.name = "alice"}, kToday).ok());
  const std::string before = disk_.kept();
  ASSERT_TRUE(RevokeToken(file_, "alice", kToday).ok());
  EXPECT_NE(disk_.kept(), before);
  EXPECT_EQ(disk_.kept(), ReadFile(file_));
}

}  // namespace
}  // namespace jobtail::access

extern "C" int fsync(int fd) {
  const int result = static_cast<int>(syscall(SYS_fsync, fd));
  if (result == 0) jobtail::access::NoteSync(fd);
  return result;
}
