// The capture sink that appends to a log.
#ifndef JOBTAIL_SERVER_RUN_LOG_SINK_H_
#define JOBTAIL_SERVER_RUN_LOG_SINK_H_

#include <span>

#include "capture/sink.h"
#include "server/log/log.h"

namespace jobtail {

// Where capture and log meet: appends what captured threads print to a log. Thread-safe.
class LogSink : public capture::Sink {
 public:
  // `log` outlives the sink.
  explicit LogSink(Log* log) : log_(log) {}

  void Write(std::span<const capture::Line> lines) noexcept override;
  bool TryWrite(std::span<const capture::Line> lines) noexcept override;

 private:
  Log* const log_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RUN_LOG_SINK_H_
