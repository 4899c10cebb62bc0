// A received LogBatch as bytes, and gRPC's way to make one.
#ifndef JOBTAIL_CLIENT_ENCODED_BATCH_H_
#define JOBTAIL_CLIENT_ENCODED_BATCH_H_

#include <google/protobuf/message_lite.h>
#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_buffer_reader.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <string_view>
#include <vector>

#include "absl/types/span.h"

namespace jobtail::client {

// A LogBatch as it came over the wire: in pieces, as gRPC received them. To join them would be a
// copy of everything. Not thread-safe.
class EncodedBatch {
 public:
  // Valid until another batch is received into this one.
  absl::Span<const std::string_view> pieces() const { return pieces_; }

  // Whether it begins with compressed lines, which only parsing it as a message brings out.
  bool IsCompressed() const {
    constexpr char kCompressedTag = '\x12';
    return !pieces_.empty() && !pieces_[0].empty() && pieces_[0][0] == kCompressedTag;
  }

  // The same as a message. False if it is none.
  bool ParseTo(google::protobuf::MessageLite* message) {
    grpc::ProtoBufferReader reader(&buffer_);
    return reader.status().ok() && message->ParseFromZeroCopyStream(&reader);
  }

 private:
  friend class grpc::SerializationTraits<EncodedBatch>;

  grpc::ByteBuffer buffer_;
  std::vector<grpc::Slice> slices_;  // of the buffer
  std::vector<std::string_view> pieces_;
};

}  // namespace jobtail::client

// How gRPC makes one of what it received.
template <>
class grpc::SerializationTraits<jobtail::client::EncodedBatch> {
 public:
  static Status Deserialize(ByteBuffer* buffer, jobtail::client::EncodedBatch* batch) {
    batch->buffer_.Swap(buffer);
    buffer->Clear();
    batch->slices_.clear();
    batch->pieces_.clear();
    const Status status = batch->buffer_.Dump(&batch->slices_);
    for (const Slice& slice : batch->slices_) {
      batch->pieces_.emplace_back(reinterpret_cast<const char*>(slice.begin()), slice.size());
    }
    return status;
  }
};

#endif  // JOBTAIL_CLIENT_ENCODED_BATCH_H_
