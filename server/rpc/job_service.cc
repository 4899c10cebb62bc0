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

JobService::Unary* Reply(JobService::Context* context, const absl::Status& status) {
  JobService::Unary* reactor = context->DefaultReactor();
  reactor->Finish(ToGrpcStatus(status));
  return reactor;
}

template <typename Response>
JobService::Unary* Reply(JobService::Context* context, absl::StatusOr<Response> result,
                         Response* response) {
  if (result.ok()) *response = *std::move(result);
  return Reply(context, result.status());
}

// A stream that ends before it has begun.
class FailedStream : public JobService::Stream {
 public:
  explicit FailedStream(const absl::Status& status) { Finish(ToGrpcStatus(status)); }
  void OnDone() override { delete this; }
};

}  // namespace

JobService::Unary* JobService::ListJobs(Context* context, const v1::ListJobsRequest* request,
                                        v1::ListJobsResponse* response) {
  return Reply(context, engine_->ListJobs(*request), response);
}

JobService::Unary* JobService::GetJob(Context* context, const v1::GetJobRequest* request,
                                      v1::Job* response) {
  return Reply(context, engine_->GetJob(*request), response);
}

JobService::Unary* JobService::CreateRun(Context* context, const v1::CreateRunRequest* request,
                                         v1::Run* response) {
  return Reply(context, engine_->CreateRun(*request), response);
}

JobService::Unary* JobService::GetRun(Context* context, const v1::GetRunRequest* request,
                                      v1::Run* response) {
  return Reply(context, engine_->GetRun(*request), response);
}

JobService::Unary* JobService::ListRuns(Context* context, const v1::ListRunsRequest* request,
                                        v1::ListRunsResponse* response) {
  return Reply(context, engine_->ListRuns(*request), response);
}

JobService::Unary* JobService::CancelRun(Context* context, const v1::CancelRunRequest* request,
                                         v1::Run* response) {
  return Reply(context, engine_->CancelRun(*request), response);
}

JobService::Unary* JobService::DeleteRun(Context* context, const v1::DeleteRunRequest* request,
                                         google::protobuf::Empty* response) {
  return Reply(context, engine_->DeleteRun(*request));
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
