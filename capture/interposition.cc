// Whether the dynamic linker finds this library's functions first.

#include "capture/interposition.h"

#include <dlfcn.h>
#include <link.h>

#include <cstddef>
#include <initializer_list>

// A static program cannot be linked: the C library's parts call one another there without a dynamic
// linker in between, and bring their own of what is defined here. The linker says this sentence as
// it meets a function that only the static C library has.
__asm__(
    ".pushsection .gnu.warning.__libc_setup_tls, \"\", @progbits\n"
    ".string \"jobtail capture works in dynamically linked programs only: link without -static\"\n"
    ".popsection\n");

namespace jobtail::capture {
namespace {

// The file that holds the function.
const void* ModuleOf(const void* function) {
  Dl_info info;
  return function && dladdr(function, &info) != 0 ? info.dli_fbase : nullptr;
}

// The program itself comes first; if it is static, nothing tells the kernel of a dynamic linker.
int IsDynamic(dl_phdr_info* program, size_t, void*) {
  for (int i = 0; i < program->dlpi_phnum; ++i) {
    if (program->dlpi_phdr[i].p_type == PT_INTERP) return 1;
  }
  return -1;
}

const char* FindProblem() {
  if (dl_iterate_phdr(IsDynamic, nullptr) < 0) {
    return "jobtail capture: this program is linked statically, so that its output cannot be "
           "captured; link it without -static.";
  }
  const void* const own = ModuleOf(reinterpret_cast<const void*>(&FindProblem));
  for (const char* name : {"write", "fwrite", "puts", "pthread_create"}) {
    if (ModuleOf(dlsym(RTLD_DEFAULT, name)) == own) continue;
    return "jobtail capture: the C library's functions come before this library's, so that output "
           "is missed; link it into the program, not into a shared library, and without "
           "-Wl,--exclude-libs or a version script that hides what it defines.";
  }
  return nullptr;
}

}  // namespace

const char* InterpositionProblem() {
  static const char* const problem = FindProblem();
  return problem;
}

}  // namespace jobtail::capture
