// What a stream reads: a run's log, or the runs that change.
#ifndef JOBTAIL_SERVER_STREAM_FEED_H_
#define JOBTAIL_SERVER_STREAM_FEED_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "server/log/batch.h"
#include "server/log/cursor.h"
#include "server/run/run_table.h"

namespace jobtail {

// What is there to be read next, as encoded messages. Owned by its stream, which calls it from one
// thread at a time; those that say so may be called beside another function.
class Feed {
 public:
  using Next = Cursor::Next;

  virtual ~Feed() = default;

  // Appends what comes next, up to a little more than `most_bytes` or what the feed has of its own;
  // perhaps nothing, whatever it returns. An error ends the stream.
  virtual absl::StatusOr<Next> Read(size_t most_bytes, std::vector<Slice>* slices) = 0;
  // The same where that neither takes long nor waits for the store. Nullopt, having appended
  // nothing, where it would: Read it.
  virtual std::optional<Next> TryRead(size_t most_bytes, std::vector<Slice>* slices) = 0;
  // Whether TryRead would do, as far as can be said beforehand.
  virtual bool IsCheap() const = 0;

  // Whether a Read may keep a processor busy for long.
  virtual bool Searches() const { return false; }

  // To be called before all else, if at all: a part of a long Read may be done by a thread that
  // `run_beside` finds.
  virtual void Share(RunBeside /*run_beside*/) {}  // NOLINT: overrides keep it

  // Has `wake` called once, by any thread, as soon as Read has something new. False if it has
  // already.
  virtual bool Wait(std::function<void()> wake) = 0;
  // Forgets the `wake` of the last Wait. One that is just being called is not waited for.
  virtual void CancelWait() = 0;

  // When Read has something though nothing has come, by the steady clock; infinite most of the
  // time. May be called beside another function.
  virtual absl::Duration ReadsAt() const { return absl::InfiniteDuration(); }

  // Where a client that has got everything which was read so far would go on; nullopt if there is
  // no such thing.
  virtual std::optional<int64_t> ResumePoint() const = 0;
  // A sign of life that says that everything before `resume_point` has been read, as a message like
  // those that Read appends; empty, without a buffer, if the feed has none of its own.
  // May be called beside another function.
  virtual Slice Heartbeat(std::optional<int64_t> resume_point) const = 0;

  // OK while the reader may read on. May be called beside another function, by any thread.
  virtual absl::Status MayRead() const { return absl::OkStatus(); }

  // The client has gone before the end. To be called once at most. May wait for the store. May be
  // called beside another function.
  virtual void ClientGone() const {}
};

// The records of a log and messages about its run, as elements of a LogBatch.
class LogFeed final : public Feed {
 public:
  // Reads some `bytes` at a time at most. `on_client_gone` may be null.
  LogFeed(std::unique_ptr<Cursor> cursor, size_t bytes, std::function<void()> on_client_gone);

  absl::StatusOr<Next> Read(size_t most_bytes, std::vector<Slice>* slices) override {
    return cursor_->Read(std::min(bytes_, most_bytes), slices);
  }
  std::optional<Next> TryRead(size_t most_bytes, std::vector<Slice>* slices) override {
    return cursor_->TryRead(std::min(bytes_, most_bytes), slices);
  }
  bool IsCheap() const override { return cursor_->IsCheap(); }
  bool Searches() const override { return cursor_->filters(); }
  void Share(RunBeside run_beside) override { cursor_->ShareSearch(std::move(run_beside)); }
  bool Wait(std::function<void()> wake) override { return cursor_->Wait(std::move(wake)); }
  void CancelWait() override { cursor_->CancelWait(); }
  absl::Duration ReadsAt() const override { return cursor_->ReadsAt(); }
  std::optional<int64_t> ResumePoint() const override { return cursor_->next(); }
  Slice Heartbeat(std::optional<int64_t> resume_point) const override;
  absl::Status MayRead() const override { return cursor_->MayRead(); }
  void ClientGone() const override;

 private:
  const std::unique_ptr<Cursor> cursor_;
  const size_t bytes_;
  const std::function<void()> on_client_gone_;
};

// The runs that change, each an encoded Run.
class RunFeed final : public Feed {
 public:
  explicit RunFeed(std::unique_ptr<RunWatch> watch);

  absl::StatusOr<Next> Read(size_t most_bytes, std::vector<Slice>* slices) override {
    return *TryRead(most_bytes, slices);
  }
  std::optional<Next> TryRead(size_t most_bytes, std::vector<Slice>* slices) override;
  bool IsCheap() const override { return true; }
  bool Wait(std::function<void()> wake) override { return watch_->Wait(std::move(wake)); }
  void CancelWait() override { watch_->CancelWait(); }
  std::optional<int64_t> ResumePoint() const override { return std::nullopt; }
  Slice Heartbeat(std::optional<int64_t>) const override { return {}; }
  absl::Status MayRead() const override { return watch_->MayRead(); }

 private:
  const std::unique_ptr<RunWatch> watch_;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_STREAM_FEED_H_
