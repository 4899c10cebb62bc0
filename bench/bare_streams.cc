#include "bench/bare_streams.h"

#include <utility>

#include "server/log/record.h"

namespace jobtail::bench {
namespace {

constexpr int64_t kLinesInABatch = 600;  // as many as make up about 64 KiB
constexpr int64_t kHintedInARow = 63;

grpc::ByteBuffer ToBuffer(const std::string& bytes) {
  const grpc::Slice slice(bytes);
  return {&slice, 1};
}

std::string EncodedBatch(int64_t lines, const std::string& text) {
  std::string batch;
  for (int64_t i = 1; i <= lines; ++i) {
    EncodeLine(i, 1'700'000'000'123'456'789 + i, {v1::STREAM_STDOUT, v1::ENDING_LF, 0, text},
               &batch);
  }
  return batch;
}

// Sends one message `count` times.
class Repeat : public grpc::ServerWriteReactor<grpc::ByteBuffer> {
 public:
  Repeat(const grpc::ByteBuffer* message, int64_t count, bool hint)
      : message_(message), left_(count), hint_(hint) {
    StartSendInitialMetadata();
  }
  void OnSendInitialMetadataDone(bool ok) override { OnWriteDone(ok); }
  void OnWriteDone(bool ok) override {
    if (!ok || left_ == 0) return Finish(grpc::Status::OK);
    --left_;
    grpc::WriteOptions options;
    if (hint_ && left_ > 0 && left_ % (kHintedInARow + 1) != 0) options.set_buffer_hint();
    StartWrite(message_, options);
  }
  void OnDone() override { delete this; }

 private:
  const grpc::ByteBuffer* const message_;
  int64_t left_;
  const bool hint_;
};

}  // namespace

class BareServer::Service final
    : public v1::JobService::WithRawCallbackMethod_RunJob<
          v1::JobService::WithRawCallbackMethod_TailLog<v1::JobService::Service>> {
 public:
  Service(int64_t lines, int bytes) : lines_(lines) {
    const std::string text(bytes, 'x');
    batch_ = ToBuffer(EncodedBatch(kLinesInABatch, text));
    const std::string one = EncodedBatch(1, text);
    RecordWalker walker(one);
    walker.Next();
    line_ = ToBuffer(std::string(walker.payload()));
  }

  grpc::ServerWriteReactor<grpc::ByteBuffer>* TailLog(grpc::CallbackServerContext*,
                                                      const grpc::ByteBuffer*) override {
    return new Repeat(&batch_, lines_ / kLinesInABatch, /*hint=*/false);
  }
  grpc::ServerWriteReactor<grpc::ByteBuffer>* RunJob(grpc::CallbackServerContext*,
                                                     const grpc::ByteBuffer*) override {
    return new Repeat(&line_, lines_, /*hint=*/true);
  }

 private:
  const int64_t lines_;
  grpc::ByteBuffer batch_;
  grpc::ByteBuffer line_;
};

BareServer::BareServer(int64_t lines, int bytes)
    : service_(std::make_unique<Service>(lines, bytes)) {
  grpc::ServerBuilder builder;
  int port = 0;
  builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port);
  builder.RegisterService(service_.get());
  server_ = builder.BuildAndStart();
  address_ = "127.0.0.1:" + std::to_string(port);
}

BareServer::~BareServer() { server_->Shutdown(); }

}  // namespace jobtail::bench
