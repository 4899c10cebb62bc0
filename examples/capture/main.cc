// Captures what two threads print at the same time, each into a list of its own, and shows the
// lists afterwards.

#include <cstdio>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

#include "capture/scope.h"

struct Lines : jobtail::capture::Sink {
  void Write(std::span<const jobtail::capture::Line> lines) noexcept override {
    for (const auto& line : lines) texts.emplace_back(line.text);
  }
  bool TryWrite(std::span<const jobtail::capture::Line> lines) noexcept override {
    Write(lines);
    return true;
  }
  std::vector<std::string> texts;
};

void Work(const char* name, Lines* lines) {
  const jobtail::capture::Scope scope(lines);
  for (int i = 1; i <= 3; ++i) std::cout << name << " counts " << i << std::endl;
  std::printf("%s is done\n", name);
}

int main() {
  Lines left, right;
  std::thread first(Work, "left", &left);
  std::thread second(Work, "right", &right);
  first.join();
  second.join();
  for (const Lines* lines : {&right, &left}) {
    for (const std::string& text : lines->texts) std::cout << "captured: " << text << "\n";
  }
}
