// What printers are given, and a file in memory that they print into.
#ifndef JOBTAIL_TESTS_CLIENT_PRINTING_H_
#define JOBTAIL_TESTS_CLIENT_PRINTING_H_

#include <gtest/gtest.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cstdint>
#include <string>

#include "jobtail/v1/log.pb.h"

namespace jobtail::client::cli {

class MemoryFile {
 public:
  MemoryFile() : fd_(memfd_create("printed", 0)) {}
  ~MemoryFile() { close(fd_); }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  int fd() const { return fd_; }

  std::string contents() const {
    std::string bytes(static_cast<size_t>(lseek(fd_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(fd_, bytes.data(), bytes.size(), 0), static_cast<ssize_t>(bytes.size()));
    return bytes;
  }

 private:
  const int fd_;
};

inline v1::LogLine Line(int64_t sequence, const std::string& text,
                        v1::Ending ending = v1::ENDING_LF, v1::Stream stream = v1::STREAM_STDOUT) {
  v1::LogLine line;
  line.set_sequence(sequence);
  line.mutable_time()->set_seconds(1'700'000'000 + sequence);
  line.set_stream(stream);
  line.set_ending(ending);
  line.set_text(text);
  return line;
}

inline v1::LogLine Gap(int64_t first, int64_t last, v1::GapReason reason = v1::GAP_REASON_DROPPED) {
  v1::LogLine line;
  line.set_sequence(last);
  line.mutable_gap()->set_first(first);
  line.mutable_gap()->set_last(last);
  line.mutable_gap()->set_reason(reason);
  return line;
}

inline v1::LogLine Failed(int64_t sequence, int exit_code, const std::string& error) {
  v1::LogLine line;
  line.set_sequence(sequence);
  line.mutable_result()->set_state(v1::RUN_STATE_FAILED);
  line.mutable_result()->set_exit_code(exit_code);
  line.mutable_result()->set_error(error);
  return line;
}

}  // namespace jobtail::client::cli

#endif  // JOBTAIL_TESTS_CLIENT_PRINTING_H_
