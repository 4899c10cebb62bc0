// Libraries as they are shipped.

#include <dlfcn.h>
#include <err.h>
#include <error.h>
#include <fmt/color.h>
#include <fmt/core.h>
#include <fmt/ostream.h>
#include <fmt/printf.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <spdlog/sinks/ansicolor_sink.h>
#include <spdlog/sinks/ostream_sink.h>
#include <spdlog/sinks/stdout_sinks.h>
#include <spdlog/spdlog.h>
#include <stdarg.h>
#include <stdio.h>

#include <cerrno>
#include <iostream>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "tests/capture/coverage/plugin.h"
#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

TEST(Libraries, Fmt) {
  ExpectCaptured(
      {.captured = {
           [](const Tag& tag) {
             fmt::print("{}:{}\n", tag.thread, tag.repetition);
             fmt::print(stderr, "{}\n", tag.text);
             fmt::print(std::cout, "{}\n", tag.text);
             fmt::fprintf(stderr, "%d:%d\n", tag.thread, tag.repetition);
           },
           [](const Tag& tag) {
             return std::vector{Out(tag.text), Err(tag.text), Out(tag.text), Err(tag.text)};
           }}});
}

TEST(Libraries, FmtWithStyle) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 fmt::print(fmt::emphasis::bold, "{}", tag.text);
                                 fmt::print("\n");
                               },
                               [](const Tag& tag) {
                                 return std::vector{Out("\x1b[1m" + tag.text + "\x1b[0m")};
                               }}});
}

// --- spdlog

using Logger = std::shared_ptr<spdlog::logger>;

// One that prints the message alone.
Logger MakeLogger(std::shared_ptr<spdlog::sinks::sink> sink) {
  auto logger = std::make_shared<spdlog::logger>("logger", std::move(sink));
  logger->set_pattern("%v");
  return logger;
}

std::vector<Logger> MakeLoggers() {
  return {MakeLogger(std::make_shared<spdlog::sinks::stdout_sink_mt>()),
          MakeLogger(std::make_shared<spdlog::sinks::stderr_sink_mt>()),
          MakeLogger(std::make_shared<spdlog::sinks::ansicolor_stdout_sink_mt>()),
          MakeLogger(std::make_shared<spdlog::sinks::ostream_sink_mt>(std::cerr))};
}

Way Logging(std::function<std::vector<Logger>()> loggers) {
  return {[=](const Tag& tag) {
            for (const Logger& logger : loggers()) {
              logger->info("{}:{}", tag.thread, tag.repetition);
            }
          },
          [](const Tag& tag) {
            return std::vector{Out(tag.text), Err(tag.text), Out(tag.text), Err(tag.text)};
          }};
}

// One logger for everybody, as programs have it.
TEST(Libraries, SpdlogSinksMadeBefore) {
  static std::vector<Logger> loggers;
  ExpectCaptured(
      {.captured = Logging([] { return loggers; }), .before = [] { loggers = MakeLoggers(); }});
}

TEST(Libraries, SpdlogSinksMadeDuringTheRun) { ExpectCaptured({.captured = Logging(MakeLoggers)}); }

// --- the C library's own messages

std::string ErrnoText() { return ": No such file or directory"; }

void Vwarn(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vwarn(format, arguments);
  va_end(arguments);
}

void Vwarnx(const char* format, ...) {
  va_list arguments;
  va_start(arguments, format);
  vwarnx(format, arguments);
  va_end(arguments);
}

TEST(Libraries, Err) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 errno = ENOENT;
                                 warn("%d:%d", tag.thread, tag.repetition);
                                 warnx("%d:%d", tag.thread, tag.repetition);
                                 errno = ENOENT;
                                 Vwarn("%s", tag.c_str());
                                 Vwarnx("%s", tag.c_str());
                               },
                               [](const Tag& tag) {
                                 const std::string line =
                                     std::string(program_invocation_short_name) + ": " + tag.text;
                                 return std::vector{Err(line + ErrnoText()), Err(line),
                                                    Err(line + ErrnoText()), Err(line)};
                               }}});
}

