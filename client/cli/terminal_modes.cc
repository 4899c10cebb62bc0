// Modes of ECMA-48, DEC and xterm that outlast the program that has set them.

#include "client/cli/terminal_modes.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail::client::cli {
namespace {

constexpr size_t kMaxSequence = 64;  // in bytes
constexpr std::string_view kUsuallyOn[] = {"7", "25"};
constexpr std::string_view kUsuallyOff[] = {"1",    "5",    "6",    "9",    "47",   "1000",
                                            "1001", "1002", "1003", "1004", "1005", "1006",
                                            "1015", "1016", "1047", "1049", "2004"};

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
  const bool is_private = sequence_.starts_with('?');
  if (is_private && (final == 'h' || final == 'l')) {
    for (const absl::string_view mode : absl::StrSplit(sequence_.substr(1), ';')) {
      SetMode({mode.data(), mode.size()}, final == 'h');
    }
  } else if (final == 'm' && (sequence_.empty() || (sequence_[0] >= '0' && sequence_[0] <= ';'))) {
    is_styled_ = !sequence_.empty() && sequence_ != "0";
  } else if (final == 'r' && !is_private) {
    has_region_ = !sequence_.empty();
  }
}

void TerminalModes::SetMode(std::string_view mode, bool on) {
  if (!Has(kUsuallyOn, mode) && !Has(kUsuallyOff, mode)) return;
  if (on == Has(kUsuallyOn, mode)) {
    modes_.erase(std::string(mode));
  } else {
    modes_.emplace(mode);
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
  for (const std::string& mode : modes_) {
    absl::StrAppend(&bytes, "\x1b[?", mode, Has(kUsuallyOn, mode) ? "h" : "l");
  }
  *this = TerminalModes();
  return bytes;
}

}  // namespace jobtail::client::cli
