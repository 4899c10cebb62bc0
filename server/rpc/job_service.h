// jobtail.v1.JobService in gRPC.
#ifndef JOBTAIL_SERVER_RPC_JOB_SERVICE_H_
#define JOBTAIL_SERVER_RPC_JOB_SERVICE_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <memory>
#include <string>
#include <utility>

#include "absl/time/time.h"
#include "jobtail/v1/job_service.grpc.pb.h"
#include "server/access/access_control.h"
#include "server/rpc/admission.h"
#include "server/rpc/framing.h"
#include "server/rpc/handled_calls.h"
#include "server/run/engine.h"
#include "server/stream/byte_budget.h"
#include "server/stream/store_pool.h"
#include "server/stream/stream_set.h"

namespace jobtail {

namespace internal {

// All calls are raw: the streams' messages are made of stored bytes, and a request that is
// malformed gets our answer instead of gRPC's.
template <typename Base>
using Streams =
    v1::JobService::WithRawCallbackMethod_RunJob<v1::JobService::WithRawCallbackMethod_TailLog<
        v1::JobService::WithRawCallbackMethod_WatchRuns<Base>>>;
template <typename Base>
using UnaryJobs = v1::JobService::WithRawCallbackMethod_ListJobs<
    v1::JobService::WithRawCallbackMethod_GetJob<Base>>;
template <typename Base>
using UnaryRuns = v1::JobService::WithRawCallbackMethod_CreateRun<
    v1::JobService::WithRawCallbackMethod_GetRun<v1::JobService::WithRawCallbackMethod_ListRuns<
        v1::JobService::WithRawCallbackMethod_CancelRun<
            v1::JobService::WithRawCallbackMethod_DeleteRun<
                v1::JobService::WithRawCallbackMethod_WhoAmI<Base>>>>>>;
using JobServiceBase = Streams<UnaryJobs<UnaryRuns<v1::JobService::Service>>>;

}  // namespace internal

// The gRPC door to the engine: translates, and does nothing else; each call names its caller. What
// may wait for the store is done in the pool, in turns that go by connection. Calls that wait for
// their turn, their requests and the answers that are not sent yet are within the budget; those
// beyond end with RESOURCE_EXHAUSTED. Thread-safe. Engine, pool and budget outlive it; it outlives
// the grpc::Server that it is registered with.
class JobService final : public internal::JobServiceBase {
 public:
  using Context = grpc::CallbackServerContext;
  using Unary = grpc::ServerUnaryReactor;
  using GrpcStream = grpc::ServerWriteReactor<grpc::ByteBuffer>;

  // Streams that have been idle for `heartbeat`, by the engine's clock, are sent one.
  JobService(Engine* engine, StorePool* pool, ByteBudget* budget, absl::Duration heartbeat)
      : engine_(engine),
        budget_(budget),
        streams_(pool, heartbeat, "rpc-streams", engine->clock()) {}

  // Before the first call.
  void OnCall(OnCallFunction on_call) { on_call_ = std::move(on_call); }
  void OnAdmit(OnAdmitFunction on_admit) { on_admit_ = std::move(on_admit); }

  // See StreamSet. Before the first call.
  void BoundMessages(size_t bytes) { streams_.BoundMessages(bytes); }

  // Ends every stream with UNAVAILABLE and a resume point (see StreamSet), those that are still to
  // come as well.
  void StopStreams(absl::Duration grace) { streams_.StopAll(grace); }

  // Soon ends the streams whose readers may not read on.
  void CheckRights() { streams_.CheckRights(); }

  StreamStats stream_stats() const { return streams_.stats(); }

  Unary* ListJobs(Context* context, const grpc::ByteBuffer* request,
                  grpc::ByteBuffer* response) override;
  Unary* GetJob(Context* context, const grpc::ByteBuffer* request,
                grpc::ByteBuffer* response) override;
  Unary* CreateRun(Context* context, const grpc::ByteBuffer* request,
                   grpc::ByteBuffer* response) override;
  Unary* GetRun(Context* context, const grpc::ByteBuffer* request,
                grpc::ByteBuffer* response) override;
  Unary* ListRuns(Context* context, const grpc::ByteBuffer* request,
                  grpc::ByteBuffer* response) override;
  Unary* CancelRun(Context* context, const grpc::ByteBuffer* request,
                   grpc::ByteBuffer* response) override;
  Unary* DeleteRun(Context* context, const grpc::ByteBuffer* request,
                   grpc::ByteBuffer* response) override;
  Unary* WhoAmI(Context* context, const grpc::ByteBuffer* request,
                grpc::ByteBuffer* response) override;
  GrpcStream* RunJob(Context* context, const grpc::ByteBuffer* request) override;
  GrpcStream* TailLog(Context* context, const grpc::ByteBuffer* request) override;
  GrpcStream* WatchRuns(Context* context, const grpc::ByteBuffer* request) override;

 private:
  template <typename Request, typename MakeAnswer>
  Unary* Answer(Context* context, const grpc::ByteBuffer& bytes, grpc::ByteBuffer* response,
                MakeAnswer answer);
  template <typename Request, typename Open>
  GrpcStream* Follow(Context* context, const grpc::ByteBuffer& bytes,
                     std::unique_ptr<Framing> framing, Open open);

  HandledCalls::Call Count(const Context& context, size_t bytes) const;
  absl::StatusOr<access::Caller> Admit(const Context& context, size_t bytes,
                                       access::Quotas::Place* place) const;
  absl::StatusOr<access::Quotas::Place> HoldRequest(const Context& context, size_t bytes);

  Engine* const engine_;
  ByteBudget* const budget_;
  OnCallFunction on_call_;
  OnAdmitFunction on_admit_;
  StreamSet streams_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_JOB_SERVICE_H_
