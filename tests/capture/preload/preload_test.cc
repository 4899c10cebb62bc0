// Programs that are not linked with capture, run with LD_PRELOAD=libjobtail_capture.so.

#include <gmock/gmock.h>
#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/support/subprocess.h"

namespace jobtail::testing {
namespace {

using ::testing::ContainsRegex;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::MatchesRegex;
using ::testing::Not;
using ::testing::SizeIs;
using ::testing::StartsWith;
using ::testing::UnorderedElementsAre;

std::vector<std::string> Lines(const std::string& text) {
  std::vector<std::string> lines;
  std::istringstream in(text);
  for (std::string line; std::getline(in, line);) lines.push_back(line);
  return lines;
}

std::string Read(const std::filesystem::path& path) {
  std::ostringstream text;
  text << std::ifstream(path).rdbuf();
  return text.str();
}

class PreloadTest : public ::testing::Test {
 protected:
  PreloadTest() {
    std::string name = ::testing::TempDir() + "preload.XXXXXX";
    directory_ = mkdtemp(name.data());
  }
  ~PreloadTest() override { std::filesystem::remove_all(directory_); }

  static Outcome RunWith(std::vector<std::string> settings, std::vector<std::string> command) {
    settings.emplace_back("LD_PRELOAD=" PRELOAD_LIBRARY);
    Subprocess process({.command = std::move(command), .environment = std::move(settings)});
    pid_ = process.pid();
    return process.Wait();
  }
  Outcome RunIntoFiles(std::vector<std::string> command) const {
    return RunWith({"JOBTAIL_CAPTURE_DIR=" + directory_}, std::move(command));
  }
  static Outcome RunTagged(std::vector<std::string> command) {
    return RunWith({"JOBTAIL_CAPTURE_TAG=1"}, std::move(command));
  }

  // What the main thread of the program left.
  std::string MainLog() const {
    return Read(directory_ + "/" + std::to_string(pid_) + "." + std::to_string(pid_) + ".log");
  }
  // What all threads left.
  std::vector<std::string> Logs() const {
    std::vector<std::string> texts;
    for (const auto& entry : std::filesystem::directory_iterator(directory_)) {
      texts.push_back(Read(entry.path()));
    }
    return texts;
  }

