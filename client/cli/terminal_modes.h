// What a job's bytes, all of them, have changed about a terminal.
#ifndef JOBTAIL_CLIENT_CLI_TERMINAL_MODES_H_
#define JOBTAIL_CLIENT_CLI_TERMINAL_MODES_H_

#include <array>
#include <cstddef>
#include <set>
#include <string>
#include <string_view>

namespace jobtail::client::cli {

// Follows what --raw sends to a terminal, as far as the user would be left with it: colours, the
// hidden cursor, the alternate screen, mouse reports, pasting with brackets, keys of another mode,
// lines that do not wrap, the scrolling region, the character set, inserting, line feeds that
// return, the cursor's shape, and what xterm's and kitty's ways to tell more of keys make of them.
// One for each terminal; for one thread. Bytes may come in any pieces.
class TerminalModes {
 public:
  void Note(std::string_view bytes);

  // What takes back all that is not as usual, and forgets it; empty if all is.
  std::string Undo();

 private:
  enum class State { kText, kEscape, kCharacterSet, kControl };

  void Take(char byte);
  void TakeEscape(char byte);
  void EndControl(char final);
  bool IsOnAlternateScreen() const;
  void SetKeyFlags(std::string_view sequence);
  std::string UndoKeyFlags(bool alternate) const;
  void SetModes(std::string_view prefix, std::string_view modes, bool on);

  State state_ = State::kText;
  std::string sequence_;                      // of a control sequence
  std::set<std::string, std::less<>> modes_;  // that are not as usual
  bool is_styled_ = false;
  bool has_region_ = false;
  bool has_character_set_ = false;
  bool is_shifted_ = false;  // to the other character set
  bool has_keypad_ = false;
  bool has_cursor_shape_ = false;
  bool has_key_modifiers_ = false;  // xterm's modifyOtherKeys and its like
  // Kitty's, that were pushed on the screen, and on the alternate one; no more than kMaxKeyFlags.
  std::array<int, 2> key_flags_{};
  bool has_set_key_flags_ = false;  // without pushing
};

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_CLIENT_CLI_TERMINAL_MODES_H_
