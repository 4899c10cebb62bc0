// A program that hides the functions which capture defines, and thus misses what libraries print.

#include <cstring>
#include <iostream>
#include <string>

#include "capture/interposition.h"
#include "capture/scope.h"

namespace {

class NoSink : public jobtail::capture::Sink {
 public:
  void Write(std::span<const jobtail::capture::Line>) noexcept override {}
  bool TryWrite(std::span<const jobtail::capture::Line>) noexcept override { return true; }
};

}  // namespace

int main() {
  NoSink sink;
  for (int i = 0; i < 2; ++i) const jobtail::capture::Scope scope(&sink);
  const char* const problem = jobtail::capture::InterpositionProblem();
  std::cout << (problem ? "a problem" : "no problem") << std::endl;
}
