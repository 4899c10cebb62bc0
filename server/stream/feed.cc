// Feeds over a log's cursor and over the table of runs.
#include "server/stream/feed.h"

#include <algorithm>
#include <utility>

namespace jobtail {
namespace {

// So many runs go out together, unless they are large.
constexpr int kRunsAtOnce = 64;
constexpr size_t kRunBytesAtOnce = 64 << 10;

}  // namespace

LogFeed::LogFeed(std::unique_ptr<Cursor> cursor, size_t bytes, std::function<void()> on_client_gone)
    : cursor_(std::move(cursor)), bytes_(bytes), on_client_gone_(std::move(on_client_gone)) {}

Slice LogFeed::Heartbeat(std::optional<int64_t> resume_point) const {
  return cursor_->Heartbeat(resume_point.value_or(1) - 1);
}

void LogFeed::ClientGone() const {
  if (on_client_gone_) on_client_gone_();
}

RunFeed::RunFeed(std::unique_ptr<RunWatch> watch) : watch_(std::move(watch)) {}

std::optional<Feed::Next> RunFeed::TryRead(size_t most_bytes, std::vector<Slice>* slices) {
  size_t all_bytes = 0;
  const size_t most = std::min(most_bytes, kRunBytesAtOnce);
  for (int runs = 0; runs < kRunsAtOnce && all_bytes < most; ++runs) {
    const std::optional<v1::Run> run = watch_->Next();
    if (!run) return Next::kWait;
    std::string bytes = run->SerializeAsString();
    const size_t size = bytes.size();
    all_bytes += size;
    slices->push_back({jobtail::Share(std::move(bytes)), 0, size});
  }
  return Next::kMore;
}

}  // namespace jobtail
