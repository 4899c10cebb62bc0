// Reading a log to its end, and waiting for records.

#include "tests/server/support/following.h"

#include <cstdio>
#include <cstdlib>
#include <limits>

#include "absl/synchronization/notification.h"
#include "tests/server/support/records.h"

namespace jobtail::testing {
namespace {

void Require(const absl::Status& status) {
  if (status.ok()) return;
  fprintf(stderr, "%s\n", status.ToString().c_str());
  abort();
}

}  // namespace

v1::TailLogRequest Follow() {
  v1::TailLogRequest request;
  request.set_follow(true);
  return request;
}

bool Await(Cursor& cursor) {
  auto woken = std::make_shared<absl::Notification>();
  if (!cursor.Wait([woken] { woken->Notify(); })) return false;
  woken->WaitForNotification();
  return true;
}

void AwaitRecord(Log& log, int64_t sequence) {
  while (true) {
    auto woken = std::make_shared<absl::Notification>();
    int64_t id;
    const int64_t version = std::numeric_limits<int64_t>::max();
    if (!log.Wait(
            sequence, version, [woken] { woken->Notify(); }, &id))
      return;
    woken->WaitForNotification();
  }
}

std::vector<v1::LogLine> ReadToEnd(Cursor& cursor, size_t bytes_at_once) {
  std::vector<v1::LogLine> lines;
  while (true) {
    std::vector<Slice> slices;
    const absl::StatusOr<Cursor::Next> next = cursor.Read(bytes_at_once, &slices);
    Require(next.status());
    for (v1::LogLine& line : Decode(slices)) lines.push_back(std::move(line));
    if (*next == Cursor::Next::kEnd) return lines;
    if (*next == Cursor::Next::kWait) Await(cursor);
  }
}

std::vector<v1::LogLine> ReadToEnd(const std::shared_ptr<Log>& log,
                                   const v1::TailLogRequest& request) {
  const auto cursor = Cursor::Open(log, request);
  Require(cursor.status());
  return RecordsOf(ReadToEnd(**cursor));
}

}  // namespace jobtail::testing
