// Modes of ECMA-48, DEC and xterm that outlast the program that has set them.

#include "client/cli/terminal_modes.h"

#include <algorithm>
#include <charconv>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMaxSequence = 64;  // in bytes
constexpr int kMaxKeyFlags = 16;     // as many as a terminal keeps
constexpr std::string_view kUsuallyOn[] = {"?7", "?25"};
constexpr std::string_view kUsuallyOff[] = {
    "4",     "20",    "?1",    "?5",    "?6",    "?9",    "?47",   "?1000", "?1001", "?1002",
    "?1003", "?1004", "?1005", "?1006", "?1015", "?1016", "?1047", "?1049", "?2004"};

bool Has(const auto& names, std::string_view name) {
  return std::ranges::find(names, name) != std::end(names);
}

}  // namespace

void TerminalModes::Note(std::string_view bytes) {
  while (!bytes.empty()) {
    if (state_ == State::kText) {
      const size_t escape = bytes.find_first_of("\x1b\x0e\x0f");
      if (escape == std::string_view::npos) return;
      bytes.remove_prefix(escape);
    }
    Take(bytes.front());
    bytes.remove_prefix(1);
  }
}

void TerminalModes::Take(char byte) {
  if (byte == '\x1b') {
    state_ = State::kEscape;
    return;
  }
  switch (state_) {
    case State::kText:
      is_shifted_ = byte == '\x0e';
      return;
    case State::kEscape:
      return TakeEscape(byte);
    case State::kCharacterSet:
      has_character_set_ = byte != 'B';
      state_ = State::kText;
      return;
    case State::kControl:
      if (byte < 0x40 && byte >= 0x20 && sequence_.size() < kMaxSequence) {
        sequence_.push_back(byte);
        return;
      }
      state_ = State::kText;
      return EndControl(byte);
  }
}

void TerminalModes::TakeEscape(char byte) {
  state_ = State::kText;
  if (byte == '[') {
    state_ = State::kControl;
    sequence_.clear();
  } else if (byte == '(') {
    state_ = State::kCharacterSet;
  } else if (byte == '=') {
    has_keypad_ = true;
  } else if (byte == '>') {
    has_keypad_ = false;
  } else if (byte == 'c') {
    *this = TerminalModes();
  }
}

void TerminalModes::EndControl(char final) {
  const std::string_view sequence = sequence_;
  const bool is_plain = sequence.empty() || (sequence[0] >= '0' && sequence[0] <= ';');
  if (final == 'h' || final == 'l') {
    if (is_plain) SetModes("", sequence, final == 'h');
    if (sequence.starts_with('?')) SetModes("?", sequence.substr(1), final == 'h');
  } else if (final == 'm' && is_plain) {
    is_styled_ = !sequence.empty() && sequence != "0";
  } else if (final == 'm' && sequence.starts_with('>')) {
    // "RESOURCE;VALUE"; without a value it is as usual again.
    const size_t value = sequence.find(';');
    has_key_modifiers_ = value != std::string_view::npos && sequence.substr(value + 1) != "0";
  } else if (final == 'u' && !is_plain) {
    SetKeyFlags(sequence);
  } else if (final == 'q' && sequence.ends_with(' ')) {
    has_cursor_shape_ = sequence != " " && sequence != "0 ";
  } else if (final == 'r' && is_plain) {
    has_region_ = !sequence.empty();
  }
}

bool TerminalModes::IsOnAlternateScreen() const {
  return modes_.contains("?47") || modes_.contains("?1047") || modes_.contains("?1049");
}

// ">FLAGS" pushes, "<COUNT" pops, "=FLAGS" sets.
void TerminalModes::SetKeyFlags(std::string_view sequence) {
  int& pushed = key_flags_[IsOnAlternateScreen() ? 1 : 0];
  int count = 1;
  switch (sequence[0]) {
    case '>':
      pushed = std::min(pushed + 1, kMaxKeyFlags);
      return;
    case '<':
      std::from_chars(sequence.data() + 1, sequence.data() + sequence.size(), count);
      pushed = std::max(pushed - std::clamp(count, 1, kMaxKeyFlags), 0);
      return;
    case '=':
      has_set_key_flags_ = sequence != "=0" && sequence != "=";
      return;
    default:
      return;
  }
}

std::string TerminalModes::UndoKeyFlags(bool alternate) const {
  const int pushed = key_flags_[alternate ? 1 : 0];
  return pushed > 0 ? absl::StrCat("\x1b[<", pushed, "u") : "";
}

void TerminalModes::SetModes(std::string_view prefix, std::string_view modes, bool on) {
  const std::vector<std::string> numbers =
      absl::StrSplit(absl::string_view(modes.data(), modes.size()), ';');
  for (const std::string& number : numbers) {
    const std::string mode = std::string(prefix) + number;
    if (!Has(kUsuallyOn, mode) && !Has(kUsuallyOff, mode)) continue;
    if (on == Has(kUsuallyOn, mode)) {
      modes_.erase(mode);
    } else {
      modes_.emplace(mode);
    }
  }
}

std::string TerminalModes::Undo() {
  std::string bytes;
  if (state_ != State::kText) bytes = "\x18";  // gives up a sequence
  if (is_styled_) bytes += "\x1b[m";
  if (has_character_set_ || is_shifted_) bytes += "\x1b(B\x0f";
  if (has_keypad_) bytes += "\x1b>";
  if (has_region_)
    bytes +=
        "\x1b"
        "7\x1b[r\x1b"
        "8";  // whose setting moves the cursor
  if (has_key_modifiers_) bytes += "\x1b[>m";
  if (has_set_key_flags_) bytes += "\x1b[=0u";
  if (IsOnAlternateScreen()) bytes += UndoKeyFlags(true);
  if (has_cursor_shape_) bytes += "\x1b[0 q";
  for (const std::string& mode : modes_) {
    absl::StrAppend(&bytes, "\x1b[", mode, Has(kUsuallyOn, mode) ? "h" : "l");
  }
  bytes += UndoKeyFlags(false);  // each screen has its own
  *this = TerminalModes();
  return bytes;
}

}  // namespace jobtail::client::cli
