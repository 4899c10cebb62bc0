// A received LogBatch as bytes, and gRPC's way to make one.
#ifndef JOBTAIL_CLIENT_ENCODED_BATCH_H_
#define JOBTAIL_CLIENT_ENCODED_BATCH_H_

#include <grpcpp/grpcpp.h>
#include <grpcpp/impl/codegen/proto_utils.h>

#include <string_view>

namespace jobtail::client {

// A LogBatch as it came over the wire.
struct EncodedBatch {
  grpc::Slice slice;

  std::string_view bytes() const {
    return {reinterpret_cast<const char*>(slice.begin()), slice.size()};
  }
};

}  // namespace jobtail::client

// How gRPC makes one of what it received.
template <>
class grpc::SerializationTraits<jobtail::client::EncodedBatch> {
 public:
  static Status Deserialize(ByteBuffer* buffer, jobtail::client::EncodedBatch* batch) {
    const bool whole = buffer->TrySingleSlice(&batch->slice).ok();
    const Status status = whole ? Status::OK : buffer->DumpToSingleSlice(&batch->slice);
    buffer->Clear();
    return status;
  }
};

#endif  // JOBTAIL_CLIENT_ENCODED_BATCH_H_
