// The calls, and reading a log to its end.
#include "tests/e2e/access_calls.h"

#include <chrono>

#include "absl/time/clock.h"

namespace jobtail::e2e {
namespace {

constexpr absl::Duration kSoon = absl::Seconds(1);

// A stream that goes on where it should end fails its test, and does not hang it.
constexpr std::chrono::seconds kDeadline(30);

}  // namespace

grpc::Status AccessCallsTest::GetRun(const std::string& token, const std::string& run,
                                     v1::Run* answer) {
  grpc::ClientContext context;
  Authorize(token, &context);
  v1::GetRunRequest request;
  request.set_run(run);
  return stub().GetRun(&context, request, answer);
}

std::vector<std::string> AccessCallsTest::ListRuns(const std::string& token,
                                                   const v1::ListRunsRequest& request) {
  grpc::ClientContext context;
  Authorize(token, &context);
  v1::ListRunsResponse response;
  EXPECT_TRUE(stub().ListRuns(&context, request, &response).ok());
  std::vector<std::string> runs;
  for (const v1::Run& run : response.runs()) runs.push_back(run.id());
  return runs;
}

grpc::Status AccessCallsTest::CreateRun(const std::string& token, const std::string& job,
                                        v1::Run* run, const std::string& request_id) {
  grpc::ClientContext context;
  Authorize(token, &context);
  v1::CreateRunRequest request;
  request.set_job(job);
  request.set_request_id(request_id);
  return stub().CreateRun(&context, request, run);
}

FollowedLog::FollowedLog(v1::JobService::Stub& stub, const std::string& token,
                         const std::string& run) {
  context_.AddMetadata("authorization", "Bearer " + token);
  context_.set_deadline(std::chrono::system_clock::now() + kDeadline);
  reader_ = stub.TailLog(&context_, Follow(run));
  v1::LogBatch batch;
  while (records_ == 0 && reader_->Read(&batch)) Count(batch);
}

grpc::Status FollowedLog::AwaitEnd() {
  const absl::Time begin = absl::Now();
  v1::LogBatch batch;
  while (reader_->Read(&batch)) Count(batch);
  EXPECT_LT(absl::Now() - begin, kSoon);
  return reader_->Finish();
}

void FollowedLog::Count(const v1::LogBatch& batch) {
  for (const v1::LogLine& line : batch.lines()) records_ += line.sequence() > 0 ? 1 : 0;
}

}  // namespace jobtail::e2e
