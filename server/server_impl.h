// What a jobtail::Server is made of.
#ifndef JOBTAIL_SERVER_SERVER_IMPL_H_
#define JOBTAIL_SERVER_SERVER_IMPL_H_

#include <atomic>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/call_once.h"
#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/access/access_control.h"
#include "server/descriptor_plan.h"
#include "server/http/http_server.h"
#include "server/metrics/health.h"
#include "server/metrics/metered_store.h"
#include "server/metrics/metrics.h"
#include "server/metrics/store_size.h"
#include "server/process/process_pool.h"
#include "server/rpc/grpc_server.h"
#include "server/rpc/job_service.h"
#include "server/run/engine.h"
#include "server/server.h"
#include "server/stream/byte_budget.h"
#include "server/stream/store_pool.h"
#include "server/tls/certificate_source.h"

namespace jobtail {

// Engine, doors, and the order in which they begin and end: server.cc has the jobs' side,
// server_doors.cc the clients', server_figures.cc what /metrics tells. Threads as Server's.
class Server::Impl {
 public:
  // `planned` are what Planned has made.
  explicit Impl(const ServerOptions& planned);
  ~Impl();

  absl::Status AddJob(Job job);
  absl::Status ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs);
  absl::Status Checkpoint(const std::string& directory) {
    return status_.ok() ? store_->Checkpoint(directory) : status_;
  }
  absl::Status Start();
  absl::Status AddTo(grpc::ServerBuilder* builder);
  size_t Stop();
  size_t StopWithin(absl::Duration time);
  void AwaitJobs() { engine_.Stop(absl::InfiniteDuration()); }
  void ReloadAccess() {
    if (access_) access_->Reload();
  }

  Engine& engine() { return engine_; }
  const std::string& grpc_address() const { return grpc_address_; }
  const std::string& http_url() const { return http_url_; }
  std::vector<std::string> grpc_addresses() const {
    return grpc_address_.empty() ? std::vector<std::string>() : grpc_->acceptor().addresses();
  }
  std::vector<std::string> http_urls() const {
    return http_ ? http_->urls() : std::vector<std::string>();
  }

 private:
  using OpenedStore = absl::StatusOr<std::unique_ptr<LogStore>>;
  using OpenedAccess = absl::StatusOr<std::unique_ptr<access::AccessControl>>;

  // How long each has to end.
  struct Graces {
    absl::Duration jobs;
    absl::Duration streams;
    absl::Duration close;
  };

  Impl(ServerOptions options, OpenedStore store, OpenedAccess access);

  absl::Status Prepare(Job* job);
  void CallJobInChild();
  absl::Status Begin();
  absl::Status OpenDoors();
  void CloseDoors();
  absl::Status CheckAddresses() const;
  void MakeGrpc();
  absl::Status CheckHealth() const;
  void MakeHttp();
  size_t Stop(const Graces& graces);
  http::HttpOptions MakeHttpOptions();
  absl::Status Metrics(const access::Caller& caller, std::string* text);
  void CheckRights();
  std::optional<CertificateFigures> Certificates() const;
  std::optional<AccessFigures> Access() const;

  const ServerOptions options_;
  absl::Status status_;  // of opening the store and the access file; if not OK, nobody is served
  const std::unique_ptr<access::AccessControl> access_;  // null: nobody is asked
  const std::unique_ptr<LogStore> store_;
  prometheus::Registry registry_;
  MeteredStore metered_;
  const DescriptorPlan descriptors_;
  absl::once_flag processes_once_;
  std::unique_ptr<process::ProcessPool> processes_;  // once a job needs it
  std::atomic<bool> started_ = false;                // or added; not after a Start that failed
  Engine engine_;
  std::unique_ptr<CertificateSource> certificates_;  // null before Start, and without TLS
  ByteBudget budget_;
  StorePool pool_;  // what runs in it uses the above, and those below have it run
  JobService service_;
  std::unique_ptr<Health> health_;          // null before Start
  std::unique_ptr<StoreSize> size_;         // null without HTTP, and for a store in memory
  std::unique_ptr<http::HttpServer> http_;  // null without HTTP
  std::string http_url_;
  std::unique_ptr<GrpcServer> grpc_;  // null before Start
  std::string grpc_address_;
  absl::Mutex stop_mutex_;
  bool stopped_ ABSL_GUARDED_BY(stop_mutex_) = false;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_SERVER_IMPL_H_
