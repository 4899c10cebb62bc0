// What the server's memory is used for.
#ifndef JOBTAIL_SERVER_MEMORY_PLAN_H_
#define JOBTAIL_SERVER_MEMORY_PLAN_H_

#include <cstddef>
#include <cstdint>
#include <string>

#include "server/stream/byte_budget.h"

namespace jobtail {

// How large what grows with the load may get, in bytes.
struct MemoryPlan {
  size_t store_cache = 0;         // RocksDB's blocks
  size_t store_write_buffer = 0;  // RocksDB has some four of them
  size_t batch_cache = 0;
  size_t log_tail = 0;         // of each log at work
  int64_t unsaved = 0;         // of all logs
  size_t stream_messages = 0;  // of the streams of a door, where there are many
  ByteBudget::Limits clients;
  // HTTP connections, with TLS and without: a header that is not whole, and what encrypts.
  size_t https_connections = 0;
  size_t http_connections = 0;
  size_t grpc = 0;
  // Of that, what a connection and a client's address may have of requests that are not whole.
  int64_t unfinished_of_connection = 0;
  int64_t unfinished_of_address = 0;
};

// Divides `memory` bytes. Above a gigabyte or two nothing gets larger.
MemoryPlan PlanMemory(size_t memory);

// What the server takes for its memory if nobody says how much there is: three quarters of the
// limit of its cgroup or, if that is less, half of what the machine has available.
// `root` is "", but in tests.
size_t MemoryOfSystem(const std::string& root = "");

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_MEMORY_PLAN_H_
