// Processes and what they wait for, as /proc tells.
#include "server/process/terminal_reader.h"

#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <system_error>
#include <vector>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "server/process/waited_for.h"

namespace jobtail::process {
namespace {

constexpr unsigned kSlaveMajor = 136;
const dev_t kOwnTerminal = makedev(5, 0);  // /dev/tty
constexpr size_t kMostProcesses = 10'000;

std::string FirstLine(const std::filesystem::path& file) {
  std::string line;
  std::ifstream stream(file);
  std::getline(stream, line);
  return line;
}

std::vector<pid_t> Threads(pid_t pid) {
  std::vector<pid_t> threads;
  std::error_code error;
  for (const auto& entry :
       std::filesystem::directory_iterator(absl::StrCat("/proc/", pid, "/task"), error)) {
    pid_t thread;
    if (absl::SimpleAtoi(entry.path().filename().native(), &thread)) threads.push_back(thread);
  }
  return threads;
}

// Its controlling terminal: the seventh field, behind the name, which may have anything in it.
dev_t TerminalOf(pid_t pid) {
  const std::string line = FirstLine(absl::StrCat("/proc/", pid, "/stat"));
  const size_t name_end = line.rfind(')');
  if (name_end == std::string::npos) return 0;
  const std::vector<absl::string_view> fields =
      absl::StrSplit(absl::string_view(line).substr(name_end + 1), ' ', absl::SkipEmpty());
  uint32_t number = 0;
  constexpr size_t kTerminal = 4;  // state, parent, group, session
  if (fields.size() <= kTerminal || !absl::SimpleAtoi(fields[kTerminal], &number)) return 0;
  return makedev((number >> 8) & 0xfff, (number & 0xff) | ((number >> 12) & 0xfff00));
}

bool IsTerminal(pid_t pid, int fd, dev_t terminal) {
  struct stat file {};
  if (stat(absl::StrCat("/proc/", pid, "/fd/", fd).c_str(), &file) != 0) return false;
  if (!S_ISCHR(file.st_mode)) return false;
  return file.st_rdev == terminal || (file.st_rdev == kOwnTerminal && TerminalOf(pid) == terminal);
}

// Whether one of its threads waits for that terminal, and for nothing else.
bool Reads(pid_t pid, dev_t terminal) {
  return std::ranges::any_of(Threads(pid), [&](pid_t thread) {
    const std::vector<int> descriptors = WaitsToRead(pid, thread);
    return !descriptors.empty() &&
           std::ranges::all_of(descriptors, [&](int fd) { return IsTerminal(pid, fd, terminal); });
  });
}

}  // namespace

dev_t TerminalOfMaster(int master) {
  unsigned number;
  return ioctl(master, TIOCGPTN, &number) == 0 ? makedev(kSlaveMajor, number) : 0;
}

std::optional<TerminalReader> FindTerminalReader(pid_t ancestor, dev_t terminal) {
  std::vector<pid_t> pids{ancestor};
  for (size_t i = 0; i < pids.size() && pids.size() < kMostProcesses; ++i) {
    if (pids[i] != ancestor && Reads(pids[i], terminal)) {
      return TerminalReader{pids[i], FirstLine(absl::StrCat("/proc/", pids[i], "/comm"))};
    }
    for (const pid_t thread : Threads(pids[i])) {
      std::ifstream children(absl::StrCat("/proc/", pids[i], "/task/", thread, "/children"));
      for (pid_t child; children >> child;) pids.push_back(child);
    }
  }
  return std::nullopt;
}

bool TypeEndOfFile(int master) {
  termios settings{};
  if (tcgetattr(master, &settings) != 0 || (settings.c_lflag & ICANON) == 0) return false;
  const cc_t end = settings.c_cc[VEOF];
  return end != _POSIX_VDISABLE && write(master, &end, 1) == 1;
}

}  // namespace jobtail::process
