// A thread's log file, made at the first write to it.
#ifndef JOBTAIL_CAPTURE_PRELOAD_LOG_FILE_H_
#define JOBTAIL_CAPTURE_PRELOAD_LOG_FILE_H_

#include <sys/types.h>

#include <string>
#include <utility>

namespace jobtail::capture::preload {

// A file that is made when it is first written to, and appended to. Not thread-safe.
class LogFile {
 public:
  explicit LogFile(std::string path) : path_(std::move(path)) {}
  ~LogFile();

  LogFile(const LogFile&) = delete;
  LogFile& operator=(const LogFile&) = delete;

  // Programs close descriptors that they do not know of, and the number may by now be somebody
  // else's: then the file is opened again. If it cannot be opened, says so on stderr, once, and
  // returns stderr's descriptor.
  int descriptor();

 private:
  bool IsStillOurs() const;
  bool Open();

  const std::string path_;
  int fd_ = -1;
  dev_t device_ = 0;
  ino_t inode_ = 0;
  bool failed_ = false;
};

}  // namespace jobtail::capture::preload

#endif  // JOBTAIL_CAPTURE_PRELOAD_LOG_FILE_H_
