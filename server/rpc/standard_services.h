// The services that every gRPC server is expected to have: health checking and reflection.
#ifndef JOBTAIL_SERVER_RPC_STANDARD_SERVICES_H_
#define JOBTAIL_SERVER_RPC_STANDARD_SERVICES_H_

#include <grpcpp/grpcpp.h>

#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_set.h"
#include "absl/synchronization/mutex.h"
#include "base/scheduler.h"
#include "base/tally.h"
#include "jobtail/standard/v1/health.pb.h"
#include "server/access/access_control.h"
#include "server/rpc/admission.h"
#include "server/rpc/reflection.h"

namespace jobtail {

// Answers grpc.health.v1.Health, and grpc.reflection.v1 and v1alpha's ServerReflection, of callers
// who are known where the access file wants that; any other method that the server does not have is
// UNIMPLEMENTED. gRPC's own services of these names ask nobody, and are switched on for all servers
// of a process (docs/decisions/0065).
//
// Who calls is found out by threads of their own, so that probes are answered whatever the store
// waits for; only the audit log can hold them up. Open calls are bounded by address and in all,
// requests in size. Thread-safe. Outlives the grpc::Server that it is registered with.
class StandardServices final : public grpc::CallbackGenericService {
 public:
  // All that it answers.
  static constexpr std::string_view kHealthCheck = "/grpc.health.v1.Health/Check";
  static constexpr std::string_view kHealthWatch = "/grpc.health.v1.Health/Watch";
  static constexpr std::string_view kReflection =
      "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
  static constexpr std::string_view kOldReflection =
      "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
  static constexpr std::array kMethods = {kHealthCheck, kHealthWatch, kReflection, kOldReflection};

  // How often it is looked whether callers of streams may still make them.
  static constexpr absl::Duration kCheckEvery = absl::Milliseconds(500);

  // `access` outlives it; null: nobody is asked. The functions may be null.
  StandardServices(access::AccessControl* access, OnCallFunction on_call, OnAdmitFunction on_admit);
  ~StandardServices() override;

  StandardServices(const StandardServices&) = delete;
  StandardServices& operator=(const StandardServices&) = delete;

  // How the server is, and with it the JobService, from now on: serving to begin with.
  void SetServing(bool serving);

  // Soon ends the streams whose callers may not make them any more. Does not wait.
  void CheckRights();

  // Ends all calls with UNAVAILABLE, those that are still to come as well.
  void Stop();

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override;

 private:
  // A call, which gRPC has until it is done, and its kinds.
  class Call;
  class HealthCall;
  class HealthCheck;
  class HealthWatch;
  class ReflectionStream;

  using Status = standard::v1::HealthCheckResponse::ServingStatus;

  // Null for a method that is none of theirs.
  Call* Make(grpc::GenericCallbackServerContext* context);
  Status Now() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Forget(Call* call);
  void CheckSoon() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Check();

  access::AccessControl* const access_;
  const OnCallFunction on_call_;
  const OnAdmitFunction on_admit_;
  const Reflection reflection_;

  absl::Mutex mutex_;  // taken before a call's own
  absl::flat_hash_set<Call*> calls_ ABSL_GUARDED_BY(mutex_);
  Tally addresses_ ABSL_GUARDED_BY(mutex_);  // whose they are
  bool serving_ ABSL_GUARDED_BY(mutex_) = true;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool check_is_due_ ABSL_GUARDED_BY(mutex_) = false;

  Scheduler checks_;  // last, these two: their threads use the rest
  Scheduler worker_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_STANDARD_SERVICES_H_
