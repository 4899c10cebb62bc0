// What a job may say to the terminal of whoever reads its log.
#ifndef JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_
#define JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_

#include <cstddef>
#include <string>
#include <string_view>

namespace jobtail::client::cli {

// Makes a job's bytes harmless to a terminal: text, tabs, line ends, backspace, carriage return,
// colours and styles (SGR) and the erasing of the cursor's own line (EL), which a progress bar
// needs and blanks could do as well, go through as they are. All else that a terminal obeys is
// left out, whole: other control sequences, the strings that set titles and the clipboard or ask
// for an answer (OSC, DCS, APC, PM, SOS), other escape sequences, and control characters, those of
// eight bits too.
//
// Works on a stream in pieces: a sequence or a character may begin in one and end in the next. An
// end of line ends a sequence that is not complete, so that none can hide more than its line. What
// is valid UTF-8 is not changed otherwise. One for each stream; for one thread.
class TerminalFilter {
 public:
  // Appends what may be shown of `bytes` to `*shown`.
  void Append(std::string_view bytes, std::string* shown);

  // Whether what has been shown has left the terminal with a colour or style that is not its usual.
  bool is_styled() const { return styled_; }

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
  void TakeControl(unsigned char byte, std::string* shown);
  void TakeC1(unsigned char code);
  void EndControl(unsigned char final, std::string* shown);

  State state_ = State::kText;
  std::string sequence_;    // the parameters of a control sequence
  bool is_known_ = true;    // whether it can be one that goes through
  std::string character_;   // the beginning of one in UTF-8
  size_t missing_ = 0;      // and how many bytes it lacks
  unsigned char last_ = 0;  // byte of a string
  bool styled_ = false;
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_
