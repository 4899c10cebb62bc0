// Two threads, each with a scope and a sink of its own, and a third that nobody captures print at
// once in every way that C++ has: each sink has its own thread's lines, whole and in order, and the
// real stdout those of the third. With libc++, in which std::cout is another object than the one
// that jobtail's own tests print to.

#include <fcntl.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <clocale>
#include <cstdio>
#include <cstdlib>
#include <functional>
#include <iostream>
#include <locale>
#include <span>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "capture/context.h"
#include "capture/interposition.h"
#include "capture/scope.h"

#ifndef _LIBCPP_VERSION
#error "This is for libc++"
#endif

namespace {

namespace capture = jobtail::capture;

constexpr int kRounds = 500;

// "out text" or "err text" for each line.
class Lines : public capture::Sink {
 public:
  void Write(std::span<const capture::Line> lines) noexcept override {
    for (const capture::Line& line : lines) {
      const char* const ending = line.ending == capture::Ending::kLf ? "" : " unfinished";
      const char* const stream = line.stream == capture::Stream::kStdout ? "out " : "err ";
      lines_.push_back(stream + std::string(line.text) + ending);
    }
  }
  bool TryWrite(std::span<const capture::Line> lines) noexcept override { return lines.empty(); }
  const std::vector<std::string>& lines() const { return lines_; }

