// The functions of <stdio.h> that write to stdout and stderr, or to their descriptors, with their
// "_unlocked" and "_chk" (_FORTIFY_SOURCE) forms. libstdc++ calls them, too, for std::cout, cerr
// and clog as long as these are synchronised with stdio.

#include <stdarg.h>
#include <stdio.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <string_view>

#include "capture/interpose.h"
#include "capture/print_file.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {
namespace {

using VPrint = int(FILE*, const char*, va_list);
using VPrintChk = int(FILE*, int, const char*, va_list);
using VDPrint = int(int, const char*, va_list);
using VDPrintChk = int(int, int, const char*, va_list);
using Format = int(char*, size_t, const char*, va_list);

bool TakeChar(const FileTarget& target, int c) {
  const char byte = static_cast<char>(c);
  return target.IsCaptured() && target.Take({&byte, 1});
}

void PrintReal(const FileTarget& target, std::string_view text) {
  Real<"fwrite", size_t(const void*, size_t, size_t, FILE*)>()(text.data(), 1, text.size(),
                                                               target.file());
}
void PrintReal(const DescriptorTarget& target, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written =
        Real<"write", ssize_t(int, const void*, size_t)>()(target.fd(), text.data(), text.size());
    if (written <= 0) return;
    text.remove_prefix(static_cast<size_t>(written));
  }
}

// What is formatted for a target, piece by piece.
template <typename Target>
class Pieces : public PrintFile::Taker {
 public:
  explicit Pieces(const Target& target) : target_(target) {}
  void Take(std::string_view text) final {
    if (!target_.Take(text)) PrintReal(target_, text);
  }

 private:
  const Target& target_;
};

// Formats on the stack what the thread's stream cannot: in a signal handler, and inside another
// call. False if nothing was taken; `*result` is then undefined unless formatting itself failed.
template <typename Target, typename FormatInto>
bool TakeOnStack(const Target& target, va_list arguments, int* result, FormatInto format) {
  char small[1024];
  va_list again;
  va_copy(again, arguments);
  *result = format(small, sizeof small, again);
  va_end(again);
  if (*result < 0) return true;  // an invalid format is the caller's error, captured or not
  const auto size = static_cast<size_t>(*result);
  if (size < sizeof small) return target.Take({small, size});
  const std::unique_ptr<char[]> large(new char[size + 1]);
  va_copy(again, arguments);
  format(large.get(), size + 1, again);
  va_end(again);
  return target.Take({large.get(), size});
}

// Prints with `print` (file, arguments) and takes the text; the same.
template <typename Target, typename Print>
bool TakeInFile(PrintFile& file, const Target& target, va_list arguments, int* result,
                Print print) {
  const PrintFile::Busy busy(file);
  Pieces<Target> pieces(target);
  std::string_view rest;
  bool whole;
  const auto print_once = [&](FILE* out) {
    va_list again;
    va_copy(again, arguments);
    const int printed = print(out, again);
    va_end(again);
    return printed;
  };
  *result = file.Format(pieces, print_once, &rest, &whole);
  if (whole && *result >= 0) return target.Take(rest);
  if (!rest.empty()) pieces.Take(rest);
  return true;
}

template <typename Target>
bool TakePrinted(const Target& target, const char* text, va_list arguments, int* result) {
  if (!target.IsCaptured()) return false;
  PrintFile* const file = current.handlers ? nullptr : PrintFile::OfThisThread();
  if (!file) {
    return TakeOnStack(target, arguments, result, [text](char* out, size_t size, va_list a) {
      return vsnprintf(out, size, text, a);
    });
  }
  return TakeInFile(*file, target, arguments, result, [text](FILE* out, va_list a) {
    return Real<"vfprintf", VPrint>()(out, text, a);
  });
}

// The variant that _FORTIFY_SOURCE calls; `flag` asks for the checks.
template <typename Target>
bool TakeChecked(const Target& target, int flag, const char* text, va_list arguments, int* result) {
  if (!target.IsCaptured()) return false;
  PrintFile* const file = current.handlers ? nullptr : PrintFile::OfThisThread();
  if (!file) {
    const auto format = [text, flag](char* out, size_t size, va_list a) {
      using Checked = int(char*, size_t, int, size_t, const char*, va_list);
      return Real<"__vsnprintf_chk", Checked>()(out, size, flag, size, text, a);
    };
    return TakeOnStack(target, arguments, result, format);
  }
  return TakeInFile(*file, target, arguments, result, [text, flag](FILE* out, va_list a) {
    return Real<"__vfprintf_chk", VPrintChk>()(out, flag, text, a);
  });
}

int VPrintTo(FILE* file, const char* text, va_list arguments) {
  const FileTarget target(file);
  int result;
  if (TakePrinted(target, text, arguments, &result)) return result;
  return Real<"vfprintf", VPrint>()(target.file(), text, arguments);
}

int VPrintTo(int fd, const char* text, va_list arguments) {
  const DescriptorTarget target(fd);
  int result;
  if (TakePrinted(target, text, arguments, &result)) return result;
  return Real<"vdprintf", VDPrint>()(target.fd(), text, arguments);
}

int VPrintChecked(FILE* file, int flag, const char* text, va_list arguments) {
  const FileTarget target(file);
  int result;
  if (TakeChecked(target, flag, text, arguments, &result)) return result;
  return Real<"__vfprintf_chk", VPrintChk>()(target.file(), flag, text, arguments);
}

