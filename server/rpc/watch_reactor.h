#ifndef JOBTAIL_SERVER_RPC_WATCH_REACTOR_H_
#define JOBTAIL_SERVER_RPC_WATCH_REACTOR_H_

#include <functional>
#include <memory>
#include <utility>

#include "server/rpc/stream_reactor.h"
#include "server/run/run_table.h"

namespace jobtail {

// WatchRuns: sends each run that changes.
class WatchReactor : public StreamReactor {
 public:
  WatchReactor(grpc::CallbackServerContext* context, StreamSet* set,
               std::unique_ptr<RunWatch> watch);

 protected:
  absl::StatusOr<Next> Pull(grpc::ByteBuffer* message, grpc::WriteOptions* options) override;
  bool Wait(std::function<void()> wake) override { return watch_->Wait(std::move(wake)); }
  void CancelWait() override { watch_->CancelWait(); }

 private:
  const std::unique_ptr<RunWatch> watch_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_WATCH_REACTOR_H_
