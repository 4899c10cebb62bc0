// What a job may say to the terminal of whoever reads its log.
#ifndef JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_
#define JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_

#include <string>
#include <string_view>

#include "client/cli/escape_reader.h"

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
// Works on a stream in pieces, as all EscapeReaders. What is valid UTF-8 is not changed otherwise.
// One for each stream; for one thread.
class TerminalFilter : private EscapeReader {
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
  void OnText(std::string_view text) override { shown_->append(text); }
  void OnControl(char control) override;
  void OnEscape(char) override {}
  void OnSequence(std::string_view parameters, char final) override;
  void Move(std::string_view parameters, char final);

  OwnRows* const rows_;
  std::string* shown_ = nullptr;  // during Append()
  std::string style_;
};

// Makes of `style`, a string of SGR sequences, what another one with these parameters leaves.
void ApplyStyle(std::string_view parameters, std::string* style);

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TERMINAL_FILTER_H_
