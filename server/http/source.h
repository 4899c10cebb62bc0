#ifndef JOBTAIL_SERVER_HTTP_SOURCE_H_
#define JOBTAIL_SERVER_HTTP_SOURCE_H_

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "server/http/rendering.h"
#include "server/log/cursor.h"
#include "server/run/run_table.h"

namespace jobtail::http {

// What a stream sends: pieces that are pulled, each when the one before has gone out. Used by one
// thread at a time.
class Source {
 public:
  using Pieces = std::vector<Rendered>;

  explicit Source(Format format) : format_(format) {}
  virtual ~Source() = default;

  Source(const Source&) = delete;
  Source& operator=(const Source&) = delete;

  // What goes before everything else.
  virtual std::string Head() const;
  // Appends what is to be sent next. May append nothing, whatever it returns.
  virtual absl::StatusOr<Cursor::Next> Pull(Pieces* pieces) = 0;
  // Has `wake` called once, by any thread, when Pull has something. False if it has already.
  virtual bool Wait(std::function<void()> wake) = 0;
  virtual void CancelWait() = 0;
  // Whether Pull may take long or wait for a disk.
  virtual bool IsCostly() const = 0;
  // For a stream that has been idle; empty if the format has none.
  virtual std::string Heartbeat() const = 0;
  // What a client that comes back would ask for, in words; empty if there is nothing to say.
  virtual std::string ResumePoint() const { return ""; }
  // What goes after everything else. A stream that ends early ends with an error.
  std::string Farewell(const absl::Status& status) const;

  Format format() const { return format_; }

 private:
  const Format format_;
};

// A run's log: for TailLog and RunJob.
class LogSource final : public Source {
 public:
  // `on_gone` is called by the destructor if the end was not reached. `cache` outlives the source.
  LogSource(Format format, std::unique_ptr<Cursor> cursor, RenderingCache* cache, std::string head,
            std::function<void()> on_gone);
  ~LogSource() override;

  std::string Head() const override { return Source::Head() + head_; }
  absl::StatusOr<Cursor::Next> Pull(Pieces* pieces) override;
  bool Wait(std::function<void()> wake) override { return cursor_->Wait(std::move(wake)); }
  void CancelWait() override { cursor_->CancelWait(); }
  bool IsCostly() const override { return !cursor_->IsCheap(); }
  std::string Heartbeat() const override;
  std::string ResumePoint() const override;

 private:
  const std::unique_ptr<Cursor> cursor_;
  RenderingCache* const cache_;
  const std::string head_;
  const std::function<void()> on_gone_;
  bool ended_ = false;
};

// The runs that change: for WatchRuns.
class WatchSource final : public Source {
 public:
  WatchSource(Format format, std::unique_ptr<RunWatch> watch);

  absl::StatusOr<Cursor::Next> Pull(Pieces* pieces) override;
  bool Wait(std::function<void()> wake) override { return watch_->Wait(std::move(wake)); }
  void CancelWait() override { watch_->CancelWait(); }
  bool IsCostly() const override { return false; }
  std::string Heartbeat() const override;

 private:
  const std::unique_ptr<RunWatch> watch_;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_SOURCE_H_
