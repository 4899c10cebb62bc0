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

// Finishes a unary call with a result, an absl::StatusOr of a message.
template <typename Result>
void Finish(JobService::Unary* reactor, const Result& result, grpc::ByteBuffer* response) {
  if (result.ok()) *response = ToByteBuffer(*result);
  reactor->Finish(ToGrpcStatus(result.status()));
}

}  // namespace

// Answers a unary call, in the pool, with what `call` makes of the request.
template <typename Request, typename Call>
JobService::Unary* JobService::Answer(Context* context, const grpc::ByteBuffer& bytes,
                                      grpc::ByteBuffer* response, Call call) {
  Unary* const reactor = context->DefaultReactor();
  Request request;
  if (const absl::Status status = FromByteBuffer(bytes, &request); !status.ok()) {
    reactor->Finish(ToGrpcStatus(status));
    return reactor;
  }
  streams_.pool().Run(context->peer(), [=, request = std::move(request)] {
    if (context->IsCancelled()) return reactor->Finish(grpc::Status::CANCELLED);
    Finish(reactor, call(request), response);
  });
  return reactor;
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
  auto* const reactor = new StreamReactor(context, &streams_, std::move(framing));
  Request request;
  if (const absl::Status status = FromByteBuffer(bytes, &request); !status.ok()) {
    reactor->Fail(status);
  } else {
    reactor->Start(
        [open = std::move(open), request = std::move(request)] { return open(request); });
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
