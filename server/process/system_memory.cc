// What becomes of processes when the system has no memory left.
#include "server/process/system_memory.h"

#include <fstream>
#include <string>

namespace jobtail::process {

int64_t SystemMemoryKills() {
  std::ifstream file("/proc/vmstat");
  std::string name;
  int64_t value;
  while (file >> name >> value) {
    if (name == "oom_kill") return value;
  }
  return 0;
}

}  // namespace jobtail::process
