// The command `jobtail`: see client/cli/.

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/cli/cli_main.h"
#include "client/receive_memory.h"

namespace {

// A closed stdin, stdout or stderr would let the next socket take its number, and what is printed
// would go to the server.
void OpenStandardDescriptors() {
  int fd;
  do {
    fd = open("/dev/null", O_RDWR);
  } while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) close(fd);
}

}  // namespace

int main(int argc, char** argv) {
  OpenStandardDescriptors();
  jobtail::client::KeepReceiveMemory();
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // its errors reach the user as ours
  // While we wait between two attempts, gRPC looks this often whether it is connected.
  setenv("GRPC_CLIENT_CHANNEL_BACKUP_POLL_INTERVAL_MS", "200", /*overwrite=*/0);
  // Every byte has been written by write(2) by then, and a thread may be in the middle of a call.
  _exit(jobtail::client::cli::Main(argc, argv));
}
