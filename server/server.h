// A jobtail server for embedding in a program.
#ifndef JOBTAIL_SERVER_SERVER_H_
#define JOBTAIL_SERVER_SERVER_H_

#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "base/time_span.h"
#include "server/http/options.h"
#include "server/run/engine_options.h"
#include "server/run/job.h"
#include "server/run/job_context.h"
#include "server/run/parameter.h"
#include "server/store/rocksdb_options.h"
#include "server/tls/options.h"
#include "server/tls/socket_access.h"

namespace grpc {
class ServerBuilder;
class ServerCredentials;
}  // namespace grpc

namespace jobtail {

class Engine;  // server/run/engine.h

// Each field has a default, so that a program names those alone that it sets, as in
// ServerOptions{.grpc_address = "127.0.0.1:0"}. Durations may be given in absl's terms or in those
// of <chrono>: see TimeSpan.
struct ServerOptions {
  // HOST:PORT for gRPC; port 0 picks a free one. Or unix:PATH. An address that other machines can
  // reach needs TLS, an access file, and in it or in `tls` a way to know who calls: Start refuses
  // it otherwise.
  std::string grpc_address = "127.0.0.1:50051";
  // Further ones, as the first: a unix socket besides a port, for example. Of HTTP's there are
  // `http.more_addresses`.
  std::vector<std::string> more_grpc_addresses = {};
  // TLS for both doors' addresses; not for unix sockets.
  TlsOptions tls = {};
  // gRPC's credentials of the program's own, in place of `tls` at that door. It is they that have
  // to verify clients' certificates then, where they ask for them: see
  // grpc_credentials_know_callers. Null: by `tls`.
  std::shared_ptr<grpc::ServerCredentials> grpc_credentials = nullptr;
  // Whether these refuse clients that they do not know. Where nothing else knows callers, an
  // address that others can reach is listened at only then.
  bool grpc_credentials_know_callers = false;
  // Who may connect where an address is unix:PATH.
  SocketAccess socket = {};
  // The access file: who may do what, as proto/jobtail/access/v1/access.proto has it. Empty: nobody
  // is asked. Read again whenever it changes.
  std::string access_file = {};
  // Whether whoever can reach the server may do everything: addresses that other machines can reach
  // are served as they are.
  bool insecure = false;
  // HTTP: where it is served, and to whom. An empty `http.address` turns it off. Its heartbeat is
  // the one below.
  http::HttpOptions http = {};
  // How long a stream may be idle before it is sent a heartbeat.
  TimeSpan heartbeat = absl::Seconds(15);
  // How long Stop waits for jobs that were asked to stop.
  TimeSpan stop_grace = absl::Seconds(5);
  // How much memory the server is to get along with, in bytes: caches, buffers and what clients can
  // make it hold are measured by it, and get no larger than the options here say. While the process
  // is larger, whatever else it does, the gRPC connections that send most are closed. 0: what there
  // is, see MemoryOfSystem.
  size_t memory_bytes = 0;
  // Where runs and logs are kept. No directory: in memory, gone with the server.
  RocksDbOptions store = {};
  EngineOptions engine = {};
};

// Whether those who call over the network are asked who they are: whether there is an access file.
// Without it, everybody may do everything, with a certificate or without.
bool KnowsCallers(const ServerOptions& options);

// Runs jobs and lets anyone watch what they print. The whole of jobtail, for embedding:
//
//   int main() {
//     jobtail::Server server;
//     server.AddJob(jobtail::Job("greet", [](jobtail::JobContext& run) {
//                     std::cout << "Hello, " << run.Get<std::string>("name") << "!" << std::endl;
//                   }).With(jobtail::Parameter::String("name").Default("world")));
//     if (absl::Status started = server.Start(); !started.ok()) { ... }
//     ... server.grpc_address() ...
//     server.Stop();
//   }
//
// or as a service of a gRPC server that is there already, with credentials of its own:
// AddTo(&builder) instead of Start(). Then the order at the end is: Stop(), Shutdown() of that
// server, and only then the destruction of this object.
//
// A program that has nothing else to do finds flags, signals and an orderly end in server/daemon.h.
//
// Thread-safe, but for Start, AddTo and the destructor.
class Server {
 public:
  // Opens the store and takes over the runs it has. Start and AddTo tell what went wrong.
  Server();
  explicit Server(ServerOptions options);
  // Stops, if that has not happened, and waits for every job to return; after Abandon, for none.
  ~Server();

  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // Whether this process is the child of a run: see Job::InChildProcess. It gets as far as Start or
  // AddTo, and what comes before that and takes time, prints, or must happen only once, is better
  // left out.
  static bool InChildProcess();

