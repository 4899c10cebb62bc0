// What a test can see of processes, and waiting for what nobody tells of.

#include "tests/support/observe.h"

#include <chrono>
#include <cstdio>
#include <fstream>
#include <iterator>
#include <sstream>
#include <thread>

namespace jobtail::testing {

bool Eventually(const std::function<bool()>& condition) {
  const auto deadline = std::chrono::steady_clock::now() + std::chrono::minutes(1);
  while (!condition()) {
    if (std::chrono::steady_clock::now() > deadline) return false;
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  return true;
}

bool IsAlive(pid_t pid) {
  const std::string status = ReadFile("/proc/" + std::to_string(pid) + "/stat");
  return !status.empty() && status.find(") Z ") == std::string::npos;
}

int64_t PeakMemory(pid_t pid) {
#ifdef __SANITIZE_ADDRESS__
  return -1;
#endif
  std::ifstream status("/proc/" + std::to_string(pid) + "/status");
  int64_t kilobytes = 0;
  for (std::string name; status >> name;) {
    if (name == "VmHWM:" && status >> kilobytes) return kilobytes << 10;
  }
  return -1;
}

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  std::ostringstream text;
  text << file.rdbuf();  // what a process that ends has in /proc may go in the middle of it
  return text.str();
}

void WriteFile(const std::string& path, const std::string& text) {
  std::ofstream(path + ".new", std::ios::binary) << text;
  std::rename((path + ".new").c_str(), path.c_str());
}

}  // namespace jobtail::testing
