// Servers for end-to-end tests, embedded or as a process, and calls that all of them make.
#ifndef JOBTAIL_TESTS_E2E_FIXTURE_H_
#define JOBTAIL_TESTS_E2E_FIXTURE_H_

#include <grpcpp/grpcpp.h>
#include <gtest/gtest.h>

#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobtail/v1/job_service.grpc.pb.h"
#include "server/server.h"
#include "tests/support/subprocess.h"

namespace jobtail::e2e {

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address);
std::unique_ptr<v1::JobService::Stub> Connect(const std::string& address);

// A server in this process, for jobs that the test writes itself.
class EmbeddedServer {
 public:
  explicit EmbeddedServer(ServerOptions options = {});

  // Adds a job.
  template <typename F>
  void Add(const std::string& name, F function) {
    EXPECT_TRUE(server_.AddJob(Job(name, std::move(function))).ok());
  }

  v1::JobService::Stub& stub() { return *stub_; }
  Server& server() { return server_; }

 private:
  Server server_;
  std::unique_ptr<v1::JobService::Stub> stub_;
};

// The demo server, or another program with its flags, as a process of its own.
class DemoServer {
 public:
  explicit DemoServer(std::vector<std::string> flags = {},
                      const std::string& program = JOBTAIL_DEMO);

  v1::JobService::Stub& stub() { return *stub_; }
  jobtail::testing::Subprocess& process() { return process_; }
  const std::string& address() const { return address_; }
  const std::string& http_url() const { return http_url_; }

 private:
  std::string ReadAddress(const std::string& door);

  jobtail::testing::Subprocess process_;
  std::string address_;
  std::string http_url_;
  std::unique_ptr<v1::JobService::Stub> stub_;
};

using Parameters = std::map<std::string, std::string>;

v1::RunJobRequest RunRequest(const std::string& job, const Parameters& parameters = {});
// Starts a run and returns its id.
std::string StartRun(v1::JobService::Stub& stub, const std::string& job,
                     const Parameters& parameters = {});
v1::Run GetRun(v1::JobService::Stub& stub, const std::string& run);
// Waits, by WatchRuns, until the run is at work, and until it has ended.
void WaitUntilStarted(v1::JobService::Stub& stub, const std::string& run);
void WaitUntilEnded(v1::JobService::Stub& stub, const std::string& run);
// Follows the run, from the first record to the last.
v1::TailLogRequest Follow(const std::string& run);
// Where a stream that was ended early says that one can go on; "" if it does not.
std::string ResumePoint(const grpc::ClientContext& context);

// Collects what a stream yields and holds it against what every stream promises: records numbered
// without a hole from the first on, times that never decrease, nothing after the result.
class Transcript {
 public:
  void Add(const v1::LogLine& line);
  void Add(const v1::LogBatch& batch);

  // Reads a stream to its end.
  static Transcript Read(grpc::ClientReader<v1::LogLine>& reader);
  static Transcript Read(grpc::ClientReader<v1::LogBatch>& reader);

  const std::vector<v1::LogLine>& records() const { return records_; }
  // The lines' text or bytes.
  std::vector<std::string> Lines() const;
  // What the job printed on a stream, byte for byte.
  std::string Printed(v1::Stream stream) const;
  bool ended() const { return !records_.empty() && records_.back().has_result(); }
  const v1::RunResult& result() const { return records_.back().result(); }
  const v1::Run& run() const { return run_; }
  int heartbeats() const { return heartbeats_; }
  int64_t last_sequence() const { return records_.empty() ? 0 : records_.back().sequence(); }

 private:
  std::vector<v1::LogLine> records_;
  v1::Run run_;
  int heartbeats_ = 0;
};

Transcript Tail(v1::JobService::Stub& stub, const v1::TailLogRequest& request);

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_FIXTURE_H_
