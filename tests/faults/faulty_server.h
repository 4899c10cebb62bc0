// A server under test whose disk does what the test says, and the checks that it is as before.
#ifndef JOBTAIL_TESTS_FAULTS_FAULTY_SERVER_H_
#define JOBTAIL_TESTS_FAULTS_FAULTY_SERVER_H_

#include <grpcpp/grpcpp.h>
#include <sys/types.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "jobtail/v1/job_service.grpc.pb.h"
#include "tests/e2e/fixture.h"
#include "tests/faults/fault_plan.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/subprocess.h"

namespace jobtail::faults {

// So long after a fault's end everything is to be served again.
inline constexpr std::chrono::seconds kPatience{10};

// Waits for what nobody tells of, for as long as is given; returns whether it has come.
template <typename Condition>
bool Within(std::chrono::milliseconds time, Condition condition) {
  const auto deadline = std::chrono::steady_clock::now() + time;
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
  return true;
}

// What is to go wrong: see Rule.
struct Fault {
  uint32_t calls = 0;
  const char* part = "";
  int error = 0;
  int64_t times = -1;
  uint32_t delay_ms = 0;
};

// The plan of a process that is yet to begin, and what it needs in its environment.
class Injector {
 public:
  explicit Injector(const std::string& directory);
  ~Injector();

  Injector(const Injector&) = delete;
  Injector& operator=(const Injector&) = delete;

  const std::vector<std::string>& environment() const { return environment_; }

  // Ends what went wrong before, and begins the fault.
  void Begin(const Fault& fault);
  // Begins another beside it; of those begun, the first that is for a call counts.
  void BeginBeside(const Fault& fault) { Begin(fault, 1); }
  // What was begun is over; calls that it is holding up go on.
  void End();
  // How often calls were hit since Begin; and by the fault beside.
  int64_t hits() const { return plan_->rules[0].hits; }
  int64_t hits_beside() const { return plan_->rules[1].hits; }

 private:
  void Begin(const Fault& fault, size_t place);

  testing::TemporaryDirectory control_;
  std::vector<std::string> environment_;
  Plan* plan_;
};

// What clients were told.
struct Answers {
  std::set<grpc::StatusCode> grpc;
  std::set<int> http;   // of POST /v1/runs; 0: the connection ended without an answer
  std::set<int> ready;  // of GET /readyz

  std::string ToString() const;
};

// A demo server as a process of its own, with a data directory that its faults are about. Not
// thread-safe, but for what is const.
class FaultyServer {
 public:
  using Command = std::vector<std::string>;

  FaultyServer() : FaultyServer(nullptr) {}
  // `wrapper(folder)` is a command that becomes the one whose words follow it; `folder` is where
  // the data directory will be.
  explicit FaultyServer(Command (*wrapper)(const std::string& folder));
  // Ends the server as SIGTERM does, and expects that it goes.
  ~FaultyServer();

  FaultyServer(const FaultyServer&) = delete;
  FaultyServer& operator=(const FaultyServer&) = delete;

  Injector& injector() { return injector_; }
  v1::JobService::Stub& stub() const { return *stub_; }
  const std::string& address() const { return address_; }
  const std::string& http_url() const { return http_url_; }
  std::string data() const { return directory_.path() + "/data"; }
  const std::string& directory() const { return directory_.path(); }
  pid_t pid() const { return process_->pid(); }

  void Start(const std::vector<std::string>& flags = {});
  void Kill();
  // As SIGTERM does; the exit code.
  int Stop();

  // Asks once at each door, over new connections.
  void Ask(Answers* answers) const;

  // Expects that, within kPatience, runs are taken at both doors, end and can be deleted, and that
  // the server says that it is ready. Returns how long that took.
  std::chrono::milliseconds ExpectServed() const;

  // Descriptors, but for those of tables and write-ahead logs, of which RocksDB keeps as many open
  // as there are, up to a bound; and threads.
  struct Use {
    std::multiset<std::string> descriptors;  // by what they are of, such as "socket" or a path
    int threads = 0;
  };
  Use Measure() const;
  // Expects that they are as before, in the end.
  void ExpectUse(const Use& before) const;

 private:
  bool ServesAll() const;

  const testing::TemporaryDirectory directory_;
  const Command wrapper_;
  Injector injector_;
  std::unique_ptr<testing::Subprocess> process_;
  std::string address_;
  std::string http_url_;
  std::unique_ptr<v1::JobService::Stub> stub_;
};

}  // namespace jobtail::faults

#endif  // JOBTAIL_TESTS_FAULTS_FAULTY_SERVER_H_
