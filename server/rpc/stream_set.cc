#include "server/rpc/stream_set.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "server/rpc/stream_reactor.h"

namespace jobtail {

StreamSet::StreamSet(absl::Duration heartbeat)
    : heartbeat_(heartbeat),
      filters_("rpc-filters"),
      reads_("rpc-reads"),
      scheduler_("rpc-streams") {
  ScheduleTick();
}

StreamSet::~StreamSet() = default;

void StreamSet::Add(const std::shared_ptr<StreamReactor>& stream) {
  bool stopped;
  {
    absl::MutexLock lock(&mutex_);
    streams_.emplace(stream.get(), stream);
    stopped = stopped_;
  }
  if (stopped) stream->Stop(/*now=*/false);
}

void StreamSet::Remove(StreamReactor* stream) {
  absl::MutexLock lock(&mutex_);
  streams_.erase(stream);
}

void StreamSet::StopAll(absl::Time deadline) {
  {
    absl::MutexLock lock(&mutex_);
    stopped_ = true;
  }
  for (const auto& stream : All()) stream->Stop(/*now=*/false);
  {
    absl::MutexLock lock(&mutex_);
    mutex_.AwaitWithDeadline(absl::Condition(this, &StreamSet::IsEmptyLocked), deadline);
  }
  for (const auto& stream : All()) stream->Stop(/*now=*/true);
}

std::vector<std::shared_ptr<StreamReactor>> StreamSet::All() const {
  std::vector<std::shared_ptr<StreamReactor>> all;
  absl::MutexLock lock(&mutex_);
  for (const auto& [pointer, weak] : streams_) {
    if (auto stream = weak.lock()) all.push_back(std::move(stream));
  }
  return all;
}

StreamStats StreamSet::stats() const {
  const absl::Time now = absl::Now();
  const auto all = All();
  StreamStats stats{.open = static_cast<int64_t>(all.size()),
                    .messages = messages_.load(std::memory_order_relaxed),
                    .bytes = bytes_.load(std::memory_order_relaxed)};
  for (const auto& stream : all) stats.stalled += stream->IsStalled(now) ? 1 : 0;
  return stats;
}

void StreamSet::ScheduleTick() {
  const absl::Duration period = std::min(heartbeat_ / 4, absl::Seconds(1));
  scheduler_.After(period, [this] { Tick(); });
}

void StreamSet::Tick() {
  const absl::Time now = absl::Now();
  for (const auto& stream : All()) stream->Tick(now);
  ScheduleTick();
}

}  // namespace jobtail
