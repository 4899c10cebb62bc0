// Calls of the standard services, each a reactor.
#include "server/rpc/standard_services.h"

#include <optional>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/clock.h"
#include "base/connection_name.h"
#include "base/quoting.h"
#include "jobtail/v1/job_service.grpc.pb.h"
#include "server/rpc/byte_buffer.h"
#include "server/rpc/status.h"

namespace jobtail {
namespace {

using standard::v1::HealthCheckRequest;
using standard::v1::HealthCheckResponse;
using standard::v1::ServerReflectionRequest;

// Issuers of tokens may have to be asked while others probe.
constexpr int kThreads = 2;

// Names of services, types and files are shorter.
constexpr size_t kMostRequestBytes = 4 << 10;

// What is counted of a connection by its requests goes on for as long as it has calls; a client
// that asks more than this calls again.
constexpr int kMostRequests = 10'000;

// Calls that are open at once. Who checks health has one or two.
constexpr size_t kMostCalls = 4096;
constexpr size_t kMostCallsOfAddress = 256;

// The names under which the server's health can be asked.
bool IsService(const std::string& name) {
  return name.empty() || name == v1::JobService::service_full_name();
}

// A method that is not there.
class Unimplemented final : public grpc::ServerGenericBidiReactor {
 public:
  explicit Unimplemented(const std::string& method) {
    Finish(ToGrpcStatus(
        absl::UnimplementedError(absl::StrCat("this server has no method ", Quoted(method)))));
  }
  void OnDone() override { delete this; }
};

}  // namespace

// Reads requests one at a time, each after the one before has been answered. gRPC may call OnCancel
// beside the other reactions; none of its operations calls a reaction before it returns.
class StandardServices::Call : public grpc::ServerGenericBidiReactor {
 public:
  // `stream`: what it is in the audit log, where it is one; empty for a unary call.
  Call(StandardServices* services, grpc::GenericCallbackServerContext* context,
       std::string_view stream)
      : services_(services),
        context_(context),
        address_(ClientAddress(context->peer())),
        stream_(stream) {}

  const std::string& address() const { return address_; }

  // Has the caller admitted, if need be, and reads what it asks.
  void Begin();
  // Ends the call once nothing is under way. The first one counts.
  void End(const absl::Status& status) {
    absl::MutexLock lock(&mutex_);
    EndLocked(status);
  }
  void CheckRight();
  // The server has become another; called with the services' lock.
  virtual void Tell() {}

  void OnReadDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override { End(absl::CancelledError("")); }
  void OnDone() override {
    services_->Forget(this);
    { const absl::MutexLock lock(&mutex_); }  // who has finished the call may still hold it
    delete this;
  }

 protected:
  virtual bool NeedsIdentity(const access::AccessControl& access) const = 0;
  // Answers a request; an error ends the call. Called without locks.
  virtual absl::Status Take(const grpc::ByteBuffer& request) = 0;
  // There are no more requests.
  virtual absl::Status TakeEnd() { return absl::InvalidArgumentError("the call has no request"); }
  // A message is on its way, and there may be another.
  virtual void Written() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {}

  void ReadNext() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_) StartRead(&request_);
  }
  bool MayWrite() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { return !writing_ && !end_; }
  void Write(const google::protobuf::MessageLite& message) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    message_ = ToByteBuffer(message);
    writing_ = true;
    StartWrite(&message_);
  }
  void EndLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_) end_ = status;
    FinishIfIdle();
  }

  StandardServices* const services_;
  absl::Mutex mutex_;

 private:
  absl::StatusOr<access::Caller> AdmitCaller();  // may wait for the disk
  void Admitted(const absl::StatusOr<access::Caller>& caller);
  void FinishIfIdle() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!end_ || admitting_ || writing_ || std::exchange(finished_, true)) return;
    Finish(ToGrpcStatus(*end_));
  }

  grpc::GenericCallbackServerContext* const context_;
  const std::string address_;
  const std::string_view stream_;
  access::Quotas::Place place_;  // of a stream whose caller is known
  HandledCalls::Call held_;      // from the first request on
  int requests_ = 0;             // that have come
  grpc::ByteBuffer request_;     // gRPC's until OnReadDone
  grpc::ByteBuffer message_;     // gRPC's until OnWriteDone
  std::optional<access::Caller> caller_ ABSL_GUARDED_BY(mutex_);  // once it was asked for
  bool admitting_ ABSL_GUARDED_BY(mutex_) = false;
  bool writing_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
};

