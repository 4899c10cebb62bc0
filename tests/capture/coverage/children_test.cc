// Child processes of a captured thread. A child's lines are whole; once it has been waited for,
// they come before what the parent prints next.

#include <fcntl.h>
#include <gtest/gtest.h>
#include <linux/sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <atomic>
#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <functional>
#include <iostream>
#include <span>
#include <string>
#include <thread>
#include <vector>

#include "tests/capture/coverage/row.h"

namespace jobtail::capture {
namespace {

constexpr int kRepetitions = 4;
constexpr int kLines = 3;  // of each child, to each stream

// What the parent prints when a child has ended. Without a buffer, so that the order holds on the
// real descriptors, too.
void PrintAsParent(const Tag& tag) { dprintf(1, "parent of %s\n", tag.c_str()); }

// For a shell: prints kLines lines to each stream, in pieces.
std::string Script(const Tag& tag) {
  std::string script;
  for (int i = 0; i < kLines; ++i) {
    const std::string text = tag.text + " line " + std::to_string(i);
    script += "printf 'out '; echo " + text + "; echo err " + text + " >&2; ";
  }
  return script + "exit 3";
}

std::vector<Record> LinesOfScript(const Tag& tag) {
  std::vector<Record> lines;
  for (int i = 0; i < kLines; ++i) {
    const std::string text = tag.text + " line " + std::to_string(i);
    lines.push_back(Out("out " + text));
    lines.push_back(Err("err " + text));
  }
  lines.push_back(Out("parent of " + tag.text));
  return lines;
}

void RequireExit(int status, int code, const char* what) {
  Require(WIFEXITED(status) && WEXITSTATUS(status) == code, what);
}

void WaitForExit(pid_t pid, int code) {
  int status = 0;
  Require(waitpid(pid, &status, 0) == pid, "the child is waited for");
  RequireExit(status, code, "the child's exit code comes back");
}

// `run` runs Script(tag) and waits for its end.
void ExpectChildrenCaptured(std::function<void(const Tag& tag)> run) {
  const Way way{[run = std::move(run)](const Tag& tag) {
                  run(tag);
                  PrintAsParent(tag);
                },
                LinesOfScript, Order::kPerStream};
  ExpectCaptured({.captured = way, .repetitions = kRepetitions});
}

// The arguments of a shell that runs a script.
struct Shell {
  explicit Shell(const Tag& tag) : script(Script(tag)) { arguments[2] = script.data(); }

  std::string script;
  char name[3] = "sh";
  char option[3] = "-c";
  std::array<char*, 4> arguments{name, option, nullptr, nullptr};
};

TEST(Children, System) {
  ExpectChildrenCaptured([](const Tag& tag) {
    RequireExit(system(Script(tag).c_str()), 3, "system returns the exit code");
  });
}

// "r": the child's stdout is the caller's, its stderr is the run's.
TEST(Children, PopenForReading) {
  const Way way{[](const Tag& tag) {
                  FILE* const child = popen(Script(tag).c_str(), "r");
                  Require(child != nullptr, "popen starts the child");
                  std::string read;
                  for (int c; (c = fgetc(child)) != EOF;) read += static_cast<char>(c);
                  RequireExit(pclose(child), 3, "pclose returns the exit code");
                  Require(
                      read == Join(LinesOfScript(tag), Stream::kStdout).substr(0, read.size()) &&
                          !read.empty(),
                      "the caller reads the child's stdout");
                  PrintAsParent(tag);
                },
                [](const Tag& tag) {
                  std::vector<Record> lines = LinesOfScript(tag);
                  std::erase_if(lines, [](const Record& line) {
                    return line.stream == Stream::kStdout && line.text.starts_with("out");
                  });
                  return lines;
                },
                Order::kPerStream};
  ExpectCaptured({.captured = way, .repetitions = kRepetitions});
}

// "w": the child reads what the caller writes, its stdout is the run's.
TEST(Children, PopenForWriting) {
  ExpectChildrenCaptured([](const Tag& tag) {
    FILE* const child = popen("sh", "w");
    Require(child != nullptr, "popen starts the child");
    fprintf(child, "%s\n", Script(tag).c_str());
    RequireExit(pclose(child), 3, "pclose returns the exit code");
  });
}

// As programs do by mistake, and the C library waits for the child all the same.
TEST(Children, FcloseOfAStreamOfPopen) {
  const Observation seen = Observe([](Recorder& sink) {
    const Scope scope(&sink);
    FILE* const child = popen("echo err >&2; exit 3", "r");
    Require(child != nullptr, "popen starts the child");
    int (*volatile close)(FILE*) = fclose;  // which the compiler would warn of
    RequireExit(close(child), 3, "fclose returns what pclose would");
    Require(waitpid(-1, nullptr, WNOHANG) < 0 && errno == ECHILD, "nobody is left to wait for");
    FILE* const other = popen("true", "r");  // which closes what is still open of others
    Require(other != nullptr && pclose(other) == 0, "another one starts and ends");
  });
  EXPECT_EQ(seen.captured(), std::vector{Err("err")});
}

// A sink that takes what does not wait, but for so many times.
class Eager : public Recorder {
 public:
  explicit Eager(int refusals) : refusals_(refusals) {}

