#ifndef JOBTAIL_SERVER_RPC_JOB_SERVICE_H_
#define JOBTAIL_SERVER_RPC_JOB_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include "absl/time/time.h"
#include "jobtail/v1/job_service.grpc.pb.h"
#include "server/rpc/stream_set.h"
#include "server/run/engine.h"

namespace jobtail {

namespace internal {

// Streams are raw: their messages are made of stored bytes. The other calls use messages.
template <typename Base>
using RawStreams =
    v1::JobService::WithRawCallbackMethod_RunJob<v1::JobService::WithRawCallbackMethod_TailLog<
        v1::JobService::WithRawCallbackMethod_WatchRuns<Base>>>;
template <typename Base>
using UnaryJobs =
    v1::JobService::WithCallbackMethod_ListJobs<v1::JobService::WithCallbackMethod_GetJob<Base>>;
template <typename Base>
using UnaryRuns =
    v1::JobService::WithCallbackMethod_CreateRun<v1::JobService::WithCallbackMethod_GetRun<
        v1::JobService::WithCallbackMethod_ListRuns<v1::JobService::WithCallbackMethod_CancelRun<
            v1::JobService::WithCallbackMethod_DeleteRun<Base>>>>>;
using JobServiceBase = RawStreams<UnaryJobs<UnaryRuns<v1::JobService::Service>>>;

}  // namespace internal

// The gRPC door to the engine: translates, and does nothing else. Thread-safe. The engine outlives
// it; it outlives the grpc::Server that it is registered with.
class JobService final : public internal::JobServiceBase {
 public:
  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;
  using Stream = grpc::ServerWriteReactor<grpc::ByteBuffer>;

  JobService(Engine* engine, absl::Duration heartbeat) : engine_(engine), streams_(heartbeat) {}

  // Ends every stream with UNAVAILABLE and a resume point (see StreamSet), those that are still to
  // come as well.
  void StopStreams(absl::Time deadline) { streams_.StopAll(deadline); }

  Unary* ListJobs(Context* context, const v1::ListJobsRequest* request,
                  v1::ListJobsResponse* response) override;
  Unary* GetJob(Context* context, const v1::GetJobRequest* request, v1::Job* response) override;
  Unary* CreateRun(Context* context, const v1::CreateRunRequest* request,
                   v1::Run* response) override;
  Unary* GetRun(Context* context, const v1::GetRunRequest* request, v1::Run* response) override;
  Unary* ListRuns(Context* context, const v1::ListRunsRequest* request,
                  v1::ListRunsResponse* response) override;
  Unary* CancelRun(Context* context, const v1::CancelRunRequest* request,
                   v1::Run* response) override;
  Unary* DeleteRun(Context* context, const v1::DeleteRunRequest* request,
                   google::protobuf::Empty* response) override;
  Stream* RunJob(Context* context, const grpc::ByteBuffer* request) override;
  Stream* TailLog(Context* context, const grpc::ByteBuffer* request) override;
  Stream* WatchRuns(Context* context, const grpc::ByteBuffer* request) override;

 private:
  Engine* const engine_;
  StreamSet streams_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_JOB_SERVICE_H_
