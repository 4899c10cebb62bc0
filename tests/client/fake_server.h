// A gRPC server that does what a test's script says.
#ifndef JOBTAIL_TESTS_CLIENT_FAKE_SERVER_H_
#define JOBTAIL_TESTS_CLIENT_FAKE_SERVER_H_

#include <grpcpp/grpcpp.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"
#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::client {

// Messages for scripts.
v1::LogLine Line(int64_t sequence, const std::string& text, v1::Stream stream = v1::STREAM_STDOUT,
                 v1::Ending ending = v1::ENDING_LF);
v1::LogLine RunLine(v1::RunState state, int64_t last_sequence);
v1::LogLine GapLine(int64_t first, int64_t last, v1::GapReason reason);
v1::LogLine ResultLine(int64_t sequence, v1::RunState state = v1::RUN_STATE_SUCCEEDED,
                       int exit_code = 0);

// `count` lines, "1", "2", ..., and the result after them.
std::vector<v1::LogLine> NumberedLog(int64_t count);

// How TailLog serves a log: in full, but for the connections that are scripted to break.
struct Script {
  // All records of the log, by sequence number.
  std::vector<v1::LogLine> log = {};
  // The i-th connection ends with UNAVAILABLE after that many messages, of which the first is the
  // Run. Further connections last.
  std::vector<int> cuts = {};
  // How many of the records there are yet at the i-th connection, which follows no further; later
  // there are all.
  std::vector<size_t> grown = {};
  // The number of lines in a message.
  size_t batch = 3;
  // A misbehaving server: connections after the first begin that many records too early.
  int64_t rewind = 0;
  // What happens to the lines of messages before they are sent, where the reader takes it.
  enum class Compresses { kNothing, kMessages, kSomeOfEach, kDamaged };
  Compresses compresses = Compresses::kNothing;
  // Whether a server that cuts a connection names where to go on.
  bool names_resume_sequence = false;
};

// A real gRPC server with a JobService that does what a test says. Each function may be set before
// the call that needs it and is called in gRPC's threads; those not set answer UNIMPLEMENTED.
class FakeServer final : private v1::JobService::Service {
 public:
  using Writer = grpc::ServerWriter<v1::LogBatch>;

  // Listens on a free port of 127.0.0.1, or on this one.
  explicit FakeServer(int port = 0);
  ~FakeServer() override;

  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int port() const { return port_; }

  // Breaks all connections and listens no more.
  void Stop();

  // Makes TailLog follow a script.
  void Serve(Script script);

  // The requests of TailLog so far.
  std::vector<v1::TailLogRequest> tail_requests() const;

  std::function<grpc::Status(grpc::ServerContext*, const v1::TailLogRequest&, Writer*)> on_tail;
  using RunWriter = grpc::ServerWriter<v1::Run>;
  std::function<grpc::Status(grpc::ServerContext*, const v1::WatchRunsRequest&, RunWriter*)>
      on_watch;
  std::function<grpc::Status(const v1::GetJobRequest&, v1::Job*)> on_get_job;
  std::function<grpc::Status(const v1::CreateRunRequest&, v1::Run*)> on_create_run;
  std::function<grpc::Status(const v1::GetRunRequest&, v1::Run*)> on_get_run;
  std::function<grpc::Status(const v1::CancelRunRequest&, v1::Run*)> on_cancel_run;
  std::function<grpc::Status(const v1::DeleteRunRequest&)> on_delete_run;
  std::function<grpc::Status(const v1::ListRunsRequest&, v1::ListRunsResponse*)> on_list_runs;
  std::function<grpc::Status(const v1::ListJobsRequest&, v1::ListJobsResponse*)> on_list_jobs;

 private:
  grpc::Status TailLog(grpc::ServerContext*, const v1::TailLogRequest*, Writer*) override;
  grpc::Status WatchRuns(grpc::ServerContext*, const v1::WatchRunsRequest*, RunWriter*) override;
  grpc::Status GetJob(grpc::ServerContext*, const v1::GetJobRequest*, v1::Job*) override;
  grpc::Status CreateRun(grpc::ServerContext*, const v1::CreateRunRequest*, v1::Run*) override;
  grpc::Status GetRun(grpc::ServerContext*, const v1::GetRunRequest*, v1::Run*) override;
  grpc::Status CancelRun(grpc::ServerContext*, const v1::CancelRunRequest*, v1::Run*) override;
  grpc::Status DeleteRun(grpc::ServerContext*, const v1::DeleteRunRequest*,
                         google::protobuf::Empty*) override;
  grpc::Status ListRuns(grpc::ServerContext*, const v1::ListRunsRequest*,
                        v1::ListRunsResponse*) override;
  grpc::Status ListJobs(grpc::ServerContext*, const v1::ListJobsRequest*,
                        v1::ListJobsResponse*) override;

  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;

  mutable absl::Mutex mutex_;
  std::vector<v1::TailLogRequest> tail_requests_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail::client

#endif  // JOBTAIL_TESTS_CLIENT_FAKE_SERVER_H_
