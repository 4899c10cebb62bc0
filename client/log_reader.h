// The reader of a run's log, which goes on after broken connections.
#ifndef JOBTAIL_CLIENT_LOG_READER_H_
#define JOBTAIL_CLIENT_LOG_READER_H_

#include <google/protobuf/arena.h>

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "client/decompressor.h"
#include "client/encoded_batch.h"
#include "client/line_view.h"
#include "client/resumable_stream.h"
#include "client/resume_point.h"
#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::client {

// What LogReader::NextLines() returns: lines of text alone, as views, or a batch with something
// else in it as well; neither at the end of the log.
struct LogLines {
  absl::Span<const LineView> text;
  const v1::LogBatch* batch = nullptr;

  bool is_end() const { return text.empty() && batch == nullptr; }
};

// Reads the log of a run from the server and survives broken connections: every record of the log
// that the request asks for is handed out once and in order, or a Gap in its place.
//
//   while (true) {
//     absl::StatusOr<const v1::LogBatch*> batch = reader->Next();
//     if (!batch.ok()) return batch.status();
//     if (*batch == nullptr) break;  // the end of the log
//     for (const v1::LogLine& line : (*batch)->lines()) ...
//   }
//
// With `follow`, the end is after the record with the run's result. Without, it is where the log
// ended when the server was last asked. Messages that are not records (run, progress, heartbeat,
// cut) are handed out as they come, and some of them again after a reconnect.
//
// NextLines() is Next() for programs that take in lines by the million: it saves the messages where
// they tell no more than views do.
//
// Lines may come compressed where the request says so (`accept_compression`), and are handed out as
// all others. Those that cannot be decompressed are asked for again as they are.
//
// Next() and NextLines() are for one thread. Cancel() may be called by any thread, at any time in
// the reader's life. A reader that is destroyed before the end ends its stream; the run is not
// affected.
//
// Errors: what the server refuses (NOT_FOUND, INVALID_ARGUMENT, OUT_OF_RANGE, ...) is returned at
// once. What may pass (see ResumableStream) is tried again, and returned once nothing has been
// heard for `retry_for`; its message then tells where to go on. CANCELLED after Cancel(). An error,
// or the end, stays: Next() repeats it.
class LogReader : private ResumableStream::Calls {
 public:
  LogReader(std::shared_ptr<grpc::Channel> channel, v1::TailLogRequest request,
            ResumeOptions options);
  ~LogReader() override;

  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // Waits for the next lines. The batch has at least one line and is valid until the next call;
  // nullptr is the end of the log.
  absl::StatusOr<const v1::LogBatch*> Next();

  // Waits for the next lines. They are valid until the next call.
  absl::StatusOr<LogLines> NextLines();

  // Makes Next() return CANCELLED, now if it is waiting.
  void Cancel() { stream_.Cancel(); }

  // Where another reader would go on after what Next() has returned: a value for `from_sequence`;
  // 0 while that is not known. For the thread that calls Next().
  int64_t next_sequence() const { return position_.next(); }

 private:
  absl::Status Start(grpc::ClientContext* context) override;
  bool Read() override;
  absl::Status Finish() override;
  bool AsksOtherwise() override;
  std::string WhereToGoOn() const override;

  absl::StatusOr<bool> Advance();
  bool TakeIn();
  bool Decompress();
  bool ParseBatch();
  v1::TailLogRequest Request() const;
  bool HasReadAll() const;
  void NoteResumeSequence();

  const std::shared_ptr<grpc::Channel> channel_;
  const grpc::internal::RpcMethod tail_log_;  // as in the generated stub, which parses everything

  // Of the thread that calls Next().
  ResumePoint position_;
  std::unique_ptr<char[]> memory_;  // the arena's first block, kept from batch to batch
  std::unique_ptr<google::protobuf::Arena> arena_;
  EncodedBatch encoded_;  // what has been received
  Decompressor decompressor_;
  std::optional<std::string_view> decompressed_;  // all of encoded_, if that was compressed
  LineViews views_;                               // of it; empty if it has more than lines of text
  v1::LogBatch* batch_ = nullptr;  // in the arena: the same, parsed, if that was needed
  // The present call, and its context.
  std::unique_ptr<grpc::ClientReader<EncodedBatch>> call_;
  grpc::ClientContext* context_ = nullptr;
  int64_t started_at_ = 0;  // where the call began
  bool malformed_ = false;  // whether it has brought what is no batch
  // Whether lines may come compressed; not after some that could not be decompressed.
  bool takes_compressed_ = true;
  bool failed_to_decompress_ = false;  // in the present call

  ResumableStream stream_;  // Cancel() is for any thread
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LOG_READER_H_
