// Searches batch by batch, within a budget, and puts the pieces of two threads together.
#include "server/log/log_search.h"

#include <algorithm>
#include <array>
#include <iterator>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/codec/log_line.h"
#include "server/log/backward_walk.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

// The one that is being searched, and the one after it.
constexpr size_t kPiecesAhead = 2;

// A client that does not take a few lines must not hold the large batch that they were found in:
// they are copied.
size_t AppendFound(const std::vector<Slice>& found, const Batch& batch,
                   std::vector<Slice>* slices) {
  size_t size = 0;
  for (const Slice& slice : found) size += slice.size;
  if (size >= batch.bytes->size() / 2) {
    slices->insert(slices->end(), found.begin(), found.end());
  } else if (size > 0) {
    std::string copy;
    copy.reserve(size);
    for (const Slice& slice : found) copy.append(slice.view());
    slices->push_back({Share(std::move(copy)), 0, size});
  }
  return size;
}

// Most batches are of no use to anybody else: they are kept for nobody.
absl::StatusOr<Batch> ReadBatch(const Log& log, int64_t sequence) {
  absl::StatusOr<std::optional<Batch>> batch = log.ReadOnce(sequence);
  if (!batch.ok()) return batch.status();
  if (!*batch) return absl::InternalError(absl::StrCat("record ", sequence, " is missing"));
  return **std::move(batch);
}

// Looks through one batch, from record `*next` on. Returns the size of what passes.
absl::StatusOr<size_t> SearchBatch(const SearchTask& task, FilterPass* pass, int64_t* next,
                                   SearchBudget* budget, std::vector<Slice>* slices) {
  const absl::StatusOr<Batch> batch = ReadBatch(*task.log, *next);
  if (!batch.ok()) return batch.status();
  std::vector<Slice> found;
  const Slice part = PartOf(*batch, *next, task.stop);
  *next = pass->Apply(part, budget, &found).value_or(std::min(batch->last, task.stop)) + 1;
  return AppendFound(found, *batch, slices);
}

SearchBudget MakeBudget(const Log& log, size_t max_bytes) {
  return {log.clock(), kSearchedBytes * max_bytes, kSearchTime};
}

}  // namespace

void SearchAhead::Begin() {
  run_beside_([self = shared_from_this()] { self->Search(); });
}

void SearchAhead::BeginAfterwards(std::shared_ptr<SearchAhead> next) {
  {
    absl::MutexLock lock(&mutex_);
    if (state_ != State::kDone) {
      afterwards_ = std::move(next);
      return;
    }
  }
  next->Begin();
}

void SearchAhead::Cancel() {
  absl::MutexLock lock(&mutex_);
  if (state_ == State::kWaiting) state_ = State::kDone;
}

void SearchAhead::Search() {
  {
    absl::MutexLock lock(&mutex_);
    if (state_ != State::kWaiting) return;
    state_ = State::kSearching;
  }
  std::vector<Slice> slices;
  FilterPass pass(task_.filter.get());
  size_t found = 0;
  int64_t first = 0;
  int64_t next = 0;
  if (const absl::StatusOr<Batch> before = ReadBatch(*task_.log, before_); before.ok()) {
    first = next = before->last + 1;
    SearchBudget budget = MakeBudget(*task_.log, max_bytes_);
    while (next <= std::min(last_, task_.stop) && found < max_bytes_ && !budget.IsSpent()) {
      const absl::StatusOr<size_t> size = SearchBatch(task_, &pass, &next, &budget, &slices);
      if (!size.ok()) break;
      found += *size;
    }
  }
  std::shared_ptr<SearchAhead> afterwards;
  {
    absl::MutexLock lock(&mutex_);
    state_ = State::kDone;
    first_ = first;
    next_ = next;
    found_ = found;
    pass_ = std::move(pass);
    slices_ = std::move(slices);
    afterwards = std::move(afterwards_);
  }
  if (afterwards) afterwards->Begin();
}

SearchAhead::Taken SearchAhead::Take(int64_t* next, FilterPass* pass, size_t* found,
                                     std::vector<Slice>* slices) {
  absl::MutexLock lock(&mutex_);
  if (state_ == State::kWaiting) {
    state_ = State::kDone;
    return Taken::kNothing;
  }
  const auto is_done = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return state_ == State::kDone; };
  mutex_.Await(absl::Condition(&is_done));
  if (first_ > *next) return Taken::kNotYet;
  if (first_ < *next || pass->IsWithinLine()) return Taken::kNothing;
  *next = next_;
  *pass = std::move(pass_);
  *found += found_;
  std::ranges::move(slices_, std::back_inserter(*slices));
  return Taken::kAll;
}