  std::string directory_;
  static inline pid_t pid_;
};

std::string Counted(const std::string& name) {
  std::string text;
  for (int i = 1; i <= 200; ++i) {
    text += name + " counts " + std::to_string(i) + "\n";
    if (i % 50 == 0) text += name + " warns " + std::to_string(i) + "\n";
  }
  return text;
}

// --- a file for each thread

TEST_F(PreloadTest, EachThreadHasAFile) {
  const Outcome outcome = RunIntoFiles({PROGRAM, "threads"});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, IsEmpty());
  EXPECT_THAT(outcome.err, IsEmpty());
  EXPECT_EQ(MainLog(), "main begins\nmain ends\n");
  EXPECT_THAT(Logs(), UnorderedElementsAre(MainLog(), Counted("left"), Counted("right")));
}

TEST_F(PreloadTest, WhatIsUnfinishedAtTheEndIsKept) {
  EXPECT_EQ(RunIntoFiles({PROGRAM, "atexit"}).exit_code, 0);
  EXPECT_EQ(MainLog(), "from main\nand unfinished: from atexit\n");
}

TEST_F(PreloadTest, ExitOnAnotherThreadLosesNothing) {
  EXPECT_EQ(RunIntoFiles({PROGRAM, "exit"}).exit_code, 3);
  EXPECT_EQ(MainLog(), "main waits");
  EXPECT_THAT(Logs(), UnorderedElementsAre("main waits", "the end"));
}

TEST_F(PreloadTest, LinesOfStdoutAndStderrDoNotMix) {
  RunIntoFiles({PROGRAM, "mixed"});
  EXPECT_EQ(MainLog(), "half of a line\nan error\n and the other half\n");
}

TEST_F(PreloadTest, AClosedDescriptorIsOpenedAgain) {
  const std::string other = directory_ + "/other";
  EXPECT_EQ(RunIntoFiles({PROGRAM, "close", other}).exit_code, 0);
  EXPECT_EQ(MainLog(), "before\nafter\n");
  EXPECT_EQ(Read(other), "");
}

TEST_F(PreloadTest, AForkedChildLeavesTheParentsLogAlone) {
  const Outcome outcome = RunIntoFiles({PROGRAM, "fork"});
  EXPECT_THAT(Logs(), ElementsAre("parent begins\nunfinished is finished\n"));
  EXPECT_EQ(outcome.out, "child\n");
}

TEST_F(PreloadTest, ProcessesThatItStartsHaveFilesOfTheirOwn) {
  EXPECT_EQ(RunIntoFiles({"/bin/sh", "-c", "echo one; seq 2 3; cd /; seq 4 4"}).exit_code, 0);
  EXPECT_EQ(MainLog(), "one\n");
  EXPECT_THAT(Logs(), UnorderedElementsAre("one\n", "2\n3\n", "4\n"));
}

TEST_F(PreloadTest, WhatAProgramRedirectsGoesThere) {
  const std::string file = directory_ + "/redirected";
  RunIntoFiles({"/bin/sh", "-c", "echo \"$(seq 3 | sort -r)\"; seq 4 > \"$0\"", file});
  EXPECT_EQ(MainLog(), "3\n2\n1\n");
  EXPECT_EQ(Read(file), "1\n2\n3\n4\n");
}

TEST_F(PreloadTest, WhatBashRedirectsGoesThere) {
  const std::string file = directory_ + "/redirected";
  RunIntoFiles({"/bin/bash", "-c",
                "a=$(/bin/bash -c 'echo one'); echo \"<$a>\"; /bin/bash -c 'echo two' > \"$0\"; "
                "/bin/bash -c 'echo three' | tr a-z A-Z",
                file});
  EXPECT_EQ(MainLog(), "<one>\n");
  EXPECT_EQ(Read(file), "two\n");  // which lies beside the logs
  EXPECT_THAT(Logs(), UnorderedElementsAre("<one>\n", "two\n", "THREE\n"));
}

TEST_F(PreloadTest, AProgramThatTakesItsPlaceInheritsRedirections) {
  const std::string file = directory_ + "/redirected";
  RunIntoFiles({"/bin/sh", "-c", "echo 1; exec > \"$0\"; seq 2 2; exec seq 3 3", file});
  EXPECT_EQ(MainLog(), "1\n");
  EXPECT_EQ(Read(file), "2\n3\n");
}

TEST_F(PreloadTest, AFailedExecLeavesEverythingAsItWas) {
  const std::string file = directory_ + "/redirected";
  const Outcome outcome = RunIntoFiles({PROGRAM, "exec", file});
  EXPECT_EQ(MainLog(), "before, \nto the log\n");
  EXPECT_EQ(Read(file), "redirected\n");
  EXPECT_EQ(outcome.out + outcome.err, "");
}

TEST_F(PreloadTest, Python) {
  const std::string script = R"(
import sys, threading
def work(name):
    for i in range(100):
        print(name, i)
        if i % 50 == 0:
            print(name, "warns", i, file=sys.stderr)
threads = [threading.Thread(target=work, args=(name,)) for name in ("left", "right")]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("done", end="")
)";
  const Outcome outcome = RunIntoFiles({"/usr/bin/python3", "-u", "-c", script});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out + outcome.err, "");
  EXPECT_EQ(MainLog(), "done");
  EXPECT_THAT(Logs(),
              UnorderedElementsAre("done", StartsWith("left 0\nleft warns 0\nleft 1\nleft 2\n"),
                                   StartsWith("right 0\nright warns 0\nright 1\nright 2\n")));
}

// --- tags

TEST_F(PreloadTest, LinesAreTaggedWithTheProgram) {
  const Outcome outcome = RunTagged({"/usr/bin/seq", "3"});
  EXPECT_EQ(outcome.out, "[seq] 1\n[seq] 2\n[seq] 3\n");
}

TEST_F(PreloadTest, CharactersThatAreInlinedFromTheHeadersAreInTheirPlace) {
  const Outcome outcome = RunTagged({"/bin/ls", "-d", "/usr", "/tmp"});
  EXPECT_EQ(outcome.out, "[ls] /tmp\n[ls] /usr\n");
}

TEST_F(PreloadTest, LinesAreTaggedWithTheThread) {
  const Outcome outcome = RunTagged({PROGRAM, "threads"});
  EXPECT_THAT(Lines(outcome.out), SizeIs(402));
  EXPECT_THAT(Lines(outcome.err), SizeIs(8));
  for (const std::string& line : Lines(outcome.out + outcome.err)) {
    EXPECT_THAT(line, MatchesRegex("\\[preload_program\\] main (begins|ends)|"
                                   "\\[[0-9]+\\] (left|right) (counts|warns) [0-9]+|"
                                   "\\[rightmost\\] right (counts|warns) [0-9]+"));
  }
}

TEST_F(PreloadTest, AThreadsNameIsItsTag) {
  EXPECT_EQ(RunTagged({PROGRAM, "named"}).out, "[worker] hello\n");
}