  // Adds a job, before or after Start. INVALID_ARGUMENT for a declaration that makes no sense,
  // ALREADY_EXISTS for a name that is taken, FAILED_PRECONDITION for a job that runs in a child
  // process, after Start.
  absl::Status AddJob(Job job);
  // See Engine::ReplaceJobs.
  absl::Status ReplaceJobs(const std::vector<std::string>& names, std::vector<Job> jobs);

  // Listens and serves jobtail.v1.JobService, health checks and reflection, and HTTP.
  // INVALID_ARGUMENT for an address that is not one, and certificates that will not do,
  // FAILED_PRECONDITION for an address that others can reach without protection, UNAVAILABLE if it
  // cannot be listened on; for a store that cannot be opened, see RocksDbStore::Open. After an
  // error nothing is listened on, and Start may be called again. FAILED_PRECONDITION, too, once the
  // server has been started or added, or stopped. The health service says NOT_SERVING while the
  // store takes no new runs, and from Stop on.
  absl::Status Start();

  // Adds jobtail.v1.JobService to a server that the caller builds; there is no HTTP. To be called
  // once, instead of Start: FAILED_PRECONDITION otherwise. An error, with nothing added, for a
  // store that cannot be opened.
  absl::Status AddTo(grpc::ServerBuilder* builder);

  // HOST:PORT or unix:PATH as it is listened on; empty before Start. The first address, and all.
  const std::string& grpc_address() const;
  std::vector<std::string> grpc_addresses() const;

  // "http://HOST:PORT/" as it is listened on, "https://" with TLS, or "unix:PATH"; empty before
  // Start, and without HTTP. The first address, and all.
  const std::string& http_url() const;
  std::vector<std::string> http_urls() const;

  // Copies the data directory, as it is now, into `directory`, while everything goes on: see
  // LogStore::Checkpoint. A server that is started with the copy takes runs that were at work for
  // lost. It can take seconds.
  absl::Status Checkpoint(const std::string& directory);

  // Reads the access file again, and what it names, and goes on with a new audit log if the old one
  // was moved away. If something is wrong, what was right stays, and the server's log says what.
  void ReloadAccess();

  // Refuses new runs, asks those at work to stop, waits for them (`stop_grace`), ends all streams
  // with UNAVAILABLE and a resume point, and stops listening. Returns how many jobs are still at
  // work: those ignore their stop token. A second call does nothing.
  size_t Stop();
  // The same, in this time: jobs have all of it but 5 s, or half of it if that is more, for the
  // streams and connections. A store that does not answer can make it longer.
  size_t Stop(TimeSpan within);

  // A run that has not ended, and its job.
  struct RunAtWork {
    std::string run;
    std::string job;
  };
  // As Stop, if that has not happened, and gives up the jobs that are still at work: nothing waits
  // for them any more, not even the destructor. Returns their runs. The last call of this object.
  //
  // Their threads go on until their functions return or the process ends, and so do their contexts:
  // the stop token is asked to stop, SleepFor returns at once, what they print and report goes to
  // their logs, and a result to the store. Engine, store and data directory stay in use meanwhile,
  // and whatever the options point to must stay, too; another server cannot open the directory.
  // When the last function has returned, all that is taken down. A run that has not ended with the
  // process is LOST when a server opens the directory again. What the functions use of the program
  // must outlive them: main had better end with _exit or quick_exit while there are any.
  std::vector<RunAtWork> Abandon();

  // The core, for calls without a network between: include server/run/engine.h.
  Engine& engine();

 private:
  class Impl;
  const std::shared_ptr<Impl> impl_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_SERVER_H_
