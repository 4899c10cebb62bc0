// What reflection finds, and what it says where there is nothing.

#include "server/rpc/reflection.h"

#include <gmock/gmock.h>
#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <string>
#include <vector>

#include "jobtail/v1/job_service.pb.h"

namespace jobtail {
namespace {

using standard::v1::ServerReflectionRequest;
using standard::v1::ServerReflectionResponse;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

ServerReflectionResponse Ask(const ServerReflectionRequest& request) {
  static const Reflection& reflection = *new Reflection({"jobtail.v1.JobService", "a.B"});
  return reflection.Answer(request);
}

ServerReflectionResponse AskSymbol(const std::string& symbol) {
  ServerReflectionRequest request;
  request.set_file_containing_symbol(symbol);
  return Ask(request);
}

// Builds what was answered as a client does, without anything else. Null if something lacks.
const google::protobuf::FileDescriptor* Build(const ServerReflectionResponse& response,
                                              google::protobuf::DescriptorPool* pool) {
  const google::protobuf::FileDescriptor* last = nullptr;
  const auto& files = response.file_descriptor_response().file_descriptor_proto();
  std::vector<google::protobuf::FileDescriptorProto> rest(files.size());
  for (int i = 0; i < files.size(); ++i) EXPECT_TRUE(rest[i].ParseFromString(files[i]));
  // Imports come after what imports them.
  for (bool progress = true; progress;) {
    progress = false;
    for (const auto& file : rest) {
      if (pool->FindFileByName(file.name())) continue;
      bool ready = true;
      for (const std::string& name : file.dependency())
        ready &= pool->FindFileByName(name) != nullptr;
      if (ready) progress |= pool->BuildFile(file) != nullptr;
    }
  }
  if (!rest.empty()) last = pool->FindFileByName(rest.front().name());
  return last;
}

TEST(Reflection, ListsTheServicesThatItWasGiven) {
  ServerReflectionRequest request;
  request.set_host("example.org");
  request.set_list_services("*");
  const ServerReflectionResponse response = Ask(request);
  EXPECT_EQ(response.valid_host(), "example.org");
  EXPECT_EQ(response.original_request().list_services(), "*");
  std::vector<std::string> names;
  for (const auto& each : response.list_services_response().service()) names.push_back(each.name());
  EXPECT_THAT(names, ElementsAre("jobtail.v1.JobService", "a.B"));
}

TEST(Reflection, AFileComesWithAllThatItImports) {
  google::protobuf::DescriptorPool pool;
  const auto* const file = Build(AskSymbol("jobtail.v1.JobService"), &pool);
  ASSERT_NE(file, nullptr);
  EXPECT_EQ(file->name(), "jobtail/v1/job_service.proto");
  EXPECT_NE(pool.FindMethodByName("jobtail.v1.JobService.TailLog"), nullptr);
}

TEST(Reflection, KnowsMethodsMessagesAndFilesToo) {
  for (const char* symbol : {"jobtail.v1.JobService.TailLog", "jobtail.v1.TailLogRequest",
                             "jobtail.v1.TailLogRequest.pattern"}) {
    EXPECT_TRUE(AskSymbol(symbol).has_file_descriptor_response()) << symbol;
  }
  ServerReflectionRequest request;
  request.set_file_by_filename("jobtail/v1/run.proto");
  google::protobuf::DescriptorPool pool;
  EXPECT_NE(Build(Ask(request), &pool), nullptr);
}

TEST(Reflection, DescribesTheServicesWhoseCodeHasNoDescriptors) {
  for (const char* symbol : {"grpc.health.v1.Health", "grpc.reflection.v1.ServerReflection",
                             "grpc.reflection.v1alpha.ServerReflection"}) {
    google::protobuf::DescriptorPool pool;
    const auto* const file = Build(AskSymbol(symbol), &pool);
    ASSERT_NE(file, nullptr) << symbol;
    EXPECT_NE(pool.FindServiceByName(symbol), nullptr);
    EXPECT_THAT(file->DebugString(), Not(HasSubstr("jobtail")));
  }
  google::protobuf::DescriptorPool pool;
  Build(AskSymbol("grpc.health.v1.HealthCheckRequest"), &pool);
  const auto* const watch = pool.FindMethodByName("grpc.health.v1.Health.Watch");
  ASSERT_NE(watch, nullptr);
  EXPECT_TRUE(watch->server_streaming());
  EXPECT_EQ(watch->input_type()->full_name(), "grpc.health.v1.HealthCheckRequest");
}

TEST(Reflection, WhatIsNotThereIsAnAnswer) {
  ServerReflectionRequest symbol, file, extension, numbers;
  symbol.set_file_containing_symbol("a.b.\n\"C\"");
  file.set_file_by_filename("/etc/passwd");
  extension.mutable_file_containing_extension()->set_containing_type(
      "google.protobuf.FieldOptions");
  extension.mutable_file_containing_extension()->set_extension_number(51234);
  numbers.set_all_extension_numbers_of_type("a.B");
  for (const auto& request : {symbol, file, extension, numbers}) {
    const ServerReflectionResponse response = Ask(request);
    EXPECT_EQ(response.error_response().error_code(), 5) << response.DebugString();
    EXPECT_FALSE(response.has_file_descriptor_response());
  }
  EXPECT_THAT(Ask(symbol).error_response().error_message(),
              AllOf(HasSubstr("there is no symbol"), HasSubstr(R"("a.b.\n\"C\"")")));
  EXPECT_EQ(Ask({}).error_response().error_code(), 3);
}

TEST(Reflection, ATypeWithoutExtensionsHasNone) {
  ServerReflectionRequest request;
  request.set_all_extension_numbers_of_type("jobtail.v1.Run");
  const ServerReflectionResponse response = Ask(request);
  EXPECT_EQ(response.all_extension_numbers_response().base_type_name(), "jobtail.v1.Run");
  EXPECT_TRUE(response.all_extension_numbers_response().extension_number().empty());
}

}  // namespace
}  // namespace jobtail