TEST_F(PreloadTest, ProcessesThatItStartsAreTaggedOnce) {
  EXPECT_EQ(RunTagged({"/bin/sh", "-c", "seq 1 1; echo 2 >&2"}).out, "[seq] 1\n");
  EXPECT_EQ(RunTagged({"/bin/sh", "-c", "echo $(seq 1 2)"}).out, "[sh] 1 2\n");
  EXPECT_EQ(RunTagged({"/usr/bin/python3", "-c", "import os; os.system('seq 1 1')"}).out,
            "[seq] 1\n");
}

// --- settings

TEST_F(PreloadTest, WithoutASettingNothingChanges) {
  const Outcome outcome = RunWith({"JOBTAIL_CAPTURE_TAG="}, {"/usr/bin/seq", "2"});
  EXPECT_EQ(outcome.out, "1\n2\n");
  EXPECT_EQ(outcome.err, "");
}

TEST_F(PreloadTest, AWrongSettingIsSaidOnce) {
  const std::vector<std::string> command = {"/bin/sh", "-c", "seq 1 2; seq 3 3"};
  const Outcome tag = RunWith({"JOBTAIL_CAPTURE_TAG=yes"}, command);
  EXPECT_EQ(tag.out, "1\n2\n3\n");
  EXPECT_EQ(tag.err,
            "libjobtail_capture: JOBTAIL_CAPTURE_TAG=yes means nothing; say 1 or nothing; nothing "
            "is captured\n");
  const Outcome directory = RunWith({"JOBTAIL_CAPTURE_DIR=/no/such"}, command);
  EXPECT_EQ(directory.out, "1\n2\n3\n");
  EXPECT_EQ(directory.err,
            "libjobtail_capture: JOBTAIL_CAPTURE_DIR=/no/such: No such file or directory; name a "
            "directory that exists; nothing is captured\n");
  EXPECT_THAT(RunWith({"JOBTAIL_CAPTURE_DIR=/etc/passwd"}, command).err,
              HasSubstr("JOBTAIL_CAPTURE_DIR=/etc/passwd is not a directory"));
}

TEST_F(PreloadTest, SettingsThatExcludeEachOtherAreRefused) {
  const Outcome outcome = RunWith({"JOBTAIL_CAPTURE_TAG=1", "JOBTAIL_CAPTURE_DIR=" + directory_},
                                  {"/usr/bin/seq", "1"});
  EXPECT_EQ(outcome.out, "1\n");
  EXPECT_THAT(outcome.err, HasSubstr("exclude each other"));
}

// --- the C API

constexpr const char* kShown =
    "before\n"
    "captured: 1 1 1 and printf\n"
    "captured: 2 1 error\n"
    "captured: 1 1 thread\n"
    "captured: 1 3 unfinished\n"
    "after\n";

TEST_F(PreloadTest, ACProgramFindsTheCApi) {
  const Outcome outcome = RunWith({"JOBTAIL_CAPTURE_TAG="}, {C_PROGRAM});
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_EQ(outcome.out, kShown);
  EXPECT_EQ(outcome.err, "");
}

TEST_F(PreloadTest, PythonFindsTheCApi) {
  const std::string script = R"(
import ctypes, threading
class Line(ctypes.Structure):
    _fields_ = [("stream", ctypes.c_int32), ("ending", ctypes.c_int32), ("time", ctypes.c_int64),
                ("text", ctypes.POINTER(ctypes.c_char)), ("size", ctypes.c_size_t)]
Callback = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.POINTER(Line))
library = ctypes.CDLL(None)
library.jobtail_capture_begin.restype = ctypes.c_void_p
library.jobtail_capture_end.argtypes = [ctypes.c_void_p]
lines = []
callback = Callback(lambda context, line: lines.append(
    (line[0].stream, ctypes.string_at(line[0].text, line[0].size).decode())))
capture = library.jobtail_capture_begin(callback, None)
print("from Python", flush=True)
library.puts(b"from C")
threads = [threading.Thread(target=print, args=("from a thread",)) for _ in range(8)]
for thread in threads: thread.start()
for thread in threads: thread.join()
print("unfinished", end="", flush=True)
assert library.jobtail_capture_end(capture) == 0
assert lines == [(1, "from Python"), (1, "from C")] + 8 * [(1, "from a thread")] + [(1, "unfinished")], lines
print("ok")
)";
  const Outcome outcome =
      RunWith({"JOBTAIL_CAPTURE_TAG="}, {"/usr/bin/python3", "-u", "-c", script});
  EXPECT_EQ(outcome.err, "");
  EXPECT_EQ(outcome.out, "ok\n");
}

}  // namespace
}  // namespace jobtail::testing