LogSearch::~LogSearch() {
  for (const auto& piece : ahead_) piece->Cancel();
}

absl::Status LogSearch::BeginAt(int64_t next) {
  if (!task_.filter->pattern()) return absl::OkStatus();
  struct Unfinished {
    v1::Stream stream;
    bool is_known = false;                // where its line begins
    std::vector<std::string> texts = {};  // the last first
  };
  std::array<Unfinished, 2> lines = {Unfinished{v1::STREAM_STDOUT}, Unfinished{v1::STREAM_STDERR}};
  for (Unfinished& line : lines) line.is_known = !task_.filter->Wants(line.stream);
  BackwardWalk walk(task_.log.get(), next);
  while (walk.bytes() < kLookBackBytes && !(lines[0].is_known && lines[1].is_known)) {
    const absl::StatusOr<bool> moved = walk.Next();
    if (!moved.ok()) return moved.status();
    if (!*moved) break;
    const LineView& record = walk.record();
    for (Unfinished& line : lines) line.is_known |= EndsLineOf(line.stream, record);
    if (!record.is_text()) continue;
    Unfinished& line = lines[record.stream == v1::STREAM_STDERR ? 1 : 0];
    if (!line.is_known) line.texts.emplace_back(record.bytes);
  }
  for (const Unfinished& line : lines) {
    for (size_t i = line.texts.size(); i > 0; --i) pass_.Remember(line.stream, line.texts[i - 1]);
  }
  return absl::OkStatus();
}

// Looks at one batch at least: the thread may have slept since the budget was made.
absl::Status LogSearch::Read(int64_t last, bool is_end, size_t max_bytes, int64_t* next,
                             std::vector<Slice>* slices) {
  SearchBudget budget = MakeBudget(*task_.log, max_bytes);
  size_t found = 0;
  int64_t records = 0;  // that this thread has looked at
  bool has_looked = false;
  for (; *next <= last && found < max_bytes; has_looked = true) {
    if (TakeAhead(next, &found, slices)) continue;
    if (has_looked && budget.IsSpent()) break;
    const int64_t before = *next;
    const absl::StatusOr<size_t> size = SearchBatch(task_, &pass_, next, &budget, slices);
    if (!size.ok()) return size.status();
    found += *size;
    records += *next - before;
  }
  if (*next > last) {
    CatchUp(is_end, slices);
  } else if (found < max_bytes / 4) {
    SearchAheadOf(*next, records, last, max_bytes);
  }
  if (!pass_.IsHoldingUp()) gives_up_at_.store(0, std::memory_order_relaxed);
  return absl::OkStatus();
}

// The log has nothing more for now, or for good.
void LogSearch::CatchUp(bool is_end, std::vector<Slice>* slices) {
  if (is_end) {
    pass_.End(slices);
  } else {
    pass_.Settle(slices);
  }
  if (!pass_.IsHoldingUp()) return;
  const absl::Duration now = task_.log->clock()->Steady();
  if (GivesUpAt() == absl::InfiniteDuration()) {
    gives_up_at_.store(absl::ToInt64Nanoseconds(now + kWaitForLine), std::memory_order_relaxed);
  } else if (now >= GivesUpAt()) {
    pass_.GiveUp(slices);
  }
}

// False if the next records are still to be searched.
bool LogSearch::TakeAhead(int64_t* next, size_t* found, std::vector<Slice>* slices) {
  if (ahead_.empty() || !ahead_.front()->IsReached(*next)) return false;
  const SearchAhead::Taken taken = ahead_.front()->Take(next, &pass_, found, slices);
  if (taken != SearchAhead::Taken::kNotYet) ahead_.pop_front();
  return taken == SearchAhead::Taken::kAll;
}

// This thread will search as many records next as it just has, another one as many behind those,
// this one as many behind those, and so on.
void LogSearch::SearchAheadOf(int64_t next, int64_t records, int64_t last, size_t max_bytes) {
  if (!run_beside_ || records == 0) return;
  while (ahead_.size() < kPiecesAhead) {
    const int64_t before = (ahead_.empty() ? next - 1 : ahead_.back()->last()) + records;
    if (before + records > last) return;
    auto piece =
        std::make_shared<SearchAhead>(task_, run_beside_, before, before + records, max_bytes);
    if (ahead_.empty()) {
      piece->Begin();
    } else {
      ahead_.back()->BeginAfterwards(piece);
    }
    ahead_.push_back(std::move(piece));
  }
}

}  // namespace jobtail
