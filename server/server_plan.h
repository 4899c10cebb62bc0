// What the process's limits leave of a server's options.
#ifndef JOBTAIL_SERVER_SERVER_PLAN_H_
#define JOBTAIL_SERVER_SERVER_PLAN_H_

#include "server/descriptor_plan.h"
#include "server/rpc/connection_limits.h"
#include "server/server.h"

namespace jobtail {

// The options with the memory that there is, and caches and files that fit into the limits.
ServerOptions Planned(ServerOptions options);

DescriptorPlan PlanDescriptorsFor(const ServerOptions& options);

// Of so many connections at the gRPC door: nobody's address takes all. `planned` has its memory.
ConnectionLimits PlanConnections(const ServerOptions& planned, size_t connections, bool has_tls);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_SERVER_PLAN_H_
