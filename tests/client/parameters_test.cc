// Tests of parameter values, literal and from files.

#include "client/cli/parameters.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <fstream>

namespace jobtail::client::cli {
namespace {

using ::testing::HasSubstr;

class ParametersTest : public ::testing::Test {
 protected:
  ParametersTest() : path_(::testing::TempDir() + "jobtail_value_" + std::to_string(getpid())) {}
  ~ParametersTest() override { unlink(path_.c_str()); }

  // The value of "x=@file" if the file has these bytes.
  absl::StatusOr<std::string> FromFile(const std::string& bytes) {
    std::ofstream(path_, std::ios::binary) << bytes;
    return Value("@" + path_);
  }

  static absl::StatusOr<std::string> Value(const std::string& typed) {
    auto parameters = ReadParameters({{"x", typed}});
    if (!parameters.ok()) return parameters.status();
    return parameters->at("x");
  }

  const std::string path_;
};

TEST_F(ParametersTest, StandForThemselves) {
  for (const char* value : {"", "3", "a@b", "a=b", "'$(x);\n"}) EXPECT_EQ(*Value(value), value);
}

TEST_F(ParametersTest, TwoAtSignsAreOne) {
  EXPECT_EQ(*Value("@@home"), "@home");
  EXPECT_EQ(*Value("@@"), "@");
  EXPECT_EQ(*Value("@@@"), "@@");
}

TEST_F(ParametersTest, ComeFromAFileWithoutTheNewlineAtItsEnd) {
  EXPECT_EQ(*FromFile("hello\n"), "hello");
  EXPECT_EQ(*FromFile("hello\r\n"), "hello");
  EXPECT_EQ(*FromFile("a\nb\n\n"), "a\nb\n");
  EXPECT_EQ(*FromFile(""), "");
  EXPECT_EQ(*FromFile("@x"), "@x");
}

TEST_F(ParametersTest, MustBeReadable) {
  EXPECT_THAT(std::string(Value("@/nonexistent/x").status().message()),
              HasSubstr("parameter x: cannot read '/nonexistent/x': No such file or directory"));
  EXPECT_THAT(std::string(Value("@").status().message()), HasSubstr("write @@ for a literal @"));
  EXPECT_THAT(std::string(Value("@/").status().message()), HasSubstr("Is a directory"));
  EXPECT_THAT(std::string(FromFile("\xff").status().message()), HasSubstr("not UTF-8"));
  EXPECT_THAT(std::string(FromFile(std::string(4 << 20, 'x')).status().message()),
              HasSubstr("larger than 3 MiB"));
}

}  // namespace
}  // namespace jobtail::client::cli
