// A map of streams and the thread that looks at each of them now and then.
#include "server/stream/stream_set.h"

#include <algorithm>
#include <utility>

#include "server/stream/stream.h"

namespace jobtail {

StreamSet::StreamSet(StorePool* pool, absl::Duration heartbeat, const std::string& thread,
                     Clock* clock)
    : pool_(pool), heartbeat_(heartbeat), clock_(clock), ticks_(thread, clock) {
  ScheduleTick();
}

StreamSet::~StreamSet() = default;

void StreamSet::Add(const std::shared_ptr<Stream>& stream) {
  bool stopped;
  {
    absl::MutexLock lock(&mutex_);
    streams_.emplace(stream.get(), stream);
    open_ = streams_.size();
    stopped = stopped_;
  }
  if (stopped) stream->Stop(/*now=*/false);
}

void StreamSet::Remove(Stream* stream) {
  const std::lock_guard empty_lock(empty_mutex_);  // until the end: who waits may destroy the set
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
  open_ = streams_.size();
  if (streams_.empty()) emptied_.notify_all();
}

void StreamSet::StopAll(absl::Duration grace) {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  for (const auto& stream : All()) stream->Stop(/*now=*/false);
  AwaitEmpty(grace);
  for (const auto& stream : All()) stream->Stop(/*now=*/true);
}

void StreamSet::CheckRights() {
  ticks_.Soon([this] {
    for (const auto& stream : All()) stream->CheckRight();
  });
}

bool StreamSet::IsEmpty() const {
  absl::MutexLock lock(&mutex_);
  return streams_.empty();
}

void StreamSet::AwaitEmpty(absl::Duration grace) {
  const absl::Duration deadline = clock_->Steady() + grace;
  std::unique_lock lock(empty_mutex_);
  while (!IsEmpty() && clock_->Steady() < deadline) clock_->WaitUntil(deadline, lock, emptied_);
}

std::vector<std::shared_ptr<Stream>> StreamSet::All() const {
  std::vector<std::shared_ptr<Stream>> all;
  absl::MutexLock lock(&mutex_);
  all.reserve(streams_.size());
  for (const auto& [pointer, weak] : streams_) {
    if (auto stream = weak.lock()) all.push_back(std::move(stream));
  }
  return all;
}

StreamStats StreamSet::stats() const {
  const absl::Duration now = clock_->Steady();
  const auto all = All();
  StreamStats stats{.open = static_cast<int64_t>(all.size()),
                    .messages = messages_.load(std::memory_order_relaxed),
                    .bytes = bytes_.load(std::memory_order_relaxed)};
  for (const auto& stream : all) stats.stalled += stream->IsStalled(now) ? 1 : 0;
  return stats;
}

void StreamSet::ScheduleTick() {
  const absl::Duration period = std::min(heartbeat_ / 4, absl::Milliseconds(500));
  ticks_.After(period, [this] { Tick(); });
}

void StreamSet::Tick() {
  const absl::Duration now = clock_->Steady();
  for (const auto& stream : All()) stream->Tick(now);
  ScheduleTick();
}

}  // namespace jobtail