  bool TryWrite(std::span<const Line> lines) noexcept override {
    if (refusals_.fetch_sub(1) > 0) return false;
    Write(lines);
    return true;
  }

 private:
  std::atomic<int> refusals_;
};

// Much, of which a pipe has room for a part, while another thread's child prints all the time.
TEST(Children, ThatMustWaitDoNotWaitForAPauseOfOthers) {
  Observe([](Recorder&) {
    std::string busy = std::filesystem::temp_directory_path() / "jobtail-busy-XXXXXX";
    close(mkstemp(busy.data()));
    Eager others(0);
    std::thread other([&] {
      const Scope scope(&others);
      const std::string script = "i=0; while test $i -lt 2000000; do echo $i; test -e " + busy +
                                 " || exit 7; i=$((i+1)); done";
      RequireExit(system(script.c_str()), 7, "the other one prints until it is told to end");
    });
    others.WaitFor([](const std::vector<Record>& records) { return !records.empty(); });
    Eager own(20);
    {
      const Scope scope(&own);
      Require(system("seq 100000") == 0, "the child ends");
    }
    Require(own.records().size() == 100000, "all that it has printed is there");
    unlink(busy.c_str());
    other.join();
  });
}

// --- posix_spawn

TEST(Children, PosixSpawn) {
  ExpectChildrenCaptured([](const Tag& tag) {
    Shell shell(tag);
    pid_t pid;
    Require(posix_spawn(&pid, "/bin/sh", nullptr, nullptr, shell.arguments.data(), environ) == 0,
            "the child starts");
    WaitForExit(pid, 3);
  });
}

TEST(Children, PosixSpawnp) {
  ExpectChildrenCaptured([](const Tag& tag) {
    Shell shell(tag);
    pid_t pid;
    posix_spawnattr_t attributes;
    posix_spawnattr_init(&attributes);
    Require(posix_spawnp(&pid, "sh", nullptr, &attributes, shell.arguments.data(), environ) == 0,
            "the child starts");
    posix_spawnattr_destroy(&attributes);
    WaitForExit(pid, 3);
  });
}

class FileActions {
 public:
  FileActions() { posix_spawn_file_actions_init(&actions); }
  ~FileActions() { posix_spawn_file_actions_destroy(&actions); }

