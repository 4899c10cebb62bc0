// Tests of reading files that others must not be able to write.
#include "base/files/trusted_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

namespace jobtail {
namespace {

using ::testing::HasSubstr;

constexpr uid_t kNobody = 65534;

class TrustedFileTest : public ::testing::Test {
 protected:
  TrustedFileTest() {
    std::string name = ::testing::TempDir() + "trustedXXXXXX";
    directory_ = mkdtemp(name.data());
    file_ = directory_ + "/jobs.txt";
    std::ofstream(file_) << "job {}";
    chmod(file_.c_str(), 0644);
  }
  ~TrustedFileTest() override { std::filesystem::remove_all(directory_); }

  absl::Status Read() const { return ReadTrustedFile(file_).status(); }
  void ExpectRefused(const std::string& why) const {
    EXPECT_EQ(Read().code(), absl::StatusCode::kFailedPrecondition);
    EXPECT_THAT(std::string(Read().message()), HasSubstr(why));
  }

  std::string directory_;
  std::string file_;
};

TEST_F(TrustedFileTest, IsRead) { EXPECT_EQ(ReadTrustedFile(file_).value(), "job {}"); }

TEST_F(TrustedFileTest, IsReadWithoutItsByteOrderMark) {
  std::ofstream(file_) << "\xEF\xBB\xBFjob {}";
  EXPECT_EQ(ReadTrustedFile(file_).value(), "job {}");
}

TEST_F(TrustedFileTest, OfManyPiecesIsRead) {
  const std::string text(1 << 20, 'x');
  std::ofstream(file_) << text;
  EXPECT_EQ(ReadTrustedFile(file_).value(), text);
}

TEST_F(TrustedFileTest, ThatOthersCanWriteIsRefused) {
  chmod(file_.c_str(), 0646);
  ExpectRefused("its mode is 0646; enter `chmod go-w " + file_ + "`");
}

TEST_F(TrustedFileTest, ThatAGroupCanWriteIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "root alone can give files away";
  ASSERT_EQ(chown(file_.c_str(), 0, kNobody), 0);
  chmod(file_.c_str(), 0664);
  ExpectRefused("its mode is 0664; enter `chmod go-w " + file_ + "`");
}

// As files are with a umask of 002.
TEST_F(TrustedFileTest, ThatTheOwnersOwnGroupCanWriteIsRead) {
  if (geteuid() != 0) GTEST_SKIP() << "root is sure to have a group of its name";
  chmod(file_.c_str(), 0664);
  chmod(directory_.c_str(), 0775);
  EXPECT_TRUE(Read().ok()) << Read();
}

TEST_F(TrustedFileTest, BehindALinkIsLookedAtWhereItIs) {
  chmod(file_.c_str(), 0666);
  const std::string link = directory_ + "/link";
  std::filesystem::create_symlink(file_, link);
  EXPECT_EQ(ReadTrustedFile(link).status().code(), absl::StatusCode::kFailedPrecondition);
}

TEST_F(TrustedFileTest, BehindALinkThatOthersCanReplaceIsRefused) {
  const std::string open_folder = directory_ + "/open";
  std::filesystem::create_directory(open_folder);
  std::filesystem::create_symlink(file_, open_folder + "/link");
  std::filesystem::create_symlink("open/link", directory_ + "/first");  // a link to it
  EXPECT_TRUE(ReadTrustedFile(directory_ + "/first").ok());
  chmod(open_folder.c_str(), 0777);
  for (const char* name : {"/open/link", "/first"}) {
    const absl::Status read = ReadTrustedFile(directory_ + name).status();
    EXPECT_EQ(read.code(), absl::StatusCode::kFailedPrecondition) << name;
    EXPECT_THAT(std::string(read.message()), HasSubstr("the mode of " + open_folder + " is 0777"));
  }
}

// A directory on the way is a link to a link.
TEST_F(TrustedFileTest, BehindADirectoryThatOthersCanReplaceIsRefused) {
  const std::string open_folder = directory_ + "/open";
  std::filesystem::create_directory(open_folder);
  std::filesystem::create_directory_symlink(directory_, open_folder + "/second");
  std::filesystem::create_directory_symlink("open/second", directory_ + "/first");
  EXPECT_TRUE(ReadTrustedFile(directory_ + "/first/jobs.txt").ok());
  chmod(open_folder.c_str(), 0777);
  const absl::Status read = ReadTrustedFile(directory_ + "/first/jobs.txt").status();
  EXPECT_EQ(read.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(read.message()), HasSubstr("the mode of " + open_folder + " is 0777"));
}

// As Kubernetes mounts secrets.
TEST_F(TrustedFileTest, BehindLinksInADirectoryForEverybodyIsRead) {
  std::filesystem::create_directories(directory_ + "/mount/..1");
  std::filesystem::rename(file_, directory_ + "/mount/..1/jobs.txt");
  std::filesystem::create_directory_symlink("..1", directory_ + "/mount/..data");
  std::filesystem::create_symlink("..data/jobs.txt", directory_ + "/mount/jobs.txt");
  chmod((directory_ + "/mount").c_str(), 01777);
  const auto read = ReadTrustedFile(directory_ + "/mount/../mount/./jobs.txt");
  EXPECT_EQ(read.value_or(std::string(read.status().message())), "job {}");
}

TEST_F(TrustedFileTest, BehindALinkOfSomebodyElseIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "root alone can give links away";
  const std::string sticky = directory_ + "/sticky";
  std::filesystem::create_directory(sticky);
  std::filesystem::create_symlink(file_, sticky + "/link");
  chmod(sticky.c_str(), 01777);
  EXPECT_TRUE(ReadTrustedFile(sticky + "/link").ok());
  ASSERT_EQ(lchown((sticky + "/link").c_str(), kNobody, kNobody), 0);
  const absl::Status read = ReadTrustedFile(sticky + "/link").status();
  EXPECT_EQ(read.code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_THAT(std::string(read.message()), HasSubstr("the link " + sticky + "/link belongs to"));
}

TEST_F(TrustedFileTest, BehindLinksWithoutEndIsAnError) {
  std::filesystem::create_symlink("round", directory_ + "/round");
  EXPECT_FALSE(ReadTrustedFile(directory_ + "/round").ok());
}

TEST_F(TrustedFileTest, InADirectoryThatOthersCanWriteIsRefused) {
  chmod(directory_.c_str(), 0777);
  ExpectRefused("is 0777; enter `chmod go-w " + directory_ + "`");
  chmod(directory_.c_str(), 01777);
  EXPECT_TRUE(Read().ok());
}

TEST_F(TrustedFileTest, BelowADirectoryThatOthersCanWriteIsRefused) {
  const std::string below = directory_ + "/below";
  std::filesystem::create_directory(below);
  std::filesystem::rename(file_, below + "/jobs.txt");
  file_ = below + "/jobs.txt";
  EXPECT_TRUE(Read().ok());
  chmod(directory_.c_str(), 0757);
  ExpectRefused("the mode of " + directory_ + " is 0757");
}

TEST_F(TrustedFileTest, OfSomebodyElseIsRefused) {
  if (geteuid() != 0) GTEST_SKIP() << "root alone can give files away";
  ASSERT_EQ(chown(file_.c_str(), kNobody, kNobody), 0);
  ExpectRefused("it belongs to user 65534; enter `chown 0 " + file_ + "`");
  ASSERT_EQ(chown(file_.c_str(), 0, 0), 0);
  ASSERT_EQ(chown(directory_.c_str(), kNobody, kNobody), 0);
  ExpectRefused(directory_ + " belongs to user 65534");
}

TEST_F(TrustedFileTest, ThatIsAPipeIsRead) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  ASSERT_EQ(write(ends[1], "job {}", 6), 6);
  close(ends[1]);
  EXPECT_EQ(ReadTrustedFile("/proc/self/fd/" + std::to_string(ends[0])).value(), "job {}");
  close(ends[0]);
}

TEST_F(TrustedFileTest, ThatIsNotThereOrADirectoryIsAnError) {
  const absl::Status missing = ReadTrustedFile(directory_ + "/none").status();
  EXPECT_EQ(missing.code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(std::string(missing.message()), HasSubstr("No such file or directory"));
  const absl::Status directory = ReadTrustedFile(directory_).status();
  EXPECT_THAT(std::string(directory.message()), HasSubstr("cannot be read: Is a directory"));
}

}  // namespace
}  // namespace jobtail
