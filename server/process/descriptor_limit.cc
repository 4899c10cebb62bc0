// A limit raised and remembered.

#include "server/process/descriptor_limit.h"

#include <sys/resource.h>

namespace jobtail::process {
namespace {

std::optional<uint64_t>& Before() {
  static std::optional<uint64_t> before;
  return before;
}

}  // namespace

void RaiseDescriptorLimit() {
  rlimit limit{};
  if (getrlimit(RLIMIT_NOFILE, &limit) != 0 || limit.rlim_cur == limit.rlim_max) return;
  const rlim_t before = limit.rlim_cur;
  limit.rlim_cur = limit.rlim_max;
  if (setrlimit(RLIMIT_NOFILE, &limit) == 0) Before() = before;
}

std::optional<uint64_t> UsualDescriptorLimit() { return Before(); }

}  // namespace jobtail::process
