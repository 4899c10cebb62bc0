// Looking descriptors up.
#include "server/rpc/reflection.h"

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

// Of google.rpc.Code.
constexpr int kInvalidArgument = 3;
constexpr int kNotFound = 5;

void Fail(int code, const std::string& message, ServerReflectionResponse* response) {
  response->mutable_error_response()->set_error_code(code);
  response->mutable_error_response()->set_error_message(message);
}

// In words.
std::string AskedFor(const ServerReflectionRequest& request) {
  if (request.has_file_by_filename()) {
    return absl::StrCat("file ", Quoted(request.file_by_filename()));
  }
  if (request.has_file_containing_symbol()) {
    return absl::StrCat("symbol ", Quoted(request.file_containing_symbol()));
  }
  const auto& extension = request.file_containing_extension();
  return absl::StrCat("extension ", extension.extension_number(), " of ",
                      Quoted(extension.containing_type()));
}

}  // namespace

Reflection::Reflection(std::vector<std::string> services) : services_(std::move(services)) {
  const auto& health = *standard::v1::HealthCheckRequest::descriptor()->file();
  const auto& reflection = *ServerReflectionRequest::descriptor()->file();
  standard_.BuildFile(Renamed(health, "grpc.health.v1", "health"));
  standard_.BuildFile(Renamed(reflection, "grpc.reflection.v1", "reflection"));
  standard_.BuildFile(Renamed(reflection, "grpc.reflection.v1alpha", "reflection"));
}

ServerReflectionResponse Reflection::Answer(const ServerReflectionRequest& request) const {
  using Kind = ServerReflectionRequest::MessageRequestCase;
  ServerReflectionResponse response;
  response.set_valid_host(request.host());
  *response.mutable_original_request() = request;
  switch (request.message_request_case()) {
    case Kind::kListServices:
      for (const std::string& name : services_) {
        response.mutable_list_services_response()->add_service()->set_name(name);
      }
      break;
    case Kind::kAllExtensionNumbersOfType:
      Extensions(request.all_extension_numbers_of_type(), &response);
      break;
    case Kind::MESSAGE_REQUEST_NOT_SET:
      Fail(kInvalidArgument, "the request asks for nothing", &response);
      break;
    default:
      if (const File* const file = FindFile(request)) {
        *response.mutable_file_descriptor_response() = WithImports(*file);
      } else {
        Fail(kNotFound, absl::StrCat("there is no ", AskedFor(request)), &response);
      }
  }
  return response;
}

const Reflection::File* Reflection::FindFile(const ServerReflectionRequest& request) const {
  for (const Pool* const pool : {&standard_, Pool::generated_pool()}) {
    const File* file = nullptr;
    if (request.has_file_by_filename()) {
      file = pool->FindFileByName(request.file_by_filename());
    } else if (request.has_file_containing_symbol()) {
      file = pool->FindFileContainingSymbol(request.file_containing_symbol());
    } else if (request.has_file_containing_extension()) {
      const auto& asked = request.file_containing_extension();
      const auto* const type = pool->FindMessageTypeByName(asked.containing_type());
      const auto* const field =
          type ? pool->FindExtensionByNumber(type, asked.extension_number()) : nullptr;
      file = field ? field->file() : nullptr;
    }
    if (file) return file;
  }
  return nullptr;
}

void Reflection::Extensions(const std::string& name, ServerReflectionResponse* response) const {
  for (const Pool* const pool : {&standard_, Pool::generated_pool()}) {
    const auto* const type = pool->FindMessageTypeByName(name);
    if (!type) continue;
    auto* const answer = response->mutable_all_extension_numbers_response();
    answer->set_base_type_name(name);
    std::vector<const google::protobuf::FieldDescriptor*> extensions;
    pool->FindAllExtensions(type, &extensions);
    for (const auto* const each : extensions) answer->add_extension_number(each->number());
    std::ranges::sort(*answer->mutable_extension_number());
    return;
  }
  Fail(kNotFound, absl::StrCat("there is no type ", Quoted(name)), response);
}

standard::v1::FileDescriptorResponse Reflection::WithImports(const File& file) const {
  absl::MutexLock lock(&mutex_);
  const auto [ready, is_new] = ready_.try_emplace(&file);
  if (!is_new) return ready->second;
  absl::flat_hash_set<const File*> seen = {&file};
  std::vector<const File*> rest = {&file};
  while (!rest.empty()) {
    const File* const next = rest.back();
    rest.pop_back();
    FileDescriptorProto proto;
    next->CopyTo(&proto);
    ready->second.add_file_descriptor_proto(proto.SerializeAsString());
    for (int i = 0; i < next->dependency_count(); ++i) {
      if (seen.insert(next->dependency(i)).second) rest.push_back(next->dependency(i));
    }
  }
  return ready->second;
}

}  // namespace jobtail
