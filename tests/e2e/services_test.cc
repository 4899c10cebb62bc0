// What a jobtail server offers beside jobtail.v1.JobService.

#include <gmock/gmock.h>
#include <grpcpp/ext/proto_server_reflection_plugin.h>
#include <grpcpp/health_check_service_interface.h>

#include <string>
#include <thread>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"
#include "tests/e2e/http_client.h"
#include "tests/e2e/raw_call.h"
#include "tests/server/support/full_disk.h"
#include "tests/server/support/sync_disk.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail::e2e {
namespace {

using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

// grpc.health.v1.HealthCheckResponse{status}
constexpr char kServing[] = "\x08\x01";
constexpr char kNotServing[] = "\x08\x02";

// grpc.health.v1.HealthCheckRequest{service}
std::string HealthRequest(const std::string& service) {
  return std::string("\x0a") + static_cast<char>(service.size()) + service;
}

RawReply CheckHealth(const std::shared_ptr<grpc::Channel>& channel) {
  return RawCall(channel, "/grpc.health.v1.Health/Check", "");
}

RawReply Reflect(const std::shared_ptr<grpc::Channel>& channel, const std::string& request) {
  return RawCall(channel, "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo",
                 request);
}

TEST(Health, IsServing) {
  DemoServer demo;
  EXPECT_THAT(CheckHealth(OpenChannel(demo.address())).messages, ElementsAre(kServing));
}

TEST(Health, KnowsTheServiceByItsName) {
  DemoServer demo;
  const auto channel = OpenChannel(demo.address());
  EXPECT_THAT(
      RawCall(channel, "/grpc.health.v1.Health/Check", HealthRequest("jobtail.v1.JobService"))
          .messages,
      ElementsAre(kServing));
  EXPECT_EQ(RawCall(channel, "/grpc.health.v1.Health/Check", HealthRequest("jobtail.v1.Other"))
                .status.error_code(),
            grpc::StatusCode::NOT_FOUND);
}

TEST(Health, TellsWhoWatchesThatTheServerEnds) {
  EmbeddedServer server;
  RawStream watch(OpenChannel(server.server().grpc_address()), "/grpc.health.v1.Health/Watch");
  watch.Write("");
  EXPECT_EQ(watch.Read(), kServing);
  server.server().Stop();
  EXPECT_EQ(watch.Read(), kNotServing);
  EXPECT_EQ(watch.Read(), std::nullopt);
  EXPECT_EQ(watch.Finish().error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST(Health, IsNotServingWhileTheServerWaitsForItsJobs) {
  absl::Notification leave;
  absl::Notification at_work;
  EmbeddedServer server({.stop_grace = absl::InfiniteDuration()});
  server.Add("deaf", [&](JobContext&) {
    at_work.Notify();
    leave.WaitForNotification();
  });
  StartRun(server.stub(), "deaf");
  at_work.WaitForNotification();
  const auto channel = OpenChannel(server.server().grpc_address());
  std::thread stopping([&] { EXPECT_EQ(server.server().Stop(), 0); });
  while (CheckHealth(channel).messages == std::vector<std::string>{kServing}) {
    std::this_thread::yield();
  }
  EXPECT_THAT(CheckHealth(channel).messages, ElementsAre(kNotServing));
  leave.Notify();
  stopping.join();
}

TEST(Health, IsNotServingWhileTheDiskIsFull) {
  const jobtail::testing::TemporaryDirectory directory;
  jobtail::testing::FullDisk disk;
  ServerOptions options;
  options.store.directory = directory.path();
  options.store.sync_interval = absl::Milliseconds(10);
  options.store.env = disk.env();
  EmbeddedServer server(options);
  server.Add("quick", [](JobContext&) {});
  const auto channel = OpenChannel(server.server().grpc_address());
  EXPECT_THAT(CheckHealth(channel).messages, ElementsAre(kServing));
  disk.SetFull(true);
  while (CheckHealth(channel).messages == std::vector<std::string>{kServing}) {
    std::this_thread::yield();
  }
  EXPECT_THAT(CheckHealth(channel).messages, ElementsAre(kNotServing));
  grpc::ClientContext context;
  v1::CreateRunRequest request;
  request.set_job("quick");
  v1::Run run;
  EXPECT_EQ(server.stub().CreateRun(&context, request, &run).error_code(),
            grpc::StatusCode::RESOURCE_EXHAUSTED);
  disk.SetFull(false);
  while (CheckHealth(channel).messages != std::vector<std::string>{kServing}) {
    std::this_thread::yield();
  }
  WaitUntilEnded(server.stub(), StartRun(server.stub(), "quick"));
}

TEST(Probes, AreAnsweredWhileEveryCallWaitsForTheDisk) {
  const jobtail::testing::TemporaryDirectory directory;
  jobtail::testing::SyncDisk disk;
  ServerOptions options;
  options.http.address = "127.0.0.1:0";
  options.store.directory = directory.path();
  options.store.sync = SyncMode::kAlways;
  options.store.env = disk.env();
  EmbeddedServer server(options);
  server.Add("quick", [](JobContext&) {});
  disk.SetStalled(true);
  std::vector<std::thread> calls;
  for (int i = 0; i < 6; ++i) {
    calls.emplace_back([&server] { StartRun(*Connect(server.server().grpc_address()), "quick"); });
  }
  EXPECT_TRUE(disk.AwaitStalled(absl::Seconds(60)));
  HttpClient client(server.server().http_url());
  EXPECT_EQ(client.Get("/healthz").status, 200);
  const HttpAnswer metrics = client.Get("/metrics");
  EXPECT_EQ(metrics.status, 200);
  EXPECT_THAT(metrics.body, HasSubstr("jobtail_waiting_store_calls"));
  EXPECT_THAT(CheckHealth(OpenChannel(server.server().grpc_address())).messages, SizeIs(1));
  disk.SetStalled(false);
  for (std::thread& call : calls) call.join();
}

TEST(Reflection, ListsTheService) {
  DemoServer demo;
  const RawReply reply = Reflect(OpenChannel(demo.address()), std::string("\x3A\0", 2));
  EXPECT_THAT(reply.messages, Contains(HasSubstr("jobtail.v1.JobService")));
  EXPECT_THAT(reply.messages, Contains(HasSubstr("grpc.health.v1.Health")));
}

TEST(Reflection, DescribesTheService) {
  DemoServer demo;
  const RawReply reply =
      Reflect(OpenChannel(demo.address()), std::string("\x22\x15") + "jobtail.v1.JobService");
  EXPECT_THAT(reply.messages, Contains(HasSubstr("jobtail/v1/job_service.proto")));
  EXPECT_THAT(reply.messages, Contains(HasSubstr("TailLogRequest")));
}

TEST(Reflection, AnswersSeveralRequestsInTurn) {
  DemoServer demo;
  for (const char* version : {"v1", "v1alpha"}) {
    RawStream stream(OpenChannel(demo.address()), std::string("/grpc.reflection.") + version +
                                                      ".ServerReflection/ServerReflectionInfo");
    for (int i = 0; i < 3; ++i) {
      EXPECT_TRUE(stream.Write(std::string("\x22\x15") + "grpc.health.v1.Health"));
      EXPECT_THAT(stream.Read().value_or(""), HasSubstr("grpc/health/v1/health.proto"));
      EXPECT_TRUE(stream.Write(std::string("\x22\x03") + "a.B"));
      EXPECT_THAT(stream.Read().value_or(""), HasSubstr("there is no symbol \"a.B\""));
    }
    stream.WritesDone();
    EXPECT_EQ(stream.Read(), std::nullopt);
    EXPECT_TRUE(stream.Finish().ok());
  }
}

TEST(StandardServices, RefuseWhatIsNoRequest) {
  DemoServer demo;
  const auto channel = OpenChannel(demo.address());
  for (const char* method : {"/grpc.health.v1.Health/Check", "/grpc.health.v1.Health/Watch",
                             "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo"}) {
    EXPECT_EQ(RawCall(channel, method, "\xff\xff").status.error_code(),
              grpc::StatusCode::INVALID_ARGUMENT)
        << method;
  }
  RawStream silent(channel, "/grpc.health.v1.Health/Check");
  silent.WritesDone();
  EXPECT_EQ(silent.Read(), std::nullopt);
  EXPECT_EQ(silent.Finish().error_code(), grpc::StatusCode::INVALID_ARGUMENT);
}

TEST(StandardServices, AMethodThatIsNotThereIsNamed) {
  DemoServer demo;
  const grpc::Status status =
      RawCall(OpenChannel(demo.address()), "/jobtail.v1.JobService/Fly", "").status;
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNIMPLEMENTED);
  EXPECT_THAT(status.error_message(), HasSubstr("/jobtail.v1.JobService/Fly"));
}

TEST(StandardServices, LeaveTheOtherServersOfAProgramAsTheyAre) {
  EmbeddedServer server;
  EXPECT_FALSE(grpc::DefaultHealthCheckServiceEnabled());
}

TEST(StandardServices, AreServedWhereTheProgramHasSwitchedOnGrpcsOwn) {
  grpc::EnableDefaultHealthCheckService(true);
  grpc::reflection::InitProtoReflectionServerBuilderPlugin();
  EmbeddedServer server;
  const auto channel = OpenChannel(server.server().grpc_address());
  EXPECT_EQ(
      RawCall(channel, "/grpc.health.v1.Health/Check", HealthRequest("a.B")).status.error_message(),
      "this server has no service \"a.B\"; ask for \"\", or for jobtail.v1.JobService");
  const RawReply reply = Reflect(channel, std::string("\x22\x15") + "grpc.health.v1.Health");
  EXPECT_THAT(reply.messages, Contains(HasSubstr("grpc/health/v1/health.proto")));
  grpc::EnableDefaultHealthCheckService(false);
}

}  // namespace
}  // namespace jobtail::e2e
