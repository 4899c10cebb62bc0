// The log of a run, read call by call.

#include "client/log_reader.h"

#include <google/protobuf/io/coded_stream.h>
#include <grpcpp/grpcpp.h>

#include <optional>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "client/grpc_status.h"

namespace jobtail::client {
namespace {

constexpr char kTailLogMethod[] = "/jobtail.v1.JobService/TailLog";
constexpr char kResumeSequenceKey[] = "jobtail-resume-sequence";
constexpr size_t kArenaBlock = size_t{512} << 10;

absl::Status Malformed() {
  return absl::InternalError("the server sent lines that cannot be read as a LogBatch");
}

// Adds the elements of an encoded LogBatch to `batch`. False if it is none.
bool MergeFrom(std::string_view encoded, v1::LogBatch* batch) {
  google::protobuf::io::CodedInputStream input(reinterpret_cast<const uint8_t*>(encoded.data()),
                                               static_cast<int>(encoded.size()));
  return batch->MergeFromCodedStream(&input) && input.ConsumedEntireMessage();
}

std::unique_ptr<google::protobuf::Arena> MakeArena(char* memory) {
  google::protobuf::ArenaOptions options;
  options.initial_block = memory;
  options.initial_block_size = kArenaBlock;
  options.start_block_size = kArenaBlock;
  options.max_block_size = kArenaBlock;
  return std::make_unique<google::protobuf::Arena>(options);
}

}  // namespace

LogReader::LogReader(std::shared_ptr<grpc::Channel> channel, v1::TailLogRequest request,
                     ResumeOptions options)
    : channel_(std::move(channel)),
      tail_log_(kTailLogMethod, grpc::internal::RpcMethod::SERVER_STREAMING, channel_),
      position_(std::move(request)),
      memory_(new char[kArenaBlock]),
      arena_(MakeArena(memory_.get())),
      stream_(channel_, std::move(options), this) {}

LogReader::~LogReader() {
  Cancel();
  stream_.Close();
}

absl::StatusOr<const v1::LogBatch*> LogReader::Next() {
  const absl::StatusOr<bool> more = Advance();
  if (!more.ok()) return more.status();
  if (!*more) return nullptr;
  if (batch_ == nullptr && !ParseBatch()) {  // viewed, but with text that is not UTF-8
    stream_.Fail(Malformed());
    return Malformed();
  }
  return batch_;
}

absl::StatusOr<LogLines> LogReader::NextLines() {
  const absl::StatusOr<bool> more = Advance();
  if (!more.ok()) return more.status();
  if (!*more) return LogLines{};
  return LogLines{views_.lines(), batch_};
}

// True with something to hand out, in views_ or batch_; false at the end of the log.
absl::StatusOr<bool> LogReader::Advance() {
  while (true) {
    const std::optional<absl::Status> end = stream_.Next();
    if (end.has_value() && end->ok()) return false;
    if (end.has_value()) return *end;
    if (batch_ == nullptr || batch_->lines_size() > 0) return true;
  }
}

absl::Status LogReader::Start(grpc::ClientContext* context) {
  context_ = context;
  started_at_ = position_.next();
  malformed_ = false;
  failed_to_decompress_ = false;
  call_.reset(grpc::internal::ClientReaderFactory<EncodedBatch>::Create(channel_.get(), tail_log_,
                                                                        context, Request()));
  return absl::OkStatus();
}

bool LogReader::Read() {
  views_.Clear();
  batch_ = nullptr;
  if (position_.ended() || !call_->Read(&encoded_)) return false;
  if (!TakeIn()) {
    malformed_ = true;
    stream_.CancelCall();
    return false;
  }
  if (position_.next() != started_at_) stream_.NoteProgress();
  return true;
}

// Makes views or a batch of what has been received. False if it cannot be read.
bool LogReader::TakeIn() {
  decompressed_.reset();
  if (encoded_.IsCompressed() && !Decompress()) return false;
  const bool viewed =
      decompressed_ ? views_.Parse({*decompressed_}) : views_.Parse(encoded_.pieces());
  if (viewed && position_.Accept(views_.lines())) return true;
  views_.Clear();
  return ParseBatch() && position_.Accept(batch_);
}

// Decompresses what was received, which has nothing else. False if it cannot be.
bool LogReader::Decompress() {
  arena_->Reset();
  auto* const received = google::protobuf::Arena::CreateMessage<v1::LogBatch>(arena_.get());
  if (!encoded_.ParseTo(received) || received->lines_size() > 0) return false;
  decompressed_ = decompressor_.Decompress(*received);
  failed_to_decompress_ = !decompressed_;
  return decompressed_.has_value();
}

bool LogReader::ParseBatch() {
  arena_->Reset();
  batch_ = google::protobuf::Arena::CreateMessage<v1::LogBatch>(arena_.get());
  if (decompressed_) return MergeFrom(*decompressed_, batch_);
  if (!encoded_.ParseTo(batch_)) return false;
  if (batch_->compressed_size() == 0) return true;
  const std::optional<std::string_view> rest = decompressor_.Decompress(*batch_);
  failed_to_decompress_ = !rest;
  if (!rest) return false;
  batch_->clear_compressed();
  return MergeFrom(*rest, batch_);
}

v1::TailLogRequest LogReader::Request() const {
  v1::TailLogRequest request = position_.Request();
  if (!takes_compressed_) request.clear_accept_compression();
  return request;
}

absl::Status LogReader::Finish() {
  if (position_.ended()) stream_.CancelCall();  // what is still to come is of no interest
  absl::Status status = FromGrpc(call_->Finish());
  const bool may_go_on = absl::IsUnavailable(status) || absl::IsUnauthenticated(status);
  if (may_go_on && !malformed_) NoteResumeSequence();
  call_.reset();
  if (position_.ended()) return absl::OkStatus();
  if (malformed_) return Malformed();
  if (status.ok() && !HasReadAll()) {
    return absl::UnavailableError("the server ended the stream of a run that goes on");
  }
  return status;
}

bool LogReader::AsksOtherwise() {
  return failed_to_decompress_ && !position_.ended() && std::exchange(takes_compressed_, false);
}

void LogReader::NoteResumeSequence() {
  const auto& metadata = context_->GetServerTrailingMetadata();
  const auto entry = metadata.find(kResumeSequenceKey);
  int64_t sequence;
  if (entry == metadata.end()) return;
  if (absl::SimpleAtoi(absl::string_view(entry->second.data(), entry->second.size()), &sequence)) {
    position_.AdvanceTo(sequence);
  }
}

// Whether an orderly end of the stream is the end of the log. With `follow`, without a result, it
// is only if the run had ended: the log has then been read from past its result.
bool LogReader::HasReadAll() const {
  return !position_.Request().follow() || position_.run_has_ended();
}

std::string LogReader::WhereToGoOn() const {
  if (position_.next() == 0) return "";
  return absl::StrCat("; go on with from_sequence=", position_.next());
}

}  // namespace jobtail::client
