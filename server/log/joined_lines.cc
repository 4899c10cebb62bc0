// Lines put together from their records, and decided as a whole.
#include "server/log/joined_lines.h"

#include <algorithm>
#include <utility>

#include "base/codec/log_line.h"

namespace jobtail {
namespace {

bool Search(const RE2& pattern, std::string_view text, size_t begin, size_t end) {
  if (begin > end) return false;
  return pattern.Match({text.data(), text.size()}, begin, end, RE2::UNANCHORED, nullptr, 0);
}

}  // namespace

bool Matcher::Matches(std::string_view text, bool is_cut) const {
  return Search(*pattern, text, is_cut ? 1 : 0, text.size());
}

// What stands around a match is only known before the last byte.
bool Matcher::MatchesAlready(std::string_view text, bool is_cut) const {
  if (text.empty()) return false;
  return Search(*pattern, text, is_cut ? 1 : 0, text.size() - (looks_around ? 1 : 0));
}

void JoinedLines::Remember(v1::Stream stream, std::string_view text) {
  Line& line = lines_[IndexOf(stream)];
  line.is_open = true;
  line.text.append(text);
}

void JoinedLines::Take(const PlainLine& piece, std::string_view element, const Matcher& matcher,
                       std::vector<Slice>* out) {
  const size_t index = IndexOf(piece.stream);
  Line& line = lines_[index];
  line.is_open = true;
  if (line.passes) {
    Push(Fate::kWanted, element);
    HandOut(out);
    GiveUpOldest(out);
  } else {
    line.text.append(piece.text);
    Push(UndecidedOf(index), element);
  }
  if (EndsLine(piece.ending)) {
    if (!line.passes) {
      Decide(index, matcher.Matches(SearchedText(piece.ending, line.text), line.is_cut), out);
    }
    line = {};
    return;
  }
  if (line.passes) return;
  // As often as the text has doubled: looking through it costs no more than twice its size.
  if (line.text.size() >= 2 * line.tested) TestEarly(index, matcher, out);
  if (line.text.size() >= 2 * kMostText) {
    line.text.erase(0, line.text.size() - kMostText);
    line.tested = line.text.size();
    line.is_cut = true;
  }
  GiveUpOldest(out);
}

bool JoinedLines::Hold(std::string_view element, std::vector<Slice>* out) {
  if (held_.empty()) return false;
  Push(Fate::kWanted, element);
  GiveUpOldest(out);
  return true;
}

void JoinedLines::End(v1::Stream stream, const Matcher& matcher, std::vector<Slice>* out) {
  const size_t index = IndexOf(stream);
  Line& line = lines_[index];
  if (!line.is_open) return;
  if (!line.passes) Decide(index, matcher.Matches(line.text, line.is_cut), out);
  line = {};
}

void JoinedLines::Settle(const Matcher& matcher, std::vector<Slice>* out) {
  for (size_t index = 0; index < lines_.size(); ++index) {
    const Line& line = lines_[index];
    if (line.is_open && !line.passes && line.text.size() > line.tested) {
      TestEarly(index, matcher, out);
    }
  }
}

void JoinedLines::GiveUp(std::vector<Slice>* out) {
  for (const Held& held : held_) {
    if (held.fate != Fate::kWanted) NoteGivenUp(held);
  }
  for (size_t index = 0; index < lines_.size(); ++index) Decide(index, /*passes=*/false, out);
}

void JoinedLines::Push(Fate fate, std::string_view element) {
  RecordWalker walker(element);
  const int64_t sequence = walker.Next() ? SequenceOf(walker.payload()) : 0;
  held_.push_back({sequence, fate, std::string(element)});
  held_bytes_ += element.size();
  if (fate == Fate::kWanted) ++wanted_held_;
}

void JoinedLines::TestEarly(size_t index, const Matcher& matcher, std::vector<Slice>* out) {
  Line& line = lines_[index];
  line.tested = line.text.size();
  if (!matcher.MatchesAlready(line.text, line.is_cut)) return;
  line.passes = true;
  line.text = {};
  Decide(index, true, out);
}

// What is known of a line's records is known of those that are held.
void JoinedLines::Decide(size_t index, bool passes, std::vector<Slice>* out) {
  const Fate undecided = UndecidedOf(index);
  if (passes) {
    TellOfCut(index);
    for (Held& held : held_) {
      if (held.fate != undecided) continue;
      held.fate = Fate::kWanted;
      ++wanted_held_;
    }
  } else {
    std::erase_if(held_, [&](const Held& held) {
      if (held.fate == undecided) held_bytes_ -= held.element.size();
      return held.fate == undecided;
    });
  }
  HandOut(out);
}

// Before what is held of the line.
void JoinedLines::TellOfCut(size_t index) {
  Line& line = lines_[index];
  if (line.first_given_up == 0) return;
  v1::LogLine message;
  message.set_stream(index == 1 ? v1::STREAM_STDERR : v1::STREAM_STDOUT);
  message.mutable_cut()->set_first(std::exchange(line.first_given_up, 0));
  message.mutable_cut()->set_last(line.last_given_up);
  std::string element;
  EncodeLine(message, &element);
  held_bytes_ += element.size();
  const auto first = std::ranges::find(held_, UndecidedOf(index), &Held::fate);
  if (first != held_.end()) {
    first->element.insert(0, element);
  } else {
    held_.push_back({0, Fate::kWanted, std::move(element)});
    ++wanted_held_;
  }
}

void JoinedLines::NoteGivenUp(const Held& undecided) {
  Line& line = LineOf(undecided);
  if (line.first_given_up == 0) line.first_given_up = undecided.sequence;
  line.last_given_up = undecided.sequence;
}

// Up to the first that is undecided.
void JoinedLines::HandOut(std::vector<Slice>* out) {
  std::string elements;
  while (!held_.empty() && held_.front().fate == Fate::kWanted) {
    held_bytes_ -= held_.front().element.size();
    --wanted_held_;
    elements += held_.front().element;
    held_.pop_front();
  }
  if (elements.empty()) return;
  const size_t size = elements.size();
  out->push_back({Share(std::move(elements)), 0, size});
}

void JoinedLines::GiveUpOldest(std::vector<Slice>* out) {
  while (held_bytes_ > kMostHeld && !held_.empty()) {
    NoteGivenUp(held_.front());
    held_bytes_ -= held_.front().element.size();
    held_.pop_front();
    HandOut(out);
  }
}

}  // namespace jobtail
