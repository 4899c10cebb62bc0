// Functions of the C library that print messages of their own to stderr: perror, err and warn,
// error, psignal, and the last words of assert. Where the text is taken, the real function is not
// called, unless it does more than print.

#include <assert.h>
#include <err.h>
#include <error.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <array>
#include <cerrno>
#include <string>
#include <string_view>

#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {
namespace {

// Whether the job's stderr is not the process's: it leads to the sink, or the job has led it
// elsewhere.
bool IsOwn(const FileTarget& target) {
  return target.IsCaptured() || StandardStream(target.file()) == Stream{};
}
bool HasOwnStderr() { return current.thread && IsOwn(FileTarget(stderr)); }

// Takes `text` as standard error's; false if it is for the real one.
bool TakeMessage(std::string_view text) {
  const FileTarget target(stderr);
  if (!current.thread || !IsOwn(target)) return false;
  if (target.IsCaptured()) return target.Take(text);
  Real<"fwrite", size_t(const void*, size_t, size_t, FILE*)>()(text.data(), 1, text.size(),
                                                               target.file());
  Real<"fflush", int(FILE*)>()(target.file());
  return true;
}

std::string Format(const char* format, va_list arguments) {
  char* text = nullptr;
  va_list again;
  va_copy(again, arguments);
  const int size = vasprintf(&text, format, again);
  va_end(again);
  if (size < 0) return {};
  std::string formatted(text, static_cast<size_t>(size));
  free(text);
  return formatted;
}

std::string Describe(int error) {
  std::array<char, 256> space;
  return strerror_r(error, space.data(), space.size());
}

// --- <err.h>: "program: text: error"

// False if the message is for the C library.
bool TakeWarning(const int* error, const char* format, va_list arguments) {
  if (!HasOwnStderr()) return false;
  const int before = errno;
  std::string text = std::string(program_invocation_short_name) + ": ";
  if (format) text += Format(format, arguments);
  if (error) text += (format ? ": " : "") + Describe(*error);
  const bool taken = TakeMessage(text + "\n");
  errno = before;
  return taken;
}

// --- <error.h>: "program:file:line: text: error"

struct Place {
  const char* file = nullptr;
  unsigned line = 0;
};

std::string Prefix(const Place& place) {
  std::string prefix = std::string(program_invocation_name) + ":";
  if (place.file) return prefix + place.file + ":" + std::to_string(place.line) + ": ";
  return prefix + " ";
}

// False if the message is for the C library.
bool TakeError(int status, int error, const Place& place, const char* format, va_list arguments) {
  if (!HasOwnStderr() || error_print_progname) return false;
  current.thread->Flush(Stream::kStdout);
  std::string text = Prefix(place) + Format(format, arguments);
  if (error) text += ": " + Describe(error);
  if (!TakeMessage(text + "\n")) return false;
  __atomic_add_fetch(&error_message_count, 1, __ATOMIC_RELAXED);
  if (status) exit(status);
  return true;
}

// --- Last words

// "program: file:line: function: " as assert says it.
std::string AssertPrefix(const char* file, unsigned line, const char* function) {
  std::string prefix = program_invocation_short_name;
  prefix += std::string(*program_invocation_short_name ? ": " : "") + file + ":" +
            std::to_string(line) + ": ";
  if (function) prefix += std::string(function) + ": ";
  return prefix;
}

// The sink may go down with the process, so that last words go both ways.
void TakeLastWords(const std::string& text) {
  if (HasOwnStderr()) TakeMessage(text);
}

}  // namespace

void LinkMessages() {}

#define JOBTAIL_WITH_ARGUMENTS(call) \
  va_list arguments;                 \
  va_start(arguments, format);       \
  call;                              \
  va_end(arguments);

