#ifndef JOBTAIL_SERVER_RPC_LOG_REACTORS_H_
#define JOBTAIL_SERVER_RPC_LOG_REACTORS_H_

#include <grpcpp/support/slice.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "server/log/cursor.h"
#include "server/log/record.h"
#include "server/rpc/stream_reactor.h"

namespace jobtail {

// TailLog: sends a log as it is stored, batches as they come.
class TailLogReactor : public StreamReactor {
 public:
  TailLogReactor(grpc::CallbackServerContext* context, StreamSet* set,
                 std::unique_ptr<Cursor> cursor);

 protected:
  absl::StatusOr<Next> Pull(grpc::ByteBuffer* message, grpc::WriteOptions* options) override;
  bool Wait(std::function<void()> wake) override { return cursor_->Wait(std::move(wake)); }
  void CancelWait() override { cursor_->CancelWait(); }
  std::optional<grpc::ByteBuffer> Heartbeat() override;
  std::optional<int64_t> ResumePoint() const override { return cursor_->next(); }
  Scheduler* Elsewhere() const override;

 private:
  const std::unique_ptr<Cursor> cursor_;
  std::vector<Slice> slices_;
};

// RunJob: sends a log line by line. Each message is a part of the stored batch.
class RunJobReactor : public StreamReactor {
 public:
  // `on_gone` is called once when the client goes away before the end.
  RunJobReactor(grpc::CallbackServerContext* context, StreamSet* set,
                std::unique_ptr<Cursor> cursor, std::function<void()> on_gone);

 protected:
  absl::StatusOr<Next> Pull(grpc::ByteBuffer* message, grpc::WriteOptions* options) override;
  bool Wait(std::function<void()> wake) override { return cursor_->Wait(std::move(wake)); }
  void CancelWait() override { cursor_->CancelWait(); }
  std::optional<grpc::ByteBuffer> Heartbeat() override;
  std::optional<int64_t> ResumePoint() const override { return last_sent_ + 1; }
  Scheduler* Elsewhere() const override;
  void OnClientGone() override { on_gone_(); }

 private:
  bool NextLine();

  const std::unique_ptr<Cursor> cursor_;
  const std::function<void()> on_gone_;
  std::vector<Slice> slices_;  // read, and not yet begun to be sent from slice at_ on
  size_t at_ = 0;
  grpc::Slice lines_;        // the slice before, for gRPC
  RecordWalker walker_{{}};  // in it, at the line to send next if has_line_
  bool has_line_ = false;
  int64_t last_sent_ = 0;
  int64_t hinted_ = 0;  // messages in a row that may wait for others before they go out
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_LOG_REACTORS_H_
