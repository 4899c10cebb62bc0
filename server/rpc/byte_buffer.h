// Bytes and messages as gRPC wants them, without copies.
#ifndef JOBTAIL_SERVER_RPC_BYTE_BUFFER_H_
#define JOBTAIL_SERVER_RPC_BYTE_BUFFER_H_

#include <google/protobuf/message.h>
#include <grpcpp/support/byte_buffer.h>
#include <grpcpp/support/slice.h>

#include <vector>

#include "absl/status/status.h"
#include "server/log/batch.h"

namespace jobtail {

// A message whose bytes are those of `slices`, one after the other. Nothing is copied: gRPC shares
// the buffers and lets them go once they are sent.
grpc::ByteBuffer ToByteBuffer(const std::vector<Slice>& slices);

// The same bytes for gRPC, of which messages can be made that share them.
grpc::Slice ToGrpcSlice(const Slice& slice);

grpc::ByteBuffer ToByteBuffer(const google::protobuf::MessageLite& message);

// INVALID_ARGUMENT if the bytes are not such a message.
absl::Status FromByteBuffer(const grpc::ByteBuffer& bytes, google::protobuf::Message* message);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_BYTE_BUFFER_H_
