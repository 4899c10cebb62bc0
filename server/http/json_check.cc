// A reader of JSON that keeps nothing: it follows the grammar, and compares names.
#include "server/http/json_check.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <set>
#include <string>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"
#include "server/http/query.h"

namespace jobtail::http {
namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;

constexpr int kMaxDepth = 32;

// Appends a character of Unicode as UTF-8.
void AppendUtf8(uint32_t character, std::string* text) {
  const auto follow = [&](int shift) {
    text->push_back(static_cast<char>(0x80 | (character >> shift & 0x3f)));
  };
  if (character < 0x80) {
    text->push_back(static_cast<char>(character));
  } else if (character < 0x800) {
    text->push_back(static_cast<char>(0xc0 | character >> 6));
    follow(0);
  } else if (character < 0x10000) {
    text->push_back(static_cast<char>(0xe0 | character >> 12));
    follow(6);
    follow(0);
  } else {
    text->push_back(static_cast<char>(0xf0 | character >> 18));
    follow(12);
    follow(6);
    follow(0);
  }
}

// The message that a field's value is, in JSON an object of its fields; null if it is none.
const Descriptor* TypeOf(const FieldDescriptor* field) {
  if (!field || field->is_map()) return nullptr;
  return field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE ? field->message_type() : nullptr;
}

// Whether a field's value, or those of a map, are text.
bool IsOfText(const FieldDescriptor* field) {
  if (field && field->is_map()) field = field->message_type()->map_value();
  return field && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
}

class Checker {
 public:
  explicit Checker(std::string_view text) : text_(text) {}

  absl::Status Check(const Descriptor& type) {
    if (absl::Status value = Value(&type, /*is_text=*/false); !value.ok()) return value;
    SkipSpace();
    return at_ == text_.size() ? absl::OkStatus()
                               : Bad("there is more after the JSON; leave it out");
  }

 private:
  absl::Status Bad(std::string_view what) const {
    return absl::InvalidArgumentError(
        absl::StrCat("the body, at byte ", at_, ": ", std::string(what)));
  }

  void SkipSpace() { at_ = std::min(text_.find_first_not_of(" \t\r\n", at_), text_.size()); }

