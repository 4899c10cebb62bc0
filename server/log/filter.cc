// Which lines a reader wants, found without a message for each.
#include "server/log/filter.h"

#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "server/log/plain_line.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

// Small enough for the processor's nearest cache, large enough that a call costs nothing.
constexpr size_t kGroupBytes = 16 << 10;

// Where a pattern has been found in so many groups one after the other, it is looked for in single
// records, up to the end of the batch.
constexpr int kMostInVain = 2;

// Consecutive elements that are looked at together.
struct Group {
  std::string_view bytes;
  std::string_view last;  // element
  bool is_plain = true;   // every one a PlainLine
};

// Takes the next from the front of `*elements`. Empty at the end.
Group NextGroup(std::string_view* elements, PlainLineSkipper* skipper) {
  Group group;
  PlainLine line;
  const char* const begin = elements->data();
  const char* const end = begin + elements->size();
  const char* const until = begin + std::min(kGroupBytes, elements->size());
  const char* last = begin;
  const char* at = skipper->Skip(begin, until, end, &last);
  while (at < until) {
    RecordWalker walker({at, static_cast<size_t>(end - at)});
    if (!walker.Next()) break;
    group.is_plain = group.is_plain && ReadPlainLine(walker.payload(), &line);
    last = at;
    at = skipper->Skip(at + walker.element().size(), until, end, &last);
  }
  group.bytes = {begin, static_cast<size_t>(at - begin)};
  group.last = {last, static_cast<size_t>(at - last)};
  elements->remove_prefix(group.bytes.size());
  return group;
}

int64_t LastSequence(const Group& group) {
  RecordWalker walker(group.last);
  return walker.Next() ? SequenceOf(walker.payload()) : 0;
}

}  // namespace

absl::StatusOr<std::unique_ptr<const LogFilter>> LogFilter::Make(
    const v1::TailLogRequest& request) {
  if (request.streams().empty() && request.pattern().empty()) return nullptr;
  std::unique_ptr<LogFilter> filter(new LogFilter);
  if (!request.streams().empty()) filter->stdout_ = filter->stderr_ = false;
  for (const int stream : request.streams()) {
    if (stream != v1::STREAM_STDOUT && stream != v1::STREAM_STDERR) {
      return absl::InvalidArgumentError(absl::StrCat(
          "streams: ", stream, " is no stream; use STREAM_STDOUT (1), STREAM_STDERR (2), or none"));
    }
    (stream == v1::STREAM_STDOUT ? filter->stdout_ : filter->stderr_) = true;
  }
  if (!request.pattern().empty()) {
    auto pattern = Pattern::Make(request.pattern());
    if (!pattern.ok()) return pattern.status();
    filter->pattern_ = *std::move(pattern);
  }
  return filter;
}

// A look through one slice.
class LogFilter::Search {
 public:
  Search(const LogFilter& filter, const Slice& slice, std::vector<Slice>* out)
      : filter_(filter),
        buffer_(slice.buffer),
        out_(*out),
        kind_(filter.pattern_ ? filter.pattern_->sieve().kind() : Sieve::Kind::kNone) {}

  void LookInto(const Group& group) {
    if (kind_ == Sieve::Kind::kLiterals) return LookForLiterals(group);
    if (kind_ == Sieve::Kind::kPattern && group.is_plain) {
      if (!Matches(group.bytes)) {
        in_vain_ = 0;
        return Reject();
      }
      if (++in_vain_ == kMostInVain) kind_ = Sieve::Kind::kNone;
    }
    RecordWalker walker(group.bytes);
    while (walker.Next()) LookAt(walker);
  }

 private:
  // A record whose text has a literal in it begins where that was found, or before.
  void LookForLiterals(const Group& group) {
    const Sieve& sieve = filter_.pattern_->sieve();
    if (sieve.in_lower_case()) ToLowerCase(group.bytes, &lower_);
    if (!finder_) finder_.emplace(sieve.literals());
    finder_->LookInto(sieve.in_lower_case() ? lower_ : group.bytes);
    size_t found = finder_->Find(0);
    if (found == LiteralFinder::kNowhere && group.is_plain) return Reject();
    PlainLine line;
    RecordWalker walker(group.bytes);
    while (walker.Next()) {
      const size_t end = group.bytes.size() - walker.rest().size();
      if (found >= end && (group.is_plain || ReadPlainLine(walker.payload(), &line))) {
        Reject();
        continue;
      }
      LookAt(walker);
      if (found < end) found = finder_->Find(end);
    }
  }

  void LookAt(const RecordWalker& walker) {
    if (Passes(walker.payload())) {
      Accept(walker.element());
    } else {
      Reject();
    }
  }

  bool Passes(std::string_view payload) {
    PlainLine plain;
    if (ReadPlainLine(payload, &plain)) {
      if (!filter_.Wants(plain.stream)) return false;
      if (filter_.pattern_ && !Matches(plain.text)) return false;
      if (IsSound(plain)) return true;
    }
    if (!line_.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return false;
    if (!line_.has_text() && !line_.has_raw()) return true;
    if (!filter_.Wants(line_.stream())) return false;
    return !filter_.pattern_ || Matches(line_.has_text() ? line_.text() : line_.raw());
  }

  bool Matches(std::string_view bytes) {
    if (!compiled_) compiled_ = filter_.pattern_->Compiled();
    return compiled_->Match({bytes.data(), bytes.size()}, 0, bytes.size(), RE2::UNANCHORED, nullptr,
                            0);
  }

  void Accept(std::string_view element) {
    if (extends_) {
      out_.back().size += element.size();
    } else {
      const size_t offset = static_cast<size_t>(element.data() - buffer_->data());
      out_.push_back({buffer_, offset, element.size()});
    }
    extends_ = true;
  }

  void Reject() { extends_ = false; }

  const LogFilter& filter_;
  const SharedBytes& buffer_;
  std::vector<Slice>& out_;
  Sieve::Kind kind_;
  int in_vain_ = 0;
  bool extends_ = false;  // the element before has passed: one slice for both
  std::shared_ptr<const RE2> compiled_;
  std::optional<LiteralFinder> finder_;
  std::string lower_;
  v1::LogLine line_;
};

std::optional<int64_t> LogFilter::Apply(const Slice& slice, SearchBudget* budget,
                                        std::vector<Slice>* out) const {
  Search search(*this, slice, out);
  std::string_view elements = slice.view();
  PlainLineSkipper skipper;
  for (Group group; !(group = NextGroup(&elements, &skipper)).bytes.empty();) {
    search.LookInto(group);
    if (!budget) continue;
    budget->Spend(group.bytes.size());
    if (elements.empty() || !budget->IsSpent()) continue;
    if (const int64_t last = LastSequence(group); last > 0) return last;
  }
  return std::nullopt;
}

}  // namespace jobtail
