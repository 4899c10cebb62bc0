// A door's end of a stream.
#ifndef JOBTAIL_SERVER_STREAM_STREAM_WRITER_H_
#define JOBTAIL_SERVER_STREAM_STREAM_WRITER_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "absl/status/status.h"
#include "server/log/batch.h"

namespace jobtail {

// Makes a door's messages of what a Stream reads, and sends them. Each message that it has begun to
// send it reports, once it is gone, to Stream::Sent.
//
// Owned by the door; outlives Finish, after which nothing is called. Everything but Prepare is
// called under the stream's lock, so it must not call the stream back: neither itself, nor by
// waiting for another thread that does.
class StreamWriter {
 public:
  virtual ~StreamWriter() = default;

  // Begins to send what goes before everything else; this counts as a message. Returns its size in
  // bytes.
  virtual size_t Begin() = 0;

  // Does to what was read whatever takes long, in place: in the thread that has read it, perhaps
  // while a message is being sent. One call at a time.
  virtual void Prepare(std::vector<Slice>* slices) {}

  // Takes what was prepared, all of which is to be sent by SendNext; `*slices` may be anything
  // afterwards. What was taken before has all been sent. An error ends the stream.
  virtual absl::Status Take(std::vector<Slice>* slices) = 0;

  // Begins to send the next message of what was taken. Returns its size in bytes, 0 if there is
  // nothing left to send.
  virtual size_t SendNext() = 0;

  // Whether the message that SendNext has begun continues a group: it has been sent within moments
  // of the one before, and what is done once in a while need not be done for it.
  virtual bool IsWithinGroup() const { return false; }

  // Begins to send a Feed's Heartbeat. Returns its size, 0 if there is nothing to send.
  virtual size_t SendHeartbeat(const Slice& heartbeat) = 0;

  // Where a client would go on that has got what was sent, if a part of what was taken has not
  // been: otherwise nullopt.
  virtual std::optional<int64_t> ResumePointWithin() const { return std::nullopt; }

  // Ends the stream. `resume_point` is for one that is ended early: where its client would go on,
  // if that can be said.
  virtual void Finish(const absl::Status& status, std::optional<int64_t> resume_point) = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STREAM_STREAM_WRITER_H_
