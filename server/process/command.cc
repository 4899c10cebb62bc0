// Users, signals, and a command as its supervisor reads it.

#include "server/process/command.h"

#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <unistd.h>

#include <algorithm>
#include <array>

#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "base/quoting.h"
#include "server/process/cgroup.h"
#include "server/process/descriptor_limit.h"
#include "server/process/protocol.h"

namespace jobtail::process {
namespace {

constexpr char kDefaultPath[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

void AppendString(const std::string& text, std::string* bytes) {
  bytes->append(text.c_str(), text.size() + 1);
}

void SetLimits(const Command& command, const Cgroup* cgroup, Order* order) {
  const Limits& limits = command.limits;
  constexpr int64_t kNone = Order::kNoLimit;
  const bool counts_memory = cgroup && cgroup->limits_memory();
  const bool counts_processes = cgroup && cgroup->limits_processes();
  order->address_space_bytes = counts_memory ? kNone : limits.memory_bytes.value_or(kNone);
  order->processes = counts_processes ? kNone : limits.processes.value_or(kNone);
  order->open_files = limits.open_files.value_or(kNone);
  order->usual_open_files = static_cast<int64_t>(UsualDescriptorLimit().value_or(kNone));
  order->file_bytes = limits.file_bytes.value_or(kNone);
  order->cpu_seconds =
      limits.cpu_time ? std::max<int64_t>(1, absl::ToInt64Seconds(*limits.cpu_time)) : kNone;
  order->no_new_privileges = !command.new_privileges;
  order->has_cgroup = cgroup != nullptr;
}

constexpr size_t kEntryBytes = 16 << 10;
constexpr char kUsualShell[] = "/bin/sh";

// An account that nobody logs in to has a program in the shell's place that refuses to be one.
bool IsShell(std::string_view path) {
  return !path.empty() && !path.ends_with("/nologin") && !path.ends_with("/false");
}

User ToUser(const passwd& entry) {
  const bool has_home = entry.pw_dir[0] == '/';
  return {entry.pw_uid,
          entry.pw_gid,
          {},
          entry.pw_name,
          has_home ? entry.pw_dir : "/",
          IsShell(entry.pw_shell) ? entry.pw_shell : kUsualShell};
}

}  // namespace

absl::StatusOr<User> FindUser(const std::string& name) {
  std::string buffer(kEntryBytes, '\0');
  passwd entry{};
  passwd* found = nullptr;
  getpwnam_r(name.c_str(), &entry, buffer.data(), buffer.size(), &found);
  if (!found) {
    return absl::NotFoundError(absl::StrCat("the system has no user ", Quoted(name)));
  }
  User user = ToUser(entry);
  int count = static_cast<int>(std::size(Order{}.groups));
  user.groups.resize(static_cast<size_t>(count));
  if (getgrouplist(name.c_str(), user.gid, user.groups.data(), &count) < 0) {
    count = static_cast<int>(user.groups.size());  // the first of very many
  }
  user.groups.resize(static_cast<size_t>(count));
  return user;
}

User ProcessUser() {
  std::string buffer(kEntryBytes, '\0');
  passwd entry{};
  passwd* found = nullptr;
  getpwuid_r(geteuid(), &entry, buffer.data(), buffer.size(), &found);
  if (found) return ToUser(entry);
  return {geteuid(), getegid(), {}, absl::StrCat(geteuid()), "/", kUsualShell};
}

std::vector<std::string> ProgramPaths(const Command& command) {
  if (!command.paths.empty()) return command.paths;
  const std::string& program = command.arguments.front();
  if (absl::StrContains(program, '/')) return {program};
  std::string path = kDefaultPath;
  for (const std::string& variable : command.environment) {
    if (absl::StartsWith(variable, "PATH=")) path = variable.substr(5);
  }
  std::vector<std::string> candidates;
  for (const absl::string_view directory : absl::StrSplit(path, ':', absl::SkipEmpty())) {
    candidates.push_back(absl::StrCat(directory, "/", program));
  }
  return candidates;
}

std::string EncodeOrder(const Command& command, const Cgroup* cgroup) {
  const std::vector<std::string> paths = ProgramPaths(command);
  Order order{};
  order.arguments = static_cast<uint32_t>(command.arguments.size());
  order.variables = static_cast<uint32_t>(command.environment.size());
  order.paths = static_cast<uint32_t>(paths.size());
  order.terminal = command.output == OutputMode::kTerminal;
  order.outlives_server = command.outlives_server;
  order.has_channel = command.calls_function;
  if (command.user) {
    order.change_user = true;
    order.uid = command.user->uid;
    order.gid = command.user->gid;
    order.group_count = static_cast<int32_t>(command.user->groups.size());
    std::ranges::copy(command.user->groups, order.groups);
  }
  order.has_nice = command.nice.has_value();
  order.nice = command.nice.value_or(0);
  order.has_io_priority = command.io_priority.has_value();
  order.io_priority = command.io_priority.value_or(0);
  SetLimits(command, cgroup, &order);
  order.stop_signal = command.stop_signal;
  order.grace_millis = absl::ToInt64Milliseconds(command.grace);
  order.drain_millis = absl::ToInt64Milliseconds(command.drain);
  std::string bytes(reinterpret_cast<const char*>(&order), sizeof order);
  AppendString(command.directory, &bytes);
  for (const auto* list : {&command.arguments, &command.environment, &paths}) {
    for (const std::string& text : *list) AppendString(text, &bytes);
  }
  return bytes;
}

std::string SignalName(int number) {
  const char* const name = sigabbrev_np(number);
  return name ? absl::StrCat("SIG", name) : absl::StrCat("signal ", number);
}

}  // namespace jobtail::process
