// Looking descriptors up.
#include "server/rpc/reflection.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/descriptor.pb.h>

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "base/quoting.h"
#include "jobtail/standard/v1/health.pb.h"

namespace jobtail {
namespace {

using google::protobuf::FileDescriptorProto;
using standard::v1::ServerReflectionRequest;
using standard::v1::ServerReflectionResponse;

// The file with its package, and what is in it, under another name: "grpc.health.v1".
FileDescriptorProto Renamed(const google::protobuf::FileDescriptor& file,
                            const std::string& package, std::string_view stem) {
  FileDescriptorProto renamed;
  file.CopyTo(&renamed);
  const std::string before = absl::StrCat(".", file.package(), ".");
  const std::string after = absl::StrCat(".", package, ".");
  const auto rename = [&](std::string* name) {
    if (absl::StartsWith(*name, before)) name->replace(0, before.size(), after);
  };
  renamed.set_name(
      absl::StrCat(absl::StrReplaceAll(package, {{".", "/"}}), "/", std::string(stem), ".proto"));
  renamed.set_package(package);
  for (auto& message : *renamed.mutable_message_type()) {
    for (auto& field : *message.mutable_field()) {
      if (field.has_type_name()) rename(field.mutable_type_name());
    }
  }
  for (auto& service : *renamed.mutable_service()) {
    for (auto& method : *service.mutable_method()) {
      rename(method.mutable_input_type());
      rename(method.mutable_output_type());
    }
  }
  return renamed;
}

}  // namespace

Reflection::Reflection(std::vector<std::string> services)
    : services_(std::move(services)),
      generated_(*google::protobuf::DescriptorPool::generated_pool()),
      files_(&standard_, &generated_) {
  const auto& health = *standard::v1::HealthCheckRequest::descriptor()->file();
  const auto& reflection = *ServerReflectionRequest::descriptor()->file();
  standard_.Add(Renamed(health, "grpc.health.v1", "health"));
  standard_.Add(Renamed(reflection, "grpc.reflection.v1", "reflection"));
  standard_.Add(Renamed(reflection, "grpc.reflection.v1alpha", "reflection"));
}

ServerReflectionResponse Reflection::Answer(const ServerReflectionRequest& request) const {
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  absl::MutexLock lock(&mutex_);
  AnswerInto(request, &response);
  return response;
}

void Reflection::AnswerInto(const ServerReflectionRequest& request,
                            ServerReflectionResponse* response) const {
  using Kind = ServerReflectionRequest::MessageRequestCase;
  const auto fail = [response](int code, std::string message) {
    response->mutable_error_response()->set_error_code(code);
    response->mutable_error_response()->set_error_message(std::move(message));
  };
  constexpr int kInvalidArgument = 3;
  constexpr int kNotFound = 5;
  FileDescriptorProto file;
  bool is_there = false;
  std::string what;
  switch (request.message_request_case()) {
    case Kind::kListServices:
      for (const std::string& name : services_) {
        response->mutable_list_services_response()->add_service()->set_name(name);
      }
      return;
    case Kind::kAllExtensionNumbersOfType: {
      const std::string& type = request.all_extension_numbers_of_type();
      std::vector<int> numbers;
      if (!files_.FindFileContainingSymbol(type, &file)) {
        return fail(kNotFound, absl::StrCat("there is no type ", Quoted(type)));
      }
      files_.FindAllExtensionNumbers(type, &numbers);
      std::ranges::sort(numbers);
      auto* const answer = response->mutable_all_extension_numbers_response();
      answer->set_base_type_name(type);
      answer->mutable_extension_number()->Assign(numbers.begin(), numbers.end());
      return;
    }
    case Kind::kFileByFilename:
      is_there = files_.FindFileByName(request.file_by_filename(), &file);
      what = absl::StrCat("file ", Quoted(request.file_by_filename()));
      break;
    case Kind::kFileContainingSymbol:
      is_there = files_.FindFileContainingSymbol(request.file_containing_symbol(), &file);
      what = absl::StrCat("symbol ", Quoted(request.file_containing_symbol()));
      break;
    case Kind::kFileContainingExtension: {
      const auto& extension = request.file_containing_extension();
      is_there = files_.FindFileContainingExtension(extension.containing_type(),
                                                    extension.extension_number(), &file);
      what = absl::StrCat("extension ", extension.extension_number(), " of ",
                          Quoted(extension.containing_type()));
      break;
    }
    case Kind::MESSAGE_REQUEST_NOT_SET:
      return fail(kInvalidArgument, "the request asks for nothing");
  }
  if (!is_there || !AddWithImports(file, response->mutable_file_descriptor_response())) {
    fail(kNotFound, absl::StrCat("there is no ", what));
  }
}

// False if one of them is not there.
bool Reflection::AddWithImports(const FileDescriptorProto& file,
                                standard::v1::FileDescriptorResponse* files) const {
  absl::flat_hash_set<std::string> seen = {file.name()};
  std::vector<FileDescriptorProto> rest = {file};
  while (!rest.empty()) {
    const FileDescriptorProto next = std::move(rest.back());
    rest.pop_back();
    files->add_file_descriptor_proto(next.SerializeAsString());
    for (const std::string& name : next.dependency()) {
      if (!seen.insert(name).second) continue;
      if (!files_.FindFileByName(name, &rest.emplace_back())) return false;
    }
  }
  return true;
}

}  // namespace jobtail
