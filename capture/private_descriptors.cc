// A descriptor table of the thread's own, whose 1 and 2 are pipes to the session.

#include "capture/private_descriptors.h"

#include <sched.h>

#include <cerrno>
#include <system_error>

#include "capture/child_output.h"
#include "capture/pump.h"
#include "capture/real.h"
#include "capture/session.h"

namespace jobtail::capture::internal {
namespace {

constexpr Stream kStreams[] = {Stream::kStdout, Stream::kStderr};

}  // namespace

PrivateDescriptors::PrivateDescriptors(const std::shared_ptr<Session>& session) {
  if (unshare(CLONE_FILES) != 0) {
    throw std::system_error(errno, std::generic_category(),
                            "capture: no private descriptors, unshare(CLONE_FILES) was refused");
  }
  // A pump of the new table, for the process's cannot see what is opened here.
  pump_ = std::make_shared<Pump>(Pump::OwnTable());
  Pump::SetOfThisThread(pump_);
  const auto output = std::make_shared<ChildOutput>(session);
  pump_->Add(output);
  session->Add(output);
  for (const Stream stream : kStreams) {
    Real<"dup2", int(int, int)>()(output->write_end(stream), static_cast<int>(stream));
  }
  output->CloseWriteEnds();
}

// The thread goes on with its own table.
PrivateDescriptors::~PrivateDescriptors() {
  for (const Stream stream : kStreams) {
    const int fd = static_cast<int>(stream);
    Real<"dup2", int(int, int)>()(pump_->real().fds[fd - 1], fd);
  }
}

}  // namespace jobtail::capture::internal
