// A stream's end in gRPC, and the one place where gRPC's rules for streams are kept.
#ifndef JOBTAIL_SERVER_RPC_STREAM_REACTOR_H_
#define JOBTAIL_SERVER_RPC_STREAM_REACTOR_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/rpc/framing.h"
#include "server/rpc/handled_calls.h"
#include "server/stream/feed.h"
#include "server/stream/stream.h"
#include "server/stream/stream_set.h"
#include "server/stream/stream_writer.h"

namespace jobtail {

// Sends what a Stream reads as messages of a server stream. gRPC's rules:
// - Initial metadata goes first and by itself: a first message with a buffer hint would never be
//   sent.
// - One message is in flight, and lives until OnWriteDone.
// - Finish is called exactly once, also after a cancel, and nothing after it.
// - Reactions run on two threads that all calls share: nothing here waits for the store. OnCancel
//   may run beside another reaction.
// The Stream sees to the order, this class to the rest.
//
// Belongs to gRPC once it has been returned to it, and deletes itself in OnDone.
class StreamReactor final : public grpc::ServerWriteReactor<grpc::ByteBuffer>,
                            private StreamWriter {
 public:
  using Open = std::function<absl::StatusOr<std::unique_ptr<Feed>>()>;

  // `context` is gRPC's and lives until OnDone; `set` outlives the reactor. `call` is kept.
  StreamReactor(grpc::CallbackServerContext* context, StreamSet* set,
                std::unique_ptr<Framing> framing, HandledCalls::Call call = nullptr);

  // Begins the stream with what `open` returns, or ends it with its error. `open` is called in the
  // StorePool, unless the client has gone by then. To be called once.
  void Start(Open open);
  // Ends it before it has begun.
  void Fail(const absl::Status& status);

  void OnSendInitialMetadataDone(bool ok) override;
  void OnWriteDone(bool ok) override;
  void OnCancel() override;
  void OnDone() override;

 private:
  size_t Begin() override;
  absl::Status Take(std::vector<Slice>* slices) override { return framing_->Take(slices); }
  size_t SendNext() override;
  bool IsWithinGroup() const override { return is_within_group_; }
  size_t SendHeartbeat(const Slice& heartbeat) override;
  std::optional<int64_t> ResumePointWithin() const override {
    return framing_->ResumePointWithin();
  }
  void Finish(const absl::Status& status, std::optional<int64_t> resume_point) override;

  grpc::CallbackServerContext* const context_;
  StreamSet* const set_;
  const HandledCalls::Call call_;
  const std::unique_ptr<Framing> framing_;
  const std::shared_ptr<Stream> stream_;
  bool is_hinted_ = false;        // the message that was begun last waits for the next
  bool is_within_group_ = false;  // and so did the one before it
  grpc::ByteBuffer message_;      // gRPC's until OnWriteDone, afterwards the stream's
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_STREAM_REACTOR_H_
