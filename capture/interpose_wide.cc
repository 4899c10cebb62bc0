// The functions of <wchar.h> that write to stdout and stderr. What is captured is converted by the
// locale, as the C library does when it writes; for characters that the locale does not have,
// similar ones are written, as there. A stream's orientation does not matter.

#include <iconv.h>
#include <langinfo.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <wchar.h>

#include <array>
#include <cerrno>
#include <climits>
#include <optional>
#include <string>
#include <string_view>

#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {
namespace {

using VPrint = int(FILE*, const wchar_t*, va_list);
using VPrintChk = int(FILE*, int, const wchar_t*, va_list);

// What the C library's streams write for a character that the locale does not have: something
// similar, such as "?". Nothing if there is nothing.
std::optional<std::string> Transliterate(wchar_t c) {
  const std::string encoding = std::string(nl_langinfo(CODESET)) + "//TRANSLIT";
  const iconv_t converter = iconv_open(encoding.c_str(), "WCHAR_T");
  // NOLINTNEXTLINE(performance-no-int-to-ptr): that is how iconv_open says that it failed.
  if (converter == reinterpret_cast<iconv_t>(-1)) return std::nullopt;
  auto* from = reinterpret_cast<char*>(&c);
  size_t from_size = sizeof c;
  std::array<char, 64> space;
  char* to = space.data();
  size_t to_size = space.size();
  const size_t result = iconv(converter, &from, &from_size, &to, &to_size);
  iconv_close(converter);
  if (result == static_cast<size_t>(-1)) return std::nullopt;
  return std::string(space.data(), to);
}

// In the locale's encoding, up to the first character that it does not have; `*complete` tells
// whether there was none.
std::string Convert(std::wstring_view text, bool* complete) {
  std::string bytes;
  mbstate_t state{};
  std::array<char, MB_LEN_MAX> space;
  *complete = true;
  for (const wchar_t c : text) {
    const size_t size = wcrtomb(space.data(), c, &state);
    if (size != static_cast<size_t>(-1)) {
      bytes.append(space.data(), size);
    } else if (const auto similar = Transliterate(c)) {
      bytes += *similar;
      state = {};
    } else {
      *complete = false;
      errno = EILSEQ;
      break;
    }
  }
  return bytes;
}

// Whether all of `text` was taken (true) or an error is to be reported (false); nothing if the call
// is for the C library.
std::optional<bool> Take(const FileTarget& target, std::wstring_view text) {
  if (!target.IsCaptured()) return std::nullopt;
  bool complete;
  const std::string bytes = Convert(text, &complete);
  if (!target.Take(bytes)) return std::nullopt;
  return complete;
}

// What `print` writes into a stream of wide characters; nothing if it reports an error.
template <typename Print>
std::optional<std::wstring> Format(Print print) {
  wchar_t* text = nullptr;
  size_t size = 0;
  FILE* const memory = open_wmemstream(&text, &size);
  if (!memory) return std::nullopt;
  const int result = print(memory);
  Real<"fclose", int(FILE*)>()(memory);
  std::optional<std::wstring> formatted;
  if (result >= 0) formatted.emplace(text, size);
  free(text);
  return formatted;
}

template <typename Print>
int PrintTo(FILE* file, Print print) {
  const FileTarget target(file);
  if (!target.IsCaptured()) return print(target.file());
  const std::optional<std::wstring> text = Format(print);
  if (!text) return -1;
  const std::optional<bool> taken = Take(target, *text);
  if (!taken) return print(target.file());
  return *taken ? static_cast<int>(text->size()) : -1;
}

int VPrintTo(FILE* file, const wchar_t* text, va_list arguments) {
  return PrintTo(file, [&](FILE* out) {
    va_list again;
    va_copy(again, arguments);
    const int result = Real<"vfwprintf", VPrint>()(out, text, again);
    va_end(again);
    return result;
  });
}

int VPrintChecked(FILE* file, int flag, const wchar_t* text, va_list arguments) {
  return PrintTo(file, [&](FILE* out) {
    va_list again;
    va_copy(again, arguments);
    const int result = Real<"__vfwprintf_chk", VPrintChk>()(out, flag, text, again);
    va_end(again);
    return result;
  });
}

}  // namespace

