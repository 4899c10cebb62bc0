// Tests of many readers of one run that read, stall or vanish.

#include <gmock/gmock.h>

#include <memory>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

// A stream that is open and not being read.
struct Reader {
  grpc::ClientContext context;
  std::unique_ptr<grpc::ClientReader<v1::LogBatch>> stream;
};

using Readers = std::vector<std::unique_ptr<Reader>>;

void Open(v1::JobService::Stub& stub, const std::string& run, int count, Readers& readers) {
  for (int i = 0; i < count; ++i) {
    Reader& reader = *readers.emplace_back(std::make_unique<Reader>());
    reader.stream = stub.TailLog(&reader.context, Follow(run));
  }
}

Readers Open(v1::JobService::Stub& stub, const std::string& run, int count) {
  Readers readers;
  Open(stub, run, count, readers);
  return readers;
}

class ManyReaders : public ::testing::Test {
 protected:
  ManyReaders() {
    server_.Add("talks", [this](JobContext&) {
      puts("before");
      go_on_.WaitForNotification();
      for (int i = 0; i < kLines; ++i) puts("line");
    });
    run_ = StartRun(server_.stub(), "talks");
    for (int i = 0; i < 2; ++i) connections_.push_back(Connect(server_.server().grpc_address()));
  }

  // More readers than one connection may have.
  Readers OpenMany() {
    Readers readers;
    for (const auto& connection : connections_) Open(*connection, run_, kReadersEach, readers);
    return readers;
  }

  static constexpr int kLines = 1000;
  static constexpr int kReadersEach = 1000;

  absl::Notification go_on_;
  EmbeddedServer server_;
  std::vector<std::unique_ptr<v1::JobService::Stub>> connections_;
  std::string run_;
};

TEST_F(ManyReaders, AllSeeEverything) {
  const Readers readers = OpenMany();
  for (const auto& reader : readers) {
    v1::LogBatch batch;
    ASSERT_TRUE(reader->stream->Read(&batch));
  }
  go_on_.Notify();
  for (const auto& reader : readers) {
    int64_t last = 0;
    bool ended = false;
    for (v1::LogBatch batch; reader->stream->Read(&batch);) {
      last = std::max(last, batch.lines().rbegin()->sequence());
      ended = batch.lines().rbegin()->has_result();
    }
    ASSERT_TRUE(reader->stream->Finish().ok());
    ASSERT_TRUE(ended);
    ASSERT_EQ(last, kLines + 2);
  }
}

TEST_F(ManyReaders, ThatVanishLeaveTheJobAndTheOthersAlone) {
  Readers vanishing = OpenMany();
  const auto staying = Open(server_.stub(), run_, 3);
  std::thread leaving([&] {
    for (const auto& reader : vanishing) reader->context.TryCancel();
    vanishing.clear();
  });
  go_on_.Notify();
  for (const auto& reader : staying) {
    EXPECT_EQ(Transcript::Read(*reader->stream).last_sequence(), kLines + 2);
  }
  leaving.join();
  EXPECT_EQ(server_.server().Stop(), 0);
}

TEST_F(ManyReaders, ThatVanishWithTheirConnectionLeaveTheJobAlone) {
  for (int round = 0; round < 20; ++round) {
    const auto stub = Connect(server_.server().grpc_address());
    for (const auto& reader : Open(*stub, run_, 50)) reader->context.TryCancel();
  }
  go_on_.Notify();
  EXPECT_EQ(Tail(server_.stub(), Follow(run_)).last_sequence(), kLines + 2);
}

// Each of them is in the middle of its stream, and none reads on.
TEST_F(ManyReaders, ThatStallDoNotKeepTheServerFromStopping) {
  go_on_.Notify();
  server_.Add("floods", [](JobContext&) {
    const std::string line(1000, 'x');
    for (int i = 0; i < 5000; ++i) puts(line.c_str());
  });
  const std::string run = StartRun(server_.stub(), "floods");
  WaitUntilEnded(server_.stub(), run);
  const auto readers = Open(server_.stub(), run, 200);
  for (const auto& reader : readers) {
    v1::LogBatch batch;
    ASSERT_TRUE(reader->stream->Read(&batch));
  }
  EXPECT_EQ(server_.server().Stop(), 0);
  for (const auto& reader : readers) reader->context.TryCancel();
}

}  // namespace
}  // namespace jobtail::e2e
