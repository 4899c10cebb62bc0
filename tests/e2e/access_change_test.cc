// Rights that are taken away while streams are open: by a token, the access file, or the end of a
// session; noticed by the server itself, or told by SIGHUP.
#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <filesystem>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "server/access/token_file.h"
#include "tests/e2e/access_calls.h"
#include "tests/support/observe.h"

namespace jobtail::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

using AccessChangeTest = AccessCallsTest;

TEST_F(AccessChangeTest, ARevokedTokenEndsItsStreamsWithTheResumePoint) {
  const std::string run = Run("wait", "somebody-else");
  FollowedLog log(stub(), Token("follower"), run);
  Revoke("follower");
  const grpc::Status status = log.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
  EXPECT_THAT(status.error_message(), HasSubstr("go on with from_sequence=2"));
  EXPECT_EQ(log.resume_point(), "2");
}

TEST_F(AccessChangeTest, AnExpiredTokenEndsItsStreams) {
  const std::string run = Run("wait", "somebody-else");
  const auto token = access::CreateToken(
      directory_.path() + "/tokens",
      {.name = "follower", .expires = absl::Now() + absl::Seconds(3)},  // cut to the second
      absl::Now());
  server().ReloadAccess();
  FollowedLog log(stub(), *token, run);
  v1::Run answer;
  EXPECT_TRUE(testing::Eventually([&] { return !GetRun(*token, run, &answer).ok(); }));
  const grpc::Status status = log.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED) << status.error_message();
  EXPECT_EQ(log.resume_point(), "2");
}

TEST_F(AccessChangeTest, ARightThatIsTakenAwayEndsItsStreams) {
  const std::string run = Run("wait", "somebody-else");
  FollowedLog log(stub(), Token("follower"), run);
  SetPolicy("token_file: \"tokens\"");
  const grpc::Status status = log.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << status.error_message();
  EXPECT_EQ(log.resume_point(), "2");
}

