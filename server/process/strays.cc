// Finding and killing what a run has left behind.

#include "server/process/strays.h"

#include <dirent.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <chrono>
#include <memory>
#include <set>
#include <string_view>
#include <thread>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "server/process/descriptor.h"
#include "server/process/spawn.h"

namespace jobtail::process {
namespace {

// Empty if the process has ended, or is somebody else's.
std::string ReadEnvironment(int pid) {
  const Descriptor file(
      open(absl::StrCat("/proc/", pid, "/environ").c_str(), O_RDONLY | O_CLOEXEC));
  std::string text;
  std::array<char, 16 << 10> bytes;
  ssize_t size;
  while (file.ok() && (size = read(file.get(), bytes.data(), bytes.size())) > 0) {
    text.append(bytes.data(), static_cast<size_t>(size));
  }
  return text;
}

bool Has(const std::string& environment, const std::string& variable) {
  const std::string entry = variable + '\0';
  return environment.starts_with(entry) || environment.find('\0' + entry) != std::string::npos;
}

// The number is another process's, if it is, before the environment is read: then that is not the
// one that is killed.
bool KillIfItHas(int pid, const std::string& variable) {
  const Descriptor process(static_cast<int>(syscall(SYS_pidfd_open, pid, 0)));
  return process.ok() && Has(ReadEnvironment(pid), variable) &&
         syscall(SYS_pidfd_send_signal, process.get(), SIGKILL, nullptr, 0) == 0;
}

std::atomic<bool> adopts_orphans = false;

// A supervisor has died, and all that it had left behind has become ours, directly or by and by.
void KillOrphans(std::set<int>* killed) {
  if (!adopts_orphans) return;
  ForEachOtherChild([killed](pid_t pid) {
    if (waitpid(pid, nullptr, WNOHANG) == pid) return;
    if (kill(pid, SIGKILL) == 0) killed->insert(pid);
  });
}

// Those that were killed.
std::set<int> KillAll(const std::string& variable) {
  std::set<int> killed;
  KillOrphans(&killed);
  const std::unique_ptr<DIR, int (*)(DIR*)> directory(opendir("/proc"), closedir);
  while (const dirent* const entry = directory ? readdir(directory.get()) : nullptr) {
    int pid;
    if (absl::SimpleAtoi(entry->d_name, &pid) && KillIfItHas(pid, variable)) killed.insert(pid);
  }
  return killed;
}

}  // namespace

void AdoptOrphans() { adopts_orphans = prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) == 0; }

int KillStrays(const std::string& variable) {
  constexpr int kTries = 200;
  constexpr std::chrono::milliseconds kBetweenTries{5};
  std::set<int> all;
  for (int i = 0; i < kTries; ++i) {
    std::set<int> killed = KillAll(variable);
    if (killed.empty()) break;
    all.merge(killed);
    std::this_thread::sleep_for(kBetweenTries);
  }
  return static_cast<int>(all.size());
}

}  // namespace jobtail::process
