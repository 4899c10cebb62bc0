// Would be captured, if it could be linked.

#include <iostream>

#include "capture/scope.h"

struct Nothing : jobtail::capture::Sink {
  void Write(std::span<const jobtail::capture::Line>) noexcept override {}
  bool TryWrite(std::span<const jobtail::capture::Line>) noexcept override { return true; }
};

int main() {
  Nothing sink;
  const jobtail::capture::Scope scope(&sink);
  std::cout << "to the sink" << std::endl;
}