TEST_F(AccessChangeTest, ARightThatIsTakenAwayWithoutAWordEndsItsStreams) {
  const std::string run = Run("wait", "somebody-else");
  FollowedLog log(stub(), Token("follower"), run);
  WritePolicy("token_file: \"tokens\"");  // which the server has to notice by itself
  EXPECT_EQ(log.AwaitEnd().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AccessChangeTest, AStreamWhoseRightStaysGoesOnThroughAReload) {
  const std::string run = Run("wait", "somebody-else");
  const std::string token = Token("follower");
  FollowedLog log(stub(), token, run);
  SetPolicy(std::string(kAccessPolicy) + "# the same");
  Revoke("follower");  // and only now it ends
  EXPECT_EQ(log.AwaitEnd().error_code(), grpc::StatusCode::UNAUTHENTICATED);
}

TEST_F(AccessChangeTest, AWatchEndsAsWell) {
  const std::string run = Run("wait", "somebody-else");
  grpc::ClientContext context;
  Authorize(Token("lister"), &context);
  const auto reader = stub().WatchRuns(&context, v1::WatchRunsRequest());
  v1::Run seen;
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.id(), run);
  SetPolicy("token_file: \"tokens\"");
  while (reader->Read(&seen)) {
  }
  EXPECT_EQ(reader->Finish().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AccessChangeTest, AWatchGoesOnWithWhatMayStillBeSeen) {
  const std::string before = Run("wait", "somebody-else");
  grpc::ClientContext context;
  Authorize(Token("lister"), &context);
  const auto reader = stub().WatchRuns(&context, v1::WatchRunsRequest());
  v1::Run seen;
  ASSERT_TRUE(reader->Read(&seen));
  EXPECT_EQ(seen.id(), before);
  SetPolicy(R"(token_file: "tokens" role { name: "few" allow { job: "greet" verb: LIST } }
               grant { role: "few" principal: "lister" })");
  Run("wait", "somebody-else");
  const std::string after = Run("greet", "somebody-else");
  do {
    ASSERT_TRUE(reader->Read(&seen));
  } while (seen.id() == before);  // what was on its way
  EXPECT_EQ(seen.id(), after);
  context.TryCancel();
}

// Rights go by the labels that a job has at the moment.
TEST_F(AccessChangeTest, ALabelThatIsTakenAwayEndsItsStreams) {
  const auto labelled = [](const std::string& team) {
    Job job("labelled", [](JobContext& run) {
      std::cout << "waiting" << std::endl;
      run.SleepFor(absl::InfiniteDuration());
    });
    job.Label("team", team);
    std::vector<Job> jobs;
    jobs.push_back(std::move(job));
    return jobs;
  };
  ASSERT_TRUE(server().ReplaceJobs({}, labelled("web")).ok());
  SetPolicy(R"(token_file: "tokens"
               role { name: "web" allow { label { key: "team" value: "web" } verb: [LIST, READ, READ_LOG] } }
               grant { role: "web" principal: "follower" })");
  const std::string run = Run("labelled", "somebody-else");
  const std::string token = Token("follower");
  FollowedLog log(stub(), token, run);
  ASSERT_TRUE(server().ReplaceJobs({"labelled"}, labelled("web")).ok());
  ASSERT_TRUE(server().ReplaceJobs({"labelled"}, labelled("db")).ok());
  EXPECT_EQ(log.AwaitEnd().error_code(), grpc::StatusCode::PERMISSION_DENIED);
}

TEST_F(AccessChangeTest, ASessionThatIsOverEndsItsStreams) {
  const std::string run = Run("wait", "x");
  HttpClient client(server().http_url());
  const HttpAnswer signed_in =
      client.Ask("POST", "/session", {{"Content-Type", "application/json"}},
                 "{\"token\":\"" + Token("follower") + "\"}");
  const size_t begin = signed_in.header.find("jobtail-session=");
  const Headers cookie = {
      {"Cookie", signed_in.header.substr(begin, signed_in.header.find(';', begin) - begin)}};
  Headers stream = cookie;
  stream.emplace_back("Accept", "text/event-stream");
  HttpClient follower(server().http_url());
  follower.Send("GET", "/v1/runs/" + run + "/log?follow=true", stream);
  EXPECT_THAT(follower.ReadUntil("waiting"), HasSubstr("waiting"));
  EXPECT_EQ(client.Ask("DELETE", "/session", cookie).status, 200);
  EXPECT_THAT(follower.ReadUntil("0\r\n\r\n"), HasSubstr("the session has ended"));
}

// --- By SIGHUP, to a server program

// A file whose text can be changed so that no time of it tells: by a page of tmpfs that is mapped,
// and has been written before.
class UnstampedFile {
 public:
  UnstampedFile(const std::string& path, const std::string& text) : path_(path) {
    testing::WriteFile(path, text);
    chmod(path.c_str(), 0600);
    const int fd = open(path.c_str(), O_RDWR | O_CLOEXEC);
    void* const page = mmap(nullptr, text.size(), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    close(fd);
    if (page == MAP_FAILED) return;
    text_ = static_cast<volatile char*>(page);
    size_ = text.size();
    Put(0, text[0]);
  }
  ~UnstampedFile() {
    if (text_) munmap(const_cast<char*>(text_), size_);
  }
  UnstampedFile(const UnstampedFile&) = delete;
  UnstampedFile& operator=(const UnstampedFile&) = delete;

  void Put(size_t at, char letter) { text_[at] = letter; }
  // When something was last written, as far as the system tells.
  int64_t stamp() const {
    struct stat status {};
    stat(path_.c_str(), &status);
    return int64_t{status.st_mtim.tv_sec} * 1'000'000'000 + status.st_mtim.tv_nsec;
  }

 private:
  const std::string path_;
  volatile char* text_ = nullptr;
  size_t size_ = 0;
};

class AccessHangupTest : public ::testing::Test {
 protected:
  static constexpr char kMemory[] = "/dev/shm";
  static constexpr char kPolicy[] = R"(token_file: "tokens" audit { file: "audit.log" }
    role { name: "all" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN] } }
    grant { role: "all" principal: "somebody" }
  )";

  static bool HasTmpfs() {
    constexpr auto kTmpfsMagic = 0x01021994;
    struct statfs info {};
    return statfs(kMemory, &info) == 0 && info.f_type == kTmpfsMagic;
  }

  std::string Token(const std::string& name) {
    return access::CreateToken(directory_ + "/tokens", {.name = name}, absl::Now()).value();
  }

  void Serve() {
    server_ = std::make_unique<DemoServer>(std::vector<std::string>{"--access-file=" + file_});
  }

  std::string Start(const std::string& token, const std::string& job) {
    grpc::ClientContext context;
    context.AddMetadata("authorization", "Bearer " + token);
    v1::CreateRunRequest request;
    request.set_job(job);
    v1::Run run;
    const grpc::Status status = server_->stub().CreateRun(&context, request, &run);
    EXPECT_TRUE(status.ok()) << status.error_message();
    return run.id();
  }

  AccessHangupTest() {
    const char* const parent = HasTmpfs() ? kMemory : "/tmp";
    directory_ = absl::StrCat(parent, "/jobtail-test-XXXXXX");
    EXPECT_NE(mkdtemp(directory_.data()), nullptr);
    file_ = directory_ + "/access.txt";
  }
  ~AccessHangupTest() override {
    server_.reset();
    std::filesystem::remove_all(directory_);
  }

  std::string directory_;
  std::string file_;
  std::unique_ptr<DemoServer> server_;
};

