// gRPC without jobtail, as a server: see bare_streams.h. Prints `grpc HOST:PORT`, as jobtail does,
// and serves until a signal ends it.

#include <unistd.h>

#include <iostream>

#include "absl/synchronization/mutex.h"
#include "bench/bare_streams.h"

int main() {
  // As server/daemon.cc does: Debian's abseil checks the order of locks in every build.
  absl::SetMutexDeadlockDetectionMode(absl::OnDeadlockCycle::kIgnore);
  const jobtail::bench::BareServer server;
  std::cout << "grpc " << server.address() << std::endl;
  pause();
  return 0;
}
