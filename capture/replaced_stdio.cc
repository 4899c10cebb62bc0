// The variables stdout and stderr, set to streams of the library's own.

#include "capture/replaced_stdio.h"

#include <dlfcn.h>
#include <stdio.h>
#include <sys/types.h>

#include <cstdint>
#include <mutex>

#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {
namespace {

std::mutex mutex;
int users = 0;

// The C library's own variable, which is not the program's where that has a copy of it (a "copy
// relocation"): a library opened with RTLD_DEEPBIND sees this one.
FILE** OwnVariable(const char* name) {
  static void* const library = dlopen("libc.so.6", RTLD_LAZY | RTLD_NOLOAD);
  return library ? static_cast<FILE**>(dlsym(library, name)) : nullptr;
}

// What reaches such a stream has passed all the interposed functions by.
ssize_t Print(Stream stream, const char* data, size_t size) {
  ThreadCapture* const thread = current.thread;
  if (thread && thread->Take(stream, data, size)) return static_cast<ssize_t>(size);
  FILE* const original = replaced_files[stream == Stream::kStderr].original.load();
  const size_t written =
      Real<"fwrite", size_t(const void*, size_t, size_t, FILE*)>()(data, 1, size, original);
  return static_cast<ssize_t>(written);
}

template <Stream stream>
FILE* OpenStream() {
  cookie_io_functions_t functions{};
  functions.write = [](void*, const char* data, size_t size) { return Print(stream, data, size); };
  FILE* const file = fopencookie(nullptr, "w", functions);
  Real<"setvbuf", int(FILE*, char*, int, size_t)>()(file, nullptr, _IONBF, 0);
  return file;
}

void Replace(ReplacedFile& replaced, const char* name, FILE*& variable, FILE* instead) {
  replaced.original.store(variable);
  replaced.instead.store(instead);
  variable = instead;
  if (FILE** own = OwnVariable(name)) *own = instead;
}

// Unless the program has put something else there since.
void Restore(ReplacedFile& replaced, const char* name, FILE*& variable) {
  FILE* const instead = replaced.instead.load();
  FILE* const original = replaced.original.load();
  if (variable == instead) variable = original;
  if (FILE** own = OwnVariable(name); own && *own == instead) *own = original;
  replaced.instead.store(nullptr);
}

}  // namespace

// The streams are never closed: a thread may have read the variable and not used it yet.
void ReplaceStdio() {
  std::lock_guard lock(mutex);
  if (users++ > 0) return;
  static FILE* const out = OpenStream<Stream::kStdout>();
  static FILE* const err = OpenStream<Stream::kStderr>();
  Replace(replaced_files[0], "stdout", stdout, out);
  Replace(replaced_files[1], "stderr", stderr, err);
}

void LockReplacedStdioForFork() { mutex.lock(); }
void UnlockReplacedStdioAfterFork() { mutex.unlock(); }

void RestoreStdio() {
  std::lock_guard lock(mutex);
  if (--users > 0) return;
  Restore(replaced_files[0], "stdout", stdout);
  Restore(replaced_files[1], "stderr", stderr);
}

}  // namespace jobtail::capture::internal