JOBTAIL_INTERPOSE(void, vwarn, (const char* format, va_list arguments)) {
  const int error = errno;
  if (TakeWarning(&error, format, arguments)) return;
  Real<"vwarn", void(const char*, va_list)>()(format, arguments);
}
JOBTAIL_INTERPOSE(void, vwarnx, (const char* format, va_list arguments)) {
  if (TakeWarning(nullptr, format, arguments)) return;
  Real<"vwarnx", void(const char*, va_list)>()(format, arguments);
}
JOBTAIL_INTERPOSE(void, verr, (int status, const char* format, va_list arguments)) {
  const int error = errno;
  if (TakeWarning(&error, format, arguments)) exit(status);
  Real<"verr", void(int, const char*, va_list)>()(status, format, arguments);
}
JOBTAIL_INTERPOSE(void, verrx, (int status, const char* format, va_list arguments)) {
  if (TakeWarning(nullptr, format, arguments)) exit(status);
  Real<"verrx", void(int, const char*, va_list)>()(status, format, arguments);
}
JOBTAIL_INTERPOSE(void, warn, (const char* format, ...)){
    JOBTAIL_WITH_ARGUMENTS(vwarn(format, arguments))} JOBTAIL_INTERPOSE(void, warnx,
                                                                        (const char* format, ...)){
    JOBTAIL_WITH_ARGUMENTS(vwarnx(format, arguments))} JOBTAIL_INTERPOSE(void, err,
                                                                         (int status,
                                                                          const char* format, ...)){
    JOBTAIL_WITH_ARGUMENTS(verr(status, format, arguments))} JOBTAIL_INTERPOSE(void, errx,
                                                                               (int status,
                                                                                const char* format,
                                                                                ...)){
    JOBTAIL_WITH_ARGUMENTS(verrx(status, format, arguments))}

// The C library has no variants of these with a va_list, so that what is not taken is formatted
// here.
JOBTAIL_INTERPOSE(void, error, (int status, int error, const char* format, ...)) {
  bool taken;
  std::string text;
  JOBTAIL_WITH_ARGUMENTS(taken = TakeError(status, error, {}, format, arguments);
                         if (!taken) text = Format(format, arguments))
  if (!taken) {
    Real<"error", void(int, int, const char*, ...)>()(status, error, "%s", text.c_str());
  }
}
JOBTAIL_INTERPOSE(void, error_at_line,
                  (int status, int error, const char* file, unsigned line, const char* format,
                   ...)) {
  bool taken;
  std::string text;
  JOBTAIL_WITH_ARGUMENTS(taken = TakeError(status, error, {file, line}, format, arguments);
                         if (!taken) text = Format(format, arguments))
  if (!taken) {
    Real<"error_at_line", void(int, int, const char*, unsigned, const char*, ...)>()(
        status, error, file, line, "%s", text.c_str());
  }
}

JOBTAIL_INTERPOSE(void, perror, (const char* text)) {
  const int error = errno;
  if (HasOwnStderr()) {
    std::array<char, 256> space;
    std::array<char, 1024> message;
    const bool named = text && *text;
    // On the stack, for signal handlers.
    const int size = snprintf(message.data(), message.size(), "%s%s%s\n", named ? text : "",
                              named ? ": " : "", strerror_r(error, space.data(), space.size()));
    const bool taken = static_cast<size_t>(size) < message.size()
                           ? TakeMessage({message.data(), static_cast<size_t>(size)})
                           : TakeMessage(std::string(text) + ": " + Describe(error) + "\n");
    errno = error;
    if (taken) return;
  }
  Real<"perror", void(const char*)>()(text);
}

JOBTAIL_INTERPOSE(void, psignal, (int signal, const char* text)) {
  if (HasOwnStderr()) {
    const char* const name = sigdescr_np(signal);
    std::string message = text && *text ? std::string(text) + ": " : "";
    message += name ? name : "Unknown signal " + std::to_string(signal);
    if (TakeMessage(message + "\n")) return;
  }
  Real<"psignal", void(int, const char*)>()(signal, text);
}

JOBTAIL_INTERPOSE(void, __assert_fail,
                  (const char* condition, const char* file, unsigned line, const char* function)) {
  TakeLastWords(AssertPrefix(file, line, function) + "Assertion `" + condition + "' failed.\n");
  Real<"__assert_fail", void(const char*, const char*, unsigned, const char*)>()(condition, file,
                                                                                 line, function);
  abort();
}
JOBTAIL_INTERPOSE(void, __assert_perror_fail,
                  (int error, const char* file, unsigned line, const char* function)) {
  TakeLastWords(AssertPrefix(file, line, function) + "Unexpected error: " + Describe(error) +
                ".\n");
  Real<"__assert_perror_fail", void(int, const char*, unsigned, const char*)>()(error, file, line,
                                                                                function);
  abort();
}

}  // namespace jobtail::capture::internal
