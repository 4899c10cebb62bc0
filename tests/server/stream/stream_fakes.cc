// The fakes' bookkeeping.
#include "tests/server/stream/stream_fakes.h"

#include <gtest/gtest.h>
#include <pthread.h>

#include <algorithm>
#include <array>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"

namespace jobtail::testing {
namespace {

Slice ToSlice(std::string text) {
  const size_t size = text.size();
  return {Share(std::move(text)), 0, size};
}

}  // namespace

class ScriptFeed final : public Feed {
 public:
  explicit ScriptFeed(Script* script) : script_(*script) {}

  absl::StatusOr<Next> Read(size_t /*most_bytes*/, std::vector<Slice>* slices) override {
    absl::MutexLock lock(&script_.mutex_);
    ++script_.reads_;
    script_.waiting_ = true;
    const auto released = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
      return !script_.held_ || script_.reads_ <= script_.not_held_;
    };
    script_.mutex_.Await(absl::Condition(&released));
    script_.waiting_ = false;
    if (script_.texts_.empty()) {
      if (!script_.end_) return Next::kWait;
      if (!script_.end_->ok()) return *script_.end_;
      return Next::kEnd;
    }
    script_.position_ += 1 + std::ranges::count(script_.texts_.front(), '|');
    std::string text = std::move(script_.texts_.front());
    script_.texts_.pop_front();
    script_.due_ = absl::InfiniteDuration();
    if (!text.empty()) slices->push_back(ToSlice(std::move(text)));
    return Next::kMore;
  }

  std::optional<Next> TryRead(size_t most_bytes, std::vector<Slice>* slices) override {
    {
      absl::MutexLock lock(&script_.mutex_);
      const bool fails = script_.texts_.empty() && script_.end_ && !script_.end_->ok();
      if (!script_.cheap_ || fails) return std::nullopt;
    }
    return *Read(most_bytes, slices);
  }

  absl::Duration ReadsAt() const override {
    absl::MutexLock lock(&script_.mutex_);
    return script_.due_;
  }

  absl::Status MayRead() const override {
    absl::MutexLock lock(&script_.mutex_);
    return script_.right_;
  }

  bool IsCheap() const override {
    absl::MutexLock lock(&script_.mutex_);
    return script_.cheap_;
  }

  bool Searches() const override {
    absl::MutexLock lock(&script_.mutex_);
    return script_.searches_;
  }

  bool Wait(std::function<void()> wake) override {
    absl::MutexLock lock(&script_.mutex_);
    if (!script_.texts_.empty() || script_.end_) return false;
    script_.wake_ = std::move(wake);
    return true;
  }

  void CancelWait() override {
    std::function<void()> dropped;
    absl::MutexLock lock(&script_.mutex_);
    dropped.swap(script_.wake_);
  }

  std::optional<int64_t> ResumePoint() const override {
    absl::MutexLock lock(&script_.mutex_);
    return script_.position_;
  }

  Slice Heartbeat(std::optional<int64_t> resume_point) const override {
    return ToSlice(absl::StrCat("heartbeat ", *resume_point - 1));
  }

  void ClientGone() const override {
    absl::MutexLock lock(&script_.mutex_);
    ++script_.gone_;
  }

 private:
  Script& script_;
};

void Script::Add(const std::string& text) {
  {
    absl::MutexLock lock(&mutex_);
    texts_.push_back(text);
  }
  Wake();
}

void Script::End(absl::Status status) {
  {
    absl::MutexLock lock(&mutex_);
    end_ = std::move(status);
  }
  Wake();
}

void Script::Wake() {
  std::function<void()> wake;
  {
    absl::MutexLock lock(&mutex_);
    wake.swap(wake_);
  }
  if (wake) wake();
}

void Script::SetCheap(bool cheap) {
  absl::MutexLock lock(&mutex_);
  cheap_ = cheap;
}

void Script::Search() {
  absl::MutexLock lock(&mutex_);
  searches_ = true;
}

void Script::Hold(int64_t first) {
  absl::MutexLock lock(&mutex_);
  held_ = true;
  not_held_ = first;
}

void Script::Release() {
  absl::MutexLock lock(&mutex_);
  held_ = false;
}

void Script::AwaitHeld() {
  absl::MutexLock lock(&mutex_);
  mutex_.Await(absl::Condition(&waiting_));
}

int64_t Script::reads() const {
  absl::MutexLock lock(&mutex_);
  return reads_;
}

int Script::gone() const {
  absl::MutexLock lock(&mutex_);
  return gone_;
}

void Script::AwaitGone() const {
  absl::MutexLock lock(&mutex_);
  const auto gone = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return gone_ > 0; };
  mutex_.Await(absl::Condition(&gone));
}

void Script::Refuse(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  right_ = std::move(status);
}

void Script::AddDue(const std::string& text, absl::Duration at) {
  absl::MutexLock lock(&mutex_);
  texts_.push_back(text);
  due_ = at;
}

