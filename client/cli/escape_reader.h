// The reader of what a job says to a terminal: text, control characters, escape sequences.
#ifndef JOBTAIL_CLIENT_CLI_ESCAPE_READER_H_
#define JOBTAIL_CLIENT_CLI_ESCAPE_READER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace jobtail::client::cli {

// Takes a stream of bytes apart as a terminal does (ECMA-48) and hands its derived class what may
// be of use. All else is left out, whole: the strings that set titles and the clipboard or ask for
// an answer (OSC, DCS, APC, PM, SOS), sequences that cannot be known, and other control characters,
// those of eight bits too.
//
// Works on a stream in pieces: a sequence or a character may begin in one and end in the next. An
// end of line ends a sequence that is not complete, so that none can hide more than its line. One
// for each stream; for one thread.
class EscapeReader {
 public:
  virtual ~EscapeReader() = default;

  EscapeReader(const EscapeReader&) = delete;
  EscapeReader& operator=(const EscapeReader&) = delete;

  void Read(std::string_view bytes);

 protected:
  // Two character sets, and which of them is in use.
  struct CharacterSets {
    bool draws[2] = {false, false};  // whether it is the one for drawing lines
    size_t chosen = 0;
  };

  EscapeReader() = default;

  const CharacterSets& character_sets() const { return sets_; }
  void set_character_sets(const CharacterSets& sets) { sets_ = sets; }

  // Text without control characters, in any pieces of whole characters of UTF-8: what is none has
  // become U+FFFD, and what the character set for drawing lines changes the characters it stands
  // for.
  virtual void OnText(std::string_view text) = 0;
  // "\n", "\r", "\t", "\b", "\v" or "\f".
  virtual void OnControl(char control) = 0;
  // ESC and a byte that is no parameter: "7", "8", "c"; and "D", "E", "M" in eight bits as well.
  virtual void OnEscape(char final) = 0;
  // A control sequence. Its parameters are digits, ";" and ":", at most 128, after a "?" if there
  // is one.
  virtual void OnSequence(std::string_view parameters, char final) = 0;

 private:
  enum class State {
    kText,
    kEscape,        // after ESC
    kIntermediate,  // after ESC and a byte that needs another one
    kControl,       // in a control sequence
    kString,        // in a string
    kStringEscape,  // after ESC in a string
  };

  void Take(unsigned char byte);
  void TakeText(unsigned char byte);
  void TakeCharacter(unsigned char byte);
  bool TakeContinuation(unsigned char byte);
  void TakeEscape(unsigned char byte);
  void EndEscape(unsigned char byte);
  void TakeControl(unsigned char byte);
  void TakeC1(unsigned char code);
  bool draws_lines() const { return sets_.draws[sets_.chosen]; }

  State state_ = State::kText;
  std::string sequence_;            // the parameters of a control sequence
  bool is_known_ = true;            // whether it can be one that is handed out
  std::string character_;           // the beginning of one in UTF-8
  size_t missing_ = 0;              // and how many bytes it lacks
  unsigned char last_ = 0;          // byte of a string
  unsigned char intermediate_ = 0;  // after ESC; 0xff for several
  CharacterSets sets_;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_ESCAPE_READER_H_
