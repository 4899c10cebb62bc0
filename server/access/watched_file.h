// A file that is read again when it has changed.
#ifndef JOBTAIL_SERVER_ACCESS_WATCHED_FILE_H_
#define JOBTAIL_SERVER_ACCESS_WATCHED_FILE_H_

#include <sys/types.h>

#include <cstdint>
#include <string>
#include <tuple>
#include <utility>

namespace jobtail::access {

// Tells whether another file is there under the name, or the file has been written to. Owned by who
// asks; not thread-safe.
class WatchedFile {
 public:
  // An empty name never changes.
  explicit WatchedFile(std::string name = "") : name_(std::move(name)) {}

  const std::string& name() const { return name_; }

  // Whether it has changed since the last call; true for the first one. Waits for the disk.
  bool HasChanged();

 private:
  // Device, number, size, and the times of the last changes of content and of owner or mode.
  using Stamp = std::tuple<dev_t, ino_t, off_t, int64_t, int64_t>;

  std::string name_;
  Stamp stamp_ = {};
  bool is_new_ = true;
};

}  // namespace jobtail::access

#endif  // JOBTAIL_SERVER_ACCESS_WATCHED_FILE_H_
