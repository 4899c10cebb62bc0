// The manual page and the command line agree.

#include <gtest/gtest.h>

#include <fstream>
#include <regex>
#include <set>
#include <sstream>
#include <string>

#include "process.h"

namespace jobtail::client {
namespace {

std::set<std::string> OptionsIn(const std::string& text) {
  static const std::regex kOption("--[a-z][a-z-]*");
  return {std::sregex_token_iterator(text.begin(), text.end(), kOption),
          std::sregex_token_iterator()};
}

// The page's text, its "\-" as "-".
std::string Manual() {
  std::ostringstream text;
  text << std::ifstream(JOBTAIL_MANUAL).rdbuf();
  return std::regex_replace(text.str(), std::regex(R"(\\-)"), "-");
}

TEST(ManualTest, TellsEveryOptionAndNoOther) {
  std::set<std::string> options = OptionsIn(Jobtail({"--help"}).out);
  for (const char* command : {"run", "tail", "jobs", "runs", "show", "cancel", "rm", "export",
                              "whoami", "login", "logout", "completion"}) {
    const Finished help = Jobtail({command, "--help"});
    ASSERT_EQ(help.code, 0);
    options.merge(OptionsIn(help.out));
    EXPECT_NE(Manual().find(std::string("\n.B ") + command + "\n"), std::string::npos) << command;
  }
  EXPECT_EQ(OptionsIn(Manual()), options);
}

}  // namespace
}  // namespace jobtail::client
