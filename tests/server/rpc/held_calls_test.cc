// Tests of how many calls gRPC holds, with servers that leave calls unanswered.
#include "server/rpc/held_calls.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/generic/generic_stub.h>
#include <grpcpp/grpcpp.h>

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using jobtail::testing::Eventually;

// Answers calls when it is told to, and remembers who has made them.
class Holder final : public grpc::CallbackGenericService {
 public:
  Holder() {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(this);
    server_ = builder.BuildAndStart();
  }
  ~Holder() override {
    AnswerAll();
    server_->Shutdown();
  }

  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    auto* const call = new Call;
    absl::MutexLock lock(&mutex_);
    calls_.push_back(call);
    peers_.push_back(context->peer());
    return call;
  }

  int port() const { return port_; }

  std::vector<std::string> AwaitPeers(size_t count) {
    EXPECT_TRUE(Eventually([&] { return peers().size() == count; }));
    return peers();
  }
  void AnswerAll() {
    absl::MutexLock lock(&mutex_);
    for (Call* const call : std::exchange(calls_, {})) call->Finish(grpc::Status::OK);
  }

 private:
  class Call final : public grpc::ServerGenericBidiReactor {
   public:
    void OnDone() override { delete this; }
  };

  std::vector<std::string> peers() {
    absl::MutexLock lock(&mutex_);
    return peers_;
  }

  absl::Mutex mutex_;
  std::vector<Call*> calls_ ABSL_GUARDED_BY(mutex_);
  std::vector<std::string> peers_ ABSL_GUARDED_BY(mutex_);
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
};

// A connection of its own, and its calls.
class Caller {
 public:
  explicit Caller(int port) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    stub_ = std::make_unique<grpc::GenericStub>(grpc::CreateCustomChannel(
        absl::StrCat("127.0.0.1:", port), grpc::InsecureChannelCredentials(), arguments));
  }
  ~Caller() {
    for (Call& call : calls_) call.context.TryCancel();
    EXPECT_TRUE(Eventually([this] { return open() == 0; }));
  }

  void Begin(int count) {
    for (int i = 0; i < count; ++i) {
      Call& call = calls_.emplace_back();
      stub_->UnaryCall(&call.context, "/held/Call", {}, &call.request, &call.response,
                       [this](const grpc::Status&) {
                         absl::MutexLock lock(&mutex_);
                         ++ended_;
                       });
    }
  }

 private:
  struct Call {
    grpc::ClientContext context;
    const grpc::Slice nothing;
    grpc::ByteBuffer request{&nothing, 1};
    grpc::ByteBuffer response;
  };

  size_t open() {
    absl::MutexLock lock(&mutex_);
    return calls_.size() - ended_;
  }

  std::unique_ptr<grpc::GenericStub> stub_;
  std::deque<Call> calls_;
  absl::Mutex mutex_;
  size_t ended_ ABSL_GUARDED_BY(mutex_) = 0;
};

// As soon as connections are looked for.
bool Holds(HeldCalls* held, const std::string& peer, int64_t count) {
  return Eventually([&] { return held->Of(*ClientOf(peer)) == count; });
}

TEST(HeldCalls, AreCountedFromTheirBeginningUntilTheyAreOver) {
  Holder server;
  Caller caller(server.port());
  HeldCalls held;
  caller.Begin(3);
  const std::string peer = server.AwaitPeers(3).front();
  EXPECT_TRUE(Holds(&held, peer, 3));
  caller.Begin(1);
  server.AwaitPeers(4);
  EXPECT_TRUE(Holds(&held, peer, 4));
  server.AnswerAll();
  EXPECT_TRUE(Holds(&held, peer, 0));
}

TEST(HeldCalls, AreToldOfEachConnectionOfEachServer) {
  Holder first_server;
  Holder second_server;
  Caller first(first_server.port());
  Caller second(second_server.port());
  Caller third(second_server.port());
  HeldCalls held;
  first.Begin(1);
  EXPECT_TRUE(Holds(&held, first_server.AwaitPeers(1).back(), 1));
  second.Begin(2);
  EXPECT_TRUE(Holds(&held, second_server.AwaitPeers(2).back(), 2));
  third.Begin(3);  // which is found although others are known by now
  EXPECT_TRUE(Holds(&held, second_server.AwaitPeers(5).back(), 3));
}

TEST(HeldCalls, AreNotKnownOfConnectionsThatAreClosed) {
  Holder server;
  HeldCalls held;
  EXPECT_EQ(held.Of({"127.0.0.1", 1}), std::nullopt);
  std::string peer;
  {
    Caller caller(server.port());
    caller.Begin(1);
    peer = server.AwaitPeers(1).front();
    EXPECT_TRUE(Holds(&held, peer, 1));
    server.AnswerAll();
  }
  EXPECT_TRUE(Eventually([&] { return held.Of(*ClientOf(peer)) == std::nullopt; }));
}

}  // namespace
}  // namespace jobtail
