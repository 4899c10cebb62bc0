// gRPC calls by bytes, each on a completion queue of its own.

#include "tests/e2e/raw_call.h"

#include "absl/strings/ascii.h"

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

}  // namespace

RawReply RawCall(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                 const std::string& request, const Headers& metadata) {
  RawReply reply;
  RawStream stream(channel, method, metadata);
  stream.Write(request);
  stream.WritesDone();
  while (auto message = stream.Read()) reply.messages.push_back(*std::move(message));
  reply.status = stream.Finish();
  return reply;
}

RawStream::RawStream(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                     const Headers& metadata)
    : stub_(channel) {
  for (const auto& [name, value] : metadata) {
    context_.AddMetadata(absl::AsciiStrToLower(name), value);
  }
  call_ = stub_.PrepareCall(&context_, method, &queue_);
  call_->StartCall(nullptr);
  Await();
}

RawStream::~RawStream() {
  if (finished_) return;
  context_.TryCancel();
  Finish();
}

bool RawStream::Write(const std::string& request) {
  const grpc::Slice slice(request);
  call_->Write(grpc::ByteBuffer(&slice, 1), nullptr);
  return Await();
}

void RawStream::WritesDone() {
  call_->WritesDone(nullptr);
  Await();
}

std::optional<std::string> RawStream::Read() {
  grpc::ByteBuffer message;
  call_->Read(&message, nullptr);
  if (!Await()) return std::nullopt;
  return Bytes(message);
}

grpc::Status RawStream::Finish() {
  grpc::Status status;
  call_->Finish(&status, nullptr);
  Await();
  finished_ = true;
  return status;
}

// The operation that was just begun.
bool RawStream::Await() {
  void* tag;
  bool ok = false;
  return queue_.Next(&tag, &ok) && ok;
}

}  // namespace jobtail::e2e
