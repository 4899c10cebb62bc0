#ifndef JOBTAIL_CLIENT_LOG_READER_H_
#define JOBTAIL_CLIENT_LOG_READER_H_

#include <google/protobuf/arena.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "client/backoff.h"
#include "client/encoded_batch.h"
#include "client/line_view.h"
#include "client/resume_point.h"
#include "jobtail/v1/job_service.grpc.pb.h"

namespace jobtail::client {

struct LogReaderOptions {
  // How long to go on trying when nothing is heard from the server. Zero: not at all.
  absl::Duration retry_for = absl::Minutes(5);
  // The waits between attempts.
  BackoffOptions backoff = {};
  // Called when the connection is lost, or could not be made, with the reason; once for each
  // outage. Like the next one, it is called by Next(), in its thread, and must not call the reader.
  std::function<void(const absl::Status& reason)> on_connection_lost = {};
  // Called when, after that, the server has answered again.
  std::function<void()> on_connected_again = {};
};

// What LogReader::NextLines() returns: lines of text alone, as views, or a batch with something else
// in it as well; neither at the end of the log.
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
// ended when the server was last asked. Messages that are not records (run, progress, heartbeat)
// are handed out as they come, and some of them again after a reconnect.
//
// NextLines() is Next() for programs that take in lines by the million: it saves the messages where
// they tell no more than views do.
//
// Next() and NextLines() are for one thread. Cancel() may be called by any thread, at any time in the reader's life.
// A reader that is destroyed before the end ends its stream; the run is not affected.
//
// Errors: what the server refuses (NOT_FOUND, INVALID_ARGUMENT, OUT_OF_RANGE, ...) is returned at
// once. What may pass (UNAVAILABLE, a reset stream, a proxy's time limit, ...) is tried again with
// growing waits, and returned once nothing has been heard for `retry_for`; its message then tells
// where to go on. CANCELLED after Cancel(). An error, or the end, stays: Next() repeats it.
class LogReader {
 public:
  LogReader(std::shared_ptr<grpc::Channel> channel, v1::TailLogRequest request,
            LogReaderOptions options);
  ~LogReader();

  LogReader(const LogReader&) = delete;
  LogReader& operator=(const LogReader&) = delete;

  // Waits for the next lines. The batch has at least one line and is valid until the next call;
  // nullptr is the end of the log.
  absl::StatusOr<const v1::LogBatch*> Next();

  // Waits for the next lines. They are valid until the next call.
  absl::StatusOr<LogLines> NextLines();

  // Makes Next() return CANCELLED, now if it is waiting.
  void Cancel();

  // Where another reader would go on after what Next() has returned: a value for `from_sequence`;
  // 0 while that is not known. For the thread that calls Next().
  int64_t next_sequence() const { return position_.next(); }

 private:
  absl::StatusOr<bool> Advance();
  bool Open();
  bool Read();
  bool ParseBatch();
  void Heard();
  void CancelStream();
  absl::Status Close();
  std::optional<absl::Status> EndStream();
  bool HasReadAll() const;
  bool MayPass(const absl::Status& status) const;
  absl::Status WaitToRetry(const absl::Status& reason);
  void WaitUntil(absl::Time time);
  absl::Status GiveUp(const absl::Status& reason) const;
  void NoteResumeSequence();

  const std::shared_ptr<grpc::Channel> channel_;
  const grpc::internal::RpcMethod tail_log_;  // as in the generated stub, which parses everything
  const LogReaderOptions options_;

  // Of the thread that calls Next().
  ResumePoint position_;
  Backoff backoff_;
  std::unique_ptr<char[]> memory_;  // the arena's first block, kept from batch to batch
  std::unique_ptr<google::protobuf::Arena> arena_;
  EncodedBatch encoded_;            // what has been received
  std::vector<LineView> views_;     // of it; empty if it has more than lines of text
  v1::LogBatch* batch_ = nullptr;   // in the arena: the same, parsed, if that was needed
  std::unique_ptr<grpc::ClientReader<EncodedBatch>> stream_;
  absl::Time opened_;        // when this stream was
  int64_t opened_at_ = 0;    // where this stream began
  bool heard_ = false;       // whether this stream has brought a message
  bool heard_ever_ = false;  // whether any has
  bool malformed_ = false;   // whether this stream has brought what is no batch
  bool outage_reported_ = false;
  std::optional<absl::Time> silent_since_;   // since when attempts fail
  std::optional<absl::Status> final_state_;  // OK: the end of the log

  absl::Mutex mutex_;
  bool cancelled_ ABSL_GUARDED_BY(mutex_) = false;
  std::unique_ptr<grpc::ClientContext> context_ ABSL_GUARDED_BY(mutex_);  // of stream_
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_LOG_READER_H_
