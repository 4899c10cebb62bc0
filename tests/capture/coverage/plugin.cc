// A shared library that prints, for tests to open by dlopen.

#include "tests/capture/coverage/plugin.h"

#include <stdio.h>
#include <unistd.h>

#include <iostream>
#include <string>

namespace jobtail::capture {
namespace {

void WithWrite(const char* text) {
  const std::string line = std::string("write ") + text + "\n";
  if (write(2, line.data(), line.size()) < 0) perror("write");
}

}  // namespace

extern "C" const Plugin coverage_plugin;
const Plugin coverage_plugin = {
    [](const char* text) { printf("printf %s\n", text); },
    [](const char* text) { std::cout << "cout " << text << std::endl; },
    WithWrite,
};

}  // namespace jobtail::capture