TEST(Libraries, Error) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 printf("first, ");  // error() flushes stdout
                                 error(0, ENOENT, "%d:%d", tag.thread, tag.repetition);
                                 error_at_line(0, 0, "file.c", 17, "%s", tag.c_str());
                                 puts("last");
                               },
                               [](const Tag& tag) {
                                 const std::string name = program_invocation_name;
                                 return std::vector{
                                     OutPart("first, "), Err(name + ": " + tag.text + ErrnoText()),
                                     Err(name + ":file.c:17: " + tag.text), Out("last")};
                               }}});
}

TEST(Libraries, Psignal) {
  ExpectCaptured(
      {.captured = {[](const Tag& tag) { psignal(SIGTERM, tag.c_str()); },
                    [](const Tag& tag) { return std::vector{Err(tag.text + ": Terminated")}; }}});
}

// Writes to the descriptor from within the C library.
TEST(Libraries, PsiginfoWithPrivateDescriptors) {
  SKIP_PRIVATE_DESCRIPTORS_UNDER_THREAD_SANITIZER();
  const Way way{[](const Tag& tag) {
                  siginfo_t info = {};
                  info.si_signo = SIGINT;
                  info.si_code = SI_USER;
                  info.si_pid = 17;
                  psiginfo(&info, tag.c_str());
                },
                [](const Tag& tag) {
                  return std::vector{Err(tag.text + ": Interrupt (Signal sent by kill() 17 0)")};
                }};
  ExpectCaptured({.captured = way, .options = {.private_descriptors = true}});
}

// --- libraries that a job opens

const Plugin* OpenPlugin(int flags) {
  void* const library = dlopen(COVERAGE_PLUGIN, RTLD_NOW | flags);
  Require(library != nullptr, "the library opens");
  return static_cast<const Plugin*>(dlsym(library, "coverage_plugin"));
}

std::vector<Record> OfPlugin(const Tag& tag) {
  return {Out("printf " + tag.text), Out("cout " + tag.text), Err("write " + tag.text)};
}

Way WithPlugin(int flags) {
  return {[flags](const Tag& tag) {
            static const Plugin* const plugin = OpenPlugin(flags);
            plugin->with_printf(tag.c_str());
            plugin->with_cout(tag.c_str());
            plugin->with_write(tag.c_str());
          },
          OfPlugin};
}

TEST(Libraries, OpenedWithRtldLocal) { ExpectCaptured({.captured = WithPlugin(RTLD_LOCAL)}); }

#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)  // neither can open such a one

Way WithDeepboundPrintf() {
  return {[](const Tag& tag) {
            static const Plugin* const plugin = OpenPlugin(RTLD_LOCAL | RTLD_DEEPBIND);
            plugin->with_printf(tag.c_str());
          },
          [](const Tag& tag) { return std::vector{Out("printf " + tag.text)}; }};
}

TEST(Libraries, OpenedWithRtldDeepbindAndReplacedStdio) {
  ExpectCaptured({.captured = WithDeepboundPrintf(), .options = {.replace_stdio = true}});
}

TEST(Libraries, OpenedWithRtldDeepbindAndPrivateDescriptors) {
  const Way way{[](const Tag& tag) {
                  static const Plugin* const plugin = OpenPlugin(RTLD_LOCAL | RTLD_DEEPBIND);
                  plugin->with_write(tag.c_str());
                },
                [](const Tag& tag) { return std::vector{Err("write " + tag.text)}; }};
  ExpectCaptured({.captured = way, .options = {.private_descriptors = true}});
}

// Such a library is bound to the C library directly: only the options reach it.
TEST(Libraries, OpenedWithRtldDeepbindIsNotSeenByDefault) {
  const Row row{.captured = WithDeepboundPrintf()};
  const Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) ExpectSink(seen, t, {});
  EXPECT_NE(seen.out.find("printf " + Tag(0, row.repetitions - 1).line()), std::string::npos);
}

#endif

}  // namespace
}  // namespace jobtail::capture
