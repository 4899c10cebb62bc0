// Calls that are tried again.

#include "client/client.h"

#include <grpcpp/grpcpp.h>
#include <uuid/uuid.h>

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "client/cancellation.h"
#include "client/grpc_status.h"

namespace jobtail::client {
namespace {

// Makes attempts of one call, `attempt(grpc::ClientContext*)`, until one is answered.
template <typename Attempt>
absl::Status CallWithRetries(const ClientOptions& options, Attempt attempt) {
  Clock* const clock = options.clock;
  const absl::Duration start = clock->Steady();
  const absl::Duration last_start = start + std::min(options.retry_for, options.call_timeout);
  Backoff backoff(options.backoff);
  while (true) {
    grpc::ClientContext context;
    const absl::Duration left = start + options.call_timeout - clock->Steady();
    if (left < absl::InfiniteDuration()) {
      context.set_deadline(absl::ToChronoTime(absl::Now() + left));
    }
    absl::Status status = FromGrpc(attempt(&context));
    const absl::Duration next = clock->Steady() + backoff.Next();
    if (!absl::IsUnavailable(status) || next > last_start) return status;
    Cancellation().WaitUntil(clock, next);
  }
}

// A call of `method`; tried again if `safe`.
template <typename Response, typename Request, typename Method>
absl::StatusOr<Response> Call(v1::JobService::Stub* stub, Method method, const Request& request,
                              ClientOptions options, bool safe = true) {
  if (!safe) options.retry_for = absl::ZeroDuration();
  Response response;
  absl::Status status = CallWithRetries(options, [&](grpc::ClientContext* context) {
    return (stub->*method)(context, request, &response);
  });
  if (!status.ok()) return status;
  return response;
}

}  // namespace

std::string NewRequestId() {
  uuid_t uuid;
  uuid_generate_random(uuid);
  char text[UUID_STR_LEN];
  uuid_unparse_lower(uuid, text);
  return text;
}

Client::Client(const std::string& address, const ClientOptions& options)
    : Client(OpenChannel(address, options.credentials), options) {}

Client::Client(std::shared_ptr<grpc::Channel> channel, ClientOptions options)
    : options_(std::move(options)),
      channel_(std::move(channel)),
      stub_(v1::JobService::NewStub(channel_)) {}

absl::StatusOr<v1::ListJobsResponse> Client::ListJobs(const v1::ListJobsRequest& request) const {
  return Call<v1::ListJobsResponse>(stub_.get(), &v1::JobService::Stub::ListJobs, request,
                                    options_);
}

absl::StatusOr<v1::Job> Client::GetJob(const std::string& job) const {
  v1::GetJobRequest request;
  request.set_job(job);
  return Call<v1::Job>(stub_.get(), &v1::JobService::Stub::GetJob, request, options_);
}

absl::StatusOr<v1::Run> Client::CreateRun(const v1::CreateRunRequest& request) const {
  return Call<v1::Run>(stub_.get(), &v1::JobService::Stub::CreateRun, request, options_,
                       /*safe=*/!request.request_id().empty());
}

absl::StatusOr<v1::Run> Client::GetRun(const std::string& run) const {
  v1::GetRunRequest request;
  request.set_run(run);
  return Call<v1::Run>(stub_.get(), &v1::JobService::Stub::GetRun, request, options_);
}

absl::StatusOr<v1::ListRunsResponse> Client::ListRuns(const v1::ListRunsRequest& request) const {
  return Call<v1::ListRunsResponse>(stub_.get(), &v1::JobService::Stub::ListRuns, request,
                                    options_);
}

absl::StatusOr<v1::Run> Client::CancelRun(const std::string& run) const {
  v1::CancelRunRequest request;
  request.set_run(run);
  return Call<v1::Run>(stub_.get(), &v1::JobService::Stub::CancelRun, request, options_);
}

absl::Status Client::DeleteRun(const std::string& run) const {
  v1::DeleteRunRequest request;
  request.set_run(run);
  google::protobuf::Empty response;
  int attempts = 0;
  absl::Status status = CallWithRetries(options_, [&](grpc::ClientContext* context) {
    ++attempts;
    return stub_->DeleteRun(context, request, &response);
  });
  return attempts > 1 && absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::StatusOr<v1::WhoAmIResponse> Client::WhoAmI() const {
  return Call<v1::WhoAmIResponse>(stub_.get(), &v1::JobService::Stub::WhoAmI, v1::WhoAmIRequest(),
                                  options_);
}

std::unique_ptr<LogReader> Client::Tail(v1::TailLogRequest request, ResumeOptions options) const {
  if (options_.accept_compression) request.add_accept_compression(v1::COMPRESSION_LZ4_BLOCK);
  return std::make_unique<LogReader>(channel_, std::move(request), std::move(options));
}

std::unique_ptr<RunWatcher> Client::Watch(v1::WatchRunsRequest request,
                                          RunWatcherOptions options) const {
  return std::make_unique<RunWatcher>(channel_, std::move(request), std::move(options));
}

}  // namespace jobtail::client