std::unique_ptr<Feed> Script::MakeFeed() { return std::make_unique<ScriptFeed>(this); }

FakeWriter::FakeWriter(StreamSet* set, Stream::Executor executor)
    : stream_(std::make_shared<Stream>(this, set, "client", std::move(executor))) {}

FakeWriter::~FakeWriter() {
  bool started;
  {
    absl::MutexLock lock(&mutex_);
    closing_ = true;
    started = !sent_.empty() || finishes_ > 0;
  }
  if (deliverer_.joinable()) deliverer_.join();
  stream_->ClientGone();
  if (TakeInFlight(/*wait=*/false)) stream_->Sent(false);
  if (started) AwaitFinish();
  stream_->Close();
  absl::MutexLock lock(&mutex_);
  EXPECT_FALSE(overlapped_) << "one message is in flight at a time, and none after the end";
  EXPECT_LE(finishes_, 1);
}

std::string FakeWriter::sender() const {
  absl::MutexLock lock(&mutex_);
  return sender_;
}

void FakeWriter::Note(std::string what) {
  std::array<char, 16> thread{};
  pthread_getname_np(pthread_self(), thread.data(), thread.size());
  absl::MutexLock lock(&mutex_);
  sender_ = thread.data();
  overlapped_ |= in_flight_ || finishes_ > 0;
  in_flight_ = true;
  sent_.push_back(std::move(what));
}

bool FakeWriter::TakeInFlight(bool wait) {
  absl::MutexLock lock(&mutex_);
  if (wait) mutex_.Await(absl::Condition(&in_flight_));
  return std::exchange(in_flight_, false);
}

std::vector<std::string> FakeWriter::sent() const {
  absl::MutexLock lock(&mutex_);
  return sent_;
}

void FakeWriter::AwaitSent(size_t count) const {
  absl::MutexLock lock(&mutex_);
  const auto reached = [this, count]()
                           ABSL_NO_THREAD_SAFETY_ANALYSIS { return sent_.size() >= count; };
  mutex_.Await(absl::Condition(&reached));
}

void FakeWriter::Deliver(bool ok) {
  TakeInFlight(/*wait=*/true);
  stream_->Sent(ok);
}

void FakeWriter::DeliverAll() {
  deliverer_ = std::thread([this] {
    while (true) {
      {
        absl::MutexLock lock(&mutex_);
        const auto due = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS {
          return in_flight_ || finishes_ > 0 || closing_;
        };
        mutex_.Await(absl::Condition(&due));
        if (!in_flight_) return;
        in_flight_ = false;
      }
      stream_->Sent(true);
    }
  });
}

void FakeWriter::AwaitFinish() const {
  absl::MutexLock lock(&mutex_);
  const auto ended = [this]() ABSL_NO_THREAD_SAFETY_ANALYSIS { return finishes_ > 0; };
  mutex_.Await(absl::Condition(&ended));
}

bool FakeWriter::finished() const {
  absl::MutexLock lock(&mutex_);
  return finishes_ > 0;
}

absl::Status FakeWriter::status() const {
  absl::MutexLock lock(&mutex_);
  return status_;
}

std::optional<int64_t> FakeWriter::resume_point() const {
  absl::MutexLock lock(&mutex_);
  return resume_point_;
}

void FakeWriter::RefuseAll(absl::Status status) {
  absl::MutexLock lock(&mutex_);
  refusal_ = std::move(status);
}

void FakeWriter::Group() {
  absl::MutexLock lock(&mutex_);
  groups_ = true;
}

bool FakeWriter::IsWithinGroup() const {
  absl::MutexLock lock(&mutex_);
  return groups_;
}

size_t FakeWriter::Begin() {
  Note("begin");
  return 0;
}

absl::Status FakeWriter::Take(std::vector<Slice>* slices) {
  absl::MutexLock lock(&mutex_);
  for (const Slice& slice : *slices) {
    for (const absl::string_view text : absl::StrSplit(std::string(slice.view()), '|')) {
      taken_.emplace_back(text);
    }
  }
  return refusal_;
}

size_t FakeWriter::SendNext() {
  std::string text;
  {
    absl::MutexLock lock(&mutex_);
    if (taken_.empty()) return 0;
    text = std::move(taken_.front());
    taken_.pop_front();
    ++records_;
  }
  const size_t size = text.size();
  Note(std::move(text));
  return size;
}

size_t FakeWriter::SendHeartbeat(const Slice& heartbeat) {
  Note(std::string(heartbeat.view()));
  return heartbeat.size;
}

std::optional<int64_t> FakeWriter::ResumePointWithin() const {
  absl::MutexLock lock(&mutex_);
  if (taken_.empty()) return std::nullopt;
  return records_ + 1;
}

void FakeWriter::Finish(const absl::Status& status, std::optional<int64_t> resume_point) {
  absl::MutexLock lock(&mutex_);
  overlapped_ |= in_flight_;
  ++finishes_;
  status_ = status;
  resume_point_ = resume_point;
}

}  // namespace jobtail::testing
