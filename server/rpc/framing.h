// How the messages of gRPC's streams are cut out of what was read.
#ifndef JOBTAIL_SERVER_RPC_FRAMING_H_
#define JOBTAIL_SERVER_RPC_FRAMING_H_

#include <grpcpp/grpcpp.h>

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "server/log/batch.h"
#include "server/log/record.h"

namespace jobtail {

// Makes messages of encoded elements without copying or parsing them. Owned by a StreamReactor; not
// thread-safe.
class Framing {
 public:
  virtual ~Framing() = default;

  // As StreamWriter's functions of these names.
  virtual absl::Status Take(std::vector<Slice>* slices) = 0;
  virtual std::optional<int64_t> ResumePointWithin() const { return std::nullopt; }

  // The next message of what was taken; false if there is none left.
  virtual bool Next(grpc::ByteBuffer* message, grpc::WriteOptions* options) = 0;

  // A Feed's heartbeat as a message; nullopt if there are none on this stream.
  virtual std::optional<grpc::ByteBuffer> Heartbeat(const Slice& heartbeat) const {
    return std::nullopt;
  }
};

// TailLog: a LogBatch of all that was read together. Blocks of LZ4 are behind everything else.
class BatchFraming final : public Framing {
 public:
  absl::Status Take(std::vector<Slice>* slices) override;
  bool Next(grpc::ByteBuffer* message, grpc::WriteOptions* options) override;
  std::optional<grpc::ByteBuffer> Heartbeat(const Slice& heartbeat) const override;

 private:
  std::vector<Slice> slices_;
};

// RunJob: a LogLine for each element, a part of the stored batch.
class LineFraming final : public Framing {
 public:
  // DATA_LOSS for what has no element within.
  absl::Status Take(std::vector<Slice>* slices) override;
  bool Next(grpc::ByteBuffer* message, grpc::WriteOptions* options) override;
  std::optional<int64_t> ResumePointWithin() const override;
  std::optional<grpc::ByteBuffer> Heartbeat(const Slice& heartbeat) const override;

 private:
  bool NextLine();

  std::vector<Slice> slices_;  // not yet begun to be sent from slice at_ on
  size_t at_ = 0;
  grpc::Slice lines_;        // the slice before, for gRPC
  RecordWalker walker_{{}};  // in it, at the line to send next if has_line_
  bool has_line_ = false;
  int64_t last_sent_ = 0;
  int64_t hinted_ = 0;  // messages in a row that may wait for others before they go out
};

// WatchRuns: a Run for each slice.
class RunFraming final : public Framing {
 public:
  absl::Status Take(std::vector<Slice>* slices) override;
  bool Next(grpc::ByteBuffer* message, grpc::WriteOptions* options) override;

 private:
  std::vector<Slice> slices_;
  size_t at_ = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_FRAMING_H_
