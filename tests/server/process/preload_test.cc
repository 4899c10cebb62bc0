// Which programs load the library of exact order.

#include "server/process/preload.h"

#include <elf.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <string.h>
#include <sys/stat.h>

#include <string>

#include "absl/strings/str_cat.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/observe.h"

namespace jobtail::testing {
namespace {

using ::testing::Contains;
using ::testing::StartsWith;

// The beginning of a program for 32-bit processors.
std::string OldProgram() {
  Elf32_Ehdr header{};
  memcpy(header.e_ident, ELFMAG, SELFMAG);
  header.e_ident[EI_CLASS] = ELFCLASS32;
  header.e_ident[EI_DATA] = ELFDATA2LSB;
  header.e_machine = EM_386;
  return {reinterpret_cast<const char*>(&header), sizeof header};
}

class PreloadTest : public ::testing::Test {
 protected:
  std::string Program(const std::string& name, const std::string& bytes) {
    const std::string path = absl::StrCat(directory_.path(), "/", name);
    WriteFile(path, bytes);
    chmod(path.c_str(), 0755);
    return path;
  }

  static process::Command CommandOf(const std::string& program) {
    process::Command command;
    command.arguments = {program};
    return command;
  }

  static bool Loads(process::Command command) {
    process::AddExactLibrary(&command);
    return ::testing::Value(command.environment, Contains(StartsWith("LD_PRELOAD=/")));
  }

  TemporaryDirectory directory_;
};

TEST_F(PreloadTest, ProgramsOfThisMachineDo) {
  EXPECT_TRUE(Loads(CommandOf("/bin/sh")));
  EXPECT_TRUE(Loads(CommandOf("sh")));
  EXPECT_TRUE(Loads(CommandOf(Program("script", "#!/bin/sh\n"))));
  EXPECT_TRUE(Loads(CommandOf(Program("script", "#! /bin/sh -e"))));
}

TEST_F(PreloadTest, ThoseOfAnotherMachineDoNot) {
  const std::string old = Program("old", OldProgram());
  EXPECT_FALSE(Loads(CommandOf(old)));
  const std::string script = Program("script", absl::StrCat("#!  ", old, " -x\n"));
  EXPECT_FALSE(Loads(CommandOf(script)));
  EXPECT_FALSE(Loads(CommandOf(Program("second", absl::StrCat("#!", script)))));
}

TEST_F(PreloadTest, TheProgramIsTheOneThatWillBeFound) {
  const std::string old = Program("sh", OldProgram());
  process::Command command = CommandOf("sh");
  command.environment = {absl::StrCat("PATH=/nowhere:", directory_.path(), ":/bin")};
  EXPECT_FALSE(Loads(command));
  command.environment = {absl::StrCat("PATH=/bin:", directory_.path())};
  EXPECT_TRUE(Loads(command));
  command = CommandOf("./sh");
  command.directory = directory_.path();
  EXPECT_FALSE(Loads(command));
}

TEST_F(PreloadTest, WhatIsNotKnownDoes) {
  EXPECT_TRUE(Loads(CommandOf(Program("empty", ""))));
  EXPECT_TRUE(Loads(CommandOf(Program("short", "\177ELF"))));
  EXPECT_TRUE(Loads(CommandOf(Program("script", "#!"))));
  EXPECT_TRUE(Loads(CommandOf(Program("script", "#!/nowhere\n"))));
  EXPECT_TRUE(Loads(CommandOf("/nowhere")));
  const std::string loop = absl::StrCat(directory_.path(), "/loop");
  EXPECT_TRUE(Loads(CommandOf(Program("loop", absl::StrCat("#!", loop, "\n")))));
  const std::string pipe = absl::StrCat(directory_.path(), "/pipe");
  ASSERT_EQ(mkfifo(pipe.c_str(), 0755), 0);
  EXPECT_TRUE(Loads(CommandOf(pipe)));
}

}  // namespace
}  // namespace jobtail::testing
