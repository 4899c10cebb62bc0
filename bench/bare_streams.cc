// gRPC without jobtail, as the limit to compare with.

#include "bench/bare_streams.h"

#include <map>
#include <mutex>
#include <semaphore>
#include <sstream>
#include <thread>
#include <utility>
#include <vector>

#include "bench/tls_files.h"
#include "bench/workload.h"
#include "jobtail/v1/job_service.grpc.pb.h"
#include "server/log/batch.h"
#include "server/log/record.h"
#include "server/rpc/byte_buffer.h"

namespace jobtail::bench {
namespace {

using Reactor = grpc::ServerWriteReactor<grpc::ByteBuffer>;

constexpr int64_t kLineOverhead = 30;   // what a line's number, time and tags take, about
constexpr int64_t kHintedInARow = 255;  // as LineFraming, so that both write as much at a time
constexpr int64_t kSomeTime = 1'700'000'000'123'456'789;

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::string EncodedBatch(int64_t lines, const std::string& text) {
  std::string batch;
  for (int64_t i = 1; i <= lines; ++i) {
    EncodeLine(i, kSomeTime + i, {v1::STREAM_STDOUT, v1::ENDING_LF, 0, text}, &batch);
  }
  return batch;
}

// A message and how often it is to be sent.
struct Repetition {
  grpc::ByteBuffer message;
  int64_t count = 0;
};

// Sends messages over and over. A stream that waits for something sends an empty message first.
class Repeat : public Reactor {
 public:
  Repeat(std::vector<Repetition> parts, bool hint, bool wait)
      : parts_(std::move(parts)), hint_(hint), waiting_(wait) {
    if (wait) {
      StartWrite(&empty_);
    } else {
      StartSendInitialMetadata();
    }
  }
  // To be called once, where the stream waits.
  void Go() {
    {
      std::lock_guard lock(mutex_);
      waiting_ = false;
      if (!first_written_) return;
    }
    WriteNext();
  }
  void OnSendInitialMetadataDone(bool ok) override { OnWriteDone(ok); }
  void OnWriteDone(bool ok) override {
    if (!ok) return Finish(grpc::Status::CANCELLED);
    {
      std::lock_guard lock(mutex_);
      first_written_ = true;
      if (waiting_) return;
    }
    WriteNext();
  }
  void OnDone() override { delete this; }

 private:
  void WriteNext() {
    while (at_ < parts_.size() && parts_[at_].count == 0) ++at_;
    if (at_ == parts_.size()) return Finish(grpc::Status::OK);
    const int64_t left = --parts_[at_].count;
    grpc::WriteOptions options;
    if (hint_ && left > 0 && left % (kHintedInARow + 1) != 0) options.set_buffer_hint();
    StartWrite(&parts_[at_].message, options);
  }

  std::vector<Repetition> parts_;
  size_t at_ = 0;
  grpc::ByteBuffer empty_ = ToBuffer("");
  const bool hint_;
  std::mutex mutex_;
  bool waiting_;
  bool first_written_ = false;
};

// Sends the time, as soon as it has been printed and from the thread that prints.
class Stamps : public Reactor {
 public:
  Stamps(int64_t count, int64_t interval_micros) {
    StartSendInitialMetadata();
    std::thread([this, count, interval_micros] { Run(count, interval_micros); }).detach();
  }
  void OnSendInitialMetadataDone(bool ok) override { OnWriteDone(ok); }
  void OnWriteDone(bool) override { free_.release(); }
  void OnDone() override { delete this; }

 private:
  void Run(int64_t count, int64_t interval_micros) {
    EachStamp(count, interval_micros, [this](const std::string& line) {
      std::string batch;
      EncodeLine(1, kSomeTime, {v1::STREAM_STDOUT, v1::ENDING_LF, 0, line}, &batch);
      free_.acquire();
      message_ = ToBuffer(batch);
      StartWrite(&message_);
    });
    free_.acquire();
    Finish(grpc::Status::OK);
  }

  std::binary_semaphore free_{0};
  grpc::ByteBuffer message_;
};

// Streams that wait for a fifo to be opened.
class Gates {
 public:
  void Add(const std::string& gate, Repeat* stream) {
    std::lock_guard lock(mutex_);
    auto& streams = waiting_[gate];
    streams.push_back(stream);
    if (streams.size() > 1) return;
    std::thread([this, gate] { Open(gate); }).detach();
  }

 private:
  void Open(const std::string& gate) {
    WaitAtGate(gate);
    std::unique_lock lock(mutex_);
    const auto streams = std::move(waiting_.extract(gate).mapped());
    lock.unlock();
    for (Repeat* stream : streams) stream->Go();
  }

  std::mutex mutex_;
  std::map<std::string, std::vector<Repeat*>> waiting_;
};

}  // namespace

class BareServer::Service final
    : public v1::JobService::WithRawCallbackMethod_RunJob<
          v1::JobService::WithRawCallbackMethod_TailLog<v1::JobService::Service>> {
 public:
  Reactor* TailLog(grpc::CallbackServerContext*, const grpc::ByteBuffer* bytes) override {
    v1::TailLogRequest request;
    if (!FromByteBuffer(*bytes, &request).ok()) return Refuse();
    std::istringstream spec(request.run());
    std::string kind;
    std::string gate;
    int64_t count = 0;
    int64_t detail = 0;
    spec >> kind >> count >> detail >> gate;
    if (kind == "stamps") return new Stamps(count, detail);
    if (kind != "lines") return Refuse();
    auto* stream = new Repeat(Batches(count, detail), /*hint=*/false, !gate.empty());
    if (!gate.empty()) gates_.Add(gate, stream);
    return stream;
  }

  Reactor* RunJob(grpc::CallbackServerContext*, const grpc::ByteBuffer* bytes) override {
    v1::RunJobRequest request;
    if (!FromByteBuffer(*bytes, &request).ok() || request.job() != "lines") return Refuse();
    const std::string text(std::stoul(request.parameters().at("bytes")), 'x');
    const std::string one = EncodedBatch(1, text);
    RecordWalker walker(one);
    walker.Next();
    const int64_t count = std::stoll(request.parameters().at("lines"));
    return new Repeat({{ToBuffer(std::string(walker.payload())), count}}, /*hint=*/true,
                      /*wait=*/false);
  }

 private:
  static Reactor* Refuse() {
    class Refusal : public Reactor {
     public:
      Refusal() { Finish({grpc::StatusCode::INVALID_ARGUMENT, "see bench/bare_streams.h"}); }
      void OnDone() override { delete this; }
    };
    return new Refusal;
  }

  // Whole batches, which all streams of such lines share, and what is left.
  std::vector<Repetition> Batches(int64_t lines, int64_t bytes) {
    const std::string text(static_cast<size_t>(bytes), 'x');
    const int64_t in_a_batch = static_cast<int64_t>(kBatchBytes) / (bytes + kLineOverhead) + 1;
    std::lock_guard lock(mutex_);
    auto [batch, is_new] = batches_.try_emplace(bytes);
    if (is_new) batch->second = ToBuffer(EncodedBatch(in_a_batch, text));
    return {{batch->second, lines / in_a_batch},
            {ToBuffer(EncodedBatch(lines % in_a_batch, text)), lines % in_a_batch > 0 ? 1 : 0}};
  }

  Gates gates_;
  std::mutex mutex_;
  std::map<int64_t, grpc::ByteBuffer> batches_;  // by the length of the lines
};

BareServer::BareServer() : service_(std::make_unique<Service>()) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", ServerCredentials(), &port);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

BareServer::~BareServer() { server_->Shutdown(); }

}  // namespace jobtail::bench
