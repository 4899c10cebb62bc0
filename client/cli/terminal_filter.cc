// A parser of ECMA-48, as far as it takes to leave things out.

#include "client/cli/terminal_filter.h"

#include <algorithm>

#include "absl/strings/str_cat.h"

namespace jobtail::client::cli {
namespace {

constexpr unsigned char kBell = 0x07, kCancel = 0x18, kSubstitute = 0x1a, kEscape = 0x1b;
constexpr size_t kMaxParameters = 128;  // in bytes
constexpr std::string_view kReplacement = "\xef\xbf\xbd";

bool IsLineEnd(unsigned char byte) { return byte == '\n' || byte == '\r'; }
bool IsHarmlessControl(unsigned char byte) {
  return IsLineEnd(byte) || byte == '\t' || byte == '\b';
}

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

}  // namespace

void TerminalFilter::Append(std::string_view bytes, std::string* shown) {
  while (!bytes.empty()) {
    size_t plain = 0;
    if (state_ == State::kText && missing_ == 0) {
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
    shown->push_back(static_cast<char>(byte));
    return;
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
  } else if (IsHarmlessControl(byte) || (byte >= 0x20 && byte != 0x7f)) {
    shown->push_back(static_cast<char>(byte));
  }
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
    state_ = State::kIntermediate;
  } else if (state_ == State::kEscape && byte >= 0x40 && byte < 0x60) {
    state_ = State::kText;
    TakeC1(byte + 0x40);
  } else if (byte >= 0x20) {
    state_ = State::kText;
  }  // else a control character within it
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
  if (!is_style && !is_erasure) return;
  absl::StrAppend(shown, "\x1b[", sequence_, std::string(1, static_cast<char>(final)));
  if (is_style) styled_ = !EndsWithReset(sequence_);
}

}  // namespace jobtail::client::cli
