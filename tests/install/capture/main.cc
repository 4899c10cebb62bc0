// Captures what a library prints that is loaded while the program runs.

#include <dlfcn.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "capture/c_api.h"
#include "capture/context.h"
#include "capture/scope.h"

namespace {

class Text : public jobtail::capture::Sink {
 public:
  void Write(std::span<const jobtail::capture::Line> lines) noexcept override {
    for (const auto& line : lines) text_.append(line.text).append("\n");
  }
  bool TryWrite(std::span<const jobtail::capture::Line> lines) noexcept override {
    Write(lines);
    return true;
  }
  const std::string& text() const { return text_; }

 private:
  std::string text_;
};

int Fail(const std::string& reason) {
  std::cerr << reason << "\n";
  return 1;
}

}  // namespace

int main() {
  void* const plugin = dlopen(PLUGIN, RTLD_NOW | RTLD_LOCAL);
  if (!plugin) return Fail(dlerror());
  const auto print = reinterpret_cast<void (*)()>(dlsym(plugin, "Print"));
  if (!print) return Fail(dlerror());
  Text sink;
  {
    const jobtail::capture::Scope scope(&sink);
    puts("program: puts");
    print();
  }
  if (sink.text() != "program: puts\nplugin: printf\nplugin: cout\n") {
    return Fail("captured instead:\n" + sink.text());
  }

  std::string text;
  const auto append = [](void* context, const jobtail_capture_line* line) {
    static_cast<std::string*>(context)->append(line->text, line->size);
  };
  jobtail_capture* const capture = jobtail_capture_begin(append, &text);
  puts("through the C API");
  jobtail_capture_end(capture);
  return text == "through the C API" ? 0 : Fail("captured instead: " + text);
}
