// Threads find their run by the scope that captures them.
#include "server/run/current_run.h"

#include <stdlib.h>
#include <unistd.h>

#include <system_error>
#include <thread>
#include <utility>

#include "absl/base/call_once.h"
#include "absl/container/flat_hash_map.h"
#include "absl/synchronization/mutex.h"
#include "absl/synchronization/notification.h"

namespace jobtail {

struct CurrentRun::Entry {
  const std::shared_ptr<JobContext> context;
  const capture::Context capture;
  const RunUncaptured run_uncaptured;
  const AtExit at_exit;
};

// All runs at work, by their scopes. Lives for ever. Thread-safe.
class CurrentRun::Table {
 public:
  static Table& Get() {
    static auto& table = *new Table;
    return table;
  }

  void Add(const std::shared_ptr<Entry>& entry) {
    absl::MutexLock lock(&mutex_);
    entries_[entry->capture.scope()] = entry;
  }

  void Remove(const Entry& entry) {
    absl::MutexLock lock(&mutex_);
    entries_.erase(entry.capture.scope());
  }

  std::shared_ptr<Entry> Find(const void* scope) const {
    absl::MutexLock lock(&mutex_);
    const auto found = entries_.find(scope);
    return found == entries_.end() ? nullptr : found->second;
  }

 private:
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<const void*, std::shared_ptr<Entry>> entries_ ABSL_GUARDED_BY(mutex_);
};

namespace {

// The scope around the function that this thread has called.
thread_local const void* innermost = nullptr;

// Which process has registered what is called at its end.
pid_t process = 0;

// Of a process that is a run's.
std::shared_ptr<JobContext>& OfProcess() {
  static auto& context = *new std::shared_ptr<JobContext>;
  return context;
}

}  // namespace

CurrentRun::CurrentRun(std::shared_ptr<JobContext> context, RunUncaptured run_uncaptured,
                       AtExit at_exit)
    : entry_(new Entry{std::move(context), capture::Context::Current(), std::move(run_uncaptured),
                       std::move(at_exit)}),
      outer_(innermost) {
  Table::Get().Add(entry_);
  innermost = entry_->capture.scope();
  // After capture's own, which the first scope has registered: so it is called before that.
  static absl::once_flag registered;
  absl::call_once(registered, [] {
    process = getpid();
    on_exit(EndAtExit, nullptr);
    at_quick_exit([] { EndAtExit(0, nullptr); });
  });
}

CurrentRun::~CurrentRun() {
  entry_->context->Close();
  innermost = outer_;
  Table::Get().Remove(*entry_);
}

void CurrentRun::TakeProcess(std::shared_ptr<JobContext> context) {
  OfProcess() = std::move(context);
}

std::shared_ptr<CurrentRun::Entry> CurrentRun::Find() {
  if (innermost) return Table::Get().Find(innermost);
  const void* scope = capture::Context::Current().scope();
  if (!scope) scope = capture::Context::LastScope();
  return scope ? Table::Get().Find(scope) : nullptr;
}

std::shared_ptr<JobContext> CurrentRun::Context() {
  if (OfProcess()) return OfProcess();
  const std::shared_ptr<Entry> entry = Find();
  return entry ? entry->context : nullptr;
}

// Nothing on this thread may wait for what hangs: a log that is full, a store that does not answer.
// A child that the job has forked ends itself alone.
void CurrentRun::EndAtExit(int exit_code, void* /*unused*/) {
  if (getpid() != process) return;
  const std::shared_ptr<Entry> entry = Find();
  if (!entry) return;
  const auto done = std::make_shared<absl::Notification>();
  const auto end = [entry, exit_code, done] {
    entry->context->Close();
    entry->capture.End();
    entry->run_uncaptured([entry, exit_code, done] {
      entry->at_exit(exit_code);
      done->Notify();
    });
  };
  try {
    std::thread(end).detach();  // which has the descriptors of this one, if these are its own
  } catch (const std::system_error&) {
    end();
  }
  done->WaitForNotificationWithTimeout(kExitPatience);
}

}  // namespace jobtail
