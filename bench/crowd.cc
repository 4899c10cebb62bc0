// Many readers in one process, which parse nothing.

#include "bench/crowd.h"

#include <grpcpp/impl/codegen/proto_utils.h>

#include <algorithm>
#include <stdexcept>

#include "absl/synchronization/notification.h"
#include "jobtail/v1/job_service.pb.h"

namespace jobtail::bench {
namespace {

constexpr char kTailLog[] = "/jobtail.v1.JobService/TailLog";

grpc::ByteBuffer RequestFor(const std::string& run, const std::string& pattern) {
  v1::TailLogRequest request;
  request.set_run(run);
  request.set_pattern(pattern);
  request.set_follow(true);
  const grpc::Slice slice(request.SerializeAsString());
  return {&slice, 1};
}

}  // namespace

class Crowd::Reader : public grpc::ClientBidiReactor<grpc::ByteBuffer, grpc::ByteBuffer> {
 public:
  Reader(grpc::GenericStub* stub, const std::string& run, bool stall, const std::string& pattern)
      : request_(RequestFor(run, pattern)), stall_(stall) {
    stub->PrepareBidiStreamingCall(&context_, kTailLog, {}, this);
    StartWriteLast(&request_, {});
    StartRead(&message_);
    StartCall();
  }

  void OnReadDone(bool ok) override {
    if (!ok) return;
    bytes_ += static_cast<int64_t>(message_.Length());
    last_.Swap(&message_);
    message_.Clear();
    if (!ready_.HasBeenNotified()) {
      ready_.Notify();
      if (stall_) return;
    }
    StartRead(&message_);
  }
  void OnDone(const grpc::Status& status) override {
    status_ = status;
    if (!ready_.HasBeenNotified()) ready_.Notify();
    done_.Notify();
  }

  void Leave() {
    context_.TryCancel();
    done_.WaitForNotification();
  }
  void WaitUntilReady() {
    ready_.WaitForNotification();
    if (done_.HasBeenNotified()) CheckStatus();
  }
  void WaitUntilEnded() {
    done_.WaitForNotification();
    CheckStatus();
  }
  int64_t bytes() const { return bytes_; }

  // What the result at the end of the log says; -1 where there is none.
  int64_t total_lines() {
    v1::LogBatch batch;
    const bool parsed = grpc::SerializationTraits<v1::LogBatch>::Deserialize(&last_, &batch).ok();
    if (!parsed || batch.lines().empty() || !batch.lines().rbegin()->has_result()) return -1;
    return batch.lines().rbegin()->result().total_lines();
  }

 private:
  void CheckStatus() const {
    if (!status_.ok()) throw std::runtime_error("a stream ended: " + status_.error_message());
  }

  grpc::ClientContext context_;
  const grpc::ByteBuffer request_;
  const bool stall_;
  grpc::ByteBuffer message_;
  grpc::ByteBuffer last_;  // the message before
  int64_t bytes_ = 0;
  grpc::Status status_;
  absl::Notification ready_;
  absl::Notification done_;
};

Crowd::Crowd(const std::string& address, int connections) {
  for (int i = 0; i < connections; ++i) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stubs_.push_back(std::make_unique<grpc::GenericStub>(
        grpc::CreateCustomChannel(address, grpc::InsecureChannelCredentials(), arguments)));
  }
}

Crowd::~Crowd() {
  for (const auto& reader : readers_) reader->Leave();
}

void Crowd::Add(const std::string& run, bool stall, const std::string& pattern) {
  grpc::GenericStub* stub = stubs_[readers_.size() % stubs_.size()].get();
  readers_.push_back(std::make_unique<Reader>(stub, run, stall, pattern));
}

void Crowd::WaitUntilReady() {
  for (const auto& reader : readers_) reader->WaitUntilReady();
}

void Crowd::WaitUntilEnded() {
  for (const auto& reader : readers_) reader->WaitUntilEnded();
}

Crowd::Totals Crowd::totals() const {
  Totals totals;
  for (const auto& reader : readers_) {
    totals.bytes += reader->bytes();
    totals.least_bytes = std::min(totals.least_bytes, reader->bytes());
    totals.least_lines = std::min(totals.least_lines, reader->total_lines());
  }
  return totals;
}

}  // namespace jobtail::bench
