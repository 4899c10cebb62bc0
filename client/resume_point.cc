// How far a log has been read, and what to ask for next.

#include "client/resume_point.h"

#include <algorithm>
#include <utility>

#include "client/run_state.h"

namespace jobtail::client {
namespace {

// Where the records that `line` stands for begin.
int64_t FirstSequence(const v1::LogLine& line) {
  return line.has_gap() && line.gap().first() > 0 ? line.gap().first() : line.sequence();
}

// Whether the line's sequence number is one that a log can have; 0 where it is no record.
bool IsInRange(const v1::LogLine& line) {
  return line.sequence() >= 0 && line.sequence() <= kMaxSequence &&
         FirstSequence(line) <= line.sequence();
}

void AddGap(int64_t first, int64_t last, const v1::LogLine& before, v1::LogBatch* batch) {
  v1::LogLine* line = batch->add_lines();
  line->set_sequence(last);
  *line->mutable_time() = before.time();
  line->mutable_gap()->set_first(first);
  line->mutable_gap()->set_last(last);
}

int64_t InitialNext(const v1::TailLogRequest& request) {
  switch (request.start_case()) {
    case v1::TailLogRequest::kFromSequence:
      return std::max<int64_t>(request.from_sequence(), 0);
    case v1::TailLogRequest::START_NOT_SET:
      return 1;
    default:
      return 0;
  }
}

}  // namespace

ResumePoint::ResumePoint(v1::TailLogRequest request)
    : request_(std::move(request)),
      filtered_(request_.streams_size() > 0 || !request_.pattern().empty()),
      next_(InitialNext(request_)) {}

v1::TailLogRequest ResumePoint::Request() const {
  v1::TailLogRequest request = request_;
  if (!run_.empty()) request.set_run(run_);
  if (next() > 0 && next() != InitialNext(request_)) request.set_from_sequence(next());
  return request;
}

bool ResumePoint::Accept(v1::LogBatch* batch) {
  const auto& lines = batch->lines();
  if (!std::all_of(lines.begin(), lines.end(), IsInRange)) return false;
  const int64_t before = next_;
  for (const v1::LogLine& line : lines) {
    if (!Follows(line)) {
      next_ = before;
      Repair(batch);
      return true;
    }
    Note(line);
  }
  return true;
}

bool ResumePoint::Accept(absl::Span<const LineView> lines) {
  const int64_t before = next_;
  for (const LineView& line : lines) {
    if (!Follows(line.sequence)) {
      next_ = before;
      return false;
    }
    next_ = line.sequence + 1;
  }
  return !lines.empty();
}

void ResumePoint::AdvanceTo(int64_t sequence) {
  if (filtered_ || next_ == 0) next_ = std::max(next_, sequence);
}

bool ResumePoint::Follows(const v1::LogLine& line) const {
  return line.sequence() <= 0 || Follows(FirstSequence(line));
}

bool ResumePoint::Follows(int64_t first) const {
  if (next_ == 0) return true;
  return filtered_ ? first >= next_ : first == next_;
}

// A result is none: had it come before, nothing would be read any more.
bool ResumePoint::IsDouble(const v1::LogLine& line) const {
  return line.sequence() > 0 && line.sequence() < next_ && !line.has_result();
}

void ResumePoint::Note(const v1::LogLine& line) {
  if (line.sequence() > 0) next_ = line.sequence() + 1;
  if (line.has_run()) NoteRun(line.run());
  if (line.has_heartbeat()) NoteHeartbeat(line.heartbeat());
  if (line.has_result()) ended_ = true;
}

void ResumePoint::NoteRun(const v1::Run& run) {
  if (!request_.run().empty()) run_ = run.id();
  run_has_ended_ = IsFinal(run.state());
  if (first_of_last_lines_ > 0 || request_.start_case() != v1::TailLogRequest::kLastLines) return;
  const int64_t last = std::clamp<int64_t>(run.last_sequence(), 0, kMaxSequence);
  const int64_t last_line = last - (run_has_ended_ ? 1 : 0);  // less the result
  first_of_last_lines_ =
      std::max<int64_t>(last_line - std::max<int64_t>(request_.last_lines(), 0) + 1, 1);
}

// With `last_lines`, 0 means that they begin with the first record.
void ResumePoint::NoteHeartbeat(const v1::Heartbeat& heartbeat) {
  const int64_t searched = std::clamp<int64_t>(heartbeat.searched_through(), 0, kMaxSequence);
  if (next_ == 0 && request_.last_lines() > 0) {
    first_of_last_lines_ = searched + 1;
  } else if (searched > 0) {
    AdvanceTo(searched + 1);
  }
}

void ResumePoint::Repair(v1::LogBatch* batch) {
  v1::LogBatch repaired;
  for (v1::LogLine& line : *batch->mutable_lines()) {
    if (IsDouble(line)) continue;
    if (!Follows(line)) {
      const int64_t first = FirstSequence(line);
      if (first < next_ && line.has_gap()) line.mutable_gap()->set_first(next_);
      if (first > next_) AddGap(next_, first - 1, line, &repaired);
    }
    Note(line);
    *repaired.add_lines() = std::move(line);
  }
  batch->Swap(&repaired);
}

}  // namespace jobtail::client
