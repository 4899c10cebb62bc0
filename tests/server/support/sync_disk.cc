// The file system of RocksDB with syncs that a test holds up.

#include "tests/server/support/sync_disk.h"

#include <rocksdb/file_system.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

namespace jobtail::testing {
namespace {

using rocksdb::FSRandomRWFile;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

using Before = std::function<IOStatus()>;

class WritableFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WritableFile(std::unique_ptr<FSWritableFile> file, Before before)
      : FSWritableFileOwnerWrapper(std::move(file)), before_(std::move(before)) {}

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    before_().PermitUncheckedError();
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    before_().PermitUncheckedError();
    return FSWritableFileOwnerWrapper::Fsync(options, debug);
  }

 private:
  const Before before_;
};

class RandomRWFile : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  RandomRWFile(std::unique_ptr<FSRandomRWFile> file, Before before)
      : FSRandomRWFileOwnerWrapper(std::move(file)), before_(std::move(before)) {}

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus allowed = before_();
    return allowed.ok() ? FSRandomRWFileOwnerWrapper::Sync(options, debug) : allowed;
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    const IOStatus allowed = before_();
    return allowed.ok() ? FSRandomRWFileOwnerWrapper::Fsync(options, debug) : allowed;
  }

 private:
  const Before before_;
};

bool IsWal(const std::string& name) { return name.ends_with(".log"); }

}  // namespace

class SyncDisk::Files : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(SyncDisk* disk) : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}

  const char* Name() const override { return "SyncDisk"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result,
                           IODebugContext* debug) override {
    const IOStatus made = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    if (made.ok() && IsWal(name)) {
      *result =
          std::make_unique<WritableFile>(std::move(*result), [this] { return disk_->OnSync(); });
    }
    return made;
  }

  IOStatus NewRandomRWFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSRandomRWFile>* result,
                           IODebugContext* debug) override {
    const IOStatus made = FileSystemWrapper::NewRandomRWFile(name, options, result, debug);
    if (made.ok() && IsWal(name)) {
      *result =
          std::make_unique<RandomRWFile>(std::move(*result), [this] { return disk_->OnSync(); });
    }
    return made;
  }

  IOStatus GetChildren(const std::string& folder, const IOOptions& options,
                       std::vector<std::string>* names, IODebugContext* debug) override {
    if (disk_->unlisted_) return IOStatus::IOError("Too many open files");
    return FileSystemWrapper::GetChildren(folder, options, names, debug);
  }

 private:
  SyncDisk* const disk_;
};

SyncDisk::SyncDisk() : env_(rocksdb::NewCompositeEnv(std::make_shared<Files>(this))) {}

void SyncDisk::SetStalled(bool stalled) {
  absl::MutexLock lock(&mutex_);
  stalled_ = stalled;
  admitted_ = 0;
}

void SyncDisk::Admit(int syncs) {
  absl::MutexLock lock(&mutex_);
  admitted_ += syncs;
}

bool SyncDisk::AwaitStalled(absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  const auto is_waiting = [this]()
                              ABSL_SHARED_LOCKS_REQUIRED(mutex_) { return waiting_ > admitted_; };
  return mutex_.AwaitWithTimeout(absl::Condition(&is_waiting), patience);
}

void SyncDisk::SetFailing(bool failing) {
  absl::MutexLock lock(&mutex_);
  failing_ = failing;
}

void SyncDisk::FailNext() {
  absl::MutexLock lock(&mutex_);
  fails_next_ = true;
}

int64_t SyncDisk::syncs() const {
  absl::MutexLock lock(&mutex_);
  return syncs_;
}

IOStatus SyncDisk::OnSync() {
  absl::MutexLock lock(&mutex_);
  ++waiting_;
  const auto goes_on = [this]() ABSL_SHARED_LOCKS_REQUIRED(mutex_) {
    return !stalled_ || admitted_ > 0;
  };
  mutex_.Await(absl::Condition(&goes_on));
  if (stalled_) --admitted_;
  --waiting_;
  ++syncs_;
  return std::exchange(fails_next_, false) || failing_ ? IOStatus::IOError("Input/output error")
                                                       : IOStatus::OK();
}

}  // namespace jobtail::testing