  posix_spawn_file_actions_t actions;
};

// Actions that have nothing to do with the outputs.
TEST(Children, PosixSpawnWithFileActions) {
  ExpectChildrenCaptured([](const Tag& tag) {
    Shell shell(tag);
    FileActions file;
    posix_spawn_file_actions_addopen(&file.actions, 0, "/dev/null", O_RDONLY, 0);
    pid_t pid;
    Require(
        posix_spawn(&pid, "/bin/sh", &file.actions, nullptr, shell.arguments.data(), environ) == 0,
        "the child starts");
    WaitForExit(pid, 3);
  });
}

// Actions that send stdout elsewhere, and stderr to what stdout was: as the caller wants it.
TEST(Children, PosixSpawnWithFileActionsOnTheOutputs) {
  const Way way{[](const Tag& tag) {
                  Shell shell(tag);
                  FileActions file;
                  posix_spawn_file_actions_adddup2(&file.actions, 1, 2);
                  posix_spawn_file_actions_addopen(&file.actions, 1, "/dev/null", O_WRONLY, 0);
                  pid_t pid;
                  Require(posix_spawn(&pid, "/bin/sh", &file.actions, nullptr,
                                      shell.arguments.data(), environ) == 0,
                          "the child starts");
                  WaitForExit(pid, 3);
                  PrintAsParent(tag);
                },
                [](const Tag& tag) {
                  std::vector<Record> lines;
                  for (const Record& line : LinesOfScript(tag)) {
                    if (!line.text.starts_with("out")) lines.push_back(Out(line.text));
                  }
                  return lines;
                }};
  ExpectCaptured({.captured = way, .repetitions = kRepetitions});
}

// --- fork

TEST(Children, ForkAndExec) {
  ExpectChildrenCaptured([](const Tag& tag) {
    Shell shell(tag);
    const pid_t pid = fork();
    if (pid == 0) {
      execv("/bin/sh", shell.arguments.data());
      _exit(127);
    }
    WaitForExit(pid, 3);
  });
}

TEST(Children, VforkAndExec) {
  ExpectChildrenCaptured([](const Tag& tag) {
    Shell shell(tag);
    const pid_t pid = vfork();
    if (pid == 0) {
      execve("/bin/sh", shell.arguments.data(), environ);
      _exit(127);
    }
    WaitForExit(pid, 3);
  });
}

// It has its parent's memory until it becomes another program: nothing of that is copied, however
// much it is. Where the docs say that it is fork, it is that.
TEST(Children, AChildOfVforkHasItsParentsMemory) {
#if defined(__x86_64__)
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer makes a fork of it";
  ExpectChildrenCaptured([](const Tag& tag) {
    Shell shell(tag);
    volatile bool is_shared = false;
    const pid_t pid = vfork();
    if (pid == 0) {
      is_shared = true;
      execve("/bin/sh", shell.arguments.data(), environ);
      _exit(127);
    }
    Require(is_shared, "the child's memory is its parent's");
    WaitForExit(pid, 3);
  });
#endif
}

// A child of vfork that cannot go on says so, and its parent goes on as if nothing had been.
TEST(Children, VforkOfAProgramThatIsNotThere) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const pid_t pid = vfork();
                                 if (pid == 0) {
                                   char* const arguments[] = {const_cast<char*>("x"), nullptr};
                                   execve("/nowhere", arguments, environ);
                                   static_cast<void>(!write(1, tag.text.data(), tag.text.size()));
                                   static_cast<void>(!write(1, "\n", 1));
                                   _exit(3);
                                 }
                                 WaitForExit(pid, 3);
                                 puts(tag.c_str());
                               },
                               TwiceOnStdout},
                  .uncaptured = Plainly(),
                  .repetitions = 20});
}

