// A feed and a writer that do what a test says, for streams without a log and without a door.
#ifndef JOBTAIL_TESTS_SERVER_STREAM_STREAM_FAKES_H_
#define JOBTAIL_TESTS_SERVER_STREAM_STREAM_FAKES_H_

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "server/stream/feed.h"
#include "server/stream/stream.h"
#include "server/stream/stream_writer.h"

namespace jobtail::testing {

// What there is to be read, added by the test. Outlives the feeds that it has made. Thread-safe.
class Script {
 public:
  // Each is read by one Read; empty: nothing, but there is more. "one|two" is two records, which a
  // writer sends as two messages.
  void Add(const std::string& text);
  // The same, but nobody is woken: it is to be read at `at`, by the steady clock.
  void AddDue(const std::string& text, absl::Duration at);
  void End(absl::Status status = absl::OkStatus());
  // Takes its reader's right to read away.
  void Refuse(absl::Status status);
  // Whether Read is done by whoever comes by.
  void SetCheap(bool cheap);
  // From now on feeds are searches.
  void Search();
  // Holds back each Read, but for the first ones of all, until it is let go on.
  void Hold(int64_t first = 0);
  void Release();
  void AwaitHeld();

  int64_t reads() const;  // that have begun
  int gone() const;       // how often it was told that the client has gone
  void AwaitGone() const;

  std::unique_ptr<Feed> MakeFeed();

 private:
  friend class ScriptFeed;

  void Wake() ABSL_LOCKS_EXCLUDED(mutex_);

  mutable absl::Mutex mutex_;
  std::deque<std::string> texts_ ABSL_GUARDED_BY(mutex_);
  std::optional<absl::Status> end_ ABSL_GUARDED_BY(mutex_);
  absl::Status right_ ABSL_GUARDED_BY(mutex_);
  absl::Duration due_ ABSL_GUARDED_BY(mutex_) = absl::InfiniteDuration();
  bool cheap_ ABSL_GUARDED_BY(mutex_) = true;
  bool searches_ ABSL_GUARDED_BY(mutex_) = false;
  bool held_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t not_held_ ABSL_GUARDED_BY(mutex_) = 0;  // so many first ones
  bool waiting_ ABSL_GUARDED_BY(mutex_) = false;
  int64_t reads_ ABSL_GUARDED_BY(mutex_) = 0;
  int64_t position_ ABSL_GUARDED_BY(mutex_) = 1;
  int gone_ ABSL_GUARDED_BY(mutex_) = 0;
  std::function<void()> wake_ ABSL_GUARDED_BY(mutex_);
};

// Notes what is sent, and reports it as gone when the test says so. Gives its stream up when it is
// destroyed. Thread-safe.
class FakeWriter : public StreamWriter {
 public:
  // `set` outlives it.
  explicit FakeWriter(StreamSet* set, Stream::Executor executor = nullptr);
  ~FakeWriter() override;

  Stream& stream() { return *stream_; }

  // What was begun to be sent, "begin", "heartbeat N" and texts, since the start.
  std::vector<std::string> sent() const;
  void AwaitSent(size_t count) const;
  // The name of the thread that began the last of it.
  std::string sender() const;
  // The message on its way is gone.
  void Deliver(bool ok = true);
  // Delivers each message as it comes, from now on, on a thread of its own.
  void DeliverAll();
  void AwaitFinish() const;
  bool finished() const;
  absl::Status status() const;
  std::optional<int64_t> resume_point() const;

  // From now on all messages that SendNext begins are within a group.
  void Group() ABSL_LOCKS_EXCLUDED(mutex_);

  // What Take is to return.
  void RefuseAll(absl::Status status);

  size_t Begin() override;
  absl::Status Take(std::vector<Slice>* slices) override;
  size_t SendNext() override;
  bool IsWithinGroup() const override;
  size_t SendHeartbeat(const Slice& heartbeat) override;
  std::optional<int64_t> ResumePointWithin() const override;
  void Finish(const absl::Status& status, std::optional<int64_t> resume_point) override;

 private:
  void Note(std::string what);
  bool TakeInFlight(bool wait);

  const std::shared_ptr<Stream> stream_;
  mutable absl::Mutex mutex_;
  std::vector<std::string> sent_ ABSL_GUARDED_BY(mutex_);
  std::string sender_ ABSL_GUARDED_BY(mutex_);
  std::deque<std::string> taken_ ABSL_GUARDED_BY(mutex_);
  int64_t records_ ABSL_GUARDED_BY(mutex_) = 0;  // that were sent
  bool in_flight_ ABSL_GUARDED_BY(mutex_) = false;
  bool overlapped_ ABSL_GUARDED_BY(mutex_) = false;  // two at a time, or one after Finish
  int finishes_ ABSL_GUARDED_BY(mutex_) = 0;
  absl::Status refusal_ ABSL_GUARDED_BY(mutex_);
  absl::Status status_ ABSL_GUARDED_BY(mutex_);
  std::optional<int64_t> resume_point_ ABSL_GUARDED_BY(mutex_);
  bool groups_ ABSL_GUARDED_BY(mutex_) = false;
  bool closing_ ABSL_GUARDED_BY(mutex_) = false;
  std::thread deliverer_;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_STREAM_STREAM_FAKES_H_
