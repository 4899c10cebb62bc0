// Bounds the heaps, looks at the process's resident memory, and trims.
#include "server/freed_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <thread>

namespace jobtail {
namespace {

size_t ResidentBytes() {
  size_t pages = 0;
  size_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

void BoundHeaps() {
  mallopt(M_ARENA_MAX,
          std::clamp(2 * static_cast<int>(std::thread::hardware_concurrency()), 4, 32));
  // Both, since setting one keeps the C library from raising the other as it goes: batches, and
  // what gRPC reads, would be mapped and unmapped one by one.
  mallopt(M_MMAP_THRESHOLD, 4 << 20);
  mallopt(M_TRIM_THRESHOLD, 4 << 20);
}

FreedMemory::FreedMemory() : thread_("freed-memory") {
  thread_.After(kInterval, [this] { Look(); });
}

void FreedMemory::Look() {
  if (ResidentBytes() > resident_ + kGrowth) trims_left_ = kTrims;
  if (trims_left_ > 0) {
    --trims_left_;
    malloc_trim(0);
    resident_ = ResidentBytes();
  }
  thread_.After(kInterval, [this] { Look(); });
}

}  // namespace jobtail
