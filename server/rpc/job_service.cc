// The calls of the API, translated.
#include "server/rpc/job_service.h"

#include <memory>
#include <string>
#include <utility>

#include "server/rpc/byte_buffer.h"
#include "server/rpc/framing.h"
#include "server/rpc/status.h"
#include "server/rpc/stream_reactor.h"
#include "server/stream/feed.h"

namespace jobtail {
namespace {

using OpenedFeed = absl::StatusOr<std::unique_ptr<Feed>>;

// Messages of this size come close to what the transport can carry, and stay far under its default
// limit of 4 MiB.
constexpr size_t kMessageBytes = 128 << 10;

// What a call costs in gRPC and here, besides its messages.
constexpr size_t kCallBytes = 16 << 10;

// A unary call, and what it holds of the budget until its answer is sent. Belongs to gRPC once it
// has been returned to it, and deletes itself in OnDone.
class UnaryCall final : public JobService::Unary {
 public:
  explicit UnaryCall(ByteBudget::Reservation held) : held_(std::move(held)) {}

  // RESOURCE_EXHAUSTED if the call with a request of so many bytes is beyond the budget.
  absl::Status HoldRequest(size_t bytes) { return held_.Resize(kCallBytes + bytes); }
  // The same for its answer. One that is about as large as the request always finds room: what was
  // asked for has been done by then.
  absl::Status HoldAnswer(size_t bytes) {
    return bytes <= held_.bytes() ? absl::OkStatus() : held_.Resize(kCallBytes + bytes);
  }

  void FinishWith(const absl::Status& status) { Finish(ToGrpcStatus(status)); }

  void OnDone() override { delete this; }

 private:
  ByteBudget::Reservation held_;
};

// Finishes a unary call with a result, an absl::StatusOr of a message.
template <typename Result>
void FinishWith(UnaryCall* call, const Result& result, grpc::ByteBuffer* response) {
  if (!result.ok()) return call->FinishWith(result.status());
  *response = ToByteBuffer(*result);
  const absl::Status held = call->HoldAnswer(response->Length());
  if (!held.ok()) response->Clear();
  call->FinishWith(held);
}

}  // namespace

// Answers a unary call, in the pool, with what `answer` makes of the request.
template <typename Request, typename MakeAnswer>
JobService::Unary* JobService::Answer(Context* context, const grpc::ByteBuffer& bytes,
                                      grpc::ByteBuffer* response, MakeAnswer answer) {
  if (on_call_) on_call_(context->peer());
  auto* const call = new UnaryCall({budget_, context->peer()});
  Request request;
  absl::Status status = call->HoldRequest(bytes.Length());
  if (status.ok()) status = FromByteBuffer(bytes, &request);
  if (!status.ok()) {
    call->FinishWith(status);
    return call;
  }
  streams_.pool().Run(context->peer(), [=, request = std::move(request)] {
    if (context->IsCancelled()) return call->Finish(grpc::Status::CANCELLED);
    FinishWith(call, answer(request), response);
  });
  return call;
}

JobService::Unary* JobService::ListJobs(Context* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
  return Answer<v1::ListJobsRequest>(context, *request, response, [this](const auto& parsed) {
    return engine_->ListJobs(parsed);
  });
}

JobService::Unary* JobService::GetJob(Context* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) {
  return Answer<v1::GetJobRequest>(context, *request, response,
                                   [this](const auto& parsed) { return engine_->GetJob(parsed); });
}

JobService::Unary* JobService::CreateRun(Context* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  return Answer<v1::CreateRunRequest>(context, *request, response, [this](const auto& parsed) {
    return engine_->CreateRun(parsed);
  });
}

JobService::Unary* JobService::GetRun(Context* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) {
  return Answer<v1::GetRunRequest>(context, *request, response,
                                   [this](const auto& parsed) { return engine_->GetRun(parsed); });
}

JobService::Unary* JobService::ListRuns(Context* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
  return Answer<v1::ListRunsRequest>(context, *request, response, [this](const auto& parsed) {
    return engine_->ListRuns(parsed);
  });
}

JobService::Unary* JobService::CancelRun(Context* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  return Answer<v1::CancelRunRequest>(context, *request, response, [this](const auto& parsed) {
    return engine_->CancelRun(parsed);
  });
}

JobService::Unary* JobService::DeleteRun(Context* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  using Result = absl::StatusOr<google::protobuf::Empty>;
  return Answer<v1::DeleteRunRequest>(context, *request, response, [this](const auto& parsed) {
    const absl::Status deleted = engine_->DeleteRun(parsed);
    return deleted.ok() ? Result(google::protobuf::Empty()) : Result(deleted);
  });
}

// Answers with a stream of what `open` makes of the request.
template <typename Request, typename Open>
JobService::GrpcStream* JobService::Follow(Context* context, const grpc::ByteBuffer& bytes,
                                           std::unique_ptr<Framing> framing, Open open) {
  if (on_call_) on_call_(context->peer());
  auto* const reactor = new StreamReactor(context, &streams_, std::move(framing));
  // Until the stream is open. Shared, since what is given to the pool can be copied.
  const auto held = std::make_shared<ByteBudget::Reservation>(budget_, context->peer());
  Request request;
  absl::Status status = held->Resize(kCallBytes + bytes.Length());
  if (status.ok()) status = FromByteBuffer(bytes, &request);
  if (!status.ok()) {
    reactor->Fail(status);
  } else {
    reactor->Start(
        [open = std::move(open), request = std::move(request), held] { return open(request); });
  }
  return reactor;
}

JobService::GrpcStream* JobService::RunJob(Context* context, const grpc::ByteBuffer* request) {
  return Follow<v1::RunJobRequest>(
      context, *request, std::make_unique<LineFraming>(),
      [engine = engine_](const v1::RunJobRequest& parsed) -> OpenedFeed {
        absl::StatusOr<Engine::Started> started = engine->RunJob(parsed);
        if (!started.ok()) return started.status();
        std::function<void()> on_gone;
        if (parsed.on_disconnect() == v1::ON_DISCONNECT_CANCEL) {
          v1::CancelRunRequest cancel;
          cancel.set_run(started->run);
          on_gone = [engine, cancel] { engine->CancelRun(cancel).IgnoreError(); };
        }
        return std::make_unique<LogFeed>(std::move(started->cursor), kMessageBytes,
                                         std::move(on_gone));
      });
}

JobService::GrpcStream* JobService::TailLog(Context* context, const grpc::ByteBuffer* request) {
  return Follow<v1::TailLogRequest>(
      context, *request, std::make_unique<BatchFraming>(),
      [engine = engine_](const v1::TailLogRequest& parsed) -> OpenedFeed {
        absl::StatusOr<std::unique_ptr<Cursor>> cursor = engine->TailLog(parsed);
        if (!cursor.ok()) return cursor.status();
        return std::make_unique<LogFeed>(*std::move(cursor), kMessageBytes, nullptr);
      });
}

JobService::GrpcStream* JobService::WatchRuns(Context* context, const grpc::ByteBuffer* request) {
  return Follow<v1::WatchRunsRequest>(
      context, *request, std::make_unique<RunFraming>(),
      [engine = engine_](const v1::WatchRunsRequest& parsed) -> OpenedFeed {
        absl::StatusOr<std::unique_ptr<RunWatch>> watch = engine->WatchRuns(parsed);
        if (!watch.ok()) return watch.status();
        return std::make_unique<RunFeed>(*std::move(watch));
      });
}

}  // namespace jobtail
