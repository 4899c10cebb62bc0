// Tests of the lines of the audit log, and of files that cannot be written.
#include "server/access/audit_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>

#include "tests/server/support/temporary_directory.h"

namespace jobtail::access {
namespace {

using ::testing::HasSubstr;

std::string ReadAll(const std::string& file) {
  std::ostringstream text;
  text << std::ifstream(file).rdbuf();
  return text.str();
}

AuditRecord Record(std::string_view verb) {
  return {.time = absl::FromUnixMicros(1'700'000'000'123'456),
          .principal = "alice",
          .proof = Proof::kToken,
          .peer = "ipv4:127.0.0.1:1",
          .verb = verb,
          .job = "backup",
          .outcome = "ALLOWED"};
}

class AuditLogTest : public ::testing::Test {
 protected:
  const testing::TemporaryDirectory directory_;
  const std::string file_ = directory_.path() + "/audit.log";
};

TEST(AuditRecordTest, IsALineOfJsonWhateverItHas) {
  AuditRecord record = Record("RUN");
  record.request_id = "a\"b\nc\xff";
  EXPECT_EQ(ToJsonLine(record),
            "{\"time\":\"2023-11-14T22:13:20.123456Z\",\"principal\":\"alice\",\"proof\":\"token\","
            "\"peer\":\"ipv4:127.0.0.1:1\",\"verb\":\"RUN\",\"job\":\"backup\","
            "\"outcome\":\"ALLOWED\",\"request_id\":\"a\\\"b\\nc?\"}\n");
  const std::string large(100'000, 'x');
  record.reason = large;
  EXPECT_LT(ToJsonLine(record).size(), 3000);
}

TEST_F(AuditLogTest, IsAppendedToAndForNobodyElse) {
  std::ofstream(file_) << "before\n";
  std::filesystem::remove(file_);
  AuditLog log(file_, /*refuse=*/true);
  EXPECT_TRUE(log.Write(Record("RUN")).ok());
  EXPECT_TRUE(AuditLog(file_, true).Write(Record("CANCEL")).ok());
  EXPECT_EQ(ReadAll(file_), ToJsonLine(Record("RUN")) + ToJsonLine(Record("CANCEL")));
  struct stat status {};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600);
}

TEST_F(AuditLogTest, GoesOnInANewFileOnceTheOldOneIsMovedAway) {
  AuditLog log(file_, true);
  ASSERT_TRUE(log.Write(Record("RUN")).ok());
  std::filesystem::rename(file_, file_ + ".1");
  ASSERT_TRUE(log.Write(Record("CANCEL")).ok());
  log.Reopen();
  ASSERT_TRUE(log.Write(Record("DELETE")).ok());
  EXPECT_EQ(ReadAll(file_ + ".1"), ToJsonLine(Record("RUN")) + ToJsonLine(Record("CANCEL")));
  EXPECT_EQ(ReadAll(file_), ToJsonLine(Record("DELETE")));
}

TEST_F(AuditLogTest, TellsOfAFailureIfThatIsWanted) {
  AuditLog refusing("/dev/full", /*refuse=*/true);
  const absl::Status refused = refusing.Write(Record("RUN"));
  EXPECT_EQ(refused.code(), absl::StatusCode::kUnavailable);
  EXPECT_THAT(std::string(refused.message()), HasSubstr("/dev/full"));
  EXPECT_EQ(refusing.failures(), 1);
  AuditLog going_on("/dev/full", /*refuse=*/false);
  EXPECT_TRUE(going_on.Write(Record("RUN")).ok());
  EXPECT_EQ(going_on.failures(), 1);
}

TEST_F(AuditLogTest, BeginsALineOfItsOwnAfterWhatADiskHadNoRoomFor) {
  std::ofstream(file_) << "{\"verb\":\"RU";
  AuditLog log(file_, true);
  ASSERT_TRUE(log.Write(Record("CANCEL")).ok());
  log.Reopen();
  ASSERT_TRUE(log.Write(Record("DELETE")).ok());
  EXPECT_EQ(ReadAll(file_),
            "{\"verb\":\"RU\n" + ToJsonLine(Record("CANCEL")) + ToJsonLine(Record("DELETE")));
}

TEST_F(AuditLogTest, IsTriedAgainAfterAFailure) {
  const std::string later = directory_.path() + "/later/audit.log";
  AuditLog log(later, true);
  EXPECT_FALSE(log.Write(Record("RUN")).ok());
  std::filesystem::create_directory(directory_.path() + "/later");
  EXPECT_TRUE(log.Write(Record("RUN")).ok());
}

}  // namespace
}  // namespace jobtail::access
