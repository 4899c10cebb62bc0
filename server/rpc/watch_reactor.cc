#include "server/rpc/watch_reactor.h"

#include "server/rpc/byte_buffer.h"

namespace jobtail {

WatchReactor::WatchReactor(grpc::CallbackServerContext* context, StreamSet* set,
                           std::unique_ptr<RunWatch> watch)
    : StreamReactor(context, set), watch_(std::move(watch)) {}

absl::StatusOr<StreamReactor::Next> WatchReactor::Pull(grpc::ByteBuffer* message,
                                                       grpc::WriteOptions* options) {
  const std::optional<v1::Run> run = watch_->Next();
  if (!run) return Next::kWait;
  *message = ToByteBuffer(*run);
  return Next::kWrite;
}

}  // namespace jobtail
