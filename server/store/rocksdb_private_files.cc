// A file system that makes each file before RocksDB does.
#include "server/store/rocksdb_private_files.h"

#include <fcntl.h>
#include <rocksdb/env.h>
#include <rocksdb/file_system.h>
#include <unistd.h>

#include <memory>
#include <string>

namespace jobtail {
namespace {

// Makes the file where there is none. RocksDB, which opens it next, leaves its mode as it is, and
// meets what has kept it from being made here.
void Make(const std::string& path) {
  const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
  if (fd >= 0) close(fd);
}

class PrivateFiles : public rocksdb::FileSystemWrapper {
 public:
  using FileSystemWrapper::FileSystemWrapper;

  const char* Name() const override { return "PrivateFiles"; }

  rocksdb::IOStatus NewWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* file,
                                    rocksdb::IODebugContext* debug) override {
    Make(path);
    return target()->NewWritableFile(path, options, file, debug);
  }

  rocksdb::IOStatus ReopenWritableFile(const std::string& path, const rocksdb::FileOptions& options,
                                       std::unique_ptr<rocksdb::FSWritableFile>* file,
                                       rocksdb::IODebugContext* debug) override {
    Make(path);
    return target()->ReopenWritableFile(path, options, file, debug);
  }

  rocksdb::IOStatus NewLogger(const std::string& path, const rocksdb::IOOptions& options,
                              std::shared_ptr<rocksdb::Logger>* logger,
                              rocksdb::IODebugContext* debug) override {
    Make(path);
    return target()->NewLogger(path, options, logger, debug);
  }

  rocksdb::IOStatus LockFile(const std::string& path, const rocksdb::IOOptions& options,
                             rocksdb::FileLock** lock, rocksdb::IODebugContext* debug) override {
    Make(path);
    return target()->LockFile(path, options, lock, debug);
  }
};

}  // namespace

rocksdb::Env* EnvOf(const RocksDbOptions& options) {
  static rocksdb::Env* const private_files =
      rocksdb::NewCompositeEnv(std::make_shared<PrivateFiles>(rocksdb::FileSystem::Default()))
          .release();
  return options.env ? options.env : private_files;
}

}  // namespace jobtail
