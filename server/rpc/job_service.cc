#include "server/rpc/job_service.h"

#include <memory>
#include <string>
#include <utility>

#include "server/rpc/byte_buffer.h"
#include "server/rpc/log_reactors.h"
#include "server/rpc/status.h"
#include "server/rpc/watch_reactor.h"

namespace jobtail {
namespace {

// Answers a unary call with what `call` makes of the request, an absl::StatusOr of a message.
template <typename Request, typename Call>
JobService::Unary* Answer(JobService::Context* context, const grpc::ByteBuffer& bytes,
                          grpc::ByteBuffer* response, Call call) {
  JobService::Unary* reactor = context->DefaultReactor();
  Request request;
  absl::Status status = FromByteBuffer(bytes, &request);
  if (status.ok()) {
    const auto result = call(request);
    status = result.status();
    if (status.ok()) *response = ToByteBuffer(*result);
  }
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

// A stream that ends before it has begun.
class FailedStream : public JobService::Stream {
 public:
  explicit FailedStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

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

JobService::Stream* JobService::RunJob(Context* context, const grpc::ByteBuffer* request) {
  v1::RunJobRequest parsed;
  if (const absl::Status status = FromByteBuffer(*request, &parsed); !status.ok()) {
    return new FailedStream(status);
  }
  absl::StatusOr<Engine::Started> started = engine_->RunJob(parsed);
  if (!started.ok()) return new FailedStream(started.status());
  std::function<void()> on_gone = [] {};
  if (parsed.on_disconnect() == v1::ON_DISCONNECT_CANCEL) {
    v1::CancelRunRequest cancel;
    cancel.set_run(started->run);
    on_gone = [engine = engine_, cancel] { engine->CancelRun(cancel).IgnoreError(); };
  }
  return StreamReactor::Start(std::make_shared<RunJobReactor>(
      context, &streams_, std::move(started->cursor), std::move(on_gone)));
}

JobService::Stream* JobService::TailLog(Context* context, const grpc::ByteBuffer* request) {
  v1::TailLogRequest parsed;
  if (const absl::Status status = FromByteBuffer(*request, &parsed); !status.ok()) {
    return new FailedStream(status);
  }
  absl::StatusOr<std::unique_ptr<Cursor>> cursor = engine_->TailLog(parsed);
  if (!cursor.ok()) return new FailedStream(cursor.status());
  return StreamReactor::Start(
      std::make_shared<TailLogReactor>(context, &streams_, *std::move(cursor)));
}

JobService::Stream* JobService::WatchRuns(Context* context, const grpc::ByteBuffer* request) {
  v1::WatchRunsRequest parsed;
  if (const absl::Status status = FromByteBuffer(*request, &parsed); !status.ok()) {
    return new FailedStream(status);
  }
  absl::StatusOr<std::unique_ptr<RunWatch>> watch = engine_->WatchRuns(parsed);
  if (!watch.ok()) return new FailedStream(watch.status());
  return StreamReactor::Start(
      std::make_shared<WatchReactor>(context, &streams_, *std::move(watch)));
}

}  // namespace jobtail
