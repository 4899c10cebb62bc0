// The bookkeeping of how far a log has been read.
#ifndef JOBTAIL_CLIENT_RESUME_POINT_H_
#define JOBTAIL_CLIENT_RESUME_POINT_H_

#include <cstdint>
#include <string>

#include "absl/types/span.h"
#include "client/line_view.h"
#include "jobtail/v1/job_service.pb.h"
#include "jobtail/v1/log.pb.h"

namespace jobtail::client {

// Knows how far a log has been read and, from that, how to go on after a broken connection: every
// record once, in order. Pure bookkeeping, without a connection. Not thread-safe.
//
// Every batch received goes through Accept(), which takes out records that were handed out before.
//
// Where to go on is, as soon as it can be known, a sequence number:
// - After a record with sequence N: N + 1, with filters as well as without.
// - Before the first record, with `last_lines`: where they begin, by a heartbeat beside the
// stream's
//   first message (the Run). Where that has none, each record is a line, and they are counted from
//   the end of the log as the Run tells it. So lines printed while the connection is down are not
//   mistaken for older ones. Until that message has come, the request as it was.
// - Before the first record, with `since`: the request as it was; its meaning does not change.
// - Where the server says so: in heartbeats, as it ends the stream; see AdvanceTo().
//
// A request may name its run by the beginning of an id. Later requests name it by the whole, as the
// stream's first message has told it: by then, another run's id may begin alike.
//
// With filters, a heartbeat's `searched_through` is a later place to go on than N + 1: a search
// that finds nothing for long is not begun again after a reconnect. Its `last_sequence` is none: it
// tells the end of the log, not how far the server has searched.
class ResumePoint {
 public:
  explicit ResumePoint(v1::TailLogRequest request);

  // The request to send now.
  v1::TailLogRequest Request() const;

  // Notes what `batch` brings, and removes from it every record that a batch before has brought
  // already. Without filters records are consecutive: where some are missing and the server has
  // not said so, puts a Gap of reason GAP_REASON_UNSPECIFIED in their place. The batch may end up
  // empty. False, and nothing is noted, where it has sequence numbers that no log has.
  bool Accept(v1::LogBatch* batch);

  // Notes what `lines`, which are of one batch, bring, if nothing of them is to be removed and
  // nothing is missing; otherwise returns false, and notes nothing.
  bool Accept(absl::Span<const LineView> lines);

  // Notes that the server has named `sequence` as the place to go on: it has looked at everything
  // before. Without filters, a record received is better evidence, and this changes nothing.
  void AdvanceTo(int64_t sequence);

  // The sequence number of the next record wanted; 0 while it is not known.
  int64_t next() const { return next_ > 0 ? next_ : first_of_last_lines_; }

  // Whether the result, the last record of every log, has come.
  bool ended() const { return ended_; }

  // Whether the run had ended when the server last told its state.
  bool run_has_ended() const { return run_has_ended_; }

 private:
  bool Follows(const v1::LogLine& line) const;
  bool Follows(int64_t first) const;
  bool IsDouble(const v1::LogLine& line) const;
  void Note(const v1::LogLine& line);
  void NoteRun(const v1::Run& run);
  void NoteHeartbeat(const v1::Heartbeat& heartbeat);
  void Repair(v1::LogBatch* batch);

  const v1::TailLogRequest request_;
  const bool filtered_;  // sequence numbers may have holes
  std::string run_;      // the run's whole id, once the server has told it
  int64_t next_ = 0;     // 0 until a record has come, unless the request tells
  // What `last_lines` means; for a later request only, as the present stream may begin elsewhere,
  // for example at a gap.
  int64_t first_of_last_lines_ = 0;
  bool ended_ = false;
  bool run_has_ended_ = false;
};

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_RESUME_POINT_H_
