// Tests of the console page's files by their paths.

#include "server/http/static_files.h"

#include <gtest/gtest.h>

namespace jobtail::http {
namespace {

constexpr StaticFile kFiles[] = {
    {"/index.html", "text/html; charset=utf-8", "\"1\"", "page"},
    {"/assets/main.js", "text/javascript", "\"2\"", "script"},
};

TEST(FindFile, GivesThePageForItsOwnAddresses) {
  for (const char* path :
       {"/", "/jobs", "/jobs/countdown", "/runs", "/runs/01-ab", "/index.html"}) {
    ASSERT_NE(FindFile(kFiles, path), nullptr) << path;
    EXPECT_EQ(FindFile(kFiles, path)->gzip, "page");
  }
}

TEST(FindFile, GivesFilesByTheirPathAndNothingElse) {
  EXPECT_EQ(FindFile(kFiles, "/assets/main.js")->gzip, "script");
  for (const char* path : {"/assets/other.js", "/assets/", "/assets/../index.html", "/runsx", ""}) {
    EXPECT_EQ(FindFile(kFiles, path), nullptr) << path;
  }
  EXPECT_EQ(FindFile({}, "/"), nullptr);
}

TEST(RootOf, IsTheWayBackToWherePathsBegin) {
  for (const char* path : {"/", "/runs", ""}) EXPECT_EQ(RootOf(path), "./") << path;
  for (const char* path : {"/runs/", "/runs/1", "/stream/a"}) EXPECT_EQ(RootOf(path), "../");
  EXPECT_EQ(RootOf("/runs/1/log"), "../../");
}

}  // namespace
}  // namespace jobtail::http
