// The way for any thread to end another one's calls and waits.
#ifndef JOBTAIL_CLIENT_CANCELLATION_H_
#define JOBTAIL_CLIENT_CANCELLATION_H_

#include <grpcpp/client_context.h>

#include <condition_variable>
#include <mutex>
#include <set>

#include "absl/time/time.h"
#include "base/clock.h"

namespace jobtail::client {

// Lets any thread end what another one is waiting for: gRPC calls, and waits between them. Once
// cancelled, it stays so. Thread-safe.
class Cancellation {
 public:
  // Ends the calls and waits that are under way and, as soon as they begin, those to come.
  void Cancel();

  bool cancelled() const;

  // Waits until Cancel() or until `clock` has reached `deadline`, by its steady time. Whether it is
  // cancelled.
  bool WaitUntil(Clock* clock, absl::Duration deadline) const;

 private:
  friend class CancellableCall;

  void Add(grpc::ClientContext* context);
  void Remove(grpc::ClientContext* context);

  mutable std::mutex mutex_;
  mutable std::condition_variable changed_;
  bool cancelled_ = false;
  std::set<grpc::ClientContext*> calls_;
};

// The context of one call that a Cancellation, which outlives it, can end. For the thread that
// makes the call.
class CancellableCall {
 public:
  explicit CancellableCall(Cancellation* cancellation) : cancellation_(cancellation) {
    cancellation_->Add(&context_);
  }
  ~CancellableCall() { cancellation_->Remove(&context_); }

  CancellableCall(const CancellableCall&) = delete;
  CancellableCall& operator=(const CancellableCall&) = delete;

  grpc::ClientContext* context() { return &context_; }

 private:
  Cancellation* const cancellation_;
  grpc::ClientContext context_;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_CANCELLATION_H_
