// The lines of a log that a search has seen the beginning of and not yet the end.
#ifndef JOBTAIL_SERVER_LOG_JOINED_LINES_H_
#define JOBTAIL_SERVER_LOG_JOINED_LINES_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "jobtail/v1/log.pb.h"
#include "re2/re2.h"
#include "server/log/batch.h"
#include "server/log/plain_line.h"

namespace jobtail {

// A pattern, for as long as a piece of work takes.
struct Matcher {
  std::shared_ptr<const RE2> pattern;
  bool looks_around = false;  // see Sieve

  // Whether a line that has been read to its end matches. `is_cut`: the first byte is only what
  // stands before the line's rest.
  bool Matches(std::string_view text, bool is_cut = false) const;
  // Whether a line that begins with `text` matches, whatever comes; what is at the very end may be
  // found only later.
  bool MatchesAlready(std::string_view text, bool is_cut) const;
};

// Puts lines together that came in several records, one line of each stream at a time, and decides
// whether they match as a whole. Until it is known, a line's records are held, and so is everything
// wanted behind them: what is handed out is in the order of the sequence numbers.
//
// Bounded: a line's last kMostText to twice as much are looked through at once, and kMostHeld of
// records are held. Of more, the oldest that are undecided are given up: they will not come, even
// if their line matches later. A LineCut before what comes of it then says which.
//
// A value, small while no line is open. Not thread-safe.
class JoinedLines {
 public:
  static constexpr size_t kMostText = 256 << 10;  // bytes
  static constexpr size_t kMostHeld = 256 << 10;  // bytes

  // Whether a line of `stream`, or of any, has begun and not ended.
  bool IsOpen(v1::Stream stream) const { return lines_[IndexOf(stream)].is_open; }
  bool HasOpen() const { return lines_[0].is_open || lines_[1].is_open; }

  // Whether something wanted is held because of an undecided line before it.
  bool IsHoldingUp() const { return wanted_held_ > 0; }
  // The first record that is held; 0 if none is.
  int64_t first_held() const { return held_.empty() ? 0 : held_.front().sequence; }

  // Text that came before the search: it belongs to the line, and is not handed out.
  void Remember(v1::Stream stream, std::string_view text);

  // A record of a line that is open or does not end with it; its element in a LogBatch.
  void Take(const PlainLine& piece, std::string_view element, const Matcher& matcher,
            std::vector<Slice>* out);

  // Holds an element that is wanted, if something undecided is before it. False if nothing is.
  bool Hold(std::string_view element, std::vector<Slice>* out);

  // Nothing more comes of the line of `stream` that is open, or nothing that would be known of.
  void End(v1::Stream stream, const Matcher& matcher, std::vector<Slice>* out);

  // There is no more to be looked at for now: decides what can be decided.
  void Settle(const Matcher& matcher, std::vector<Slice>* out);

  // Gives up what is undecided, and hands out what waited for it.
  void GiveUp(std::vector<Slice>* out);

 private:
  struct Line {
    bool is_open = false;
    bool passes = false;  // it is known to match: its records go out as they come
    bool is_cut = false;  // more came before `text`, of which the first byte is the last
    size_t tested = 0;    // so much of `text` has been looked through, in vain
    std::string text;     // while it is not known
    // Of its records that were given up; 0: none were.
    int64_t first_given_up = 0;
    int64_t last_given_up = 0;
  };
  enum class Fate : unsigned char { kWanted, kUndecidedOut, kUndecidedErr };
  struct Held {
    int64_t sequence;
    Fate fate;
    std::string element;
  };

  static size_t IndexOf(v1::Stream stream) { return stream == v1::STREAM_STDERR ? 1 : 0; }
  static Fate UndecidedOf(size_t index) {
    return index == 1 ? Fate::kUndecidedErr : Fate::kUndecidedOut;
  }
  Line& LineOf(const Held& undecided) {
    return lines_[undecided.fate == Fate::kUndecidedErr ? 1 : 0];
  }
  void Push(Fate fate, std::string_view element);
  void Decide(size_t index, bool passes, std::vector<Slice>* out);
  void TestEarly(size_t index, const Matcher& matcher, std::vector<Slice>* out);
  void TellOfCut(size_t index);
  void NoteGivenUp(const Held& undecided);
  void HandOut(std::vector<Slice>* out);
  void GiveUpOldest(std::vector<Slice>* out);

  std::array<Line, 2> lines_;  // stdout, stderr
  std::deque<Held> held_;      // the first is undecided
  size_t held_bytes_ = 0;
  size_t wanted_held_ = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_JOINED_LINES_H_
