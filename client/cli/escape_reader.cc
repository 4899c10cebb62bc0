// A parser of ECMA-48 that leaves out what nobody here obeys.

#include "client/cli/escape_reader.h"

namespace jobtail::client::cli {
namespace {

constexpr unsigned char kBell = 0x07, kCancel = 0x18, kSubstitute = 0x1a, kEscape = 0x1b,
                        kShiftOut = 0x0e, kShiftIn = 0x0f;
constexpr size_t kMaxParameters = 128;  // in bytes
constexpr std::string_view kReplacement = "\xef\xbf\xbd";
constexpr std::string_view kObeyed = "\n\r\t\b\v\f";

// The characters "`" to "~" in the character set for drawing lines.
constexpr std::string_view kDrawing[] = {"◆", "▒", "␉", "␌", "␍", "␊", "°", "±", "␤", "␋", "┘",
                                         "┐", "┌", "└", "┼", "⎺", "⎻", "─", "⎼", "⎽", "├", "┤",
                                         "┴", "┬", "│", "≤", "≥", "π", "≠", "£", "·"};

bool IsLineEnd(unsigned char byte) { return byte == '\n' || byte == '\r'; }

// How many bytes follow; 0 if no character begins so.
size_t ContinuationsOf(unsigned char first) {
  if (first >= 0xc2 && first < 0xe0) return 1;
  if (first >= 0xe0 && first < 0xf0) return 2;
  return first >= 0xf0 && first < 0xf5 ? 3 : 0;
}

// Whether what begins so, and goes on with as many bytes as it should, is no overlong form, no
// surrogate and not beyond Unicode.
bool IsCharacter(unsigned char first, unsigned char second) {
  switch (first) {
    case 0xe0:
      return second >= 0xa0;
    case 0xed:
      return second < 0xa0;
    case 0xf0:
      return second >= 0x90;
    case 0xf4:
      return second < 0x90;
    default:
      return true;
  }
}

// ST, in eight bits or in UTF-8, and not a part of another character.
bool IsTerminator(unsigned char byte, unsigned char before) {
  return byte == 0x9c && (before < 0x80 || before == 0xc2);
}

}  // namespace

void EscapeReader::Read(std::string_view bytes) {
  while (!bytes.empty()) {
    size_t plain = 0;
    if (state_ == State::kText && missing_ == 0 && !draws_lines()) {
      while (plain < bytes.size() && bytes[plain] >= 0x20 && bytes[plain] != 0x7f) ++plain;
    }
    if (plain > 0) OnText(bytes.substr(0, plain));
    bytes.remove_prefix(plain);
    if (bytes.empty()) return;
    Take(static_cast<unsigned char>(bytes.front()));
    bytes.remove_prefix(1);
  }
}

void EscapeReader::Take(unsigned char byte) {
  if (state_ == State::kText) return TakeText(byte);
  if (IsLineEnd(byte)) {
    state_ = State::kText;
    return TakeText(byte);
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
      return TakeControl(byte);
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

void EscapeReader::TakeText(unsigned char byte) {
  if (missing_ > 0 && TakeContinuation(byte)) return;
  if (byte >= 0x80) return TakeCharacter(byte);
  const char character = static_cast<char>(byte);
  if (byte == kEscape) {
    state_ = State::kEscape;
  } else if (byte == kShiftOut || byte == kShiftIn) {
    sets_.chosen = byte == kShiftOut ? 1 : 0;
  } else if (byte >= '`' && byte <= '~' && draws_lines()) {
    OnText(kDrawing[byte - '`']);
  } else if (byte >= 0x20 && byte != 0x7f) {
    OnText({&character, 1});
  } else if (kObeyed.find(character) != std::string_view::npos) {
    OnControl(character);
  }
}

// Holds a character back until it is whole: two halves of different streams must not become one.
void EscapeReader::TakeCharacter(unsigned char byte) {
  missing_ = ContinuationsOf(byte);
  if (missing_ > 0) {
    character_.assign(1, static_cast<char>(byte));
  } else if (byte < 0xa0) {
    TakeC1(byte);  // of eight bits
  } else {
    OnText(kReplacement);
  }
}

// False if the character ends without the byte.
bool EscapeReader::TakeContinuation(unsigned char byte) {
  if (byte < 0x80 || byte > 0xbf) {
    missing_ = 0;
    OnText(kReplacement);
    return false;
  }
  character_.push_back(static_cast<char>(byte));
  if (--missing_ > 0) return true;
  const auto first = static_cast<unsigned char>(character_[0]);
  const auto second = static_cast<unsigned char>(character_[1]);
  if (first == 0xc2 && second < 0xa0) {
    TakeC1(second);
  } else {
    OnText(IsCharacter(first, second) ? character_ : kReplacement);
  }
  return true;
}

void EscapeReader::TakeEscape(unsigned char byte) {
  if (byte == kEscape) {
    state_ = State::kEscape;
  } else if (byte >= 0x20 && byte < 0x30) {
    intermediate_ = state_ == State::kEscape ? byte : 0xff;
    state_ = State::kIntermediate;
  } else if (state_ == State::kEscape && byte >= 0x40 && byte < 0x60) {
    state_ = State::kText;
    TakeC1(byte + 0x40);
  } else if (byte >= 0x20) {
    const bool is_alone = state_ == State::kEscape;
    state_ = State::kText;
    if (!is_alone) return EndEscape(byte);
    if (byte < 0x7f) OnEscape(static_cast<char>(byte));
  }  // else a control character within it
}

// Of those with a byte between, the ones that choose a character set.
void EscapeReader::EndEscape(unsigned char byte) {
  if (intermediate_ == '(') sets_.draws[0] = byte == '0';
  if (intermediate_ == ')') sets_.draws[1] = byte == '0';
}

// The control characters of eight bits, or ESC and the letter that stands for one.
void EscapeReader::TakeC1(unsigned char code) {
  switch (code) {
    case 0x84:  // IND
    case 0x85:  // NEL
    case 0x8d:  // RI
      return OnEscape(static_cast<char>(code - 0x40));
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

void EscapeReader::TakeControl(unsigned char byte) {
  if (byte >= 0x40 && byte < 0x7f) {
    state_ = State::kText;
    if (is_known_) OnSequence(sequence_, static_cast<char>(byte));
  } else if (byte == kEscape) {
    state_ = State::kEscape;
  } else if (byte >= 0x80) {
    state_ = State::kText;
    TakeText(byte);
  } else if (byte >= 0x20 && byte < 0x40) {
    const bool is_mark = byte == '?' && sequence_.empty();
    const bool is_parameter = (byte >= '0' && byte <= '9') || byte == ';' || byte == ':';
    is_known_ = is_known_ && (is_parameter || is_mark) && sequence_.size() < kMaxParameters;
    if (is_known_) sequence_.push_back(static_cast<char>(byte));
  }  // else a control character within it
}

}  // namespace jobtail::client::cli