void StandardServices::Call::Begin() {
  absl::MutexLock lock(&mutex_);
  const absl::Status fit = CheckMetadata(MetadataBytesOf(*context_));
  if (!fit.ok()) return EndLocked(fit);
  if (!services_->access_ || !NeedsIdentity(*services_->access_)) return ReadNext();
  admitting_ = true;
  services_->worker_.Soon([this] { Admitted(AdmitCaller()); });
}

absl::StatusOr<access::Caller> StandardServices::Call::AdmitCaller() {
  auto caller = Admit(services_->access_, services_->on_admit_, *context_);
  if (!caller.ok() || stream_.empty()) return caller;
  auto place = services_->access_->HoldStream(*caller, {.verb = stream_});
  if (!place.ok()) return place.status();
  place_ = *std::move(place);
  return caller;
}

void StandardServices::Call::Admitted(const absl::StatusOr<access::Caller>& caller) {
  absl::MutexLock lock(&mutex_);
  admitting_ = false;
  if (!caller.ok()) {
    AddRetryAfter(caller.status(), context_);
    return EndLocked(caller.status());
  }
  caller_ = *caller;
  ReadNext();
  FinishIfIdle();
}

void StandardServices::Call::CheckRight() {
  absl::MutexLock lock(&mutex_);
  if (admitting_ || end_) return;
  if (caller_) {
    const absl::Status known = services_->access_->RightsOf(*caller_).status();
    if (!known.ok()) EndLocked(known);
  } else if (NeedsIdentity(*services_->access_)) {
    EndLocked(absl::UnauthenticatedError("who calls this must be known now; call again"));
  }
}

void StandardServices::Call::OnReadDone(bool ok) {
  if (!ok) return End(TakeEnd());
  // Of a call the first alone: what comes after it is as if it were still coming.
  if (++requests_ == 1 && services_->on_call_) {
    held_ = services_->on_call_(context_->peer(), request_.Length() + MetadataBytesOf(*context_));
  }
  absl::Status taken;
  if (request_.Length() > kMostRequestBytes) {
    taken = absl::ResourceExhaustedError(
        absl::StrCat("the request has ", request_.Length(), " bytes, of which there may be ",
                     kMostRequestBytes, "; names of services and files are shorter"));
  } else if (requests_ > kMostRequests) {
    taken = absl::ResourceExhaustedError(
        absl::StrCat("more than ", kMostRequests, " requests in one call; call again"));
  } else {
    taken = Take(request_);
  }
  if (!taken.ok()) End(taken);
}

void StandardServices::Call::OnWriteDone(bool ok) {
  absl::MutexLock lock(&mutex_);
  writing_ = false;
  if (!ok) return EndLocked(absl::CancelledError(""));
  if (!end_) Written();
  FinishIfIdle();
}

class StandardServices::HealthCall : public Call {
 protected:
  using Call::Call;

  bool NeedsIdentity(const access::AccessControl& access) const override {
    return access.probes_need_identity();
  }
};

class StandardServices::HealthCheck final : public HealthCall {
 public:
  using HealthCall::HealthCall;

 protected:
  absl::Status Take(const grpc::ByteBuffer& bytes) override {
    HealthCheckRequest request;
    if (absl::Status parsed = FromByteBuffer(bytes, &request); !parsed.ok()) return parsed;
    if (!IsService(request.service())) {
      return absl::NotFoundError(absl::StrCat("this server has no service ",
                                              Quoted(request.service()), "; ask for \"\", or for ",
                                              v1::JobService::service_full_name()));
    }
    HealthCheckResponse response;
    {
      absl::MutexLock lock(&services_->mutex_);
      response.set_status(services_->Now());
    }
    absl::MutexLock lock(&mutex_);
    if (!MayWrite()) return absl::OkStatus();
    Write(response);
    EndLocked(absl::OkStatus());
    return absl::OkStatus();
  }
};

class StandardServices::HealthWatch final : public HealthCall {
 public:
  using HealthCall::HealthCall;

  void Tell() override {
    absl::MutexLock lock(&mutex_);
    if (!watching_) return;
    services_->mutex_.AssertHeld();
    now_ = is_known_ ? services_->Now() : HealthCheckResponse::SERVICE_UNKNOWN;
    Written();
  }

 protected:
  absl::Status Take(const grpc::ByteBuffer& bytes) override {
    HealthCheckRequest request;
    if (absl::Status parsed = FromByteBuffer(bytes, &request); !parsed.ok()) return parsed;
    {
      absl::MutexLock lock(&mutex_);
      is_known_ = IsService(request.service());
      watching_ = true;
    }
    absl::MutexLock lock(&services_->mutex_);
    Tell();
    return absl::OkStatus();
  }

