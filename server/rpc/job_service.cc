// The calls of the API, translated.
#include "server/rpc/job_service.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "server/access/access_control.h"
#include "server/oidc/sign_in.h"
#include "server/rpc/admission.h"
#include "server/rpc/byte_buffer.h"
#include "server/rpc/framing.h"
#include "server/rpc/status.h"
#include "server/rpc/stream_reactor.h"
#include "server/stream/feed.h"

namespace jobtail {
namespace {

using OpenedFeed = absl::StatusOr<std::unique_ptr<Feed>>;

// Messages of a log have so many bytes and a batch more at most, which is far under gRPC's default
// limit of 4 MiB. What a reader is behind is mostly whole batches, one in each message: two of them
// are no longer in the processor's caches when the client parses the second (docs/decisions/0063).
constexpr size_t kMessageBytes = 128 << 10;

// What a call costs in gRPC and here, besides its messages.
constexpr size_t kCallBytes = 16 << 10;

// Where one can become somebody: told also to who is nobody.
void AddIssuers(Engine* engine, grpc::CallbackServerContext* context) {
  if (!engine->access()) return;
  for (const auto& issuer : engine->access()->issuers()->ForPeople()) {
    context->AddTrailingMetadata("jobtail-sign-in", oidc::SignInHint(issuer->settings()));
  }
}

bool TakesLz4(const v1::TailLogRequest& request) {
  return std::ranges::count(request.accept_compression(), v1::COMPRESSION_LZ4_BLOCK) > 0;
}

// A unary call, and what it holds of the budget until its answer is sent. Belongs to gRPC once it
// has been returned to it, and deletes itself in OnDone.
class UnaryCall final : public JobService::Unary {
 public:
  UnaryCall(grpc::CallbackServerContext* context, HandledCalls::Call call,
            ByteBudget::Reservation held)
      : context_(context), call_(std::move(call)), held_(std::move(held)) {}

  // Among its caller's requests, until it is answered.
  access::Quotas::Place& place() { return place_; }

  // RESOURCE_EXHAUSTED if the call with a request of so many bytes is beyond the budget.
  absl::Status HoldRequest(size_t bytes) { return held_.Resize(kCallBytes + bytes); }
  // The same for its answer. One that is about as large as the request always finds room: what was
  // asked for has been done by then.
  absl::Status HoldAnswer(size_t bytes) {
    return bytes <= held_.bytes() ? absl::OkStatus() : held_.Resize(kCallBytes + bytes);
  }

  void FinishWith(const absl::Status& status) {
    AddRetryAfter(status, context_);
    place_ = {};  // before the client can come with the next
    Finish(ToGrpcStatus(status));
  }

  void OnDone() override { delete this; }

