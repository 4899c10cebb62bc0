// A sink that remembers, and a look at what a child process printed and captured.
#ifndef JOBTAIL_TESTS_CAPTURE_RECORDER_H_
#define JOBTAIL_TESTS_CAPTURE_RECORDER_H_

#include <condition_variable>
#include <deque>
#include <functional>
#include <iosfwd>
#include <mutex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "capture/sink.h"

namespace jobtail::capture {

// A line that a sink was given.
struct Record {
  Stream stream;
  Ending ending;
  std::string text;

  bool operator==(const Record&) const = default;
};

std::ostream& operator<<(std::ostream& out, const Record& record);

inline Record Out(std::string_view text, Ending ending = Ending::kLf) {
  return {Stream::kStdout, ending, std::string(text)};
}
inline Record Err(std::string_view text, Ending ending = Ending::kLf) {
  return {Stream::kStderr, ending, std::string(text)};
}
inline Record OutPart(std::string_view text) { return Out(text, Ending::kNone); }
inline Record ErrPart(std::string_view text) { return Err(text, Ending::kNone); }

// A sink that keeps what it gets. Thread-safe.
class Recorder : public Sink {
 public:
  void Write(std::span<const Line> lines) noexcept override;

  // Takes text that has waited only if that is what a test is about: elsewhere it would depend on
  // the machine's speed whether a line comes in one piece.
  bool TryWrite(std::span<const Line> lines) noexcept override;
  void TakeWaitingText();

  // Waits until `done` is true of what has come; if that takes too long, ends the process.
  void WaitFor(const std::function<bool(const std::vector<Record>&)>& done);

  std::vector<Record> records() const;

 private:
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  bool takes_waiting_text_ = false;
  std::vector<Record> records_;
};

// What was seen of a process: the records of its sinks, and what came out of its real descriptors.
struct Observation {
  std::vector<std::vector<Record>> sinks;
  std::string out;
  std::string err;

  const std::vector<Record>& captured() const { return sinks.at(0); }
};

// Runs `body` in a child process, with one sink or several. The child must end by itself and well;
// Require() is how it checks something.
Observation Observe(const std::function<void(Recorder& sink)>& body);
Observation ObserveSinks(size_t count,
                         const std::function<void(std::deque<Recorder>& sinks)>& body);

// Ends the process with a message if `condition` is false.
void Require(bool condition, const char* what);

// The bytes that were printed on a stream, put together again.
std::string Join(std::span<const Record> records, Stream stream);

}  // namespace jobtail::capture

#endif  // JOBTAIL_TESTS_CAPTURE_RECORDER_H_
