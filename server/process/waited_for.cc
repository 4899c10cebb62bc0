// What a thread waits for: its system call's arguments, and the memory that they point to.
#include "server/process/waited_for.h"

#include <fcntl.h>
#include <poll.h>
#include <sys/epoll.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <array>
#include <cstdint>
#include <fstream>
#include <optional>
#include <string>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "server/process/descriptor.h"

namespace jobtail::process {
namespace {

using Descriptors = std::vector<int>;

// Of one call; nobody waits for a person and as many others.
constexpr uint64_t kMostDescriptors = 4096;

struct Call {
  int number = -1;
  std::array<uint64_t, 6> arguments{};
};

// The call that the thread is in: its number and arguments, as "7 0x7ffc 0x1 …".
std::optional<Call> CurrentCall(pid_t pid, pid_t thread) {
  std::ifstream file(absl::StrCat("/proc/", pid, "/task/", thread, "/syscall"));
  std::string line;
  std::getline(file, line);
  const std::vector<absl::string_view> words = absl::StrSplit(line, ' ');
  Call call;
  if (words.size() <= call.arguments.size() || !absl::SimpleAtoi(words[0], &call.number)) {
    return std::nullopt;
  }
  for (size_t i = 0; i < call.arguments.size(); ++i) {
    if (!absl::SimpleHexAtoi(words[i + 1], &call.arguments[i])) return std::nullopt;
  }
  return call;
}

// `count` values of a process's memory; none if it cannot be read.
template <typename Value>
std::vector<Value> Memory(pid_t pid, uint64_t address, uint64_t count) {
  const Descriptor memory(open(absl::StrCat("/proc/", pid, "/mem").c_str(), O_RDONLY | O_CLOEXEC));
  std::vector<Value> values(count);
  const auto size = static_cast<ssize_t>(count * sizeof(Value));
  const auto offset = static_cast<off_t>(address);
  if (pread(memory.get(), values.data(), count * sizeof(Value), offset) != size) values.clear();
  return values;
}

Descriptors Polled(pid_t pid, uint64_t address, uint64_t count) {
  Descriptors descriptors;
  if (count > kMostDescriptors) return {};
  for (const pollfd& polled : Memory<pollfd>(pid, address, count)) {
    if (polled.fd < 0) continue;
    constexpr int kRead = POLLIN | POLLRDNORM;
    constexpr int kRest = POLLPRI | POLLRDHUP | POLLHUP | POLLERR | POLLNVAL;
    if ((polled.events & kRead) == 0 || (polled.events & ~(kRead | kRest)) != 0) return {};
    descriptors.push_back(polled.fd);
  }
  return descriptors;
}

using Word = unsigned long;
constexpr uint64_t kWordBits = 8 * sizeof(Word);

// Numbers below `end` that are in a set of select's.
Descriptors Set(pid_t pid, uint64_t address, uint64_t end) {
  Descriptors descriptors;
  if (address == 0) return {};
  const auto words = Memory<Word>(pid, address, (end + kWordBits - 1) / kWordBits);
  for (uint64_t i = 0; i < end && !words.empty(); ++i) {
    if (words[i / kWordBits] >> i % kWordBits & 1) descriptors.push_back(static_cast<int>(i));
  }
  return descriptors;
}

// What is waited for to have something urgent is nearly always what is to be read.
Descriptors Selected(pid_t pid, const Call& call) {
  const uint64_t end = call.arguments[0];
  if (end > kMostDescriptors) return {};
  Descriptors read = Set(pid, call.arguments[1], end);
  const Descriptors urgent = Set(pid, call.arguments[3], end);
  const bool writes = !Set(pid, call.arguments[2], end).empty();
  return writes || (!urgent.empty() && urgent != read) ? Descriptors() : read;
}

// "tfd:        5 events:       19 data: …" for each.
Descriptors Watched(pid_t pid, int epoll) {
  Descriptors descriptors;
  std::ifstream file(absl::StrCat("/proc/", pid, "/fdinfo/", epoll));
  for (std::string line; std::getline(file, line);) {
    const std::vector<absl::string_view> words = absl::StrSplit(line, ' ', absl::SkipEmpty());
    int fd;
    uint32_t events;
    if (words.empty() || words[0] != "tfd:") continue;
    if (words.size() < 4 || !absl::SimpleAtoi(words[1], &fd) ||
        !absl::SimpleHexAtoi(words[3], &events)) {
      return {};
    }
    if ((events & EPOLLIN) == 0 || (events & EPOLLOUT) != 0) return {};
    descriptors.push_back(fd);
  }
  return descriptors;
}

bool IsWithoutEnd(uint64_t milliseconds) { return static_cast<int32_t>(milliseconds) < 0; }

}  // namespace

std::vector<int> WaitsToRead(pid_t pid, pid_t thread) {
  const std::optional<Call> call = CurrentCall(pid, thread);
  if (!call) return {};
  const auto& arguments = call->arguments;
  const int first = static_cast<int>(arguments[0]);
  switch (call->number) {
    case SYS_read:
    case SYS_readv:
      return {first};
#ifdef SYS_poll
    case SYS_poll:
      return IsWithoutEnd(arguments[2]) ? Polled(pid, arguments[0], arguments[1]) : Descriptors();
    case SYS_select:
      return arguments[4] == 0 ? Selected(pid, *call) : Descriptors();
    case SYS_epoll_wait:
      return IsWithoutEnd(arguments[3]) ? Watched(pid, first) : Descriptors();
#endif
    case SYS_ppoll:
      return arguments[2] == 0 ? Polled(pid, arguments[0], arguments[1]) : Descriptors();
    case SYS_pselect6:
      return arguments[4] == 0 ? Selected(pid, *call) : Descriptors();
    case SYS_epoll_pwait:
      return IsWithoutEnd(arguments[3]) ? Watched(pid, first) : Descriptors();
    case SYS_epoll_pwait2:
      return arguments[3] == 0 ? Watched(pid, first) : Descriptors();
    default:
      return {};
  }
}

}  // namespace jobtail::process
