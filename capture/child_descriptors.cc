// Descriptors 1 and 2 of child processes, exchanged for pipes.

#include "capture/child_descriptors.h"

#include <fcntl.h>

#include <system_error>

#include "capture/cancellation.h"
#include "capture/current.h"
#include "capture/handler_frame.h"
#include "capture/pump.h"
#include "capture/real.h"
#include "capture/session.h"
#include "capture/target.h"
#include "capture/thread_capture.h"

namespace jobtail::capture::internal {
namespace {

// `output` null: the child is not captured, but what the job has redirected is.
int SourceOf(Stream stream, Session& session, const ChildOutput* output) {
  Redirection::Target target{stream};
  if (session.HasRedirections()) target = session.redirection().Find(stream);
  if (target.captured == Stream{}) return target.fd;
  return output ? output->write_end(target.captured) : static_cast<int>(target.captured);
}

std::shared_ptr<ChildOutput> OpenOutput(const std::shared_ptr<Session>& session) {
  auto output = std::make_shared<ChildOutput>(session);
  try {
    Pump::OfThisThread()->Add(output);
  } catch (...) {
    output->CloseWriteEnds();
    output->CloseReadEnds();
    throw;
  }
  session->Add(output);
  return output;
}

}  // namespace

std::unique_ptr<ChildDescriptors> ChildDescriptors::Make() {
  ThreadCapture* const thread = current.thread;
  if (!thread || thread->IsInside() || IsInHandler()) return nullptr;
  const NoCancellation no_cancellation;
  Bypass bypass;
  Session& session = thread->session();
  const bool captures = session.child_processes();
  if (session.HasEnded() || (!captures && !session.HasRedirections())) return nullptr;
  try {
    std::unique_ptr<ChildDescriptors> made(new ChildDescriptors);
    if (captures) made->output_ = OpenOutput(thread->shared_session());
    for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
      made->SetSource(stream, SourceOf(stream, session, made->output_.get()));
    }
    return made;
  } catch (const std::system_error&) {
    return nullptr;
  }
}

ChildDescriptors::~ChildDescriptors() {
  const NoCancellation no_cancellation;
  if (output_) output_->CloseWriteEnds();
  for (const int fd : moved_) {
    if (fd >= 0) Real<"close", int(int)>()(fd);
  }
}

// One that is to become the other one is moved out of the way first.
void ChildDescriptors::SetSource(Stream stream, int fd) {
  const size_t index = stream == Stream::kStderr;
  if ((fd == 1 || fd == 2) && fd != static_cast<int>(stream)) {
    fd = moved_[index] = Real<"fcntl64", int(int, int, ...)>()(fd, F_DUPFD_CLOEXEC, 3);
  }
  sources_[index] = fd;
}

void ChildDescriptors::Install() const {
  const auto dup2 = Real<"dup2", int(int, int)>();
  for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
    const int fd = static_cast<int>(stream);
    if (source(stream) >= 0) {
      dup2(source(stream), fd);
    } else {
      Real<"close", int(int)>()(fd);
    }
  }
  if (!output_) return;
  // Copies that the job has made of them stay copies of them.
  for (int fd = 3; fd <= Copies::Highest(); ++fd) {
    const Stream stream = Copies::Find(fd);
    if (stream == Stream{}) continue;
    const int flags = fcntl(fd, F_GETFD);
    if (flags < 0) continue;
    dup2(output_->write_end(stream), fd);
    fcntl(fd, F_SETFD, flags);
  }
}

void ChildDescriptors::CloseInChild() const {
  if (!output_) return;
  for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
    Real<"close", int(int)>()(output_->read_end(stream));
    Real<"close", int(int)>()(output_->write_end(stream));
  }
}

}  // namespace jobtail::capture::internal
