// The functions of <wchar.h>, in a UTF-8 locale. Built twice, as stdio_test.cc is.

#include <gtest/gtest.h>
#include <stdarg.h>
#include <stdio.h>
#include <wchar.h>

#include <clocale>
#include <iostream>
#include <string>
#include <vector>

#include "tests/capture/coverage/row.h"

#ifdef WANT_FORTIFY
#define SUITE FortifiedWideStdio
#else
#define SUITE WideStdio
#endif

namespace jobtail::capture {
namespace {

template <typename Function>
Function* Opaque(Function* function) {
  Function* volatile hidden = function;
  return hidden;
}

// One, two, three and four bytes of UTF-8.
const wchar_t kWide[] = L"z\u00e4\u20ac\U0001f600 ";
const char kBytes[] = "z\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80 ";

std::wstring WideLine(const Tag& tag) { return kWide + tag.wide() + L"\n"; }

std::vector<Record> WideOnStdout(const Tag& tag) { return {Out(kBytes + tag.text)}; }
std::vector<Record> WideOnBoth(const Tag& tag) {
  return {Out(kBytes + tag.text), Err(kBytes + tag.text)};
}

void UseUtf8() { Require(setlocale(LC_ALL, "C.UTF-8") != nullptr, "there is a UTF-8 locale"); }

// Beside a thread that prints bytes to the same stdout. Uncaptured, a stream is wide or it is not.
void ExpectCapturedBesideBytes(const Way& way) {
  const Way bytes{[](const Tag& tag) {
                    puts(tag.c_str());
                    fputs(tag.line().c_str(), stderr);
                  },
                  OnBoth};
  ExpectCaptured({.captured = way, .uncaptured = bytes, .before = UseUtf8});
}

TEST(SUITE, Wprintf) {
  ExpectCapturedBesideBytes(
      {[](const Tag& tag) { wprintf(L"%ls%d:%d\n", kWide, tag.thread, tag.repetition); },
       WideOnStdout});
}

TEST(SUITE, Fwprintf) {
  ExpectCapturedBesideBytes({[](const Tag& tag) {
                               fwprintf(stdout, L"%ls%s\n", kWide, tag.c_str());
                               fwprintf(stderr, L"%ls%s\n", kWide, tag.c_str());
                             },
                             WideOnBoth});
}

int CallVwprintf(const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vwprintf(format, arguments);
  va_end(arguments);
  return result;
}

int CallVfwprintf(FILE* file, const wchar_t* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  const int result = vfwprintf(file, format, arguments);
  va_end(arguments);
  return result;
}

TEST(SUITE, VwprintfAndVfwprintf) {
  ExpectCapturedBesideBytes({[](const Tag& tag) {
                               CallVwprintf(L"%ls%s\n", kWide, tag.c_str());
                               CallVfwprintf(stderr, L"%ls%s\n", kWide, tag.c_str());
                             },
                             WideOnBoth});
}

TEST(SUITE, FputwsAndFputwc) {
  ExpectCapturedBesideBytes({[](const Tag& tag) {
                               fputws(WideLine(tag).c_str(), stdout);
                               for (const wchar_t c : WideLine(tag)) fputwc(c, stderr);
                             },
                             WideOnBoth});
}

TEST(SUITE, PutwcAndPutwchar) {
  ExpectCapturedBesideBytes({[](const Tag& tag) {
                               for (const wchar_t c : WideLine(tag)) putwchar(c);
                               for (const wchar_t c : WideLine(tag)) putwc(c, stderr);
                             },
                             WideOnBoth});
}

TEST(SUITE, UnlockedFunctions) {
  ExpectCapturedBesideBytes(
      {[](const Tag& tag) {
         const std::wstring line = WideLine(tag);
         for (const wchar_t c : line) Opaque(putwchar_unlocked)(c);
         for (const wchar_t c : line) Opaque(putwc_unlocked)(c, stdout);
         for (const wchar_t c : line) Opaque(fputwc_unlocked)(c, stdout);
         Opaque(fputws_unlocked)(line.c_str(), stdout);
       },
       [](const Tag& tag) { return std::vector(4, Out(kBytes + tag.text)); }});
}

// A program whose stdout is wide for everybody.
TEST(SUITE, BesideAThreadThatPrintsWideCharacters) {
  ExpectCaptured(
      {.captured = {[](const Tag& tag) { fputws(WideLine(tag).c_str(), stdout); }, WideOnStdout},
       .before = [] {
         UseUtf8();
         Require(freopen(nullptr, "w", stdout) != nullptr, "stdout loses orientation");
         Require(fwide(stdout, 1) > 0, "stdout is wide");
       }});
}

// The C locale has ASCII alone; the C library writes something similar.
TEST(SUITE, CharactersThatTheLocaleDoesNotHave) {
  const Observation seen = Observe([](Recorder& sink) {
    Require(setlocale(LC_ALL, "C") != nullptr, "there is the C locale");
    const Scope scope(&sink);
    Require(wprintf(L"caf\u00e9\n") == 5, "the line is printed");
    Require(fputws(L"\u00e9t\u00e9\n", stdout) >= 0, "the line is printed");
    std::wcout << L"caf\u00e9" << std::endl;
    Require(std::wcout.good(), "and no stream has failed");
  });
  EXPECT_EQ(seen.captured(), (std::vector{Out("caf?"), Out("?t?"), Out("caf?")}));
}

}  // namespace
}  // namespace jobtail::capture
