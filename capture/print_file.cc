// The stream of the C library's that formats into a thread's own buffer.

#include "capture/print_file.h"

#include <dlfcn.h>
#include <stdio_ext.h>
#include <sys/types.h>

#include "capture/current.h"
#include "capture/real.h"

namespace jobtail::capture::internal {
namespace {

// Takes the stream from the list of all, for whoever calls fflush(NULL) would flush it, while its
// thread is at work in it. False if the C library has no such function.
bool Unlink(FILE* file) {
  using UnlinkFile = void(FILE*);
  static auto* const unlink = reinterpret_cast<UnlinkFile*>(dlsym(RTLD_DEFAULT, "_IO_un_link"));
  if (unlink) unlink(file);
  return unlink;
}

}  // namespace

PrintFile::PrintFile() {
  const Bypass bypass;
  cookie_io_functions_t functions{};
  functions.write = Write;
  FILE* const file = fopencookie(this, "w", functions);
  if (!file) return;
  if (!Unlink(file)) {
    Real<"fclose", int(FILE*)>()(file);
    return;
  }
  buffer_.reset(new char[kBufferBytes]);
  Real<"setvbuf", int(FILE*, char*, int, size_t)>()(file, buffer_.get(), _IOFBF, kBufferBytes);
  __fsetlocking(file, FSETLOCKING_BYCALLER);
  file_ = file;
}

PrintFile::~PrintFile() {
  busy_ = true;  // for what other destructors of the thread print
  if (file_) Real<"fclose", int(FILE*)>()(file_);
}

PrintFile* PrintFile::OfThisThread() {
  static thread_local PrintFile file;
  return file.file_ && !file.busy_ ? &file : nullptr;
}

ssize_t PrintFile::Write(void* self, const char* data, size_t size) {
  auto* const file = static_cast<PrintFile*>(self);
  file->whole_ = false;
  if (file->taker_) file->taker_->Take({data, size});
  return static_cast<ssize_t>(size);
}

}  // namespace jobtail::capture::internal
