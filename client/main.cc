// The command `jobtail`: see client/cli/.

#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "client/cli/command.h"

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
  setenv("GRPC_VERBOSITY", "NONE", /*overwrite=*/0);  // its errors reach the user as ours
  // Every byte has been written by write(2) by then, and a thread may be in the middle of a call.
  _exit(jobtail::client::cli::Main(argc, argv));
}
