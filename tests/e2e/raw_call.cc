// One gRPC call by bytes, on a completion queue of its own.

#include "tests/e2e/raw_call.h"

#include <grpcpp/generic/generic_stub.h>

namespace jobtail::e2e {
namespace {

std::string Bytes(const grpc::ByteBuffer& buffer) {
  std::vector<grpc::Slice> slices;
  std::string bytes;
  if (!buffer.Dump(&slices).ok()) return bytes;
  for (const grpc::Slice& slice : slices) {
    bytes.append(reinterpret_cast<const char*>(slice.begin()), slice.size());
  }
  return bytes;
}

// Waits for the operation that was just begun.
bool Await(grpc::CompletionQueue& queue) {
  void* tag;
  bool ok = false;
  return queue.Next(&tag, &ok) && ok;
}

}  // namespace

RawReply RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                 const std::string& request) {
  RawReply reply;
  grpc::CompletionQueue queue;
  grpc::ClientContext context;
  grpc::GenericStub stub(channel);
  const auto call = stub.PrepareCall(&context, method, &queue);
  call->StartCall(nullptr);
  Await(queue);
  const grpc::Slice slice(request);
  call->WriteLast(grpc::ByteBuffer(&slice, 1), {}, nullptr);
  Await(queue);
  while (true) {
    grpc::ByteBuffer message;
    call->Read(&message, nullptr);
    if (!Await(queue)) break;
    reply.messages.push_back(Bytes(message));
  }
  call->Finish(&reply.status, nullptr);
  Await(queue);
  return reply;
}

}  // namespace jobtail::e2e
