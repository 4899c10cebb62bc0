// A few pieces of memory of one size, the last to come back the first to go.
#include "server/store/batch_memory.h"

#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/synchronization/mutex.h"

namespace jobtail {
namespace {

// What a batch of more than kLeast bytes gets, unless it is larger. (kBatchBytes and one line.)
constexpr size_t kPiece = 192 << 10;
constexpr size_t kLeast = 64 << 10;
// One for each thread that reads from the store.
constexpr size_t kMostSpare = 4;

bool IsPiece(size_t size) { return size >= kLeast && size <= kPiece; }

// Thread-safe.
class SparePieces {
 public:
  // Lives for ever.
  static SparePieces& OfAll() {
    static auto& pieces = *new SparePieces;
    return pieces;
  }

  // Null if there is none.
  std::unique_ptr<char[]> Take() {
    absl::MutexLock lock(&mutex_);
    if (pieces_.empty()) return nullptr;
    std::unique_ptr<char[]> piece = std::move(pieces_.back());
    pieces_.pop_back();
    return piece;
  }

  void Give(std::unique_ptr<char[]>& piece) {
    absl::MutexLock lock(&mutex_);
    if (pieces_.size() < kMostSpare) pieces_.push_back(std::move(piece));
  }

 private:
  absl::Mutex mutex_;
  std::vector<std::unique_ptr<char[]>> pieces_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace

BatchMemory::BatchMemory(size_t size) : size_(size) {
  if (IsPiece(size)) bytes_ = SparePieces::OfAll().Take();
  if (!bytes_) bytes_ = std::make_unique_for_overwrite<char[]>(IsPiece(size) ? kPiece : size);
}

BatchMemory::~BatchMemory() {
  if (bytes_ && IsPiece(size_)) SparePieces::OfAll().Give(bytes_);
}

}  // namespace jobtail
