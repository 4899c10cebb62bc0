// Shares of the memory, and the files that say how much there is.
#include "server/memory_plan.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

constexpr size_t kKiB = 1 << 10;
constexpr size_t kMiB = 1 << 20;
constexpr size_t kNoLimit = std::numeric_limits<size_t>::max();

// The number that the file begins with; kNoLimit if there is none ("max").
size_t ReadNumber(const std::string& path) {
  size_t number = kNoLimit;
  std::ifstream file(path);
  return file >> number ? number : kNoLimit;
}

// Of the second version's hierarchy: this process's group, or one that it is in.
size_t GroupLimit(const std::string& root) {
  std::string group;
  std::ifstream file(root + "/proc/self/cgroup");
  for (std::string line; std::getline(file, line);) {
    if (line.starts_with("0::")) group = line.substr(3);
  }
  size_t limit = std::min(ReadNumber(root + "/sys/fs/cgroup/memory.max"),
                          ReadNumber(root + "/sys/fs/cgroup/memory/memory.limit_in_bytes"));
  while (group.size() > 1) {
    limit = std::min(limit, ReadNumber(absl::StrCat(root, "/sys/fs/cgroup", group, "/memory.max")));
    group.resize(group.rfind('/'));
  }
  return limit;
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
  plan.clients.total = share(4, 24 * kMiB, 256 * kMiB);
  plan.clients.address = std::max(plan.clients.total / 4, 9 * kMiB);
  plan.clients.connection = plan.clients.address / 2;  // an HTTP request finds room in any case
  plan.grpc = share(2, 48 * kMiB, 384 * kMiB);
  return plan;
}

size_t MemoryOfSystem(const std::string& root) {
  const size_t of_group = GroupLimit(root);
  const size_t available = AvailableBytes(root);
  return std::min(of_group - of_group / 4, available / 2);
}

}  // namespace jobtail
