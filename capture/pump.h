// The background thread that reads the pipes of child processes.
#ifndef JOBTAIL_CAPTURE_PUMP_H_
#define JOBTAIL_CAPTURE_PUMP_H_

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <span>
#include <vector>

#include "capture/child_output.h"
#include "capture/sink.h"

namespace jobtail::capture::internal {

// Reads what child processes print, on one thread, which exists while there are any. Thread-safe.
//
// A pump serves the threads that share its descriptor table: nearly always all of the process, but
// for scopes with descriptors of their own.
class Pump : public std::enable_shared_from_this<Pump> {
 public:
  // That of the calling thread.
  static std::shared_ptr<Pump> OfThisThread();
  // From now on, and for the threads that it starts, the calling thread's is `pump`; null: the
  // process's.
  static void SetOfThisThread(std::shared_ptr<Pump> pump);
  // Null if it is the process's.
  static std::shared_ptr<Pump> OwnOfThisThread();

  // The process's.
  Pump() = default;
  // That of a descriptor table in which the process's 1 and 2 are still in place: keeps copies.
  // Throws std::system_error.
  struct OwnTable {};
  explicit Pump(OwnTable);
  ~Pump();

  const RealOutput& real() const { return real_; }

  // Throws std::system_error.
  void Add(const std::shared_ptr<ChildOutput>& child);

  // At the end of the program: what children of ended sessions have printed and the pump has not
  // come to yet.
  static void CopyRest();

  // Around fork(): in the child, the pump's thread does not exist. See Flusher.
  static void BeforeFork();
  static void AfterForkInParent();
  static void AfterForkInChild();

  // The descriptors that the pump needs, of a table that only a captured job's threads have.
  std::vector<int> OwnDescriptors();

 private:
  using Clock = std::chrono::steady_clock;

  struct ChildPipe {
    std::shared_ptr<ChildOutput> child;
    Stream stream;
    bool blocked = false;
  };

  void Watch(const std::shared_ptr<ChildOutput>& child, Stream stream);
  void Start();
  void Run();
  int Wait(std::optional<Clock::time_point> until, std::span<int> ready);
  bool TakeFrom(int fd);
  bool TakeFromBlocked();

  RealOutput real_;
  std::mutex mutex_;
  int epoll_ = -1;
  bool running_ = false;
  std::map<int, ChildPipe> pipes_;  // by descriptor
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_PUMP_H_
