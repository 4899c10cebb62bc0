// The files of control groups.

#include "server/process/cgroup.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>
#include <utility>

#include "absl/strings/match.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/time/clock.h"
#include "base/clock.h"

namespace jobtail::process {
namespace {

constexpr auto kCgroup2Magic = 0x63677270;
constexpr char kRunPrefix[] = "run-";
constexpr absl::Duration kPoll = absl::Milliseconds(2);
constexpr absl::Duration kPatience = absl::Seconds(1);

bool Write(const std::string& file, std::string_view text) {
  const Descriptor fd(open(file.c_str(), O_WRONLY | O_CLOEXEC));
  return fd.ok() && write(fd.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

std::string Read(const std::string& file) {
  std::ifstream stream(file);
  return {std::istreambuf_iterator<char>(stream), std::istreambuf_iterator<char>()};
}

// The value of "NAME VALUE" among a file's lines.
int64_t ValueOf(const std::string& file, std::string_view name) {
  const std::string text = Read(file);
  for (const absl::string_view line : absl::StrSplit(text, '\n')) {
    const std::pair<absl::string_view, absl::string_view> parts = absl::StrSplit(line, ' ');
    int64_t value;
    if (parts.first == absl::string_view(name.data(), name.size()) &&
        absl::SimpleAtoi(parts.second, &value)) {
      return value;
    }
  }
  return 0;
}

bool HasWord(const std::string& file, absl::string_view word) {
  const std::string text = Read(file);
  for (const absl::string_view each : absl::StrSplit(text, absl::ByAnyChar(" \n"))) {
    if (each == word) return true;
  }
  return false;
}

bool IsCgroup2(const std::string& directory) {
  struct statfs info {};
  return statfs(directory.c_str(), &info) == 0 && info.f_type == kCgroup2Magic;
}

// Of the second version, which has no controllers in its line: "0::/path".
std::string OwnDirectory() {
  std::string path;
  for (const absl::string_view line : absl::StrSplit(Read("/proc/self/cgroup"), '\n')) {
    if (absl::StartsWith(line, "0::")) path = std::string(line.substr(3));
  }
  if (path.empty()) return "";
  for (const char* mount : {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"}) {
    if (!IsCgroup2(mount)) continue;
    const std::string directory = absl::StrCat(mount, path == "/" ? "" : path);
    if (IsCgroup2(directory)) return directory;
  }
  return "";
}

// As systemd marks them; for a user's own services it makes them that user's.
bool IsDelegated(const std::string& directory) {
  for (const char* name : {"trusted.delegate", "user.delegate"}) {
    std::array<char, 8> value{};
    if (getxattr(directory.c_str(), name, value.data(), value.size()) == 1 && value[0] == '1') {
      return true;
    }
  }
  struct stat info {};
  return geteuid() != 0 && stat(directory.c_str(), &info) == 0 && info.st_uid == geteuid();
}

bool Remove(const std::string& directory) {
  return rmdir(directory.c_str()) == 0 || errno == ENOENT;
}

// What is in it may have made groups of its own.
void RemoveBelow(const std::string& directory) {
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(directory, error)) {
    if (!entry.is_directory(error)) continue;
    RemoveBelow(entry.path());
    Remove(entry.path());
  }
}

// True once there is nothing left of it.
bool KillAndRemove(const std::string& directory, absl::Duration patience) {
  const absl::Duration end = Clock::System()->Steady() + patience;
  if (Remove(directory)) return true;
  while (true) {
    if (!Write(directory + "/cgroup.kill", "1") && errno == ENOENT) return Remove(directory);
    if (ValueOf(directory + "/cgroup.events", "populated") == 0) {
      RemoveBelow(directory);
      if (Remove(directory)) return true;
    }
    if (Clock::System()->Steady() >= end) return false;
    absl::SleepFor(kPoll);
  }
}

absl::Status Unusable(const std::string& directory, const std::string& why) {
  return absl::FailedPreconditionError(
      absl::StrCat("--cgroup=", directory, ": ", why,
                   "; give a directory of the cgroup2 file system that is delegated to this "
                   "server, or --cgroup=none"));
}

}  // namespace

Cgroup::~Cgroup() { End(absl::ZeroDuration()); }

absl::StatusOr<Descriptor> Cgroup::OpenEntrance() const {
  Descriptor fd(open((path_ + "/cgroup.procs").c_str(), O_WRONLY | O_CLOEXEC));
  if (fd.ok()) return fd;
  return absl::ResourceExhaustedError(
      absl::StrCat("no control group for the run: ", strerror(errno)));
}

void Cgroup::End(absl::Duration patience) {
  if (path_.empty()) return;
  KillAndRemove(path_, patience);
  path_.clear();
}

int64_t Cgroup::MemoryKills() const {
  return path_.empty() ? 0 : ValueOf(path_ + "/memory.events", "oom_kill");
}

absl::StatusOr<std::optional<Cgroups>> Cgroups::Open(const std::string& directory) {
  if (directory.empty() || directory == "none") return std::nullopt;
  const std::string own = OwnDirectory();
  const bool is_auto = directory == "auto";
  const std::string path = is_auto ? own : directory;
  if (is_auto && (path.empty() || !IsDelegated(path))) return std::nullopt;
  if (!IsCgroup2(path)) return Unusable(directory, "no control group of version 2");
  std::error_code error;
  if (std::filesystem::equivalent(path, own, error) && path != "/sys/fs/cgroup") {
    const std::string leaf = path + "/server";
    if ((mkdir(leaf.c_str(), 0755) != 0 && errno != EEXIST) ||
        !Write(leaf + "/cgroup.procs", "0")) {
      if (is_auto) return std::nullopt;
      return Unusable(directory, strerror(errno));
    }
  }
  for (const char* controller : {"memory", "pids"}) {
    if (!HasWord(path + "/cgroup.controllers", controller)) continue;
    Write(path + "/cgroup.subtree_control", absl::StrCat("+", controller));
  }
  for (const auto& entry : std::filesystem::directory_iterator(path, error)) {
    if (!absl::StartsWith(entry.path().filename().string(), kRunPrefix)) continue;
    KillAndRemove(entry.path(), kPatience);
  }
  Cgroups cgroups(path);
  const auto trial = cgroups.Make("trial", std::nullopt, std::nullopt);
  if (trial.ok()) return cgroups;
  if (is_auto) return std::nullopt;
  return Unusable(directory, std::string(trial.status().message()));
}

absl::StatusOr<Cgroup> Cgroups::Make(const std::string& run, std::optional<int64_t> memory_bytes,
                                     std::optional<int64_t> processes) const {
  Cgroup group(absl::StrCat(path_, "/", kRunPrefix, run));
  if (mkdir(group.path_.c_str(), 0755) != 0 && errno != EEXIST) {
    const std::string why = strerror(errno);
    group.path_.clear();
    return absl::ResourceExhaustedError(absl::StrCat("no control group for the run: ", why));
  }
  if (memory_bytes && Write(group.path_ + "/memory.max", absl::StrCat(*memory_bytes))) {
    // What is not to be in memory is not to be on the disk instead.
    Write(group.path_ + "/memory.swap.max", "0");
    Write(group.path_ + "/memory.oom.group", "1");
    group.limits_memory_ = true;
  }
  group.limits_processes_ = processes && Write(group.path_ + "/pids.max", absl::StrCat(*processes));
  return group;
}

}  // namespace jobtail::process
