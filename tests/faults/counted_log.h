// Logs whose lines are counted, so that a reader sees whether one is missing.
#ifndef JOBTAIL_TESTS_FAULTS_COUNTED_LOG_H_
#define JOBTAIL_TESTS_FAULTS_COUNTED_LOG_H_

#include <atomic>
#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::faults {

// What was read of the log of a firehose or a countdown. Each record has the number that is in its
// text, and follows the one before or a gap; what does not is a failure of the test.
class CountedLog {
 public:
  // `is_numbered`: with numbers in its text; of another log, only the records' own are looked at.
  explicit CountedLog(std::string run, bool is_numbered = true)
      : run_(std::move(run)), is_numbered_(is_numbered) {}

  void Add(const v1::LogBatch& batch);

  int64_t last() const { return last_; }
  const std::vector<v1::Gap>& gaps() const { return gaps_; }
  const std::optional<v1::RunResult>& result() const { return result_; }

 private:
  void AddRecord(const v1::LogLine& line);

  const std::string run_;
  const bool is_numbered_;
  std::atomic<int64_t> last_ = 0;
  std::vector<v1::Gap> gaps_;
  std::optional<v1::RunResult> result_;
};

// Reads all that there is, from the first record to the last, over again where the stream breaks
// for a reason that passes.
void ReadAll(v1::JobService::Stub& stub, const std::string& run, CountedLog* log);

// Follows a run on a thread of its own, for as long as it lives, whatever breaks.
class Follower {
 public:
  Follower(const std::string& address, const std::string& run);
  // What it has read may be looked at from then on.
  void Stop();

  int64_t last() const { return log_.last(); }  // at any time
  const CountedLog& log() const { return log_; }
  // How the streams ended that did not go on to the end.
  const std::set<grpc::StatusCode>& ends() const { return ends_; }

 private:
  CountedLog log_;
  std::set<grpc::StatusCode> ends_;
  std::jthread thread_;  // last: it uses the rest
};

}  // namespace jobtail::faults

#endif  // JOBTAIL_TESTS_FAULTS_COUNTED_LOG_H_
