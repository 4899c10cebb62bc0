// Where a server program's own log goes.
#ifndef JOBTAIL_SERVER_STDERR_SINK_H_
#define JOBTAIL_SERVER_STDERR_SINK_H_

#include <spdlog/sinks/base_sink.h>

#include <cstdint>
#include <mutex>
#include <string>
#include <string_view>

namespace jobtail {

// Writes to standard error, and never waits for whoever reads that: where a pipe is full or a
// terminal stopped, a message is left out, and the next that finds room says how many were. What
// was written is out when the call returns, so that the end of the process takes nothing of it.
// Thread-safe.
class StderrSink : public spdlog::sinks::base_sink<std::mutex> {
 public:
  StderrSink();

 protected:
  void sink_it_(const spdlog::details::log_msg& message) override;
  void flush_() override {}

 private:
  bool Write(std::string_view text) const;
  std::string Coloured(const spdlog::details::log_msg& message, std::string_view text) const;

  const bool is_terminal_;
  int64_t left_out_ = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STDERR_SINK_H_
