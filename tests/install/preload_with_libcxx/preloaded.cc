// Prints, and takes what it prints by the C API of the library that is preloaded.

#include <dlfcn.h>

#include <iostream>
#include <string>

#include "capture/c_api.h"

int main() {
  std::cout << "by cout" << std::endl;

  const auto begin = reinterpret_cast<decltype(&jobtail_capture_begin)>(
      dlsym(RTLD_DEFAULT, "jobtail_capture_begin"));
  const auto end =
      reinterpret_cast<decltype(&jobtail_capture_end)>(dlsym(RTLD_DEFAULT, "jobtail_capture_end"));
  if (!begin || !end) return 1;
  std::string text;
  const auto append = [](void* context, const jobtail_capture_line* line) {
    static_cast<std::string*>(context)->append(line->text, line->size);
  };
  jobtail_capture* const capture = begin(append, &text);
  std::cout << "by cout" << std::endl;
  end(capture);
  std::cout << "taken: " << text << std::endl;
}
