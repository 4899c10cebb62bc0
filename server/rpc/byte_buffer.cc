// gRPC's reference-counted slices over the log's.
#include "server/rpc/byte_buffer.h"

#include <grpcpp/support/proto_buffer_reader.h>

#include <string>

#include "absl/strings/str_cat.h"

namespace jobtail {

grpc::Slice ToGrpcSlice(const Slice& slice) {
  return grpc::Slice(
      const_cast<char*>(slice.view().data()), slice.size,
      [](void* buffer) { delete static_cast<SharedBytes*>(buffer); },
      new SharedBytes(slice.buffer));
}

grpc::ByteBuffer ToByteBuffer(const std::vector<Slice>& slices) {
  std::vector<grpc::Slice> parts;
  parts.reserve(slices.size());
  for (const Slice& slice : slices) parts.push_back(ToGrpcSlice(slice));
  return {parts.data(), parts.size()};
}

grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message) {
  const grpc::Slice slice(message.SerializeAsString());
  return {&slice, 1};
}

absl::Status FromByteBuffer(const grpc::ByteBuffer& bytes, google::protobuf::Message* message) {
  grpc::ByteBuffer copy(bytes);  // shares the bytes; the reader wants a buffer it may change
  grpc::ProtoBufferReader reader(&copy);
  if (reader.status().ok() && message->ParseFromZeroCopyStream(&reader)) return absl::OkStatus();
  return absl::InvalidArgumentError(
      absl::StrCat("the request's bytes are not a ", message->GetTypeName()));
}

}  // namespace jobtail
