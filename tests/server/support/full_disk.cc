// The file system of RocksDB on a disk that a test fills up.

#include "tests/server/support/full_disk.h"

#include <rocksdb/file_system.h>

#include <string>
#include <utility>

namespace jobtail::testing {
namespace {

using rocksdb::FSWritableFile;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;

class File : public rocksdb::FSWritableFileOwnerWrapper {
 public:
  File(std::unique_ptr<FSWritableFile> file, const std::atomic<bool>* full)
      : FSWritableFileOwnerWrapper(std::move(file)), full_(full) {}

  using FSWritableFileOwnerWrapper::Append;
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  IODebugContext* debug) override {
    if (*full_) return IOStatus::NoSpace("No space left on device");
    return FSWritableFileOwnerWrapper::Append(data, options, debug);
  }
  IOStatus Append(const rocksdb::Slice& data, const IOOptions& options,
                  const rocksdb::DataVerificationInfo& info, IODebugContext* debug) override {
    if (*full_) return IOStatus::NoSpace("No space left on device");
    return FSWritableFileOwnerWrapper::Append(data, options, info, debug);
  }

 private:
  const std::atomic<bool>* const full_;
};

}  // namespace

class FullDisk::Files : public rocksdb::FileSystemWrapper {
 public:
  explicit Files(FullDisk* disk) : FileSystemWrapper(rocksdb::FileSystem::Default()), disk_(disk) {}

  const char* Name() const override { return "FullDisk"; }

  IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                           std::unique_ptr<FSWritableFile>* result,
                           IODebugContext* debug) override {
    const IOStatus made = FileSystemWrapper::NewWritableFile(name, options, result, debug);
    if (made.ok()) *result = std::make_unique<File>(std::move(*result), &disk_->full_);
    return made;
  }

  IOStatus GetFreeSpace(const std::string& path, const IOOptions& options, uint64_t* free,
                        IODebugContext* debug) override {
    const IOStatus found = FileSystemWrapper::GetFreeSpace(path, options, free, debug);
    if ((disk_->full_ && disk_->admits_) || disk_->nearly_full_) *free = 0;
    return found;
  }

 private:
  FullDisk* const disk_;
};

FullDisk::FullDisk() : env_(rocksdb::NewCompositeEnv(std::make_shared<Files>(this))) {}

}  // namespace jobtail::testing
