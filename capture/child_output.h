// The pipes on which a captured thread's child processes print.
#ifndef JOBTAIL_CAPTURE_CHILD_OUTPUT_H_
#define JOBTAIL_CAPTURE_CHILD_OUTPUT_H_

#include <array>
#include <chrono>
#include <memory>
#include <mutex>
#include <string_view>

#include "capture/channel.h"
#include "capture/current.h"
#include "capture/sink.h"

namespace jobtail::capture::internal {

class Session;

// What a child process of a captured thread prints, or a thread with descriptors of its own: two
// pipes, read by the pump, and by the session's threads before they print themselves, so that what
// the child printed before comes first. Thread-safe.
//
// Once the session has ended, what still comes is copied to the real descriptors.
class ChildOutput {
 public:
  // With the pipes open; throws std::system_error if the process has no descriptors left.
  explicit ChildOutput(std::shared_ptr<Session> session);
  // All ends must have been closed, on threads that have them.
  ~ChildOutput() = default;

  ChildOutput(const ChildOutput&) = delete;
  ChildOutput& operator=(const ChildOutput&) = delete;

  int read_end(Stream stream) const { return pipe(stream).read; }
  int write_end(Stream stream) const { return pipe(stream).write; }
  // Once the child has them. Not thread-safe.
  void CloseWriteEnds();
  // Called by the pump when nothing more can come.
  void CloseReadEnds();

  // Whether the calling thread has the descriptor table that the pipes belong to.
  bool IsReachable() const { return table_ == current.real; }

  // Called by the session before anybody else knows of it.
  void Open(Sink* sink) { sink_ = sink; }

  // Hands on all that is there by now. May block.
  void TakeAll();

  enum class State {
    kWaiting,  // for more to come
    kBlocked,  // something is there that nobody takes now; ask again later
    kEnded,    // all that had it have closed it
  };
  // The same, without blocking, for one of the pipes.
  State TryTake(Stream stream);

  // If the session has ended, copies what is there to the real descriptors, as far as they take it.
  void CopyRest();

  // See ThreadCapture::FlushOlderThan.
  bool FlushOlderThan(std::chrono::steady_clock::time_point now);

  // Hands on what is there (on a thread that has the pipes) and what is unfinished, and gives the
  // sink back. May block.
  void Close();

  Session& session() const { return *session_; }

 private:
  struct Pipe {
    explicit Pipe(Stream its_stream) : channel(its_stream) {}
    int read = -1;
    int write = -1;
    bool ended = false;
    Channel channel;
  };
  static constexpr size_t kChunk = 64 << 10;

  Pipe& pipe(Stream stream) { return pipes_[stream == Stream::kStderr]; }
  const Pipe& pipe(Stream stream) const { return pipes_[stream == Stream::kStderr]; }
  bool Deliver(bool wait);
  bool GiveLines(bool wait);
  bool CopyToReal(bool wait);
  State Take(Pipe& pipe, bool wait);
  bool Read(Pipe& pipe);

  const std::shared_ptr<Session> session_;
  const RealOutput* const table_ = current.real;
  std::mutex mutex_;
  Sink* sink_ = nullptr;  // null once closed
  std::array<Pipe, 2> pipes_{Pipe(Stream::kStdout), Pipe(Stream::kStderr)};

  // What was read from `from_` and has not been handed on: lines, whose text lies in chunk_ or in
  // the channel's buffer, and the rest of the chunk after them.
  Pipe* from_ = nullptr;
  std::array<Line, kLinesPerCall> lines_;
  size_t count_ = 0;
  std::string_view rest_;
  std::unique_ptr<char[]> chunk_;
};

// `fd`, out of the way of descriptors 0 to 2, which the program may have closed.
int MoveUp(int fd);

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_CHILD_OUTPUT_H_
