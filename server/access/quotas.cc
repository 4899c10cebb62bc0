// Counting places, and buckets of calls.
#include "server/access/quotas.h"

#include <algorithm>

#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"
#include "base/quoting.h"

namespace jobtail::access {
namespace {

constexpr char kRetryAfter[] = "jobtail.retry_after_ms";

absl::Status Exhausted(const std::string& what, absl::Duration delay) {
  absl::Status error = absl::ResourceExhaustedError(
      absl::StrCat(what, "; come back in ", absl::FormatDuration(delay)));
  SetRetryAfter(delay, &error);
  return error;
}

// Looking at thousands of buckets takes a while, in which nobody else is let in.
constexpr absl::Duration kSweepEvery = absl::Seconds(1);

// Of refusals of strangers, in the audit log.
constexpr double kNotedPerSecond = 10;
constexpr double kNotedInARow = 200;

std::string_view NounOf(Quotas::Kind kind) {
  switch (kind) {
    case Quotas::Kind::kStreams:
      return "streams";
    case Quotas::Kind::kActiveRuns:
      return "runs that have not ended";
    case Quotas::Kind::kQueuedRuns:
      return "queued runs";
    case Quotas::Kind::kConnections:
      return "connections";
    case Quotas::Kind::kRequestBytes:
      return "bytes of requests under way";
  }
  return "";
}

}  // namespace

absl::Duration Bucket::Take(double per_second, double most, absl::Duration now) {
  taken_ = std::max(0.0, taken_ - per_second * absl::ToDoubleSeconds(now - last_));
  last_ = now;
  if (taken_ + 1 > most) return absl::Seconds((taken_ + 1 - most) / per_second);
  taken_ += 1;
  return absl::ZeroDuration();
}

bool Bucket::IsFull(double per_second, absl::Duration now) const {
  return taken_ <= per_second * absl::ToDoubleSeconds(now - last_);
}

absl::Duration Buckets::Take(std::string_view key, double per_second, double most,
                             absl::Duration now) {
  if (buckets_.size() >= kMost && !buckets_.contains(absl::string_view(key.data(), key.size()))) {
    if (now - swept_ >= kSweepEvery) {
      swept_ = now;
      absl::erase_if(buckets_,
                     [&](const auto& each) { return each.second.IsFull(per_second, now); });
    }
    if (buckets_.size() >= kMost) key = "";  // which is nobody's own
  }
  return buckets_.try_emplace(std::string(key), now).first->second.Take(per_second, most, now);
}

absl::StatusOr<Quotas::Place> Quotas::Enter(Kind kind, const std::string& principal, int64_t limit,
                                            int64_t size) {
  if (limit == 0) return Place();
  Place place(this, Place::Key(kind, principal), limit);
  if (absl::Status taken = place.Resize(size); !taken.ok()) return taken;
  return place;
}

absl::Status Quotas::Place::Resize(int64_t size) {
  if (!quotas_) return absl::OkStatus();
  if (size > size_) {
    if (absl::Status taken = quotas_->Take(key_, limit_, size - size_); !taken.ok()) return taken;
  } else if (size < size_) {
    quotas_->Leave(key_, size_ - size);
  }
  size_ = size;
  return absl::OkStatus();
}

absl::Status Quotas::Take(const Place::Key& key, int64_t limit, int64_t more) {
  absl::MutexLock lock(&mutex_);
  const auto found = places_.find(key);
  const int64_t taken = found == places_.end() ? 0 : found->second;
  if (more <= limit - taken) {
    places_[key] = taken + more;
    return absl::OkStatus();
  }
  ++refused_places_;
  return Exhausted(
      absl::StrCat(Quoted(key.second), " has ", taken, " ", std::string(NounOf(key.first)),
                   ", and may have ", limit, more > 1 ? absl::StrCat(", not ", more, " more") : ""),
      absl::Seconds(1));
}

void Quotas::Leave(const Place::Key& key, int64_t size) {
  if (size == 0) return;
  absl::MutexLock lock(&mutex_);
  const auto found = places_.find(key);
  found->second -= size;
  if (found->second == 0) places_.erase(found);
}

absl::Status Quotas::TakeCall(const std::string& principal, double per_second) {
  if (per_second <= 0) return absl::OkStatus();
  absl::MutexLock lock(&mutex_);
  const absl::Duration delay =
      calls_.Take(principal, per_second, std::max(1.0, 2 * per_second), clock_->Steady());
  if (delay == absl::ZeroDuration()) return absl::OkStatus();
  ++refused_calls_;
  return Exhausted(absl::StrCat(Quoted(principal), " may make ", per_second, " calls a second"),
                   delay);
}

absl::Status Quotas::NoteFailure(std::string_view address, bool is_guess) {
  absl::MutexLock lock(&mutex_);
  ++failures_;
  const absl::Duration delay =
      (is_guess ? guesses_ : silent_)
          .Take(address, kFailuresPerSecond, kFailuresInARow, clock_->Steady());
  if (delay == absl::ZeroDuration()) return absl::OkStatus();
  ++refused_failures_;
  return Exhausted("too many calls from this address did not prove who makes them", delay);
}

bool Quotas::MayNoteRefusal(std::string_view principal) {
  absl::MutexLock lock(&mutex_);
  return noted_.Take(principal, kFailuresPerSecond, kFailuresInARow, clock_->Steady()) ==
         absl::ZeroDuration();
}

bool Quotas::MayNoteStranger(std::string_view address) {
  absl::MutexLock lock(&mutex_);
  const absl::Duration now = clock_->Steady();
  return noted_strangers_.Take(address, kFailuresPerSecond, kFailuresInARow, now) ==
             absl::ZeroDuration() &&
         noted_in_all_.Take(kNotedPerSecond, kNotedInARow, now) == absl::ZeroDuration();
}

int64_t Quotas::refused_calls() const {
  absl::MutexLock lock(&mutex_);
  return refused_calls_;
}

int64_t Quotas::refused_places() const {
  absl::MutexLock lock(&mutex_);
  return refused_places_;
}

int64_t Quotas::failures() const {
  absl::MutexLock lock(&mutex_);
  return failures_;
}

int64_t Quotas::refused_failures() const {
  absl::MutexLock lock(&mutex_);
  return refused_failures_;
}

void SetRetryAfter(absl::Duration delay, absl::Status* error) {
  error->SetPayload(kRetryAfter, absl::Cord(absl::StrCat(absl::ToInt64Milliseconds(
                                     absl::Ceil(delay, absl::Milliseconds(1))))));
}

absl::Duration RetryAfter(const absl::Status& error) {
  const absl::optional<absl::Cord> payload = error.GetPayload(kRetryAfter);
  int64_t millis = 0;
  if (!payload || !absl::SimpleAtoi(std::string(*payload), &millis)) return absl::ZeroDuration();
  return absl::Milliseconds(millis);
}

}  // namespace jobtail::access