int VPrintChecked(int fd, int flag, const char* text, va_list arguments) {
  const DescriptorTarget target(fd);
  int result;
  if (TakeChecked(target, flag, text, arguments, &result)) return result;
  return Real<"__vdprintf_chk", VDPrintChk>()(target.fd(), flag, text, arguments);
}

// An explicit request to show what is there. Not so on stderr, and not on a std::cout that flushes
// after every output: there it comes with every fragment of a line, and kPartialDelay serves.
bool FlushCaptured(const FileTarget& target) {
  if (!target.IsCaptured()) return false;
  if (target.stream() == Stream::kStderr) return true;
  if (std::cout.flags() & std::ios::unitbuf) return true;
  return current.thread->Flush(Stream::kStdout);
}

// All streams of the program. True if the C library is not to do its part: on a thread with
// descriptors of its own, it would write what other threads have printed to the wrong ones.
bool FlushAll() {
  if (current.thread) current.thread->Flush(Stream::kStdout);
  return current.real;
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

JOBTAIL_INTERPOSE(int, puts, (const char* text)) {
  const FileTarget target(stdout);
  if (target.IsCaptured()) {
    const std::string_view parts[] = {text, "\n"};
    if (target.Take(parts)) return 1;
  }
  if (target.file() == stdout) return Real<"puts", int(const char*)>()(text);
  return Real<"fprintf", int(FILE*, const char*, ...)>()(target.file(), "%s\n", text);
}

JOBTAIL_INTERPOSE(int, fputs, (const char* text, FILE* file)) {
  const FileTarget target(file);
  if (target.IsCaptured() && target.Take(text)) return 1;
  return Real<"fputs", int(const char*, FILE*)>()(text, target.file());
}

JOBTAIL_INTERPOSE(int, fputs_unlocked, (const char* text, FILE* file)) {
  const FileTarget target(file);
  if (target.IsCaptured() && target.Take(text)) return 1;
  return Real<"fputs_unlocked", int(const char*, FILE*)>()(text, target.file());
}

#define JOBTAIL_INTERPOSE_FWRITE(name)                                                         \
  JOBTAIL_INTERPOSE(size_t, name, (const void* data, size_t size, size_t count, FILE* file)) { \
    const FileTarget target(file);                                                             \
    if (target.IsCaptured() && target.Take({static_cast<const char*>(data), size * count})) {  \
      return size == 0 ? 0 : count;                                                            \
    }                                                                                          \
    return Real<#name, size_t(const void*, size_t, size_t, FILE*)>()(data, size, count,        \
                                                                     target.file());           \
  }
JOBTAIL_INTERPOSE_FWRITE(fwrite)
JOBTAIL_INTERPOSE_FWRITE(fwrite_unlocked)

// The functions of one character all have one shape: int(int, FILE*) or, on stdout, int(int).
#define JOBTAIL_INTERPOSE_PUTC(name)                               \
  JOBTAIL_INTERPOSE(int, name, (int c, FILE* file)) {              \
    const FileTarget target(file);                                 \
    if (TakeChar(target, c)) return static_cast<unsigned char>(c); \
    return Real<#name, int(int, FILE*)>()(c, target.file());       \
  }
#define JOBTAIL_INTERPOSE_PUTCHAR(name)                            \
  JOBTAIL_INTERPOSE(int, name, (int c)) {                          \
    const FileTarget target(stdout);                               \
    if (TakeChar(target, c)) return static_cast<unsigned char>(c); \
    return Real<"putc", int(int, FILE*)>()(c, target.file());      \
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

// What the compiler inlines of putc_unlocked comes here when the stream's buffer is full, which it
// always is where there is none: stderr, and the streams of Options::replace_stdio. From a stream
// that has a buffer, this would take one byte out of many.
JOBTAIL_INTERPOSE(int, __overflow, (FILE * file, int c)) {
  constexpr int kUnbuffered = 2;  // the C library's _IO_UNBUFFERED
  if (!(file->_flags & kUnbuffered)) return Real<"__overflow", int(FILE*, int)>()(file, c);
  const FileTarget target(file);
  if (TakeChar(target, c)) return static_cast<unsigned char>(c);
  if (target.file() != file) return Real<"fputc", int(int, FILE*)>()(c, target.file());
  return Real<"__overflow", int(FILE*, int)>()(file, c);
}

JOBTAIL_INTERPOSE(int, putw, (int word, FILE* file)) {
  const FileTarget target(file);
  const std::string_view bytes(reinterpret_cast<const char*>(&word), sizeof word);
  if (target.IsCaptured() && target.Take(bytes)) return 0;
  return Real<"putw", int(int, FILE*)>()(word, target.file());
}

JOBTAIL_INTERPOSE(int, fflush, (FILE * file)) {
  const FileTarget target(file);
  if (FlushCaptured(target)) return 0;
  if (!file && FlushAll()) return 0;
  return Real<"fflush", int(FILE*)>()(target.file());
}

JOBTAIL_INTERPOSE(int, fflush_unlocked, (FILE * file)) {
  const FileTarget target(file);
  if (FlushCaptured(target)) return 0;
  if (!file && FlushAll()) return 0;
  return Real<"fflush_unlocked", int(FILE*)>()(target.file());
}

}  // namespace jobtail::capture::internal
