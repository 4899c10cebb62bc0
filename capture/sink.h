// The receiver of captured lines, and what a line is.
#ifndef JOBTAIL_CAPTURE_SINK_H_
#define JOBTAIL_CAPTURE_SINK_H_

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

namespace jobtail::capture {

// The two output streams of a program. The values are the descriptors' numbers.
enum class Stream : uint8_t { kStdout = 1, kStderr = 2 };

// How a line ended. What was printed is the line's text followed by the terminator named here.
enum class Ending : uint8_t {
  kLf = 1,     // "\n"
  kCr = 2,     // "\r": on a terminal the next line overwrites this one
  kNone = 3,   // nothing yet: flushed, or waited kPartialDelay for its terminator; the next line
               // continues it
  kSplit = 4,  // nothing: longer than kMaxLineBytes; the next line of the same stream continues it
};

// The longest text of a line, in bytes. A longer line is handed on in pieces that end in kSplit,
// cut between UTF-8 characters where the text is UTF-8.
inline constexpr size_t kMaxLineBytes = 64 << 10;

// How long text waits for its terminator before it is handed on without one.
inline constexpr std::chrono::milliseconds kPartialDelay{100};

// A piece of output: a line of text, or a part of one.
struct Line {
  Stream stream;
  Ending ending;
  int64_t time_unix_nanos;  // when the line was completed, by the system's clock
  std::string_view text;    // without the terminator; any bytes; valid during the call only
};

// A program with libc++ and a capture with libstdc++, or the other way round, would read each
// other's lines wrongly. So the name of the C++ library is a part of a symbol that both need, and
// they do not link.
#ifdef _LIBCPP_VERSION
class [[gnu::abi_tag("libcxx")]] Sink;
#endif

// Receives what captured threads print. Implemented by the user of this library, who owns it and
// keeps it alive until the Scope that refers to it has ended.
//
// Called by the captured threads themselves, by several at once if the scope covers several, and by
// a thread of this library for text that has waited for its terminator. What a sink prints itself
// goes to the real descriptors.
class Sink {
 public:
  virtual ~Sink() = default;

  // Takes lines that one thread printed, in the order in which it completed them. May block, which
  // holds up that thread alone. Must not throw. A thread that is cancelled meanwhile
  // (pthread_cancel) ends when it has returned.
  virtual void Write(std::span<const Line> lines) noexcept = 0;

  // The same, but returns false, having taken nothing, where Write would block. It is asked again
  // later. Called by threads of the library, which serve all scopes: one that blocks holds up what
  // other scopes wait for. A sink that never blocks calls Write() here and returns true; one that
  // always returns false gets unfinished text, and what child processes print, when its threads
  // print or wait for their children, or at the end.
  virtual bool TryWrite(std::span<const Line> lines) noexcept = 0;
};

}  // namespace jobtail::capture

#endif  // JOBTAIL_CAPTURE_SINK_H_
