// Who may have how many of the process's descriptors.
#ifndef JOBTAIL_SERVER_DESCRIPTOR_PLAN_H_
#define JOBTAIL_SERVER_DESCRIPTOR_PLAN_H_

#include <cstddef>
#include <cstdint>

namespace jobtail {

// What the limit of open files (ulimit -n) is to be used for, so that connections, of which clients
// can open as many as they like, leave enough for the store and for runs.
struct DescriptorPlan {
  int store_files = 0;
  size_t http_connections = 0;
  size_t grpc_connections = 0;
};

// `runs` may be at work at once; `http_connections` are wanted at most. A reserve is left, whatever
// the limit: for listeners, event loops, the server's own files and what is open for a moment.
DescriptorPlan PlanDescriptors(uint64_t limit, int64_t runs, size_t http_connections);

// The limit of this process.
uint64_t DescriptorLimit();

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_DESCRIPTOR_PLAN_H_
