// Makes each call of the API about a run and its job.
#include "tests/e2e/access_table_calls.h"

#include "absl/strings/str_cat.h"

namespace jobtail::e2e {

Answer OfGrpc(const grpc::Status& status) {
  switch (status.error_code()) {
    case grpc::StatusCode::OK:
      return "yes";
    case grpc::StatusCode::UNAUTHENTICATED:
      return "401";
    case grpc::StatusCode::PERMISSION_DENIED:
      return "403";
    case grpc::StatusCode::NOT_FOUND:
      return "404";
    default:
      return absl::StrCat("gRPC ", status.error_code(), ": ", status.error_message());
  }
}

Answer OfHttp(int status) { return status == 200 ? "yes" : absl::StrCat(status); }

Answer InList(const Answer& answer, const std::string& text, const std::string& wanted) {
  if (answer != "yes") return answer;
  return text.find(wanted) == std::string::npos ? "-" : "yes";
}

namespace {

template <typename Request>
Request About(const Target& target) {
  Request request;
  if constexpr (requires { request.set_run(""); }) request.set_run(target.run);
  if constexpr (requires { request.set_job(""); }) request.set_job(target.job);
  return request;
}

// A unary call; `wanted` is looked for in the answer, if it is a list.
template <typename Request, typename Response, typename Method>
GrpcCall Unary(Method method, std::string Target::*wanted = nullptr) {
  return [=](v1::JobService::Stub& stub, grpc::ClientContext* context, const Target& target) {
    Response response;
    const Request request = wanted ? Request() : About<Request>(target);
    const Answer answer = OfGrpc((stub.*method)(context, request, &response));
    return wanted ? InList(answer, response.DebugString(), target.*wanted) : answer;
  };
}

// A stream: whether anything comes.
template <typename Request, typename Message, typename Method>
GrpcCall Streamed(Method method, bool of_any_job = false) {
  return [=](v1::JobService::Stub& stub, grpc::ClientContext* context, const Target& target) {
    const Request request = of_any_job ? Request() : About<Request>(target);
    const auto reader = (stub.*method)(context, request);
    Message message;
    if (!reader->Read(&message)) return OfGrpc(reader->Finish());
    context->TryCancel();
    reader->Finish();
    return Answer("yes");
  };
}

}  // namespace

std::map<std::string, GrpcCall> GrpcCalls() {
  using Stub = v1::JobService::Stub;
  return {
      {"ListJobs", Unary<v1::ListJobsRequest, v1::ListJobsResponse>(&Stub::ListJobs, &Target::job)},
      {"GetJob", Unary<v1::GetJobRequest, v1::Job>(&Stub::GetJob)},
      {"RunJob", Streamed<v1::RunJobRequest, v1::LogLine>(&Stub::RunJob)},
      {"CreateRun", Unary<v1::CreateRunRequest, v1::Run>(&Stub::CreateRun)},
      {"GetRun", Unary<v1::GetRunRequest, v1::Run>(&Stub::GetRun)},
      {"ListRuns", Unary<v1::ListRunsRequest, v1::ListRunsResponse>(&Stub::ListRuns, &Target::run)},
      {"CancelRun", Unary<v1::CancelRunRequest, v1::Run>(&Stub::CancelRun)},
      {"DeleteRun", Unary<v1::DeleteRunRequest, google::protobuf::Empty>(&Stub::DeleteRun)},
      {"TailLog", Streamed<v1::TailLogRequest, v1::LogBatch>(&Stub::TailLog)},
      {"WatchRuns", Streamed<v1::WatchRunsRequest, v1::Run>(&Stub::WatchRuns, true)},
      {"WhoAmI", Unary<v1::WhoAmIRequest, v1::WhoAmIResponse>(&Stub::WhoAmI)},
  };
}

}  // namespace jobtail::e2e