 private:
  std::vector<std::string> lines_;
};

[[noreturn]] void Fail(const std::string& reason) {
  dprintf(2, "%s\n", reason.c_str());
  _exit(1);
}

void ExpectEqual(const std::vector<std::string>& seen, const std::vector<std::string>& expected) {
  if (seen == expected) return;
  std::string all;
  for (size_t i = 0; i < seen.size() && all.size() < 2000; ++i) {
    const bool right = i < expected.size() && seen[i] == expected[i];
    if (!right) all += "\n  line " + std::to_string(i) + ": " + seen[i];
  }
  Fail(std::to_string(seen.size()) + " lines where " + std::to_string(expected.size()) +
       " are expected; wrong are:" + all);
}

// --- What is printed, and what is to be seen of it

void PrintRound(const std::string& name, int round) {
  std::cout << name << ' ' << round << " cout endl" << std::endl;
  std::cout << name << ' ' << round << " cout" << '\n';
  std::cerr << name << ' ' << round << " cerr" << '\n';
  std::clog << name << ' ' << round << " clog" << std::endl;
  std::wcout << name.c_str() << L' ' << round << L" wc\u00f6ut" << std::endl;
  std::printf("%s %d printf\n", name.c_str(), round);
  const std::string fwritten = name + " fwrite\n";
  std::fwrite(fwritten.data(), 1, fwritten.size(), stdout);
  const std::string written = name + " write\n";
  if (write(STDOUT_FILENO, written.data(), written.size()) < 0) Fail("write does not");
  std::ostream own(std::cout.rdbuf());
  own << name << " own stream" << std::endl;
}

void Append(const std::string& name, int round, std::vector<std::string>* lines) {
  const std::string start = name + " " + std::to_string(round) + " ";
  for (const std::string& line :
       {"out " + start + "cout endl", "out " + start + "cout", "err " + start + "cerr",
        "err " + start + "clog", "out " + start + "wc\u00f6ut", "out " + start + "printf",
        "out " + name + " fwrite", "out " + name + " write", "out " + name + " own stream"}) {
    lines->push_back(line);
  }
}

std::vector<std::string> Expected(const std::string& name) {
  std::vector<std::string> lines;
  for (int round = 0; round < kRounds; ++round) Append(name, round, &lines);
  return lines;
}

void PrintCaptured(const std::string& name, Lines* lines, std::atomic<int>* waiting) {
  const capture::Scope scope(lines);
  --*waiting;
  while (*waiting > 0) std::this_thread::yield();
  for (int round = 0; round < kRounds; ++round) PrintRound(name, round);
}

std::vector<std::string> ExpectedOfReal() {
  std::vector<std::string> lines;
  for (int round = 0; round < kRounds; ++round) {
    lines.push_back("free " + std::to_string(round) + " cout");
    lines.push_back("free " + std::to_string(round) + " printf");
  }
  return lines;
}

std::vector<std::string> ReadLines(FILE* file) {
  std::vector<std::string> lines;
  std::rewind(file);
  for (int c, begins = true; (c = std::getc(file)) != EOF; begins = c == '\n') {
    if (begins) lines.emplace_back();
    if (c != '\n') lines.back() += static_cast<char>(c);
  }
  return lines;
}

// What reaches the real stdout meanwhile.
std::vector<std::string> RealLinesOf(const std::function<void()>& print) {
  FILE* const file = std::tmpfile();
  const int real = dup(STDOUT_FILENO);
  if (!file || dup2(fileno(file), STDOUT_FILENO) < 0) Fail("there is no file for stdout");
  print();
  std::fflush(stdout);
  dup2(real, STDOUT_FILENO);
  close(real);
  std::vector<std::string> lines = ReadLines(file);
  std::fclose(file);
  return lines;
}

void PrintThree(Lines* left, Lines* right) {
  std::atomic<int> waiting = 3;
  std::thread first(PrintCaptured, "left", left, &waiting);
  std::thread second(PrintCaptured, "right", right, &waiting);
  --waiting;
  while (waiting > 0) std::this_thread::yield();
  for (int round = 0; round < kRounds; ++round) {
    std::cout << "free " << round << " cout" << std::endl;
    std::printf("free %d printf\n", round);
  }
  first.join();
  second.join();
}

void ThreadsPrintApart() {
  Lines left, right;
  const std::vector<std::string> real = RealLinesOf([&] { PrintThree(&left, &right); });
  ExpectEqual(left.lines(), Expected("left"));
  ExpectEqual(right.lines(), Expected("right"));
  ExpectEqual(real, ExpectedOfReal());
}

std::vector<std::string> Captured(const std::function<void()>& print) {
  Lines lines;
  {
    const capture::Scope scope(&lines);
    print();
  }
  return lines.lines();
}

// A line is whole however often its stream is flushed; what is flushed by intent is handed on.
void FlushesAreTold() {
  ExpectEqual(Captured([] { std::cout << "so far, " << std::flush << "so good" << std::endl; }),
              {"out so far,  unfinished", "out so good"});
  ExpectEqual(Captured([] {
                std::cout << std::unitbuf << "one "
                          << "line" << '\n'
                          << std::nounitbuf;
              }),
              {"out one line"});
}

// Errors, exceptions and format that one run leaves are not the next one's.
void StreamsBeginAnew() {
  Captured([] {
    std::cout << std::hex << std::showbase;
    std::cout.setstate(std::ios::badbit);
    std::cout << "into the void";
  });
  ExpectEqual(Captured([] { std::cout << 16 << std::endl; }), {"out 16"});
  try {
    Captured([] {
      std::cout << "before" << std::endl;
      throw std::string("through the scope");
    });
    Fail("the exception has not come through");
  } catch (const std::string& thrown) {
    if (thrown != "through the scope") Fail("another exception has come: " + thrown);
  }
}

void ThreadsAndProcessesAreCaptured() {
  ExpectEqual(Captured([] { std::thread([] { std::cout << "a thread's\n"; }).join(); }),
              {"out a thread's"});
  std::vector<std::string> processes = Captured([] {
    if (std::system("echo a process; echo its errors >&2") != 0) Fail("there is no shell");
  });
  std::sort(processes.begin(), processes.end());  // between the two there is no order
  ExpectEqual(processes, {"err its errors", "out a process"});
  Lines lines;
  std::function<void()> bound;
  {
    const capture::Scope scope(&lines);
    bound = capture::Bind([] { std::cout << "a pool's" << std::endl; });
    std::thread([&] { bound(); }).join();
  }
  ExpectEqual(lines.lines(), {"out a pool's"});
}

// What libc++ says of an exception that nobody catches goes to the sink as well.
void LastWordsAreTaken() {
  struct ToPipe : capture::Sink {
    void Write(std::span<const capture::Line> lines) noexcept override {
      for (const capture::Line& line : lines) {
        if (write(fd, line.text.data(), line.text.size()) < 0) _exit(2);
      }
    }
    bool TryWrite(std::span<const capture::Line>) noexcept override { return false; }
    int fd = -1;
  };
  int ends[2];
  if (pipe2(ends, O_CLOEXEC) != 0) Fail("no pipe");
  const pid_t child = fork();
  if (child == 0) {
    prctl(PR_SET_DUMPABLE, 0);
    dup2(open("/dev/null", O_WRONLY | O_CLOEXEC), STDERR_FILENO);
    ToPipe sink;
    sink.fd = ends[1];
    const capture::Scope scope(&sink);
    throw std::runtime_error("the last words");
  }
  close(ends[1]);
  std::string words;
  char space[256];
  for (ssize_t size; (size = read(ends[0], space, sizeof(space))) > 0;) {
    words.append(space, static_cast<size_t>(size));
  }
  close(ends[0]);
  int status = 0;
  waitpid(child, &status, 0);
  if (!WIFSIGNALED(status)) Fail("the child has not aborted");
  if (words.find("the last words") == std::string::npos) Fail("the last words are: " + words);
}

}  // namespace

int main() {
  if (const char* const problem = capture::InterpositionProblem()) Fail(problem);
  std::setlocale(LC_ALL, "C.UTF-8");
  std::wcout.imbue(std::locale("C.UTF-8"));

  ThreadsPrintApart();
  std::ios::sync_with_stdio(false);
  ThreadsPrintApart();
  FlushesAreTold();
  StreamsBeginAnew();
  ThreadsAndProcessesAreCaptured();
  LastWordsAreTaken();
}
