// Looking at a file's stamp.
#include "server/access/watched_file.h"

#include <sys/stat.h>

#include <utility>

namespace jobtail::access {
namespace {

int64_t ToNanos(const timespec& time) {
  return int64_t{time.tv_sec} * 1'000'000'000 + time.tv_nsec;
}

}  // namespace

bool WatchedFile::HasChanged() {
  if (name_.empty()) return std::exchange(is_new_, false);
  struct stat status {};
  Stamp stamp;
  if (stat(name_.c_str(), &status) == 0) {
    stamp = {status.st_dev, status.st_ino, status.st_size, ToNanos(status.st_mtim),
             ToNanos(status.st_ctim)};
  }
  const bool changed = std::exchange(is_new_, false) || stamp != stamp_;
  stamp_ = stamp;
  return changed;
}

}  // namespace jobtail::access
