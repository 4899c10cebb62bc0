// A server whose disk is really full: a small one in memory, which it alone has.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/e2e/raw_call.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Outcome;
using jobtail::testing::Subprocess;
using jobtail::testing::TemporaryDirectory;
using ::testing::HasSubstr;

// Runs a command with a disk of its own mounted on a folder.
std::vector<std::string> OnSmallDisk(const std::string& folder, std::vector<std::string> command) {
  const std::vector<std::string> wrapper = {
      "/usr/bin/unshare",
      "--user",
      "--map-root-user",
      "--mount",
      "/bin/sh",
      "-c",
      "mount -t tmpfs -o size=256m none \"$0\" && exec \"$@\"",
      folder};
  command.insert(command.begin(), wrapper.begin(), wrapper.end());
  return command;
}

bool CanHaveDisk() {
  const TemporaryDirectory directory;
  return jobtail::testing::Run({.command = OnSmallDisk(directory.path(), {"/bin/true"})})
             .exit_code == 0;
}

class FullDisk : public ::testing::Test {
 protected:
  void SetUp() override {
    if (!CanHaveDisk()) GTEST_SKIP() << "no user namespaces here, in which to mount a disk";
    process_ = std::make_unique<Subprocess>(Subprocess::Options{
        .command = OnSmallDisk(directory_.path(), {JOBTAIL_DEMO, "--grpc-address=127.0.0.1:0",
                                                   "--data-dir=" + directory_.path()})});
    const std::string line = process_->ReadLine().value_or("");
    ASSERT_EQ(line.substr(0, 5), "grpc ");
    channel_ = OpenChannel(line.substr(5));
    stub_ = v1::JobService::NewStub(channel_);
  }

  // The disk as it is for the server, which is the only one to see it.
  std::string Filler() const {
    return "/proc/" + std::to_string(process_->pid()) + "/root" + directory_.path() + "/filler";
  }

  void Fill() const {
    const int file = open(Filler().c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    ASSERT_GE(file, 0);
    const std::string block(1 << 16, 'f');
    while (write(file, block.data(), block.size()) > 0) {
    }
    close(file);
  }

  grpc::Status TryRun() {
    v1::CreateRunRequest request;
    request.set_job("throws");
    v1::Run run;
    grpc::ClientContext context;
    return stub_->CreateRun(&context, request, &run);
  }

  grpc::Status AwaitStatus(grpc::StatusCode code) {
    grpc::Status status = TryRun();
    for (; status.error_code() != code; status = TryRun()) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
    return status;
  }

  void AwaitServing(bool serving) {
    const std::string wanted = serving ? "\x08\x01" : "\x08\x02";  // HealthCheckResponse.status
    while (RawCall(channel_, "/grpc.health.v1.Health/Check", "").messages !=
           std::vector<std::string>{wanted}) {
      std::this_thread::sleep_for(std::chrono::milliseconds(10));
    }
  }

  // Reads the run's log until the line after the first gap, which it returns. Before it, lines are
  // numbered without a hole, and the gap begins where they end.
  std::optional<v1::Gap> AwaitGap(const std::string& run) {
    grpc::ClientContext context;
    const auto reader = stub_->TailLog(&context, Follow(run));
    int64_t last = 0;
    std::optional<v1::Gap> gap;
    for (v1::LogBatch batch; (!gap || last == gap->last()) && reader->Read(&batch);) {
      for (const v1::LogLine& line : batch.lines()) {
        if (line.sequence() == 0) continue;
        EXPECT_EQ(line.has_gap() ? line.gap().first() : line.sequence(), last + 1);
        if (line.has_gap() && !gap) gap = line.gap();
        last = line.sequence();
      }
    }
    context.TryCancel();
    reader->Finish();
    return gap;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Subprocess> process_;
  std::shared_ptr<grpc::Channel> channel_;
  std::unique_ptr<v1::JobService::Stub> stub_;
};

TEST_F(FullDisk, RunsGoOnWithAnExactGapAndNewOnesAreRefusedUntilThereIsRoom) {
  const std::string run = StartRun(*stub_, "firehose", {{"lines", "1000000000"}});
  AwaitServing(true);
  Fill();
  const grpc::Status refused = AwaitStatus(grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("make room"));
  AwaitServing(false);
  EXPECT_EQ(GetRun(*stub_, run).state(), v1::RUN_STATE_RUNNING);

  ASSERT_TRUE(std::filesystem::remove(Filler()));
  AwaitStatus(grpc::StatusCode::OK);
  AwaitServing(true);
  const std::optional<v1::Gap> gap = AwaitGap(run);
  ASSERT_TRUE(gap);
  EXPECT_EQ(gap->reason(), v1::GAP_REASON_STORE_FULL);
  EXPECT_GE(gap->last(), gap->first());

  process_->Signal(SIGTERM);
  EXPECT_EQ(process_->Wait().exit_code, 0);
}

}  // namespace
}  // namespace jobtail::e2e
