// Control groups (version 2): one for each run, which nothing of the run can leave.
#ifndef JOBTAIL_SERVER_PROCESS_CGROUP_H_
#define JOBTAIL_SERVER_PROCESS_CGROUP_H_

#include <cstdint>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/process/descriptor.h"

namespace jobtail::process {

// The group of one run. Its processes, and theirs, are in it whatever they do, and the kernel keeps
// them within its limits. Killed and removed with the object. Moves, and is for one thread at a
// time.
class Cgroup {
 public:
  Cgroup(Cgroup&& other) noexcept
      : path_(std::exchange(other.path_, "")),
        limits_memory_(other.limits_memory_),
        limits_processes_(other.limits_processes_) {}
  Cgroup& operator=(Cgroup&&) = delete;
  ~Cgroup();

  // Opens the file to which a process writes "0" to be in the group.
  absl::StatusOr<Descriptor> OpenEntrance() const;

  // Kills all that is in it, and waits, up to `patience`, until it is empty and removed.
  void End(absl::Duration patience);

  // How many of its processes were killed because the group had reached its memory limit.
  int64_t MemoryKills() const;

  // What the kernel counts for it.
  bool limits_memory() const { return limits_memory_; }
  bool limits_processes() const { return limits_processes_; }

 private:
  friend class Cgroups;
  explicit Cgroup(std::string path) : path_(std::move(path)) {}

  std::string path_;  // empty once it is removed
  bool limits_memory_ = false;
  bool limits_processes_ = false;
};

// A directory of the control groups' file system that is this server's alone, so that it may make
// groups in it. Thread-safe.
class Cgroups {
 public:
  // Takes `directory`; with "auto", the group that this process is in, if it has been delegated to
  // it (as by systemd's Delegate=yes), or nothing. The process itself goes to a group within, since
  // those with processes cannot have others. What an earlier server has left there is killed.
  // FAILED_PRECONDITION, with what is missing, where a named directory is no use.
  static absl::StatusOr<std::optional<Cgroups>> Open(const std::string& directory);

  // RESOURCE_EXHAUSTED if there cannot be another one.
  absl::StatusOr<Cgroup> Make(const std::string& run, std::optional<int64_t> memory_bytes,
                              std::optional<int64_t> processes) const;

 private:
  explicit Cgroups(std::string path) : path_(std::move(path)) {}

  std::string path_;
};

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_CGROUP_H_
