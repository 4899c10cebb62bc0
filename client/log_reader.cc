#include "client/log_reader.h"

#include <grpcpp/grpcpp.h>

#include <algorithm>
#include <string>
#include <utility>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "client/grpc_status.h"
#include "client/reason.h"

namespace jobtail::client {
namespace {

constexpr char kTailLogMethod[] = "/jobtail.v1.JobService/TailLog";
constexpr char kResumeSequenceKey[] = "jobtail-resume-sequence";
constexpr size_t kArenaBlock = size_t{512} << 10;

absl::Status Cancelled() { return absl::CancelledError("the reader was cancelled"); }

absl::Status Malformed() {
  return absl::InternalError("the server sent lines that cannot be read as a LogBatch");
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
                     LogReaderOptions options)
    : channel_(std::move(channel)),
      tail_log_(kTailLogMethod, grpc::internal::RpcMethod::SERVER_STREAMING, channel_),
      options_(std::move(options)),
      position_(std::move(request)),
      backoff_(options_.backoff),
      memory_(new char[kArenaBlock]),
      arena_(MakeArena(memory_.get())) {}

LogReader::~LogReader() {
  Cancel();
  if (stream_ != nullptr) (void)Close();
}

absl::StatusOr<const v1::LogBatch*> LogReader::Next() {
  const absl::StatusOr<bool> more = Advance();
  if (!more.ok()) return more.status();
  if (!*more) return nullptr;
  if (batch_ == nullptr && !ParseBatch()) {  // viewed, but with text that is not UTF-8
    final_state_ = Malformed();
    return *final_state_;
  }
  return batch_;
}

absl::StatusOr<LogLines> LogReader::NextLines() {
  const absl::StatusOr<bool> more = Advance();
  if (!more.ok()) return more.status();
  if (!*more) return LogLines{};
  return LogLines{views_, batch_};
}

// True with something to hand out, in views_ or batch_; false at the end of the log.
absl::StatusOr<bool> LogReader::Advance() {
  while (!final_state_.has_value()) {
    if (stream_ == nullptr && !Open()) {
      final_state_ = Cancelled();
    } else if (position_.ended() || !Read()) {
      final_state_ = EndStream();
    } else if (batch_ == nullptr || batch_->lines_size() > 0) {
      return true;
    }
  }
  if (!final_state_->ok()) return *final_state_;
  return false;
}

void LogReader::Cancel() {
  {
    absl::MutexLock lock(&mutex_);
    cancelled_ = true;
  }
  CancelStream();
}

void LogReader::CancelStream() {
  absl::MutexLock lock(&mutex_);
  if (context_ != nullptr) context_->TryCancel();
}

// False if the reader has been cancelled.
bool LogReader::Open() {
  grpc::ClientContext* context;
  {
    absl::MutexLock lock(&mutex_);
    if (cancelled_) return false;
    context_ = std::make_unique<grpc::ClientContext>();
    context = context_.get();
  }
  opened_ = absl::Now();
  opened_at_ = position_.next();
  heard_ = malformed_ = false;
  stream_.reset(grpc::internal::ClientReaderFactory<EncodedBatch>::Create(
      channel_.get(), tail_log_, context, position_.Request()));
  return true;
}

// False at the end of the stream.
bool LogReader::Read() {
  views_.clear();
  batch_ = nullptr;
  if (!stream_->Read(&encoded_)) return false;
  if (!heard_) Heard();
  if (ViewLines(encoded_.bytes(), &views_) && position_.Accept(views_)) return true;
  views_.clear();
  if (!ParseBatch()) {
    malformed_ = true;
    CancelStream();
    return false;
  }
  position_.Accept(batch_);
  return true;
}

bool LogReader::ParseBatch() {
  arena_->Reset();
  batch_ = google::protobuf::Arena::CreateMessage<v1::LogBatch>(arena_.get());
  const std::string_view bytes = encoded_.bytes();
  return batch_->ParseFromArray(bytes.data(), static_cast<int>(bytes.size()));
}

// The first message of a stream has come.
void LogReader::Heard() {
  heard_ = heard_ever_ = true;
  if (std::exchange(outage_reported_, false) && options_.on_connected_again) {
    options_.on_connected_again();
  }
}

// Ends the stream and waits until it is time for the next. Returns how the reading ends instead, if
// it does.
std::optional<absl::Status> LogReader::EndStream() {
  absl::Status status = Close();
  if (position_.ended()) return absl::OkStatus();
  if (status.ok()) {
    if (HasReadAll()) return status;
    status = absl::UnavailableError("the server ended the stream of a run that goes on");
  }
  status = WaitToRetry(status);
  if (status.ok()) return std::nullopt;
  return status;
}

absl::Status LogReader::Close() {
  if (position_.ended()) CancelStream();  // what is still to come is of no interest
  absl::Status status = FromGrpc(stream_->Finish());
  if (absl::IsUnavailable(status)) NoteResumeSequence();
  stream_.reset();
  absl::MutexLock lock(&mutex_);
  context_.reset();
  if (malformed_) status = Malformed();
  return cancelled_ ? Cancelled() : status;
}

void LogReader::NoteResumeSequence() {
  absl::MutexLock lock(&mutex_);
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

// Whether another attempt may succeed where one ended with `status`.
bool LogReader::MayPass(const absl::Status& status) const {
  switch (status.code()) {
    case absl::StatusCode::kUnavailable:       // connection refused or lost, server shutting down
    case absl::StatusCode::kInternal:          // stream reset
    case absl::StatusCode::kUnknown:           // stream removed
    case absl::StatusCode::kCancelled:         // reset by a proxy; not our Cancel()
    case absl::StatusCode::kAborted:           // a proxy between two servers
    case absl::StatusCode::kDeadlineExceeded:  // a proxy's time limit
      return true;
    case absl::StatusCode::kResourceExhausted:  // too many readers, as long as the server has not
      return heard_ever_ && !heard_;            // yet noticed that our former stream is gone
    default:
      return false;
  }
}

// Returns OK when it is time to open the next stream, or the error that ends the reading.
absl::Status LogReader::WaitToRetry(const absl::Status& reason) {
  {
    absl::MutexLock lock(&mutex_);
    if (cancelled_) return Cancelled();
  }
  if (!MayPass(reason)) return reason;
  const absl::Time now = absl::Now();
  const bool was_of_use = position_.next() != opened_at_ || now - opened_ > options_.backoff.max;
  if (heard_ && was_of_use) {
    backoff_.Reset();
    silent_since_.reset();
  }
  if (!silent_since_.has_value()) silent_since_ = now;
  const absl::Duration left = *silent_since_ + options_.retry_for - now;
  if (left <= absl::ZeroDuration()) return GiveUp(reason);
  if (!std::exchange(outage_reported_, true) && options_.on_connection_lost) {
    options_.on_connection_lost(reason);
  }
  WaitUntil(now + std::min(backoff_.Next(), left));
  return absl::OkStatus();
}

// Also returns when the channel is connected again. It is waited for inside gRPC: a channel that
// nobody waits for gets on only every few seconds.
void LogReader::WaitUntil(absl::Time time) {
  constexpr absl::Duration kCancelDelay = absl::Milliseconds(50);
  while (absl::Now() < time) {
    const bool connected = channel_->GetState(/*try_to_connect=*/true) == GRPC_CHANNEL_READY;
    {
      absl::MutexLock lock(&mutex_);
      if (connected) mutex_.AwaitWithDeadline(absl::Condition(&cancelled_), time);
      if (connected || cancelled_) return;
    }
    const absl::Time slice = std::min(time, absl::Now() + kCancelDelay);
    if (channel_->WaitForConnected(absl::ToChronoTime(slice))) return;
  }
}

absl::Status LogReader::GiveUp(const absl::Status& reason) const {
  std::string text = Reason(reason);
  if (options_.retry_for > absl::ZeroDuration()) {
    const std::string patience = absl::FormatDuration(options_.retry_for);
    text = absl::StrCat("nothing heard from the server for ", patience, ": ", text);
  }
  if (position_.next() > 0) {
    absl::StrAppend(&text, "; go on with from_sequence=", position_.next());
  }
  return {reason.code(), text};
}

}  // namespace jobtail::client
