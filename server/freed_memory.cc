// Looks at the process's resident memory, and trims the heaps.
#include "server/freed_memory.h"

#include <malloc.h>
#include <unistd.h>

#include <fstream>

namespace jobtail {
namespace {

size_t ResidentBytes() {
  size_t pages = 0;
  size_t resident = 0;
  std::ifstream("/proc/self/statm") >> pages >> resident;
  return resident * static_cast<size_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

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
