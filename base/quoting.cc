// Text of unknown origin made fit to be shown.

#include "base/quoting.h"

#include <algorithm>
#include <cstdint>

#include "absl/strings/ascii.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"
#include "absl/strings/str_replace.h"
#include "base/deceptive.h"
#include "base/utf8.h"

namespace jobtail {
namespace {

std::string Escaped(const Utf8Character& character) {
  const auto code = static_cast<uint32_t>(character.code);
  if (character.bytes > 1) return absl::StrFormat("\\u%04x", code);
  if (code == '\n') return "\\n";
  if (code == '\t') return "\\t";
  return absl::StrFormat("\\x%02x", code);
}

bool NeedsNoQuotes(char c) {
  constexpr std::string_view kHarmless = "_-.,:/=+@%";
  return absl::ascii_isalnum(static_cast<unsigned char>(c)) ||
         kHarmless.find(c) != std::string_view::npos;
}

}  // namespace

std::string Printable(std::string_view text) {
  std::string printable;
  char32_t before = 0;
  while (!text.empty()) {
    const Utf8Character character = FirstCharacter(text);
    const std::string_view rest = text.substr(character.bytes);
    const char32_t after = rest.empty() ? 0 : FirstCharacter(rest).code;
    const bool is_plain = character.valid && !IsControl(character.code) &&
                          !IsDeceptive(character.code, before, after);
    before = character.code;
    if (is_plain) {
      printable.append(text.substr(0, character.bytes));
    } else {
      printable.append(Escaped(character));
    }
    text = rest;
  }
  return printable;
}

std::string Quoted(std::string_view text) {
  constexpr size_t kShown = 100;
  const std::string_view shown = text.substr(0, kShown);
  return absl::StrCat("\"", absl::CHexEscape({shown.data(), shown.size()}), "\"",
                      text.size() > kShown ? "..." : "");
}

std::string ShellQuoted(std::string_view text) {
  if (!text.empty() && std::all_of(text.begin(), text.end(), NeedsNoQuotes)) {
    return std::string(text);
  }
  return absl::StrCat(
      "'", absl::StrReplaceAll(absl::string_view(text.data(), text.size()), {{"'", "'\\''"}}), "'");
}

}  // namespace jobtail
