// gRPC's reactions, handed on to the stream, and the stream's messages, handed on to gRPC.
#include "server/rpc/stream_reactor.h"

#include <utility>

#include "absl/strings/str_cat.h"
#include "server/rpc/status.h"

namespace jobtail {
namespace {

// Of the trailing metadata of a stream that ends early: where its client would go on.
constexpr char kResumeKey[] = "jobtail-resume-sequence";

}  // namespace

StreamReactor::StreamReactor(grpc::CallbackServerContext* context, StreamSet* set,
                             std::unique_ptr<Framing> framing, HandledCalls::Call call)
    : context_(context),
      set_(set),
      call_(std::move(call)),
      framing_(std::move(framing)),
      stream_(std::make_shared<Stream>(static_cast<StreamWriter*>(this), set, context->peer())) {}

void StreamReactor::Start(Open open) {
  set_->pool().Run(context_->peer(),
                   [pool = &set_->pool(), stream = stream_, open = std::move(open)] {
                     auto feed = std::make_shared<absl::StatusOr<std::unique_ptr<Feed>>>(
                         absl::CancelledError("the client has gone away"));
                     if (!stream->IsClientGone()) *feed = open();
                     pool->Answer([stream, feed] { stream->Start(std::move(*feed)); });
                   });
}

void StreamReactor::Fail(const absl::Status& status) { stream_->Start(status); }

void StreamReactor::OnSendInitialMetadataDone(bool ok) { stream_->Sent(ok); }

void StreamReactor::OnWriteDone(bool ok) {
  message_.Clear();
  stream_->Sent(ok);
}

void StreamReactor::OnCancel() { stream_->ClientGone(); }

void StreamReactor::OnDone() {
  stream_->Close();
  delete this;
}

size_t StreamReactor::Begin() {
  StartSendInitialMetadata();
  return 0;
}

size_t StreamReactor::SendNext() {
  grpc::WriteOptions options;
  if (!framing_->Next(&message_, &options)) return 0;
  is_within_group_ = std::exchange(is_hinted_, options.get_buffer_hint());
  const size_t bytes = message_.Length();
  StartWrite(&message_, options);
  return bytes;
}

size_t StreamReactor::SendHeartbeat(const Slice& heartbeat) {
  std::optional<grpc::ByteBuffer> message = framing_->Heartbeat(heartbeat);
  if (!message) return 0;
  message_ = *std::move(message);
  const size_t bytes = message_.Length();
  StartWrite(&message_);
  return bytes;
}

void StreamReactor::Finish(const absl::Status& status, std::optional<int64_t> resume_point) {
  if (resume_point) context_->AddTrailingMetadata(kResumeKey, absl::StrCat(*resume_point));
  AddRetryAfter(status, context_);
  ServerWriteReactor::Finish(ToGrpcStatus(status));
}

}  // namespace jobtail
