#include "server/rpc/log_reactors.h"

#include <string>
#include <utility>

#include "server/rpc/byte_buffer.h"

namespace jobtail {
namespace {

// Messages of this size come close to what the transport can carry, and stay far under its default
// limit of 4 MiB.
constexpr size_t kMessageBytes = 128 << 10;

// After so many messages that may wait for others, one is sent at once: larger groups gain nothing.
constexpr int64_t kHintedInARow = 63;

}  // namespace

TailLogReactor::TailLogReactor(grpc::CallbackServerContext* context, StreamSet* set,
                               std::unique_ptr<Cursor> cursor)
    : StreamReactor(context, set), cursor_(std::move(cursor)) {}

absl::StatusOr<StreamReactor::Next> TailLogReactor::Pull(grpc::ByteBuffer* message,
                                                         grpc::WriteOptions* options) {
  slices_.clear();
  const absl::StatusOr<Cursor::Next> next = cursor_->Read(kMessageBytes, &slices_);
  if (!next.ok()) return next.status();
  if (!slices_.empty()) {
    *message = ToByteBuffer(slices_);
    return Next::kWrite;
  }
  switch (*next) {
    case Cursor::Next::kMore:
      return Next::kMore;
    case Cursor::Next::kWait:
      return Next::kWait;
    case Cursor::Next::kEnd:
      return Next::kEnd;
  }
  return Next::kEnd;
}

std::optional<grpc::ByteBuffer> TailLogReactor::Heartbeat() {
  return ToByteBuffer({cursor_->Heartbeat()});
}

Scheduler* TailLogReactor::Elsewhere() const {
  if (cursor_->filters()) return &set().filters();
  return cursor_->IsCheap() ? nullptr : &set().reads();
}

RunJobReactor::RunJobReactor(grpc::CallbackServerContext* context, StreamSet* set,
                             std::unique_ptr<Cursor> cursor, std::function<void()> on_gone)
    : StreamReactor(context, set), cursor_(std::move(cursor)), on_gone_(std::move(on_gone)) {}

// Moves to the next line of what was read. Once there is none, holds on to nothing.
bool RunJobReactor::NextLine() {
  while (!(has_line_ = walker_.Next())) {
    if (at_ == slices_.size()) {
      walker_ = RecordWalker({});
      lines_ = grpc::Slice();
      slices_.clear();
      return false;
    }
    lines_ = ToGrpcSlice(slices_[at_]);
    walker_ = RecordWalker(slices_[at_].view());
    ++at_;
  }
  return true;
}

absl::StatusOr<StreamReactor::Next> RunJobReactor::Pull(grpc::ByteBuffer* message,
                                                        grpc::WriteOptions* options) {
  if (!has_line_) {
    at_ = 0;
    const absl::StatusOr<Cursor::Next> next = cursor_->Read(kMessageBytes, &slices_);
    if (!next.ok()) return next.status();
    if (slices_.empty()) return *next == Cursor::Next::kEnd ? Next::kEnd : Next::kWait;
    if (!NextLine()) return absl::DataLossError("a stored batch cannot be read");
  }
  const std::string_view line = walker_.payload();
  const size_t offset = line.data() - reinterpret_cast<const char*>(lines_.begin());
  const grpc::Slice part = lines_.sub(offset, offset + line.size());
  *message = grpc::ByteBuffer(&part, 1);
  last_sent_ = std::max(last_sent_, SequenceOf(line));
  // Never hint the last line there is: nothing would push it out.
  if (NextLine() && hinted_ < kHintedInARow) {
    options->set_buffer_hint();
    ++hinted_;
  } else {
    hinted_ = 0;
  }
  return Next::kWrite;
}

std::optional<grpc::ByteBuffer> RunJobReactor::Heartbeat() {
  const Slice heartbeat = cursor_->Heartbeat();
  RecordWalker walker(heartbeat.view());
  walker.Next();
  const size_t header = walker.element().size() - walker.payload().size();
  return ToByteBuffer({{heartbeat.buffer, header, walker.payload().size()}});
}

Scheduler* RunJobReactor::Elsewhere() const {
  return has_line_ || cursor_->IsCheap() ? nullptr : &set().reads();
}

}  // namespace jobtail
