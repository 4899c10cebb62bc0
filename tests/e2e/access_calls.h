// Calls of somebody who has a token, and a log that somebody follows.
#ifndef JOBTAIL_TESTS_E2E_ACCESS_CALLS_H_
#define JOBTAIL_TESTS_E2E_ACCESS_CALLS_H_

#include <grpcpp/grpcpp.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/access_fixture.h"

namespace jobtail::e2e {

// A server that asks, and unary calls of whoever the token is.
class AccessCallsTest : public AccessTest {
 protected:
  using AccessTest::AccessTest;

  grpc::Status GetRun(const std::string& token, const std::string& run, v1::Run* answer);
  // The ids on the first page.
  std::vector<std::string> ListRuns(const std::string& token,
                                    const v1::ListRunsRequest& request = {});
  grpc::Status CreateRun(const std::string& token, const std::string& job, v1::Run* run,
                         const std::string& request_id = "");
};

// A log that is followed, whose stream ends when its reader's right does. One thread's.
class FollowedLog {
 public:
  // Waits for the first record.
  FollowedLog(v1::JobService::Stub& stub, const std::string& token, const std::string& run);

  // Reads to the end, which has to come within a second: the longest that a right lives on once it
  // is taken away.
  grpc::Status AwaitEnd();

  std::string resume_point() const { return ResumePoint(context_); }
  int records() const { return records_; }

 private:
  void Count(const v1::LogBatch& batch);

  grpc::ClientContext context_;
  std::unique_ptr<grpc::ClientReader<v1::LogBatch>> reader_;
  int records_ = 0;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_ACCESS_CALLS_H_
