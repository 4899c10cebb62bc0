// One stream to a client: reads a feed, and has a door's writer send it.
#ifndef JOBTAIL_SERVER_STREAM_STREAM_H_
#define JOBTAIL_SERVER_STREAM_STREAM_H_

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/stream/feed.h"
#include "server/stream/stream_set.h"
#include "server/stream/stream_writer.h"

namespace jobtail {

// Keeps one message on its way to the client: reads the next when the one before has gone out, so
// that a client that reads slowly costs a place in a log and one message; two, where reading takes
// long and is done ahead. Waits where there is nothing to read, and sends heartbeats meanwhile, and
// while a search finds nothing. Knows nothing of how messages look or how they are sent.
//
//   Start -> Begin | Sent -> SendNext | Sent -> ... | Sent -> Finish | Close
//
// What is in memory is read by the thread that comes by: the one that reports a message sent, or
// the one that has stored the line. What is not, and what is filtered, is read in the StorePool,
// which has another thread send what a search has found; what was read before that goes out
// meanwhile.
//
// The door holds it by shared_ptr from before Start until after Close, as do logs that may wake it.
// Start, Sent and ClientGone are the door's, and come on the executor's thread if there is one; the
// rest may be called by any thread.
//
// Hazard: the lock is held while the writer is called. What the writer starts must not report back
// before it returns.
class Stream : public std::enable_shared_from_this<Stream> {
 public:
  // Has a function called, soon, on the one thread on which the door sends.
  using Executor = std::function<void(std::function<void()>)>;

  // `set` is there until Close, its pool outlives the stream, and the writer outlives Finish.
  // `client` is the connection whose turn the StorePool counts. Without an executor the writer is
  // called by whatever thread comes by, but for those that have searched.
  Stream(StreamWriter* writer, StreamSet* set, std::string client, Executor executor = nullptr);

  // Begins to send, or ends the stream with the error. To be called once; until then a stream does
  // nothing, but remembers that its client has gone.
  void Start(absl::StatusOr<std::unique_ptr<Feed>> feed);

  // The message that was begun to be sent is gone; not `ok`: the client cannot be reached.
  void Sent(bool ok);

  // The client has gone away, or cancelled.
  void ClientGone();
  // Whether that has been said: before Start, so that nothing is begun for nobody.
  bool IsClientGone() const;

  // Ends the stream with UNAVAILABLE: once everything has been sent that there is or, `now`, once
  // the message has that is being sent.
  void Stop(bool now);

  // Ends the stream, as it is, if its reader may not read on: with the feed's error and where to go
  // on.
  void CheckRight();

  // To be called after Finish, when the door has no more use for it.
  void Close();

  // Sends a heartbeat if the stream has been idle for long at `now`, by the steady clock, and what
  // has come due by then. To be called every half second or so.
  void Tick(absl::Duration now);

  // Whether the client has not taken a message for kStalledAfter.
  bool IsStalled(absl::Duration now);

 private:
  using Next = Feed::Next;

  // What was read and not yet taken by the writer.
  struct Reading {
    absl::StatusOr<Next> next = Next::kMore;
    std::vector<Slice> slices;
    std::optional<int64_t> resume_point;  // after it
    bool stopping = false;                // when it was begun
  };

  void Execute(void (Stream::*step)());
  void StepAfterSearch();
  void Step();
  void StepLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TryReadLocked(Reading* reading) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void Complete(const Feed& feed, Reading* reading);
  void ReadInPoolLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadInPool();
  bool ReadsOnLocked(const Reading& reading) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  std::optional<int64_t> ResumePointLocked() const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void ReadAheadLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool TakeLocked(Reading reading) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool WaitLocked(bool stopping_when_read) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeganLocked(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void BeganWithinGroupLocked(size_t bytes) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool IsDueLocked(absl::Duration now) const ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void SendHeartbeat();
  void GoneLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishEarlyLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishLocked(const absl::Status& status, std::optional<int64_t> resume_point = std::nullopt)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  StreamWriter* const writer_;  // not to be used once finished_
  StreamSet* const set_;        // may be gone once it is closed
  StorePool* const pool_;
  const std::string client_;
  const Executor executor_;

  mutable absl::Mutex mutex_;
  std::unique_ptr<Feed> feed_ ABSL_GUARDED_BY(mutex_);  // null until Start
  bool sending_ ABSL_GUARDED_BY(mutex_) = false;        // a message is on its way
  bool reading_ ABSL_GUARDED_BY(mutex_) = false;  // in the pool: nobody else may read, or finish
  std::unique_ptr<Reading> ahead_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);  // of the feed: nothing more to read
  // Where a client would go on that has got everything that was taken by the writer.
  std::optional<int64_t> resume_point_ ABSL_GUARDED_BY(mutex_);
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;  // the client
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_now_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Status refused_ ABSL_GUARDED_BY(mutex_);  // not OK: the reader may not read on
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  absl::Duration last_send_ ABSL_GUARDED_BY(mutex_);  // when, by the steady clock
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STREAM_STREAM_H_
