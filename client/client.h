// The client of a jobtail server: its unary calls, and the makers of its streams.
#ifndef JOBTAIL_CLIENT_CLIENT_H_
#define JOBTAIL_CLIENT_CLIENT_H_

#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "base/clock.h"
#include "base/time_span.h"
#include "client/backoff.h"
#include "client/credentials.h"
#include "client/log_reader.h"
#include "client/run_watcher.h"
#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::client {

// How patient a client's calls are.
struct ClientOptions {
  // The longest that one call may take, its retries included; not for Tail().
  TimeSpan call_timeout = absl::Seconds(30);
  // How long a call that does not reach the server (UNAVAILABLE) is tried again. Zero: not at all.
  TimeSpan retry_for = absl::Seconds(10);
  // The waits between these attempts.
  BackoffOptions backoff = {};
  // Whether logs may come compressed, which saves most of what they take on the way. What they hold
  // then shows, to who can see how long messages are, in a further way: see docs/security.md.
  bool accept_compression = true;
  // How the server is known, and the client to it: gRPC's. Null: no encryption, and nobody in
  // particular. For a client that is given an address; see credentials.h for those from files.
  std::shared_ptr<grpc::ChannelCredentials> credentials = nullptr;
  // Times the waits. Must outlive the client.
  Clock* clock = Clock::System();
};

// A random UUID in lower-case hexadecimal, for CreateRunRequest.request_id.
std::string NewRequestId();

// A jobtail server, seen from a program that uses it:
//
//   jobtail::client::Client client("127.0.0.1:50051");
//   jobtail::v1::CreateRunRequest request;
//   request.set_job("countdown");
//   request.set_request_id(jobtail::client::NewRequestId());
//   absl::StatusOr<jobtail::v1::Run> run = client.CreateRun(request);
//   if (!run.ok()) return run.status();
//   jobtail::v1::TailLogRequest tail;
//   tail.set_run(run->id());
//   tail.set_follow(true);
//   std::unique_ptr<jobtail::client::LogReader> reader = client.Tail(tail);
//   ... see LogReader
//
// Creating a client does not connect; the first call does, and a lost connection is made again by
// the next call. Thread-safe: one client, with its one connection, serves a whole program. Log
// readers may outlive it.
//
// Calls block until their answer or an error is there. Errors are the server's (NOT_FOUND,
// INVALID_ARGUMENT, ..., with its message) or those of the connection: UNAVAILABLE when the server
// was not reached for `retry_for`, DEADLINE_EXCEEDED after `call_timeout`.
class Client {
 public:
  // `address` is HOST:PORT, [IPV6]:PORT, or another target that gRPC understands.
  explicit Client(const std::string& address, const ClientOptions& options = {});

  // With a channel of the caller's own: by OpenChannel of credentials.h, or one whose arguments
  // suit it better.
  explicit Client(std::shared_ptr<grpc::Channel> channel, ClientOptions options = {});

  absl::StatusOr<v1::ListJobsResponse> ListJobs(const v1::ListJobsRequest& request) const;
  absl::StatusOr<v1::Job> GetJob(const std::string& job) const;

  // Is tried again only if the request has a request_id: without one, an attempt whose answer got
  // lost may have started a run, and another would start a second.
  absl::StatusOr<v1::Run> CreateRun(const v1::CreateRunRequest& request) const;

  absl::StatusOr<v1::Run> GetRun(const std::string& run) const;
  absl::StatusOr<v1::ListRunsResponse> ListRuns(const v1::ListRunsRequest& request) const;
  absl::StatusOr<v1::Run> CancelRun(const std::string& run) const;

  // NOT_FOUND counts as success if an earlier attempt of the same call may have deleted the run.
  absl::Status DeleteRun(const std::string& run) const;

  // Who this program is to the server, and what it may do.
  absl::StatusOr<v1::WhoAmIResponse> WhoAmI() const;

  // Reads the log of a run. Does not block, nor connect: LogReader::Next() does.
  std::unique_ptr<LogReader> Tail(v1::TailLogRequest request, ResumeOptions options = {}) const;

  // Tells of runs that begin, change and end. As little does this connect: RunWatcher::Next() does.
  std::unique_ptr<RunWatcher> Watch(v1::WatchRunsRequest request,
                                    RunWatcherOptions options = {}) const;

 private:
  const ClientOptions options_;
  const std::shared_ptr<grpc::Channel> channel_;
  const std::unique_ptr<v1::JobService::Stub> stub_;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_CLIENT_H_
