// A TCP proxy that breaks connections as a test plans it.
#ifndef JOBTAIL_TESTS_E2E_FAULT_PROXY_H_
#define JOBTAIL_TESTS_E2E_FAULT_PROXY_H_

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace jobtail::e2e {

// What becomes of a connection.
struct Fault {
  enum class Way { kToServer, kToClient };
  enum class End {
    kNone,   // it lives as long as its ends want
    kClose,  // closed in both directions: what was sent arrives
    kReset,  // reset: what has not been read yet may get lost as well
  };

  End end = End::kNone;
  // When it ends: once this many bytes have gone this way. After 0 bytes to the server it ends as
  // soon as it is there.
  Way way = Way::kToClient;
  size_t after = 0;
  // Bytes go in pieces of at most this size, and each way waits this long after each.
  size_t piece = 64 << 10;
  std::chrono::microseconds pause{0};
};

// Stands between clients and a server on this machine and breaks connections as planned. All
// connections end when it is destroyed.
class FaultProxy {
 public:
  // `server` is 127.0.0.1:PORT. `plan` tells what becomes of the i-th connection, from 0; it is
  // called in a thread of the proxy, one call at a time. A connection that its ends close before
  // its fault is due (gRPC gives one up now and then) does not count: the next one gets the fault.
  FaultProxy(const std::string& server, std::function<Fault(int i)> plan);
  ~FaultProxy();

  FaultProxy(const FaultProxy&) = delete;
  FaultProxy& operator=(const FaultProxy&) = delete;

  // HOST:PORT for clients.
  const std::string& address() const { return address_; }

  // How many connections it has broken so far. Thread-safe.
  int broken() const { return broken_; }

 private:
  class Connection;

  void Accept();
  Fault NextFault();
  // What the connection has come to: its fault, or an earlier end.
  void Ended(const Fault& fault, bool by_fault);

  const int server_port_;
  const std::function<Fault(int)> plan_;
  int listener_ = -1;
  std::string address_;
  std::atomic<int> broken_ = 0;
  int planned_ = 0;  // of the accepting thread
  std::mutex mutex_;
  std::vector<Fault> left_;  // faults that did not come to pass; guarded by mutex_
  std::vector<std::unique_ptr<Connection>> connections_;  // of the accepting thread
  std::thread accepting_;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_FAULT_PROXY_H_
