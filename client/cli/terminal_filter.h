// What a job may say to the terminal of whoever reads its log.
#ifndef JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_
#define JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace jobtail::client::cli {

// The rows of a terminal that a job may draw on: those that it has printed itself since something
// else was printed. One for each terminal, whose cursor both streams share.
class OwnRows {
 public:
  // Whether the cursor is not in the last of them.
  bool is_up() const { return below_ > 0; }

  // What takes the cursor to the last one. What is printed next is not the job's.
  std::string Leave();

 private:
  friend class TerminalFilter;

  void NewLine();
  // How many of `rows` the cursor may go.
  int Up(int rows);
  int Down(int rows);

  int above_ = 0;  // the cursor
  int below_ = 0;
};

// Makes a job's bytes harmless to a terminal: text, tabs, line ends, backspace, carriage return,
// colours and styles (SGR) and the erasing of the cursor's own line (EL), which a progress bar
// needs and blanks could do as well, go through as they are. The cursor goes up and down (CUU, CUD,
// CPL, CNL) as far as the job's own rows, and what is below it is erased (ED), if there are such.
// The character set for drawing lines becomes the characters it stands for. All else that a
// terminal obeys is left out, whole: other control sequences, the strings that set titles and the
// clipboard or ask for an answer (OSC, DCS, APC, PM, SOS), other escape sequences, and control
// characters, those of eight bits too.
//
// Works on a stream in pieces: a sequence or a character may begin in one and end in the next. An
// end of line ends a sequence that is not complete, so that none can hide more than its line. What
// is valid UTF-8 is not changed otherwise. One for each stream; for one thread.
class TerminalFilter {
 public:
  // `rows`: those the job may draw on; it must outlive the filter. Null: only on the cursor's own.
  explicit TerminalFilter(OwnRows* rows = nullptr) : rows_(rows) {}

  // Appends what may be shown of `bytes` to `*shown`.
  void Append(std::string_view bytes, std::string* shown);

  // Whether what has been shown has left the terminal with a colour or style that is not its usual.
  bool is_styled() const { return !style_.empty(); }

  // The sequences that bring about that colour or style; empty if it is the usual one.
  const std::string& style() const { return style_; }

 private:
  enum class State {
    kText,
    kEscape,        // after ESC
    kIntermediate,  // after ESC and a byte that needs another one
    kControl,       // in a control sequence
    kString,        // in a string
    kStringEscape,  // after ESC in a string
  };

  void Take(unsigned char byte, std::string* shown);
  void TakeText(unsigned char byte, std::string* shown);
  void TakeCharacter(unsigned char byte, std::string* shown);
  bool TakeContinuation(unsigned char byte, std::string* shown);
  void TakeEscape(unsigned char byte);
  void EndEscape(unsigned char byte);
  void TakeControl(unsigned char byte, std::string* shown);
  void TakeC1(unsigned char code);
  void EndControl(unsigned char final, std::string* shown);
  void Move(unsigned char final, std::string* shown);
  void NewLine(std::string* shown);
  bool draws_lines() const { return draws_[chosen_]; }

  OwnRows* const rows_;
  State state_ = State::kText;
  std::string sequence_;            // the parameters of a control sequence
  bool is_known_ = true;            // whether it can be one that goes through
  std::string character_;           // the beginning of one in UTF-8
  size_t missing_ = 0;              // and how many bytes it lacks
  unsigned char last_ = 0;          // byte of a string
  unsigned char intermediate_ = 0;  // after ESC; 0xff for several
  bool draws_[2] = {false, false};  // whether the character set is the one for drawing lines
  size_t chosen_ = 0;               // of the two
  std::string style_;
};

// Makes of `style`, a string of SGR sequences, what another one with these parameters leaves.
void ApplyStyle(std::string_view parameters, std::string* style);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_