// What fork does, by the system call or without the handlers of pthread_atfork.
TEST(Children, OtherWaysToFork) {
  SKIP_FORKED_CHILDREN_UNDER_SANITIZERS();
  if (kThreadSanitizer) GTEST_SKIP() << "ThreadSanitizer prepares for fork() alone";
  ExpectCaptured({.captured = {[](const Tag& tag) {
                                 const std::string line = tag.line();
                                 const auto print = [&](pid_t pid) {
                                   if (pid == 0) {
                                     static_cast<void>(!write(1, line.data(), line.size()));
                                     _exit(3);
                                   }
                                   WaitForExit(pid, 3);
                                 };
                                 print(_Fork());
                                 print(static_cast<pid_t>(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0)));
                                 clone_args arguments{};
                                 arguments.exit_signal = SIGCHLD;
                                 print(static_cast<pid_t>(
                                     syscall(SYS_clone3, &arguments, CLONE_ARGS_SIZE_VER0)));
#ifdef SYS_fork
                                 print(static_cast<pid_t>(syscall(SYS_fork)));
#else
                                 print(fork());
#endif
                               },
                               [](const Tag& tag) { return std::vector(4, Out(tag.text)); }},
                  .uncaptured = Plainly(),
                  .repetitions = 10});
}

// A child that goes on in the same program, with all ways to print that has.
TEST(Children, ForkWithoutExec) {
  SKIP_FORKED_CHILDREN_UNDER_SANITIZERS();
  ExpectChildrenCaptured([](const Tag& tag) {
    const pid_t pid = fork();
    if (pid == 0) {
      for (int i = 0; i < kLines; ++i) {
        std::cout << "out ";
        printf("%s line %d\n", tag.c_str(), i);
        dprintf(2, "err %s line %d\n", tag.c_str(), i);
      }
      fflush(stdout);
      _exit(3);
    }
    WaitForExit(pid, 3);
  });
}

// The shell's own children.
TEST(Children, Grandchildren) {
  ExpectChildrenCaptured([](const Tag& tag) {
    const std::string script = "sh -c \"" + Script(tag) + "\" | cat; exit 3";
    RequireExit(system(script.c_str()), 3, "system returns the exit code");
  });
}

// --- children that outlive the scope

// What a child tells: that it has printed. Neither stdout nor stderr.
class Bell {
 public:
  Bell() { Require(pipe(ends_.data()) == 0, "a pipe opens"); }

  void Ring() const { Require(write(ends_[1], "", 1) == 1, "the bell rings"); }
  void Wait() const {
    char byte;
    Require(read(ends_[0], &byte, 1) == 1, "the bell has rung");
  }

 private:
  std::array<int, 2> ends_;
};

// A child that prints twice, the second time when it is told to.
struct Survivor {
  void Start(const Tag& tag) {
    pid = fork();
    if (pid != 0) return;
    signal(SIGPIPE, SIG_DFL);
    dprintf(1, "%s in time\n", tag.c_str());
    printed.Ring();
    go_on.Wait();
    dprintf(1, "%s late\n", tag.c_str());
    _exit(0);
  }
  void End() const {
    go_on.Ring();
    WaitForExit(pid, 0);
  }

  pid_t pid = -1;
  Bell printed;
  Bell go_on;
};

// What it prints while the scope lasts is the run's, what it prints later comes to the real stdout,
// and nothing ends it before.
TEST(Children, ThatOutliveTheScope) {
  static std::array<Survivor, kThreads>* survivors = nullptr;
  const Row row{.captured = {[](const Tag& tag) {
                  if (tag.repetition == 0) survivors->at(tag.thread).Start(tag);
                }},
                .uncaptured = Plainly(),
                .repetitions = kRepetitions,
                .before = [] { survivors = new std::array<Survivor, kThreads>; },
                .after =
                    [] {
                      for (const Survivor& survivor : *survivors) survivor.End();
                    },
                .end = [](int thread) { survivors->at(thread).printed.Wait(); }};
  Observation seen = RunRow(row);
  for (int t = 0; t < kThreads; ++t) {
    EXPECT_EQ(Join(seen.sinks.at(t), Stream::kStdout), Tag(t, 0).text + " in time\n");
    const std::string late = Tag(t, 0).text + " late\n";
    const size_t position = seen.out.find(late);
    ASSERT_NE(position, std::string::npos) << "lost: " << late;
    seen.out.erase(position, late.size());
  }
  ExpectReal(seen, row);
}

}  // namespace
}  // namespace jobtail::capture