  // Takes `c`, if that is what comes.
  bool Take(char c) {
    if (at_ == text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }

  // A value of that message type, null if it is of none or not known. `is_text`: text, or a map or
  // list of text.
  absl::Status Value(const Descriptor* type, bool is_text) {
    SkipSpace();
    if (at_ == text_.size()) return Bad("it ends before the JSON does");
    switch (text_[at_]) {
      case '{':
        return Nested([&] { return Object(type, is_text); });
      case '[':
        return Nested([&] { return Array(type, is_text); });
      case '"': {
        std::string ignored;
        return String(&ignored);
      }
      default:
        return is_text ? PlainText() : Plain();
    }
  }

  template <typename F>
  absl::Status Nested(F parse) {
    if (depth_ == kMaxDepth) {
      return Bad(absl::StrCat("nested more than ", kMaxDepth, " deep; no message is"));
    }
    ++depth_;
    ++at_;
    absl::Status status = parse();
    --depth_;
    return status;
  }

  absl::Status Object(const Descriptor* type, bool is_text) {
    std::set<std::string> names;
    SkipSpace();
    if (Take('}')) return absl::OkStatus();
    do {
      SkipSpace();
      if (absl::Status member = Member(type, is_text, &names); !member.ok()) return member;
      SkipSpace();
    } while (Take(','));
    return Take('}') ? absl::OkStatus() : Bad("expected \",\" or \"}\"");
  }

  absl::Status Member(const Descriptor* type, bool is_text, std::set<std::string>* names) {
    const size_t begin = at_;
    if (at_ == text_.size() || text_[at_] != '"') {
      return Bad("expected a name in double quotes, such as {\"job\": ...}");
    }
    std::string name;
    if (absl::Status text = String(&name); !text.ok()) return text;
    const FieldDescriptor* const field = type ? FindField(*type, name) : nullptr;
    if (!names->insert(field ? field->name() : name).second) {
      at_ = begin;
      return Bad(absl::StrCat(Quoted(name), " is given twice; give it once"));
    }
    SkipSpace();
    if (!Take(':')) return Bad("expected \":\"");
    return field ? Value(TypeOf(field), IsOfText(field)) : Value(nullptr, is_text);
  }

  absl::Status Array(const Descriptor* type, bool is_text) {
    SkipSpace();
    if (Take(']')) return absl::OkStatus();
    do {
      if (absl::Status value = Value(type, is_text); !value.ok()) return value;
      SkipSpace();
    } while (Take(','));
    return Take(']') ? absl::OkStatus() : Bad("expected \",\" or \"]\"");
  }

  absl::Status String(std::string* decoded) {
    ++at_;
    while (at_ < text_.size()) {
      const char c = text_[at_];
      if (static_cast<unsigned char>(c) < 0x20) {
        return Bad("a control character within a string; write it as an escape, such as \\n");
      }
      if (Take('"')) return absl::OkStatus();
      if (c == '\\') {
        if (absl::Status escape = Escape(decoded); !escape.ok()) return escape;
      } else {
        decoded->push_back(c);
        ++at_;
      }
    }
    return Bad("a string without an end");
  }

  absl::Status Escape(std::string* decoded) {
    constexpr std::string_view kLetters = "\"\\/bfnrt";
    constexpr std::string_view kMeanings = "\"\\/\b\f\n\r\t";
    const char letter = at_ + 1 < text_.size() ? text_[at_ + 1] : '\0';
    if (letter == 'u') return Unicode(decoded);
    const size_t known = kLetters.find(letter);
    if (known == std::string_view::npos) return Bad("an escape that JSON does not have");
    decoded->push_back(kMeanings[known]);
    at_ += 2;
    return absl::OkStatus();
  }

  absl::Status Unicode(std::string* decoded) {
    uint32_t first;
    if (!Unit(&first)) return Bad("expected four hexadecimal digits after \\u");
    if (first < 0xd800 || first > 0xdfff) {
      AppendUtf8(first, decoded);
      return absl::OkStatus();
    }
    uint32_t second;
    if (first > 0xdbff || !Unit(&second) || second < 0xdc00 || second > 0xdfff) {
      return Bad("half of a surrogate pair, which is no character; give both");
    }
    AppendUtf8(0x10000 + ((first - 0xd800) << 10) + (second - 0xdc00), decoded);
    return absl::OkStatus();
  }

  // Takes "\uXXXX".
  bool Unit(uint32_t* unit) {
    if (at_ + 6 > text_.size() || text_[at_] != '\\' || text_[at_ + 1] != 'u') return false;
    *unit = 0;
    for (size_t digit = at_ + 2; digit < at_ + 6; ++digit) {
      const char c = text_[digit];
      if (!absl::ascii_isxdigit(c)) return false;
      *unit = *unit << 4 |
              static_cast<uint32_t>(absl::ascii_isdigit(c) ? c - '0' : (c | 0x20) - 'a' + 10);
    }
    at_ += 6;
    return true;
  }

  // The library takes numbers and words for text, in a notation of its own. Whole numbers of not
  // too many digits are the same in it.
  absl::Status PlainText() {
    constexpr size_t kExactDigits = 15;
    const size_t begin = at_;
    if (absl::Status plain = Plain(); !plain.ok()) return plain;
    const std::string_view text = text_.substr(begin, at_ - begin);
    const bool is_exact = text == "true" || text == "false" ||
                          (text.size() <= kExactDigits && text != "-0" &&
                           text.find_first_not_of("-0123456789") == std::string_view::npos);
    // At the top, null stands for a field that is left out.
    if (is_exact || (text == "null" && depth_ == 1)) return absl::OkStatus();
    at_ = begin;
    return Bad(absl::StrCat("expected text; write ", std::string(text), " as \"", std::string(text),
                            "\""));
  }

  // A number, or one of three words.
  absl::Status Plain() {
    for (const std::string_view word : {"true", "false", "null"}) {
      if (!text_.substr(at_).starts_with(word)) continue;
      at_ += word.size();
      return absl::OkStatus();
    }
    Take('-');
    if (!Take('0') && !Digits())
      return Bad("expected a value: a string in double quotes, a number, ...");
    if (Take('.') && !Digits()) return Bad("expected digits after \".\"");
    if ((Take('e') || Take('E')) && !Exponent()) return Bad("expected digits of an exponent");
    return absl::OkStatus();
  }

  bool Exponent() {
    if (!Take('+')) Take('-');
    return Digits();
  }

  bool Digits() {
    const size_t begin = at_;
    while (at_ < text_.size() && absl::ascii_isdigit(text_[at_])) ++at_;
    return at_ > begin;
  }

  const std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;
};

}  // namespace

absl::Status CheckJson(std::string_view text, const Descriptor& type) {
  if (!IsUtf8(text)) {
    return absl::InvalidArgumentError("the body is not UTF-8; encode it so, or escape with \\u");
  }
  return Checker(text).Check(type);
}

}  // namespace jobtail::http