TEST_F(AccessHangupTest, ARightThatIsTakenAwayEndsItsStreams) {
  if (!HasTmpfs()) GTEST_SKIP() << "no file system that keeps its files in memory";
  const std::string policy = kPolicy;
  UnstampedFile policy_file(file_, policy);
  const int64_t stamp = policy_file.stamp();
  const std::string token = Token("somebody");
  Serve();
  FollowedLog log(server_->stub(), token, Start(token, "stubborn"));
  ASSERT_GT(log.records(), 0);
  policy_file.Put(policy.find("grant"), '#');
  ASSERT_EQ(policy_file.stamp(), stamp) << "the server would notice by itself";
  server_->process().Signal(SIGHUP);
  const grpc::Status status = log.AwaitEnd();
  EXPECT_EQ(status.error_code(), grpc::StatusCode::PERMISSION_DENIED) << status.error_message();
}

TEST_F(AccessHangupTest, AFileWithAMistakeChangesNothingAndIsTold) {
  testing::WriteFile(file_, kPolicy);
  const std::string token = Token("somebody");
  Serve();
  testing::WriteFile(file_, "roll {}");
  server_->process().Signal(SIGHUP);
  Start(token, "colours");
  server_->process().Signal(SIGTERM);
  EXPECT_THAT(server_->process().Wait().err, HasSubstr("who may do what stays as it is"));
}

TEST_F(AccessHangupTest, TheAuditLogIsBegunAnewWhereItWasRenamed) {
  testing::WriteFile(file_, kPolicy);
  const std::string token = Token("somebody");
  Serve();
  const std::string log = directory_ + "/audit.log";
  const std::string first = Start(token, "colours");
  ASSERT_EQ(rename(log.c_str(), (log + ".1").c_str()), 0);
  const std::string second = Start(token, "colours");
  EXPECT_THAT(testing::ReadFile(log + ".1"), HasSubstr(second)) << "it is the same file";
  server_->process().Signal(SIGHUP);
  std::string third;
  EXPECT_TRUE(testing::Eventually([&] {
    third = Start(token, "colours");
    return ::access(log.c_str(), F_OK) == 0;
  }));
  EXPECT_THAT(testing::ReadFile(log + ".1"), HasSubstr(first));
  EXPECT_THAT(testing::ReadFile(log), HasSubstr(third));
  EXPECT_THAT(testing::ReadFile(log), Not(HasSubstr(second)));
}

}  // namespace
}  // namespace jobtail::e2e