  void Written() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) {
    if (!MayWrite() || told_ == now_) return;
    told_ = now_;
    HealthCheckResponse response;
    response.set_status(now_);
    Write(response);
  }

 private:
  bool watching_ ABSL_GUARDED_BY(mutex_) = false;
  bool is_known_ ABSL_GUARDED_BY(mutex_) = false;
  Status now_ ABSL_GUARDED_BY(mutex_) = HealthCheckResponse::UNKNOWN;
  Status told_ ABSL_GUARDED_BY(mutex_) = HealthCheckResponse::UNKNOWN;
};

class StandardServices::ReflectionStream final : public Call {
 public:
  using Call::Call;

 protected:
  bool NeedsIdentity(const access::AccessControl& access) const override {
    return access.reflection_needs_identity();
  }

  absl::Status Take(const grpc::ByteBuffer& bytes) override {
    ServerReflectionRequest request;
    if (absl::Status parsed = FromByteBuffer(bytes, &request); !parsed.ok()) return parsed;
    const auto response = services_->reflection_.Answer(request);
    absl::MutexLock lock(&mutex_);
    if (MayWrite()) Write(response);
    return absl::OkStatus();
  }

  absl::Status TakeEnd() override { return absl::OkStatus(); }

  void Written() override ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_) { ReadNext(); }
};

StandardServices::StandardServices(access::AccessControl* access, OnCallFunction on_call,
                                   OnAdmitFunction on_admit)
    : access_(access),
      on_call_(std::move(on_call)),
      on_admit_(std::move(on_admit)),
      reflection_({v1::JobService::service_full_name(), "grpc.health.v1.Health",
                   "grpc.reflection.v1.ServerReflection",
                   "grpc.reflection.v1alpha.ServerReflection"}),
      checks_("rpc-rights", access ? access->clock() : Clock::System()),
      worker_("rpc-standard", access ? access->clock() : Clock::System(), kThreads) {}

StandardServices::~StandardServices() = default;

void StandardServices::SetServing(bool serving) {
  absl::MutexLock lock(&mutex_);
  serving_ = serving;
  for (Call* const call : calls_) call->Tell();
}

void StandardServices::CheckRights() {
  checks_.Soon([this] { Check(); });
}

void StandardServices::Stop() {
  absl::MutexLock lock(&mutex_);
  stopping_ = true;
  for (Call* const call : calls_) {
    call->End(absl::UnavailableError("the server is shutting down"));
  }
}

grpc::ServerGenericBidiReactor* StandardServices::CreateReactor(
    grpc::GenericCallbackServerContext* context) {
  Call* const call = Make(context);
  if (!call) {
    if (on_call_) on_call_(context->peer(), MetadataBytesOf(*context));
    return new Unimplemented(context->method());
  }
  absl::MutexLock lock(&mutex_);
  const bool has_room = addresses_.HasRoom(call->address(), kMostCalls, kMostCallsOfAddress);
  calls_.insert(call);
  addresses_.Add(call->address());
  CheckSoon();
  if (stopping_) {
    call->End(absl::UnavailableError("the server is shutting down"));
  } else if (!has_room) {
    call->End(absl::ResourceExhaustedError(
        absl::StrCat("so many health checks and reflections are open: ", calls_.size() - 1,
                     ", of which an address may have ", kMostCallsOfAddress, " and all together ",
                     kMostCalls, "; end some of them")));
  } else {
    call->Begin();
  }
  return call;
}

StandardServices::Call* StandardServices::Make(grpc::GenericCallbackServerContext* context) {
  const std::string_view method = context->method();
  using access::AccessControl;
  if (method == kHealthCheck) return new HealthCheck(this, context, "");
  if (method == kHealthWatch) return new HealthWatch(this, context, AccessControl::kWatchHealth);
  if (method == kReflection || method == kOldReflection) {
    return new ReflectionStream(this, context, AccessControl::kReflect);
  }
  return nullptr;
}

StandardServices::Status StandardServices::Now() const {
  return serving_ ? HealthCheckResponse::SERVING : HealthCheckResponse::NOT_SERVING;
}

void StandardServices::Forget(Call* call) {
  absl::MutexLock lock(&mutex_);
  calls_.erase(call);
  addresses_.Remove(call->address());
}

void StandardServices::CheckSoon() {
  if (!access_ || std::exchange(check_is_due_, true)) return;
  checks_.After(kCheckEvery, [this] {
    Check();
    absl::MutexLock lock(&mutex_);
    check_is_due_ = false;
    if (!calls_.empty()) CheckSoon();
  });
}

void StandardServices::Check() {
  absl::MutexLock lock(&mutex_);
  for (Call* const call : calls_) call->CheckRight();
}

}  // namespace jobtail
