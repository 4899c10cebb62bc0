// Health checks of a server that becomes another, over loopback.

#include "server/rpc/standard_services.h"

#include <gmock/gmock.h>

#include <atomic>
#include <memory>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"
#include "tests/e2e/raw_call.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

// grpc.health.v1.HealthCheckResponse{status}
constexpr char kServing[] = "\x08\x01";
constexpr char kNotServing[] = "\x08\x02";
constexpr char kServiceUnknown[] = "\x08\x03";

class StandardServicesTest : public ::testing::Test {
 protected:
  StandardServicesTest()
      : services_(
            nullptr,
            [this](const std::string&, size_t bytes) {
              counted_ += bytes;
              return std::make_shared<int>();
            },
            nullptr) {
    grpc::ServerBuilder builder;
    builder.AddListeningPort("127.0.0.1:0", grpc::InsecureServerCredentials(), &port_);
    builder.RegisterCallbackGenericService(&services_);
    server_ = builder.BuildAndStart();
    channel_ =
        grpc::CreateChannel(absl::StrCat("127.0.0.1:", port_), grpc::InsecureChannelCredentials());
  }
  ~StandardServicesTest() override {
    services_.Stop();
    server_->Shutdown();
  }

  std::unique_ptr<e2e::RawStream> Watch(const std::string& request) {
    auto watch = std::make_unique<e2e::RawStream>(channel_, "/grpc.health.v1.Health/Watch");
    watch->Write(request);
    return watch;
  }
  // All that comes until the server stops.
  std::vector<std::string> Rest(e2e::RawStream* watch) {
    std::vector<std::string> rest;
    while (auto message = watch->Read()) rest.push_back(*std::move(message));
    EXPECT_EQ(watch->Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
    return rest;
  }

  std::atomic<size_t> counted_ = 0;
  StandardServices services_;
  int port_ = 0;
  std::unique_ptr<grpc::Server> server_;
  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(StandardServicesTest, WhoWatchesIsToldOfChangesAlone) {
  const auto all = Watch("");
  const auto service = Watch("\x0a\x15jobtail.v1.JobService");
  const auto unknown = Watch(
      "\x0a\x03"
      "a.B");
  EXPECT_EQ(all->Read(), kServing);
  EXPECT_EQ(service->Read(), kServing);
  EXPECT_EQ(unknown->Read(), kServiceUnknown);
  for (int i = 0; i < 10; ++i) services_.SetServing(true);
  services_.SetServing(false);
  EXPECT_EQ(all->Read(), kNotServing);
  EXPECT_EQ(service->Read(), kNotServing);
  for (int i = 0; i < 10; ++i) services_.SetServing(false);
  services_.SetServing(true);
  EXPECT_EQ(all->Read(), kServing);
  EXPECT_EQ(service->Read(), kServing);
  services_.Stop();
  EXPECT_THAT(Rest(all.get()), IsEmpty());
  EXPECT_THAT(Rest(service.get()), IsEmpty());
  EXPECT_THAT(Rest(unknown.get()), IsEmpty());
}

TEST_F(StandardServicesTest, WatchingMakesNoServiceKnown) {
  const auto watch = Watch(
      "\x0a\x03"
      "a.B");
  EXPECT_EQ(watch->Read(), kServiceUnknown);
  EXPECT_EQ(e2e::RawCall(channel_, "/grpc.health.v1.Health/Check",
                         "\x0a\x03"
                         "a.B")
                .status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST_F(StandardServicesTest, CallsAreCountedWhateverTheyAsk) {
  for (const char* method : {"/grpc.health.v1.Health/Check", "/a.B/C"}) {
    const size_t before = counted_;
    e2e::RawCall(channel_, method, "");
    EXPECT_GT(counted_, before) << method;
  }
}

TEST_F(StandardServicesTest, NothingIsAnsweredOnceTheyHaveStopped) {
  services_.Stop();
  EXPECT_EQ(e2e::RawCall(channel_, "/grpc.health.v1.Health/Check", "").status.error_code(),
            grpc::StatusCode::UNAVAILABLE);
}

TEST_F(StandardServicesTest, NoRequestIsLong) {
  const std::string name(3000, 'x');
  const std::string fits = "\x0a\xb8\x17" + name;
  const std::string beyond = "\x0a\xf0\x2e" + name + name;
  for (const char* method : {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                             "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
    EXPECT_EQ(e2e::RawCall(channel_, method, beyond).status.error_code(),
              grpc::StatusCode::RESOURCE_EXHAUSTED)
        << method;
  }
  EXPECT_EQ(Watch(fits)->Read(), kServiceUnknown);
}

TEST_F(StandardServicesTest, AnAddressHasSoManyCallsAtOnce) {
  std::vector<std::unique_ptr<e2e::RawStream>> watches;
  for (int i = 0; i < 256; ++i) {
    watches.push_back(Watch(""));
    EXPECT_EQ(watches.back()->Read(), kServing);
  }
  const grpc::Status beyond = e2e::RawCall(channel_, "/grpc.health.v1.Health/Check", "").status;
  EXPECT_EQ(beyond.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(beyond.error_message(), ::testing::HasSubstr("of which an address may have 256"));
  watches.pop_back();
  EXPECT_TRUE(testing::Eventually(
      [this] { return e2e::RawCall(channel_, "/grpc.health.v1.Health/Check", "").status.ok(); }));
}

// What was sent once is counted once: a client must not earn room for requests without an end by
// asking little things.
TEST_F(StandardServicesTest, OfAStreamTheFirstRequestAloneIsCounted) {
  e2e::RawStream stream(channel_, "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo");
  stream.Write("\x3a\x01*");
  EXPECT_TRUE(stream.Read());
  const size_t counted = counted_;
  for (int i = 0; i < 10; ++i) {
    stream.Write("\x3a\x01*");
    EXPECT_TRUE(stream.Read());
  }
  EXPECT_EQ(counted_, counted);
}

}  // namespace
}  // namespace jobtail
