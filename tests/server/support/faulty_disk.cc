// RocksDB's file system, with errors put in.
#include "tests/server/support/faulty_disk.h"

#include <rocksdb/file_system.h>

#include <utility>

namespace jobtail::testing {
namespace {

using rocksdb::FileOptions;
using rocksdb::FSRandomAccessFile;
using rocksdb::FSRandomRWFile;
using rocksdb::FSSequentialFile;
using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using Call = FaultyDisk::Call;

class WrittenFile : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  WrittenFile(std::unique_ptr<FSWritableFile> file, std::string name, FaultyDisk* disk)
      : FSWritableFileOwnerWrapper(std::move(file)), name_(std::move(name)), disk_(disk) {}

  using FSWritableFileOwnerWrapper::Append;
  // A write that fails leaves half of it behind, as on a disk.
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kWrite, name_); !error.ok()) {
      const rocksdb::Slice half(data.data(), data.size() / 2);
      FSWritableFileOwnerWrapper::Append(half, options, debug).PermitUncheckedError();
      return error;
    }
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& /*info*/, IODebugContext* debug) override {
    return Append(data, options, debug);
  }
  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kSync, name_); !error.ok()) return error;
    return FSWritableFileOwnerWrapper::Sync(options, debug);
  }
  IOStatus Fsync(const IOOptions& options, IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kSync, name_); !error.ok()) return error;
    return FSWritableFileOwnerWrapper::Fsync(options, debug);
  }

 private:
  const std::string name_;
  FaultyDisk* const disk_;
};

class ReadFile : public rocksdb::FSRandomAccessFileOwnerWrapper {
 public:
  ReadFile(std::unique_ptr<FSRandomAccessFile> file, std::string name, FaultyDisk* disk)
      : FSRandomAccessFileOwnerWrapper(std::move(file)), name_(std::move(name)), disk_(disk) {}

  IOStatus Read(uint64_t offset, size_t size, const IOOptions& options, rocksdb::Slice* result,
                char* scratch, IODebugContext* debug) const override {
    if (IOStatus error = disk_->On(Call::kRead, name_); !error.ok()) return error;
    return FSRandomAccessFileOwnerWrapper::Read(offset, size, options, result, scratch, debug);
  }

 private:
  const std::string name_;
  FaultyDisk* const disk_;
};

// As the write-ahead log is read when the database is opened.
class SequentialFile : public rocksdb::FSSequentialFileOwnerWrapper {
 public:
  SequentialFile(std::unique_ptr<FSSequentialFile> file, std::string name, FaultyDisk* disk)
      : FSSequentialFileOwnerWrapper(std::move(file)), name_(std::move(name)), disk_(disk) {}

  IOStatus Read(size_t size, const IOOptions& options, rocksdb::Slice* result, char* scratch,
                IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kRead, name_); !error.ok()) return error;
    return FSSequentialFileOwnerWrapper::Read(size, options, result, scratch, debug);
  }

 private:
  const std::string name_;
  FaultyDisk* const disk_;
};

class SyncedFile : public rocksdb::FSRandomRWFileOwnerWrapper {
 public:
  SyncedFile(std::unique_ptr<FSRandomRWFile> file, std::string name, FaultyDisk* disk)
      : FSRandomRWFileOwnerWrapper(std::move(file)), name_(std::move(name)), disk_(disk) {}

  IOStatus Sync(const IOOptions& options, IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kSync, name_); !error.ok()) return error;
    return FSRandomRWFileOwnerWrapper::Sync(options, debug);
  }

 private:
  const std::string name_;
  FaultyDisk* const disk_;
};

}  // namespace

class FaultyDisk::Files : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(FaultyDisk* disk)
      : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}

  const char* Name() const override { return "FaultyDisk"; }

  IOStatus NewWritableFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result,
                           IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kOpen, name); !error.ok()) return error;
    IOStatus made = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    if (made.ok()) *result = std::make_unique<WrittenFile>(std::move(*result), name, disk_);
    return made;
  }
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions& options,
                               std::unique_ptr<FSRandomAccessFile>* result,
                               IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kOpen, name); !error.ok()) return error;
    IOStatus made = FileSystemWrapper::NewRandomAccessFile(name, options, result, debug);
    if (made.ok()) *result = std::make_unique<ReadFile>(std::move(*result), name, disk_);
    return made;
  }
  IOStatus NewSequentialFile(const std::string& name, const FileOptions& options,
                             std::unique_ptr<FSSequentialFile>* result,
                             IODebugContext* debug) override {
    IOStatus made = FileSystemWrapper::NewSequentialFile(name, options, result, debug);
    if (made.ok()) *result = std::make_unique<SequentialFile>(std::move(*result), name, disk_);
    return made;
  }
  IOStatus NewRandomRWFile(const std::string& name, const FileOptions& options,
                           std::unique_ptr<FSRandomRWFile>* result,
                           IODebugContext* debug) override {
    if (IOStatus error = disk_->On(Call::kOpen, name); !error.ok()) return error;
    IOStatus made = FileSystemWrapper::NewRandomRWFile(name, options, result, debug);
    if (made.ok()) *result = std::make_unique<SyncedFile>(std::move(*result), name, disk_);
    return made;
  }

 private:
  FaultyDisk* const disk_;
};

FaultyDisk::FaultyDisk() : env_(rocksdb::NewCompositeEnv(std::make_shared<Files>(this))) {}

void FaultyDisk::FailNext(Call call, const std::string& part, int64_t times,
                          rocksdb::IOStatus error) {
  absl::MutexLock lock(&mutex_);
  call_ = call;
  part_ = part;
  left_ = times;
  error_ = std::move(error);
}

int64_t FaultyDisk::AwaitFailures(absl::Duration patience) {
  absl::MutexLock lock(&mutex_);
  mutex_.AwaitWithTimeout(absl::Condition(this, &FaultyDisk::HasFailedLocked), patience);
  return left_;
}

IOStatus FaultyDisk::On(Call call, const std::string& file) {
  absl::MutexLock lock(&mutex_);
  if (left_ == 0 || call != call_ || file.find(part_) == std::string::npos) return IOStatus::OK();
  --left_;
  // As RocksDB's own, which name the file.
  return error_.IsNoSpace() ? error_ : IOStatus::IOError(error_.ToString(), file);
}

}  // namespace jobtail::testing
