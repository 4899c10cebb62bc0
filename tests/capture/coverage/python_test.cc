// An embedded Python interpreter.

#define PY_SSIZE_T_CLEAN
#include <Python.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tests/capture/coverage/row.h"

// LeakSanitizer asks for these: Python leaves to the process's end what it has allocated, and
// nothing else is to be printed.
extern "C" const char* __lsan_default_suppressions() { return "leak:libpython3"; }
extern "C" const char* __lsan_default_options() { return "print_suppressions=0"; }

namespace jobtail::capture {
namespace {

// While it lives, this thread may call Python.
class Gil {
 public:
  Gil() : state_(PyGILState_Ensure()) {}
  ~Gil() { PyGILState_Release(state_); }
  Gil(const Gil&) = delete;
  Gil& operator=(const Gil&) = delete;

 private:
  const PyGILState_STATE state_;
};

// Started before any scope. sys.stdout is one object for all threads: with a buffer, whoever fills
// it would print everybody's text, so it is to have none.
void StartPython() {
  PyConfig config;
  PyConfig_InitIsolatedConfig(&config);
  config.buffered_stdio = 0;
  const PyStatus status = Py_InitializeFromConfig(&config);
  Require(!PyStatus_Exception(status), "Python starts");
  PyConfig_Clear(&config);
  PyEval_SaveThread();
}

void RunPython(const std::string& code) {
  const Gil gil;
  Require(PyRun_SimpleString(code.c_str()) == 0, "the code runs");
}

TEST(Python, PrintFromEightThreads) {
  const Way way{[](const Tag& tag) {
                  RunPython("import sys\nprint(" + std::to_string(tag.thread) + ", " +
                            std::to_string(tag.repetition) + ", sep=':')\nprint('" + tag.text +
                            "', file=sys.stderr)");
                },
                OnBoth};
  ExpectCaptured({.captured = way, .repetitions = 100, .before = StartPython});
}

TEST(Python, WriteOfOs) {
  const Way way{
      [](const Tag& tag) { RunPython("import os\nos.write(1, b'" + tag.text + "\\n')"); }};
  ExpectCaptured({.captured = way, .repetitions = 100, .before = StartPython});
}

// A thread that Python code starts is the run's.
TEST(Python, ThreadsOfPython) {
  const Way way{[](const Tag& tag) {
    const std::string name = "t" + std::to_string(tag.thread);  // a variable for everybody to see
    RunPython("import threading\n" + name + " = threading.Thread(target=print, args=('" + tag.text +
              "',))\n" + name + ".start()\n" + name + ".join()");
  }};
  ExpectCaptured({.captured = way, .repetitions = 20, .before = StartPython});
}

}  // namespace
}  // namespace jobtail::capture
