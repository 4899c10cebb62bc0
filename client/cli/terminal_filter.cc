// A parser of ECMA-48, as far as it takes to leave things out.

#include "client/cli/terminal_filter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace jobtail::client::cli {
namespace {

constexpr unsigned char kBell = 0x07, kCancel = 0x18, kSubstitute = 0x1a, kEscape = 0x1b,
                        kShiftOut = 0x0e, kShiftIn = 0x0f;
constexpr size_t kMaxParameters = 128;  // in bytes
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

constexpr size_t kMaxStyle = 256;  // in bytes
constexpr int kMaxRows = 23;       // above the last of a terminal that programs reckon with

// The characters "`" to "~" in the character set for drawing lines.
constexpr std::string_view kDrawing[] = {"◆", "▒", "␉", "␌", "␍", "␊", "°", "±", "␤", "␋", "┘",
                                         "┐", "┌", "└", "┼", "⎺", "⎻", "─", "⎼", "⎽", "├", "┤",
                                         "┴", "┬", "│", "≤", "≥", "π", "≠", "£", "·"};

bool IsLineEnd(unsigned char byte) { return byte == '\n' || byte == '\r'; }
bool IsHarmlessControl(unsigned char byte) { return byte == '\r' || byte == '\t' || byte == '\b'; }

// How many bytes follow; 0 if no character begins so.
size_t ContinuationsOf(unsigned char first) {
  if (first >= 0xc2 && first < 0xe0) return 1;
  if (first >= 0xe0 && first < 0xf0) return 2;
  return first >= 0xf0 && first < 0xf5 ? 3 : 0;
}

// ST, in eight bits or in UTF-8, and not a part of another character.
bool IsTerminator(unsigned char byte, unsigned char before) {
  return byte == 0x9c && (before < 0x80 || before == 0xc2);
}

// Whether all attributes are the usual ones at the end of these parameters.
bool EndsWithReset(std::string_view parameters) {
  const size_t last = parameters.rfind(';');
  const std::string_view value =
      last == std::string_view::npos ? parameters : parameters.substr(last + 1);
  return std::ranges::all_of(value, [](char c) { return c == '0'; });
}

// How many rows, from the parameters of a control sequence.
int CountOf(std::string_view parameters) {
  int count = 0;
  for (const char digit : parameters) {
    if (digit < '0' || digit > '9') break;
    count = std::min(10 * count + (digit - '0'), kMaxRows);
  }
  return std::max(count, 1);
}

}  // namespace

std::string OwnRows::Leave() {
  std::string bytes = below_ > 0 ? absl::StrCat("\x1b[", below_, "B") : "";
  above_ = below_ = 0;
  return bytes;
}

void OwnRows::NewLine() {
  if (below_ > 0) --below_;
  above_ = std::min(above_ + 1, kMaxRows);
}

int OwnRows::Up(int rows) {
  const int by = std::min(rows, above_);
  above_ -= by;
  below_ += by;
  return by;
}

int OwnRows::Down(int rows) {
  const int by = std::min(rows, below_);
  above_ += by;
  below_ -= by;
  return by;
}

void ApplyStyle(std::string_view parameters, std::string* style) {
  if (EndsWithReset(parameters)) return style->clear();
  if (EndsWithReset(parameters.substr(0, parameters.find(';')))) style->clear();
  style->append("\x1b[").append(parameters).append("m");
  while (style->size() > kMaxStyle) style->erase(0, style->find('\x1b', 1));
}

void TerminalFilter::Append(std::string_view bytes, std::string* shown) {
  while (!bytes.empty()) {
    size_t plain = 0;
    if (state_ == State::kText && missing_ == 0 && !draws_lines()) {
      while (plain < bytes.size() && bytes[plain] >= 0x20 && bytes[plain] != 0x7f) ++plain;
    }
    shown->append(bytes.substr(0, plain));
    bytes.remove_prefix(plain);
    if (bytes.empty()) return;
    Take(static_cast<unsigned char>(bytes.front()), shown);
    bytes.remove_prefix(1);
  }
}

void TerminalFilter::Take(unsigned char byte, std::string* shown) {
  if (state_ == State::kText) return TakeText(byte, shown);
  if (IsLineEnd(byte)) {
    state_ = State::kText;
    return TakeText(byte, shown);
  }
  if (byte == kCancel || byte == kSubstitute) {
    state_ = State::kText;
    return;
  }
  switch (state_) {
    case State::kText:
      return;
    case State::kEscape:
    case State::kIntermediate:
      return TakeEscape(byte);
    case State::kControl:
      return TakeControl(byte, shown);
    case State::kString:
      if (byte == kEscape) state_ = State::kStringEscape;
      if (byte == kBell || IsTerminator(byte, last_)) state_ = State::kText;
      last_ = byte;
      return;
    case State::kStringEscape:  // of "\", which is the end, or of another sequence
      state_ = State::kEscape;
      return TakeEscape(byte);
  }
}