 private:
  grpc::CallbackServerContext* const context_;
  const HandledCalls::Call call_;
  ByteBudget::Reservation held_;
  access::Quotas::Place place_;
};

// Puts a result, an absl::StatusOr of a message, into the response. Returns what the call ends
// with.
template <typename Result>
absl::Status TakeResult(UnaryCall* call, const Result& result, grpc::ByteBuffer* response) {
  if (!result.ok()) return result.status();
  *response = ToByteBuffer(*result);
  absl::Status held = call->HoldAnswer(response->Length());
  if (!held.ok()) response->Clear();
  return held;
}

}  // namespace

HandledCalls::Call JobService::Count(const Context& context, size_t bytes) const {
  return on_call_ ? on_call_(context.peer(), bytes) : nullptr;
}

// Who calls, with a request of so many bytes, which has that place. May wait for the disk.
absl::StatusOr<access::Caller> JobService::Admit(const Context& context, size_t bytes,
                                                 access::Quotas::Place* place) const {
  if (!engine_->access()) return access::Caller();
  absl::StatusOr<access::Caller> caller = jobtail::Admit(engine_->access(), on_admit_, context);
  if (!caller.ok()) return caller;
  const absl::Status held =
      engine_->access()->HoldRequest(*caller, static_cast<int64_t>(bytes), place);
  return held.ok() ? caller : held;
}

// On gRPC's own threads: nothing is waited for.
absl::StatusOr<access::Quotas::Place> JobService::HoldRequest(const Context& context,
                                                              size_t bytes) {
  access::AccessControl* const access = engine_->access();
  if (!access) return access::Quotas::Place();
  const CallCredentials credentials(context);
  absl::StatusOr<access::Quotas::Place> place =
      access->HoldRequest(credentials.Get(), static_cast<int64_t>(bytes));
  if (place.ok()) return place;
  if (auto note = access->DenyRequest(credentials.Get(), place.status())) {
    streams_.pool().Run(context.peer(), std::move(note));
  }
  return place;
}

// Answers a unary call with what `answer` makes of the request, in the pool.
template <typename Request, typename MakeAnswer>
JobService::Unary* JobService::Answer(Context* context, const grpc::ByteBuffer& bytes,
                                      grpc::ByteBuffer* response, MakeAnswer answer) {
  const size_t metadata = MetadataBytesOf(*context);
  auto* const call = new UnaryCall(context, Count(*context, bytes.Length() + metadata),
                                   {budget_, context->peer()});
  Request request;
  absl::Status status = CheckMetadata(metadata);
  if (status.ok()) status = call->HoldRequest(bytes.Length() + metadata);
  if (status.ok()) {
    absl::StatusOr<access::Quotas::Place> place = HoldRequest(*context, bytes.Length());
    status = place.status();
    if (place.ok()) call->place() = *std::move(place);
  }
  if (status.ok()) status = FromByteBuffer(bytes, &request);
  if (!status.ok()) {
    call->FinishWith(status);
    return call;
  }
  auto find = [=, this, size = bytes.Length(), request = std::move(request)] {
    if (context->IsCancelled()) return absl::CancelledError("the client has gone away");
    const absl::StatusOr<access::Caller> caller = Admit(*context, size, &call->place());
    return caller.ok() ? TakeResult(call, answer(request, *caller), response) : caller.status();
  };
  streams_.pool().Run(context->peer(), [call, find = std::move(find), pool = &streams_.pool()] {
    pool->Answer([call, status = find()] { call->FinishWith(status); });
  });
  return call;
}

JobService::Unary* JobService::ListJobs(Context* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
  return Answer<v1::ListJobsRequest>(context, *request, response,
                                     [this](const auto& parsed, const access::Caller& caller) {
                                       return engine_->ListJobs(parsed, caller);
                                     });
}

JobService::Unary* JobService::GetJob(Context* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) {
  return Answer<v1::GetJobRequest>(context, *request, response,
                                   [this](const auto& parsed, const access::Caller& caller) {
                                     return engine_->GetJob(parsed, caller);
                                   });
}

JobService::Unary* JobService::CreateRun(Context* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  return Answer<v1::CreateRunRequest>(context, *request, response,
                                      [this](const auto& parsed, const access::Caller& caller) {
                                        return engine_->CreateRun(parsed, caller);
                                      });
}

JobService::Unary* JobService::GetRun(Context* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) {
  return Answer<v1::GetRunRequest>(context, *request, response,
                                   [this](const auto& parsed, const access::Caller& caller) {
                                     return engine_->GetRun(parsed, caller);
                                   });
}

JobService::Unary* JobService::ListRuns(Context* context, const grpc::ByteBuffer* request,
                                        grpc::ByteBuffer* response) {
  return Answer<v1::ListRunsRequest>(context, *request, response,
                                     [this](const auto& parsed, const access::Caller& caller) {
                                       return engine_->ListRuns(parsed, caller);
                                     });
}

JobService::Unary* JobService::CancelRun(Context* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  return Answer<v1::CancelRunRequest>(context, *request, response,
                                      [this](const auto& parsed, const access::Caller& caller) {
                                        return engine_->CancelRun(parsed, caller);
                                      });
}

JobService::Unary* JobService::DeleteRun(Context* context, const grpc::ByteBuffer* request,
                                         grpc::ByteBuffer* response) {
  using Result = absl::StatusOr<google::protobuf::Empty>;
  return Answer<v1::DeleteRunRequest>(
      context, *request, response, [this](const auto& parsed, const access::Caller& caller) {
        const absl::Status deleted = engine_->DeleteRun(parsed, caller);
        return deleted.ok() ? Result(google::protobuf::Empty()) : Result(deleted);
      });
}

// Answers with a stream of what `open` makes of the request.
template <typename Request, typename Open>
JobService::GrpcStream* JobService::Follow(Context* context, const grpc::ByteBuffer& bytes,
                                           std::unique_ptr<Framing> framing, Open open) {
  const size_t metadata = MetadataBytesOf(*context);
  auto* const reactor = new StreamReactor(context, &streams_, std::move(framing),
                                          Count(*context, bytes.Length() + metadata));
  // Until the stream is open. Shared, since what is given to the pool can be copied.
  const auto held = std::make_shared<ByteBudget::Reservation>(budget_, context->peer());
  Request request;
  const auto place = std::make_shared<access::Quotas::Place>();
  absl::Status status = CheckMetadata(metadata);
  if (status.ok()) status = held->Resize(kCallBytes + bytes.Length() + metadata);
  if (status.ok()) {
    absl::StatusOr<access::Quotas::Place> own = HoldRequest(*context, bytes.Length());
    status = own.status();
    if (own.ok()) *place = *std::move(own);
  }
  if (status.ok()) status = FromByteBuffer(bytes, &request);
  if (!status.ok()) {
    reactor->Fail(status);
  } else {
    reactor->Start([this, context, open = std::move(open), request = std::move(request), held,
                    place, size = bytes.Length()]() -> OpenedFeed {
      const absl::StatusOr<access::Caller> caller = Admit(*context, size, place.get());
      if (!caller.ok()) return caller.status();
      return open(request, *caller);
    });
  }
  return reactor;
}

JobService::Unary* JobService::WhoAmI(Context* context, const grpc::ByteBuffer* request,
                                      grpc::ByteBuffer* response) {
  AddIssuers(engine_, context);
  return Answer<v1::WhoAmIRequest>(context, *request, response,
                                   [this](const auto& parsed, const access::Caller& caller) {
                                     return engine_->WhoAmI(parsed, caller);
                                   });
}

JobService::GrpcStream* JobService::RunJob(Context* context, const grpc::ByteBuffer* request) {
  return Follow<v1::RunJobRequest>(
      context, *request, std::make_unique<LineFraming>(),
      [engine = engine_](const v1::RunJobRequest& parsed,
                         const access::Caller& caller) -> OpenedFeed {
        absl::StatusOr<Engine::Started> started = engine->RunJob(parsed, caller);
        if (!started.ok()) return started.status();
        std::function<void()> on_gone;
        if (parsed.on_disconnect() == v1::ON_DISCONNECT_CANCEL) {
          on_gone = [engine, run = started->run, caller] { engine->CancelAbandoned(run, caller); };
        }
        return std::make_unique<LogFeed>(std::move(started->cursor), kMessageBytes,
                                         std::move(on_gone));
      });
}

JobService::GrpcStream* JobService::TailLog(Context* context, const grpc::ByteBuffer* request) {
  return Follow<v1::TailLogRequest>(
      context, *request, std::make_unique<BatchFraming>(),
      [engine = engine_](const v1::TailLogRequest& parsed,
                         const access::Caller& caller) -> OpenedFeed {
        absl::StatusOr<std::unique_ptr<Cursor>> cursor = engine->TailLog(parsed, caller);
        if (!cursor.ok()) return cursor.status();
        if (TakesLz4(parsed)) (*cursor)->AcceptCompressed();
        return std::make_unique<LogFeed>(*std::move(cursor), kMessageBytes, nullptr);
      });
}

JobService::GrpcStream* JobService::WatchRuns(Context* context, const grpc::ByteBuffer* request) {
  return Follow<v1::WatchRunsRequest>(
      context, *request, std::make_unique<RunFraming>(),
      [engine = engine_](const v1::WatchRunsRequest& parsed,
                         const access::Caller& caller) -> OpenedFeed {
        absl::StatusOr<std::unique_ptr<RunWatch>> watch = engine->WatchRuns(parsed, caller);
        if (!watch.ok()) return watch.status();
        return std::make_unique<RunFeed>(*std::move(watch));
      });
}

}  // namespace jobtail
