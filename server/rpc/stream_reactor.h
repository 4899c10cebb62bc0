#ifndef JOBTAIL_SERVER_RPC_STREAM_REACTOR_H_
#define JOBTAIL_SERVER_RPC_STREAM_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <optional>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "server/rpc/stream_set.h"

namespace jobtail {

// A server stream that pulls: each message is asked for when the one before has gone out, so that a
// client which reads slowly costs a place in a log and one message; two, where pulling takes long
// and is done ahead. Keeps gRPC's rules in one
// place: initial metadata first, one write in flight, Finish exactly once, also after a cancel.
//
// Owns itself from Start to OnDone. Every function may be called by any thread; the virtual ones
// are called one at a time, under the reactor's lock.
class StreamReactor : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                      public std::enable_shared_from_this<StreamReactor> {
 public:
  // `context` belongs to gRPC and lives until OnDone; `set` outlives the reactor.
  StreamReactor(grpc::CallbackServerContext* context, StreamSet* set);

  // Begins the stream; gRPC is to be given the returned pointer.
  static StreamReactor* Start(const std::shared_ptr<StreamReactor>& reactor);

  // Ends the stream with UNAVAILABLE: once everything has been sent that there is or, `now`, once
  // the message has that is being sent.
  void Stop(bool now);

  // Whether the client has not taken a message for kStalledAfter.
  bool IsStalled(absl::Time now);

  // Sends a heartbeat if the stream has been idle for long.
  void Tick(absl::Time now);

  void OnSendInitialMetadataDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 protected:
  enum class Next {
    kWrite,  // `*message` is to be written
    kMore,   // ask again: nothing to write yet
    kWait,   // nothing to write until Wait calls back
    kEnd,    // the stream is complete
  };

  // What to write next. An error ends the stream with it.
  virtual absl::StatusOr<Next> Pull(grpc::ByteBuffer* message, grpc::WriteOptions* options) = 0;
  // Has `wake` called once when Pull has something. False if it has already.
  virtual bool Wait(std::function<void()> wake) = 0;
  virtual void CancelWait() = 0;
  // Nullopt if this stream has none.
  virtual std::optional<grpc::ByteBuffer> Heartbeat() { return std::nullopt; }
  // Where a client that has got everything which was pulled so far would go on; nullopt if that
  // cannot be said. Goes with a stream that is ended early, as trailing metadata.
  virtual std::optional<int64_t> ResumePoint() const { return std::nullopt; }
  // The thread for the next Pull, if that takes long or may block: it is then called there, while
  // the message before is being sent, without the lock, but still by one thread at a time.
  virtual Scheduler* Elsewhere() const { return nullptr; }
  StreamSet& set() const { return *set_; }
  // The client has gone away, or cancelled. The one function that is called without the lock.
  virtual void OnClientGone() {}

 private:
  // What was pulled ahead.
  struct Ahead {
    std::optional<int64_t> resume_point;  // before it
    absl::StatusOr<Next> next = Next::kMore;
    grpc::ByteBuffer message;
    grpc::WriteOptions options;
  };

  void Pump();
  void PumpLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  bool PullElsewhereLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void PullAhead(std::unique_ptr<Ahead> ahead);
  bool ActLocked(const absl::StatusOr<Next>& next, grpc::WriteOptions options)
      ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void WriteLocked(grpc::WriteOptions options) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishUnavailableLocked() ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);
  void FinishLocked(const absl::Status& status) ABSL_EXCLUSIVE_LOCKS_REQUIRED(mutex_);

  grpc::CallbackServerContext* const context_;
  StreamSet* const set_;

  absl::Mutex mutex_;
  std::shared_ptr<StreamReactor> self_ ABSL_GUARDED_BY(mutex_);
  bool writing_ ABSL_GUARDED_BY(mutex_) = true;  // a message is being sent
  bool pulling_ ABSL_GUARDED_BY(mutex_) =
      false;  // another thread pulls: nobody else may, or finish
  std::unique_ptr<Ahead> ahead_ ABSL_GUARDED_BY(mutex_);
  bool gone_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_ ABSL_GUARDED_BY(mutex_) = false;
  bool stopping_now_ ABSL_GUARDED_BY(mutex_) = false;
  bool finished_ ABSL_GUARDED_BY(mutex_) = false;
  grpc::ByteBuffer message_ ABSL_GUARDED_BY(mutex_);  // gRPC's while writing_
  absl::Time last_write_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_STREAM_REACTOR_H_
