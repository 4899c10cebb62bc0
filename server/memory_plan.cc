// Shares of the memory, and the files that say how much there is.
#include "server/memory_plan.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail {
namespace {

constexpr size_t kKiB = 1 << 10;
constexpr size_t kMiB = 1 << 20;
// What an HTTP connection takes at most beside bodies and answers, as measured.
constexpr size_t kOfHttpsConnection = 116 * kKiB;
constexpr size_t kOfHttpConnection = 26 * kKiB;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

// The number that the file begins with; kNoLimit if there is none ("max").
size_t ReadNumber(const std::string& path) {
  size_t number = kNoLimit;
  std::ifstream file(path);
  return file >> number ? number : kNoLimit;
}

// The least limit of a group and of those that it is in, in a hierarchy that is mounted there. In a
// container, the mount's own directory is that of the container's group, whatever the group is
// called.
size_t LeastLimit(const std::string& mount, std::string group, const char* file) {
  size_t limit = ReadNumber(absl::StrCat(mount, "/", file));
  while (group.size() > 1) {
    limit = std::min(limit, ReadNumber(absl::StrCat(mount, group, "/", file)));
    group.resize(group.rfind('/'));
  }
  return limit;
}

// Of this process's group, in the hierarchies of either version: "0::/GROUP", "4:memory:/GROUP".
size_t GroupLimit(const std::string& root) {
  const std::string mount = root + "/sys/fs/cgroup";
  std::string group;
  std::string memory_group;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    const std::vector<std::string> parts = absl::StrSplit(line, absl::MaxSplits(':', 2));
    if (parts.size() != 3) continue;
    if (parts[1].empty()) group = parts[2];
    const std::vector<std::string> controllers = absl::StrSplit(parts[1], ',');
    if (std::ranges::count(controllers, "memory") > 0) memory_group = parts[2];
  }
  return std::min(LeastLimit(mount, group, "memory.max"),
                  LeastLimit(mount + "/memory", memory_group, "memory.limit_in_bytes"));
}

size_t AvailableBytes(const std::string& root) {
  std::ifstream file(root + "/proc/meminfo");
  size_t kilobytes = 0;
  for (std::string name; file >> name;) {
    if (name == "MemAvailable:" && file >> kilobytes) return kilobytes * kKiB;
  }
  return kNoLimit;
}

}  // namespace

MemoryPlan PlanMemory(size_t memory) {
  const auto share = [memory](size_t divisor, size_t least, size_t most) {
    return std::clamp(memory / divisor, least, most);
  };
  MemoryPlan plan;
  plan.store_cache = share(16, kMiB, 32 * kMiB);
  plan.store_write_buffer = share(48, kMiB, 16 * kMiB);
  plan.batch_cache = share(32, kMiB, 16 * kMiB);
  plan.log_tail = share(1024, 64 * kKiB, kMiB);
  plan.unsaved = static_cast<int64_t>(share(6, 4 * kMiB, 256 * kMiB));
  plan.stream_messages = std::max(memory / 16, 4 * kMiB);
  plan.clients.total = share(4, 24 * kMiB, 256 * kMiB);
  plan.clients.address = std::max(plan.clients.total / 4, 9 * kMiB);
  plan.clients.connection = plan.clients.address / 2;  // an HTTP request finds room in any case
  const size_t connections = std::max(memory / 4, 16 * kMiB);
  plan.https_connections = connections / kOfHttpsConnection;
  plan.http_connections = connections / kOfHttpConnection;
  plan.grpc = share(2, 48 * kMiB, 128 * kMiB);
  plan.unfinished_of_address = static_cast<int64_t>(plan.grpc / 2);
  plan.unfinished_of_connection = plan.unfinished_of_address / 2;
  return plan;
}

size_t MemoryOfSystem(const std::string& root) {
  const size_t of_group = GroupLimit(root);
  const size_t available = AvailableBytes(root);
  return std::min(of_group - of_group / 4, available / 2);
}

}  // namespace jobtail
