// A stream per thread into which printf formats what is captured.
#ifndef JOBTAIL_CAPTURE_PRINT_FILE_H_
#define JOBTAIL_CAPTURE_PRINT_FILE_H_

#include <stdio.h>

#include <memory>
#include <string_view>

namespace jobtail::capture::internal {

// What printf formats for a captured thread: in one go, whatever its length, which nobody knows
// beforehand. vsnprintf into a buffer that turns out too small costs more than all the rest, and a
// second time. One for each thread, used by nobody else.
class PrintFile {
 public:
  // Takes what is too long for the buffer, in pieces.
  class Taker {
   public:
    virtual void Take(std::string_view text) = 0;

   protected:
    ~Taker() = default;
  };

  // The calling thread's; null if it is in use already (by a call inside which a sink prints) or
  // cannot be had.
  static PrintFile* OfThisThread();

  // Calls `print` with a stream. What it printed last, which is all of it if it fits into the
  // buffer, is `*rest`, until the object is used again; what came before, `taker` was given, and
  // `*whole` is false. What `print` returned.
  template <typename Print>
  int Format(Taker& taker, Print print, std::string_view* rest, bool* whole) {
    const Use use(*this, taker);
    const int result = print(file_);
    if (result < 0) clearerr_unlocked(file_);
    *rest = {file_->_IO_write_base,
             static_cast<size_t>(file_->_IO_write_ptr - file_->_IO_write_base)};
    file_->_IO_write_ptr = file_->_IO_write_base;
    *whole = whole_;
    return result;
  }

  // While it lives, the calling thread's is in use.
  class Busy {
   public:
    explicit Busy(PrintFile& file) : file_(file) { file_.busy_ = true; }
    ~Busy() { file_.busy_ = false; }
    Busy(const Busy&) = delete;
    Busy& operator=(const Busy&) = delete;

   private:
    PrintFile& file_;
  };

  PrintFile();
  ~PrintFile();
  PrintFile(const PrintFile&) = delete;
  PrintFile& operator=(const PrintFile&) = delete;

 private:
  struct Use {
    Use(PrintFile& its_file, Taker& taker) : file(its_file) {
      file.taker_ = &taker;
      file.whole_ = true;
    }
    ~Use() { file.taker_ = nullptr; }
    PrintFile& file;
  };
  static ssize_t Write(void* self, const char* data, size_t size);

  static constexpr size_t kBufferBytes = 32 << 10;

  FILE* file_ = nullptr;
  Taker* taker_ = nullptr;
  bool whole_ = true;
  bool busy_ = false;
  std::unique_ptr<char[]> buffer_;
};

}  // namespace jobtail::capture::internal

#endif  // JOBTAIL_CAPTURE_PRINT_FILE_H_