void TerminalFilter::TakeText(unsigned char byte, std::string* shown) {
  if (missing_ > 0 && TakeContinuation(byte, shown)) return;
  if (byte >= 0x80) return TakeCharacter(byte, shown);
  if (byte == kEscape) {
    state_ = State::kEscape;
  } else if (byte == '\n') {
    NewLine(shown);
  } else if (byte == kShiftOut || byte == kShiftIn) {
    chosen_ = byte == kShiftOut ? 1 : 0;
  } else if (byte >= '`' && byte <= '~' && draws_lines()) {
    shown->append(kDrawing[byte - '`']);
  } else if (IsHarmlessControl(byte) || (byte >= 0x20 && byte != 0x7f)) {
    shown->push_back(static_cast<char>(byte));
  }
}

void TerminalFilter::NewLine(std::string* shown) {
  shown->push_back('\n');
  if (rows_ != nullptr) rows_->NewLine();
}

// Holds a character back until it is whole: two halves of different streams must not become one.
void TerminalFilter::TakeCharacter(unsigned char byte, std::string* shown) {
  missing_ = ContinuationsOf(byte);
  if (missing_ > 0) {
    character_.assign(1, static_cast<char>(byte));
  } else if (byte < 0xa0) {
    TakeC1(byte);  // of eight bits
  } else {
    shown->append(kReplacement);
  }
}

// False if the character ends without the byte.
bool TerminalFilter::TakeContinuation(unsigned char byte, std::string* shown) {
  if (byte < 0x80 || byte > 0xbf) {
    missing_ = 0;
    shown->append(kReplacement);
    return false;
  }
  character_.push_back(static_cast<char>(byte));
  if (--missing_ > 0) return true;
  const auto first = static_cast<unsigned char>(character_[0]);
  const auto second = static_cast<unsigned char>(character_[1]);
  const bool is_overlong = (first == 0xe0 && second < 0xa0) || (first == 0xf0 && second < 0x90);
  if (first == 0xc2 && second < 0xa0) {
    TakeC1(second);
  } else {
    shown->append(is_overlong ? kReplacement : character_);
  }
  return true;
}

void TerminalFilter::TakeEscape(unsigned char byte) {
  if (byte == kEscape) {
    state_ = State::kEscape;
  } else if (byte >= 0x20 && byte < 0x30) {
    intermediate_ = state_ == State::kEscape ? byte : 0xff;
    state_ = State::kIntermediate;
  } else if (state_ == State::kEscape && byte >= 0x40 && byte < 0x60) {
    state_ = State::kText;
    TakeC1(byte + 0x40);
  } else if (byte >= 0x20) {
    if (state_ == State::kIntermediate) EndEscape(byte);
    state_ = State::kText;
  }  // else a control character within it
}

// Of those with a byte between, the ones that choose a character set.
void TerminalFilter::EndEscape(unsigned char byte) {
  if (intermediate_ == '(') draws_[0] = byte == '0';
  if (intermediate_ == ')') draws_[1] = byte == '0';
}

// The control characters of eight bits, or ESC and the letter that stands for one.
void TerminalFilter::TakeC1(unsigned char code) {
  switch (code) {
    case 0x9b:
      state_ = State::kControl;
      sequence_.clear();
      is_known_ = true;
      return;
    case 0x90:  // DCS
    case 0x98:  // SOS
    case 0x9d:  // OSC
    case 0x9e:  // PM
    case 0x9f:  // APC
      state_ = State::kString;
      last_ = 0;
      return;
    default:
      return;
  }
}

void TerminalFilter::TakeControl(unsigned char byte, std::string* shown) {
  if (byte >= 0x40 && byte < 0x7f) {
    state_ = State::kText;
    EndControl(byte, shown);
  } else if (byte == kEscape) {
    state_ = State::kEscape;
  } else if (byte >= 0x80) {
    state_ = State::kText;
    TakeText(byte, shown);
  } else if (byte >= 0x20 && byte < 0x40) {
    const bool is_parameter = (byte >= '0' && byte <= '9') || byte == ';' || byte == ':';
    is_known_ = is_known_ && is_parameter && sequence_.size() < kMaxParameters;
    if (is_known_) sequence_.push_back(static_cast<char>(byte));
  }  // else a control character within it
}

void TerminalFilter::EndControl(unsigned char final, std::string* shown) {
  if (!is_known_) return;
  const bool is_style = final == 'm';
  const bool is_erasure = final == 'K' && sequence_.size() <= 1;
  if (!is_style && !is_erasure) return Move(final, shown);
  absl::StrAppend(shown, "\x1b[", sequence_, std::string(1, static_cast<char>(final)));
  if (is_style) ApplyStyle(sequence_, &style_);
}

// To the job's own rows alone.
void TerminalFilter::Move(unsigned char final, std::string* shown) {
  if (rows_ == nullptr) return;
  int by = 0;
  switch (final) {
    case 'A':
    case 'F':
      by = rows_->Up(CountOf(sequence_));
      break;
    case 'B':
    case 'E':
      by = rows_->Down(CountOf(sequence_));
      break;
    case 'J':
      if (sequence_.empty() || sequence_ == "0") shown->append("\x1b[J");
      return;
    default:
      return;
  }
  if (final == 'E' || final == 'F') shown->push_back('\r');
  if (by > 0) absl::StrAppend(shown, "\x1b[", by, final == 'A' || final == 'F' ? "A" : "B");
}

}  // namespace jobtail::client::cli
