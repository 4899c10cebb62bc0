// Tests of whose connections are given up for requests that do not come to an end, with real
// connections.
#include "server/rpc/unfinished_requests.h"

#include <gmock/gmock.h>

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/server/rpc/connected_pair.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using Client = UnfinishedRequests::Client;

constexpr size_t kKiB = 1 << 10;
constexpr UnfinishedRequests::Limits kLimits{
    .connection = 256 * kKiB, .address = 512 * kKiB, .call = 64 * kKiB};

// A client's connection, and what gRPC holds of it.
class Sender {
 public:
  Sender(const std::string& address, int port, OpenConnections* connections, HandledCalls* handled)
      : client_(address, port), handled_(handled) {
    connections->Add(pair_.server(), client_);
    handled->Began(client_);
  }

  const Client& client() const { return client_; }

  // A part of one call, or of several, that is not the end of any.
  void SendPart(size_t bytes) { pair_.Send(bytes); }
  // Whole ones, which a handler answers.
  void SendCalls(int count, size_t bytes) {
    for (int i = 0; i < count; ++i) {
      pair_.Send(bytes);
      handled_->Begin(absl::StrCat("ipv4:", client_.first, ":", client_.second), bytes);
    }
  }

 private:
  const Client client_;
  HandledCalls* const handled_;
  ConnectedPair pair_;
};

class UnfinishedRequestsTest : public ::testing::Test {
 protected:
  std::vector<Client> Look() { return requests_.Look(TrafficReading(&connections_)); }

  OpenConnections connections_;
  HandledCalls handled_;
  std::map<Client, int64_t> held_;  // calls
  UnfinishedRequests requests_{kLimits, &handled_,
                               [this](const Client& client) -> std::optional<int64_t> {
                                 const auto found = held_.find(client);
                                 if (found == held_.end()) return std::nullopt;
                                 return found->second;
                               }};
  Sender calm_{"10.0.0.1", 1, &connections_, &handled_};
  Sender flooding_{"10.0.0.1", 2, &connections_, &handled_};
};

TEST_F(UnfinishedRequestsTest, GivesUpWhoHasSentMoreThanItMay) {
  held_ = {{calm_.client(), 100}, {flooding_.client(), 100}};
  calm_.SendPart(kLimits.connection / 2);
  flooding_.SendPart(kLimits.connection);
  EXPECT_THAT(Look(), IsEmpty());
  flooding_.SendPart(1);
  EXPECT_THAT(Look(), ElementsAre(flooding_.client()));
}

TEST_F(UnfinishedRequestsTest, FindsWhoSendsSlowly) {
  held_ = {{flooding_.client(), 100}};
  for (int64_t sent = 0; sent <= kLimits.connection; sent += 8 * kKiB) {
    EXPECT_THAT(Look(), IsEmpty());
    flooding_.SendPart(8 * kKiB);
  }
  EXPECT_THAT(Look(), ElementsAre(flooding_.client()));
}

// However much, and however many calls at once.
TEST_F(UnfinishedRequestsTest, LeavesAloneWhoseRequestsComeToAnEnd) {
  held_ = {{calm_.client(), 1000}};
  for (int i = 0; i < 10; ++i) {
    calm_.SendCalls(100, 10 * kKiB);
    EXPECT_THAT(Look(), IsEmpty());
  }
}

TEST_F(UnfinishedRequestsTest, LeavesAloneWhoHasNoCallThatNoHandlerHas) {
  calm_.SendPart(2 * kLimits.connection);  // pings, windows, calls that were cancelled
  held_ = {{calm_.client(), 0}};
  EXPECT_THAT(Look(), IsEmpty());
  const HandledCalls::Call stream = handled_.Begin("ipv4:10.0.0.1:1", 100);
  calm_.SendPart(2 * kLimits.connection);
  held_ = {{calm_.client(), 1}};
  EXPECT_THAT(Look(), IsEmpty());
  held_.clear();  // gRPC does not know it
  calm_.SendPart(2 * kLimits.connection);
  EXPECT_THAT(Look(), IsEmpty());
}

// As for a moment after it has connected, where there are many.
TEST_F(UnfinishedRequestsTest, ForgetsNothingOfWhomGrpcDoesNotTellYet) {
  flooding_.SendPart(kLimits.connection + 1);
  EXPECT_THAT(Look(), IsEmpty());
  held_ = {{flooding_.client(), 100}};
  EXPECT_THAT(Look(), ElementsAre(flooding_.client()));
}

TEST_F(UnfinishedRequestsTest, CountsNoMoreThanCallsCanHave) {
  const int64_t calls = kLimits.connection / kLimits.call;
  held_ = {{flooding_.client(), calls}};
  flooding_.SendPart(2 * kLimits.connection);
  EXPECT_THAT(Look(), IsEmpty());
  held_ = {{flooding_.client(), calls + 1}};
  flooding_.SendPart(1);
  EXPECT_THAT(Look(), ElementsAre(flooding_.client()));
}

TEST_F(UnfinishedRequestsTest, GivesUpWhoHasMostOfAnAddressBeyondItsBound) {
  Sender third("10.0.0.1", 3, &connections_, &handled_);
  Sender other("10.0.0.2", 1, &connections_, &handled_);
  held_ = {{calm_.client(), 9}, {flooding_.client(), 9}, {third.client(), 9}, {other.client(), 9}};
  calm_.SendPart(32 * kKiB);
  other.SendPart(kLimits.connection);
  flooding_.SendPart(kLimits.connection);
  third.SendPart(kLimits.connection - 32 * kKiB);
  EXPECT_THAT(Look(), IsEmpty());
  third.SendPart(1);
  EXPECT_THAT(Look(), ElementsAre(flooding_.client(), third.client()));
}

TEST_F(UnfinishedRequestsTest, ForgetsConnectionsThatAreOver) {
  held_ = {{flooding_.client(), 100}, {calm_.client(), 100}};
  flooding_.SendPart(kLimits.connection);
  calm_.SendPart(kLimits.connection);
  EXPECT_THAT(Look(), IsEmpty());
  {
    Sender third("10.0.0.1", 3, &connections_, &handled_);
    held_[third.client()] = 100;
    third.SendPart(32 * kKiB);
    EXPECT_THAT(Look(), ElementsAre(calm_.client(), flooding_.client()));
  }
  connections_.Sweep();
  EXPECT_THAT(Look(), IsEmpty());
}

}  // namespace
}  // namespace jobtail
