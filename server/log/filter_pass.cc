// Lines that pass a filter, found without a message for each.
#include "server/log/filter_pass.h"

#include <algorithm>
#include <memory>
#include <string>
#include <utility>

#include "base/codec/log_line.h"
#include "server/log/plain_line.h"
#include "server/log/record.h"

namespace jobtail {
namespace {

// Small enough for the processor's nearest cache, large enough that a call costs nothing.
constexpr size_t kGroupBytes = 16 << 10;

// Where a pattern has been found in so many groups one after the other, it is looked for in single
// records, up to the end of the batch.
constexpr int kMostInVain = 2;

constexpr v1::Stream kStreams[] = {v1::STREAM_STDOUT, v1::STREAM_STDERR};

// Consecutive elements that are looked at together.
struct Group {
  std::string_view bytes;
  std::string_view last;  // element
  bool is_whole = true;   // every one a PlainLine that ends its line
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
    group.is_whole =
        group.is_whole && ReadPlainLine(walker.payload(), &line) && EndsLine(line.ending);
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

// A look through one slice.
class FilterPass::Search {
 public:
  Search(const LogFilter& filter, JoinedLines* lines, const Slice& slice, std::vector<Slice>* out)
      : filter_(filter),
        lines_(*lines),
        buffer_(slice.buffer),
        out_(*out),
        kind_(filter.pattern() ? filter.pattern()->sieve().kind() : Sieve::Kind::kNone) {}

  void LookInto(const Group& group) {
    const bool is_whole = group.is_whole && !lines_.HasOpen();
    if (kind_ == Sieve::Kind::kLiterals) return LookForLiterals(group, is_whole);
    if (kind_ == Sieve::Kind::kPattern && is_whole) {
      if (!Matches(group.bytes)) {
        in_vain_ = 0;
        return;
      }
      if (++in_vain_ == kMostInVain) kind_ = Sieve::Kind::kNone;
    }
    RecordWalker walker(group.bytes);
    while (walker.Next()) LookAt(walker);
  }

  void Settle() {
    if (lines_.HasOpen()) lines_.Settle(matcher(), &out_);
  }
  void End() {
    for (const v1::Stream stream : kStreams) End(stream);
  }

 private:
  // A record whose text has a literal in it begins where that was found, or before.
  void LookForLiterals(const Group& group, bool is_whole) {
    const Sieve& sieve = filter_.pattern()->sieve();
    if (sieve.in_lower_case()) ToLowerCase(group.bytes, &lower_);
    if (!finder_) finder_.emplace(sieve.literals());
    finder_->LookInto(sieve.in_lower_case() ? lower_ : group.bytes);
    size_t found = finder_->Find(0);
    if (found == LiteralFinder::kNowhere && is_whole) return;
    PlainLine line;
    RecordWalker walker(group.bytes);
    while (walker.Next()) {
      const size_t end = group.bytes.size() - walker.rest().size();
      if (found >= end &&
          (is_whole || (ReadPlainLine(walker.payload(), &line) && IsWholeLine(line)))) {
        continue;
      }
      LookAt(walker);
      if (found < end) found = finder_->Find(end);
    }
  }

  bool IsWholeLine(const PlainLine& line) const {
    return EndsLine(line.ending) && !lines_.IsOpen(line.stream);
  }

  void LookAt(const RecordWalker& walker) {
    const std::string_view payload = walker.payload();
    PlainLine plain;
    if (ReadPlainLine(payload, &plain)) {
      if (!filter_.Wants(plain.stream)) return;
      if (filter_.pattern() && IsWholeLine(plain) && !MatchesLine(plain)) return;
      if (IsSound(plain)) return LookAtText(plain, walker.element());
    }
    if (!line_.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return;
    if (!line_.has_text() && !line_.has_raw()) {
      for (const v1::Stream stream : kStreams) {
        if (EndsLineOf(stream, line_)) End(stream);
      }
      return Accept(walker.element());
    }
    plain.stream = line_.stream();
    plain.ending = line_.ending();
    plain.text = line_.has_text() ? line_.text() : line_.raw();
    if (filter_.Wants(plain.stream)) LookAtText(plain, walker.element());
  }

  void End(v1::Stream stream) {
    if (lines_.IsOpen(stream)) lines_.End(stream, matcher(), &out_);
  }

  void LookAtText(const PlainLine& line, std::string_view element) {
    if (!filter_.pattern()) return Accept(element);
    if (!IsWholeLine(line)) return lines_.Take(line, element, matcher(), &out_);
    if (MatchesLine(line)) Accept(element);
  }

  const Matcher& matcher() {
    if (!matcher_.pattern) {
      matcher_ = {filter_.pattern()->Compiled(), filter_.pattern()->sieve().looks_around()};
    }
    return matcher_;
  }

  bool Matches(std::string_view text) { return matcher().Matches(text); }
  bool MatchesLine(const PlainLine& line) { return Matches(SearchedText(line.ending, line.text)); }

  // One slice for what lies side by side.
  void Accept(std::string_view element) {
    if (lines_.Hold(element, &out_)) return;
    const size_t offset = static_cast<size_t>(element.data() - buffer_->data());
    if (!out_.empty() && out_.back().buffer == buffer_ &&
        out_.back().offset + out_.back().size == offset) {
      out_.back().size += element.size();
    } else {
      out_.push_back({buffer_, offset, element.size()});
    }
  }

  const LogFilter& filter_;
  JoinedLines& lines_;
  const SharedBytes& buffer_;
  std::vector<Slice>& out_;
  Sieve::Kind kind_;
  int in_vain_ = 0;
  Matcher matcher_;
  std::optional<LiteralFinder> finder_;
  std::string lower_;
  v1::LogLine line_;
};

std::optional<int64_t> FilterPass::Apply(const Slice& slice, SearchBudget* budget,
                                         std::vector<Slice>* out) {
  Search search(*filter_, &lines_, slice, out);
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

void FilterPass::Settle(std::vector<Slice>* out) { Search(*filter_, &lines_, {}, out).Settle(); }

void FilterPass::End(std::vector<Slice>* out) { Search(*filter_, &lines_, {}, out).End(); }

}  // namespace jobtail
