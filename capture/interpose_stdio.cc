// The functions of <stdio.h> that write to stdout and stderr, or to their descriptors, with their
// "_unlocked" and "_chk" (_FORTIFY_SOURCE) forms. libstdc++ calls them, too, for std::cout, cerr
// and clog as long as these are synchronised with stdio.

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <string_view>

#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/session.h"

namespace jobtail::capture::internal {
namespace {

using VPrint = int(FILE*, const char*, va_list);
using VPrintChk = int(FILE*, int, const char*, va_list);
using VDPrint = int(int, const char*, va_list);
using VDPrintChk = int(int, int, const char*, va_list);
using Format = int(char*, size_t, const char*, va_list);

// What the captured thread prints with `file`: stdout, stderr or neither.
bool IsOutput(FILE* file, Stream* stream) {
  if (file == stdout) return *stream = Stream::kStdout, true;
  if (file == stderr) return *stream = Stream::kStderr, true;
  return false;
}

bool IsOutput(int fd, Stream* stream) {
  *stream = Stream{static_cast<uint8_t>(fd)};
  return fd == 1 || fd == 2;
}

bool TakeFrom(FILE* file, std::string_view bytes) {
  Stream stream;
  return current_thread && IsOutput(file, &stream) && Take(stream, bytes);
}

bool TakeChar(FILE* file, int c) {
  const char byte = static_cast<char>(c);
  return TakeFrom(file, {&byte, 1});
}

// Formats with `format` (size, arguments) and takes the text. Short texts, nearly all, are
// formatted once, on the stack. False if nothing was taken; `*result` is then undefined unless
// formatting itself failed.
template <typename Output, typename FormatInto>
bool TakeFormatted(Output output, va_list arguments, int* result, FormatInto format) {
  Stream stream;
  if (!current_thread || !IsOutput(output, &stream)) return false;
  char small[1024];
  va_list again;
  va_copy(again, arguments);
  *result = format(small, sizeof small, again);
  va_end(again);
  if (*result < 0) return true;  // an invalid format is the caller's error, captured or not
  const auto size = static_cast<size_t>(*result);
  if (size < sizeof small) return Take(stream, {small, size});
  const auto large = std::make_unique_for_overwrite<char[]>(size + 1);
  va_copy(again, arguments);
  format(large.get(), size + 1, again);
  va_end(again);
  return Take(stream, {large.get(), size});
}

template <typename Output>
bool TakePrinted(Output output, const char* text, va_list arguments, int* result) {
  return TakeFormatted(output, arguments, result, [text](char* out, size_t size, va_list a) {
    return vsnprintf(out, size, text, a);
  });
}

// The variant that _FORTIFY_SOURCE calls; `flag` asks for the checks.
template <typename Output>
bool TakeChecked(Output output, int flag, const char* text, va_list arguments, int* result) {
  const auto format = [text, flag](char* out, size_t size, va_list a) {
    using Checked = int(char*, size_t, int, size_t, const char*, va_list);
    return Real<"__vsnprintf_chk", Checked>()(out, size, flag, size, text, a);
  };
  return TakeFormatted(output, arguments, result, format);
}

int VPrintTo(FILE* file, const char* text, va_list arguments) {
  int result;
  if (TakePrinted(file, text, arguments, &result)) return result;
  return Real<"vfprintf", VPrint>()(file, text, arguments);
}

int VPrintTo(int fd, const char* text, va_list arguments) {
  int result;
  if (TakePrinted(fd, text, arguments, &result)) return result;
  return Real<"vdprintf", VDPrint>()(fd, text, arguments);
}

int VPrintChecked(FILE* file, int flag, const char* text, va_list arguments) {
  int result;
  if (TakeChecked(file, flag, text, arguments, &result)) return result;
  return Real<"__vfprintf_chk", VPrintChk>()(file, flag, text, arguments);
}

int VPrintChecked(int fd, int flag, const char* text, va_list arguments) {
  int result;
  if (TakeChecked(fd, flag, text, arguments, &result)) return result;
  return Real<"__vdprintf_chk", VDPrintChk>()(fd, flag, text, arguments);
}

// An explicit request to show what is there. Not so on stderr, and not on a std::cout that flushes
// after every output: there it comes with every fragment of a line, and kPartialDelay serves.
bool FlushCaptured(FILE* file) {
  if (!current_thread) return false;
  if (file == stderr) return true;
  if (file != stdout) return false;
  return (std::cout.flags() & std::ios::unitbuf) || Flush(Stream::kStdout);
}

}  // namespace

void LinkStdio() {}

JOBTAIL_INTERPOSE(int, vprintf, (const char* text, va_list arguments)) {
  return VPrintTo(stdout, text, arguments);
}

JOBTAIL_INTERPOSE(int, vfprintf, (FILE * file, const char* text, va_list arguments)) {
  return VPrintTo(file, text, arguments);
}

JOBTAIL_INTERPOSE(int, printf, (const char* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintTo(stdout, text, arguments);
  va_end(arguments);
  return result;
}

JOBTAIL_INTERPOSE(int, fprintf, (FILE * file, const char* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintTo(file, text, arguments);
  va_end(arguments);
  return result;
}

JOBTAIL_INTERPOSE(int, __vprintf_chk, (int flag, const char* text, va_list arguments)) {
  return VPrintChecked(stdout, flag, text, arguments);
}

JOBTAIL_INTERPOSE(int, __vfprintf_chk, (FILE * file, int flag, const char* text, va_list args)) {
  return VPrintChecked(file, flag, text, args);
}

JOBTAIL_INTERPOSE(int, __printf_chk, (int flag, const char* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintChecked(stdout, flag, text, arguments);
  va_end(arguments);
  return result;
}

JOBTAIL_INTERPOSE(int, __fprintf_chk, (FILE * file, int flag, const char* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintChecked(file, flag, text, arguments);
  va_end(arguments);
  return result;
}

JOBTAIL_INTERPOSE(int, vdprintf, (int fd, const char* text, va_list arguments)) {
  return VPrintTo(fd, text, arguments);
}

JOBTAIL_INTERPOSE(int, dprintf, (int fd, const char* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintTo(fd, text, arguments);
  va_end(arguments);
  return result;
}

JOBTAIL_INTERPOSE(int, __vdprintf_chk, (int fd, int flag, const char* text, va_list arguments)) {
  return VPrintChecked(fd, flag, text, arguments);
}

JOBTAIL_INTERPOSE(int, __dprintf_chk, (int fd, int flag, const char* text, ...)) {
  va_list arguments;
  va_start(arguments, text);
  const int result = VPrintChecked(fd, flag, text, arguments);
  va_end(arguments);
  return result;
}

JOBTAIL_INTERPOSE(void, perror, (const char* text)) {
  if (current_thread) {
    const int error = errno;
    char space[256];
    const char* const message = strerror_r(error, space, sizeof space);
    const bool named = text && *text;
    const std::string_view parts[] = {named ? text : "", named ? ": " : "", message, "\n"};
    const bool taken = Take(Stream::kStderr, parts);
    errno = error;
    if (taken) return;
  }
  Real<"perror", void(const char*)>()(text);
}

JOBTAIL_INTERPOSE(int, puts, (const char* text)) {
  if (current_thread) {
    const std::string_view parts[] = {text, "\n"};
    if (Take(Stream::kStdout, parts)) return 1;
  }
  return Real<"puts", int(const char*)>()(text);
}

JOBTAIL_INTERPOSE(int, fputs, (const char* text, FILE* file)) {
  if (current_thread && TakeFrom(file, text)) return 1;
  return Real<"fputs", int(const char*, FILE*)>()(text, file);
}

JOBTAIL_INTERPOSE(int, fputs_unlocked, (const char* text, FILE* file)) {
  if (current_thread && TakeFrom(file, text)) return 1;
  return Real<"fputs_unlocked", int(const char*, FILE*)>()(text, file);
}

JOBTAIL_INTERPOSE(size_t, fwrite, (const void* data, size_t size, size_t count, FILE* file)) {
  if (current_thread && TakeFrom(file, {static_cast<const char*>(data), size * count})) {
    return size == 0 ? 0 : count;
  }
  return Real<"fwrite", size_t(const void*, size_t, size_t, FILE*)>()(data, size, count, file);
}

JOBTAIL_INTERPOSE(size_t, fwrite_unlocked, (const void* data, size_t size, size_t n, FILE* file)) {
  if (current_thread && TakeFrom(file, {static_cast<const char*>(data), size * n})) {
    return size == 0 ? 0 : n;
  }
  return Real<"fwrite_unlocked", size_t(const void*, size_t, size_t, FILE*)>()(data, size, n, file);
}

// The functions of one character all have one shape: int(int, FILE*) or, on stdout, int(int).
#define JOBTAIL_INTERPOSE_PUTC(name)                             \
  JOBTAIL_INTERPOSE(int, name, (int c, FILE* file)) {            \
    if (TakeChar(file, c)) return static_cast<unsigned char>(c); \
    return Real<#name, int(int, FILE*)>()(c, file);              \
  }
#define JOBTAIL_INTERPOSE_PUTCHAR(name)                            \
  JOBTAIL_INTERPOSE(int, name, (int c)) {                          \
    if (TakeChar(stdout, c)) return static_cast<unsigned char>(c); \
    return Real<#name, int(int)>()(c);                             \
  }

#undef putc
#undef putchar
JOBTAIL_INTERPOSE_PUTC(fputc)
JOBTAIL_INTERPOSE_PUTC(fputc_unlocked)
JOBTAIL_INTERPOSE_PUTC(putc)
JOBTAIL_INTERPOSE_PUTC(putc_unlocked)
JOBTAIL_INTERPOSE_PUTC(_IO_putc)
JOBTAIL_INTERPOSE_PUTCHAR(putchar)
JOBTAIL_INTERPOSE_PUTCHAR(putchar_unlocked)

JOBTAIL_INTERPOSE(int, fflush, (FILE * file)) {
  if (FlushCaptured(file)) return 0;
  if (!file) Flush(Stream::kStdout);  // and every other stream of the program
  return Real<"fflush", int(FILE*)>()(file);
}

JOBTAIL_INTERPOSE(int, fflush_unlocked, (FILE * file)) {
  if (FlushCaptured(file)) return 0;
  if (!file) Flush(Stream::kStdout);
  return Real<"fflush_unlocked", int(FILE*)>()(file);
}

}  // namespace jobtail::capture::internal