void LinkWide() {}

#define JOBTAIL_INTERPOSE_PUTWC(name)                               \
  JOBTAIL_INTERPOSE(wint_t, name, (wchar_t c, FILE * file)) {       \
    const FileTarget target(file);                                  \
    const std::optional<bool> taken = Take(target, {&c, 1});        \
    if (taken) return *taken ? static_cast<wint_t>(c) : WEOF;       \
    return Real<#name, wint_t(wchar_t, FILE*)>()(c, target.file()); \
  }
#define JOBTAIL_INTERPOSE_PUTWCHAR(name)                              \
  JOBTAIL_INTERPOSE(wint_t, name, (wchar_t c)) {                      \
    const FileTarget target(stdout);                                  \
    const std::optional<bool> taken = Take(target, {&c, 1});          \
    if (taken) return *taken ? static_cast<wint_t>(c) : WEOF;         \
    return Real<"putwc", wint_t(wchar_t, FILE*)>()(c, target.file()); \
  }
#define JOBTAIL_INTERPOSE_FPUTWS(name)                                                         \
  JOBTAIL_INTERPOSE(int, name, (const wchar_t* text, FILE* file)) {                            \
    const FileTarget target(file);                                                             \
    const std::optional<bool> taken = target.IsCaptured() ? Take(target, text) : std::nullopt; \
    if (taken) return *taken ? 1 : -1;                                                         \
    return Real<#name, int(const wchar_t*, FILE*)>()(text, target.file());                     \
  }

JOBTAIL_INTERPOSE_PUTWC(fputwc)
JOBTAIL_INTERPOSE_PUTWC(fputwc_unlocked)
JOBTAIL_INTERPOSE_PUTWC(putwc)
JOBTAIL_INTERPOSE_PUTWC(putwc_unlocked)
JOBTAIL_INTERPOSE_PUTWCHAR(putwchar)
JOBTAIL_INTERPOSE_PUTWCHAR(putwchar_unlocked)
JOBTAIL_INTERPOSE_FPUTWS(fputws)
JOBTAIL_INTERPOSE_FPUTWS(fputws_unlocked)

JOBTAIL_INTERPOSE(int, vwprintf, (const wchar_t* text, va_list arguments)) {
  return VPrintTo(stdout, text, arguments);
}
JOBTAIL_INTERPOSE(int, vfwprintf, (FILE * file, const wchar_t* text, va_list arguments)) {
  return VPrintTo(file, text, arguments);
}
JOBTAIL_INTERPOSE(int, wprintf, (const wchar_t* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintTo(stdout, text, arguments);
  va_end(arguments);
  return result;
}
JOBTAIL_INTERPOSE(int, fwprintf, (FILE * file, const wchar_t* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintTo(file, text, arguments);
  va_end(arguments);
  return result;
}

JOBTAIL_INTERPOSE(int, __vwprintf_chk, (int flag, const wchar_t* text, va_list arguments)) {
  return VPrintChecked(stdout, flag, text, arguments);
}
JOBTAIL_INTERPOSE(int, __vfwprintf_chk,
                  (FILE * file, int flag, const wchar_t* text, va_list arguments)) {
  return VPrintChecked(file, flag, text, arguments);
}
JOBTAIL_INTERPOSE(int, __wprintf_chk, (int flag, const wchar_t* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintChecked(stdout, flag, text, arguments);
  va_end(arguments);
  return result;
}
JOBTAIL_INTERPOSE(int, __fwprintf_chk, (FILE * file, int flag, const wchar_t* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintChecked(file, flag, text, arguments);
  va_end(arguments);
  return result;
}

}  // namespace jobtail::capture::internal
