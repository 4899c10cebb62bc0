// A thousand readers that stop reading: they cost no memory that grows with the log, the job goes
// on without them, and each continues later where it was, from the store and on into the tail.

#include <gmock/gmock.h>
#include <unistd.h>

#include <cstdio>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

constexpr int kReaders = 1000;
constexpr int64_t kPart = 1500;  // lines, of about a kilobyte
constexpr int64_t kAll = 3 * kPart;

std::string Text(int64_t number) {
  std::string text = std::to_string(number) + " ";
  text.resize(1000, '.');
  return text;
}

int64_t ResidentBytes() {
  int64_t total;
  int64_t resident = 0;
  std::ifstream("/proc/self/statm") >> total >> resident;
  return resident * sysconf(_SC_PAGESIZE);
}

class Reader {
 public:
  Reader(v1::JobService::Stub& stub, const std::string& run)
      : stream_(stub.TailLog(&context_, Follow(run))) {}
  ~Reader() { context_.TryCancel(); }

  // Reads one message, which leaves the stream in the middle of the log.
  void ReadALittle() {
    v1::LogBatch batch;
    ASSERT_TRUE(stream_->Read(&batch));
    Check(batch);
  }
  void ReadTheRest() {
    for (v1::LogBatch batch; stream_->Read(&batch);) ASSERT_NO_FATAL_FAILURE(Check(batch));
    EXPECT_TRUE(stream_->Finish().ok());
    EXPECT_EQ(next_, kAll + 2);
  }

 private:
  void Check(const v1::LogBatch& batch) {
    for (const v1::LogLine& line : batch.lines()) {
      if (line.sequence() == 0) continue;
      ASSERT_EQ(line.sequence(), next_);
      if (next_ <= kAll) {
        ASSERT_EQ(line.text(), Text(next_));
      }
      ++next_;
    }
  }

  grpc::ClientContext context_;
  const std::unique_ptr<grpc::ClientReader<v1::LogBatch>> stream_;
  int64_t next_ = 1;
};

// The job prints a part and waits, three times.
class StalledReaders : public ::testing::Test {
 protected:
  StalledReaders() {
    server_.Add("prints", [this](JobContext&) {
      for (int64_t part = 0; part < 3; ++part) {
        go_on_[part].WaitForNotification();
        for (int64_t i = 1; i <= kPart; ++i) puts(Text(part * kPart + i).c_str());
        printed_[part].Notify();
      }
    });
    run_ = StartRun(server_.stub(), "prints");
  }

  void Print(int part) {
    go_on_[part].Notify();
    printed_[part].WaitForNotification();
  }

  absl::Notification go_on_[3];
  absl::Notification printed_[3];
  EmbeddedServer server_;
  std::string run_;
};

TEST_F(StalledReaders, CostNoGrowingMemoryAndContinueWithoutLoss) {
  Print(0);
  std::vector<std::unique_ptr<Reader>> readers;
  for (int i = 0; i < kReaders; ++i) {
    readers.push_back(std::make_unique<Reader>(server_.stub(), run_));
    ASSERT_NO_FATAL_FAILURE(readers.back()->ReadALittle());
  }
  const int64_t before = ResidentBytes();
  Print(1);
  // The log itself may lie in memory. A queue for each reader would take far more than these eight
  // bytes for each of its lines.
  constexpr int64_t kLogBytes = kPart * 1100;
  EXPECT_LT(ResidentBytes() - before, kLogBytes + 8 * kReaders * kPart);

  std::vector<std::thread> continuing;  // while the job prints
  for (int i = 0; i < 8; ++i) continuing.emplace_back([&, i] { readers[i]->ReadTheRest(); });
  Print(2);
  for (std::thread& thread : continuing) thread.join();
  for (size_t i = continuing.size(); i < readers.size(); ++i) {
    ASSERT_NO_FATAL_FAILURE(readers[i]->ReadTheRest());
  }
}

}  // namespace
}  // namespace jobtail::e2e
