// Tests of what is kept of a sign-in, and for whom to read.
#include "client/login/login_file.h"

#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>

#include "client/login/provider.h"
#include "client/login/renewal.h"

namespace jobtail::client {
namespace {

class LoginFileTest : public ::testing::Test {
 protected:
  LoginFileTest() {
    char name[] = "/tmp/jobtail-login-XXXXXX";
    directory_ = mkdtemp(name);
    setenv("XDG_STATE_HOME", directory_.c_str(), 1);
  }
  ~LoginFileTest() override {
    unsetenv("XDG_STATE_HOME");
    std::filesystem::remove_all(directory_);
  }

  static mode_t ModeOf(const std::string& path) {
    struct stat status {};
    EXPECT_EQ(stat(path.c_str(), &status), 0) << path;
    return status.st_mode & 0777;
  }

  std::string directory_;
  const StoredLogin login_{.token = "a.b.c",
                           .refresh_token = "refresh",
                           .issuer = "https://issuer.example",
                           .client_id = "jobtail",
                           .expires = absl::FromUnixSeconds(2'000'000'000)};
};

TEST_F(LoginFileTest, HasWhatWasWrittenForItsUserAlone) {
  const std::string path = LoginPath("unix:/run/../x:1");
  EXPECT_EQ(path.find(directory_ + "/jobtail/logins/"), 0u);
  EXPECT_EQ(std::filesystem::path(path).parent_path(), directory_ + "/jobtail/logins");
  EXPECT_NE(path, LoginPath("unix:/run/x:1"));
  umask(0);
  ASSERT_TRUE(WriteLogin(path, login_).ok());
  EXPECT_EQ(ModeOf(path), 0600u);
  EXPECT_EQ(ModeOf(directory_ + "/jobtail"), 0700u);
  const auto read = ReadLogin(path);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->token, "a.b.c");
  EXPECT_EQ(read->refresh_token, "refresh");
  EXPECT_EQ(read->issuer, "https://issuer.example");
  EXPECT_EQ(read->client_id, "jobtail");
  EXPECT_EQ(read->expires, login_.expires);
  std::string first;
  std::getline(std::ifstream(path), first);
  EXPECT_EQ(first, "a.b.c");  // as a token file has it
}

TEST_F(LoginFileTest, OneThatOthersCanReadIsRefused) {
  const std::string path = LoginPath("a:1");
  ASSERT_TRUE(WriteLogin(path, login_).ok());
  chmod(path.c_str(), 0640);
  EXPECT_EQ(ReadLogin(path).status().code(), absl::StatusCode::kFailedPrecondition);
  std::filesystem::remove(path);
  std::filesystem::create_symlink("/etc/passwd", path);
  EXPECT_FALSE(ReadLogin(path).ok());
}

TEST_F(LoginFileTest, WhatIsNoLoginIsRefused) {
  const std::string path = LoginPath("a:1");
  for (const char* text : {"", "token\n", "token\nissuer x\nclient-id y\nexpires never\n"}) {
    ASSERT_TRUE(WriteLogin(path, login_).ok());
    std::ofstream(path) << text;
    EXPECT_EQ(ReadLogin(path).status().code(), absl::StatusCode::kFailedPrecondition) << text;
  }
  StoredLogin evil = login_;
  evil.client_id = "x\nrefresh-token y";
  EXPECT_FALSE(WriteLogin(path, evil).ok());
}

TEST_F(LoginFileTest, IsGoneOnce) {
  const std::string path = LoginPath("a:1");
  ASSERT_TRUE(WriteLogin(path, login_).ok());
  EXPECT_TRUE(*RemoveLogin(path));
  EXPECT_FALSE(*RemoveLogin(path));
  EXPECT_EQ(ReadLogin(path).status().code(), absl::StatusCode::kNotFound);
  EXPECT_EQ(*FreshLogin("a:1"), "");
}

TEST_F(LoginFileTest, OneThatIsFreshIsUsedAsItIs) {
  ASSERT_TRUE(WriteLogin(LoginPath("a:1"), login_).ok());
  EXPECT_EQ(*FreshLogin("a:1"), LoginPath("a:1"));
  EXPECT_EQ(*FreshLogin("b:1"), "");
  StoredLogin expired = login_;
  expired.expires = absl::FromUnixSeconds(1);
  expired.refresh_token = "";
  ASSERT_TRUE(WriteLogin(LoginPath("a:1"), expired).ok());
  EXPECT_EQ(FreshLogin("a:1").status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(ValidLogin("a:1"), "");
}

TEST_F(LoginFileTest, OneThatAnotherHasRenewedIsNotRenewedAgain) {
  ASSERT_TRUE(WriteLogin(LoginPath("a:1"), login_).ok());
  const auto renewal = LoginRenewal("a:1");
  StoredLogin renewed = login_;
  renewed.token = "another";
  renewed.refresh_token = "";
  ASSERT_TRUE(WriteLogin(LoginPath("a:1"), renewed).ok());
  EXPECT_TRUE(renewal().ok());
  EXPECT_EQ(renewal().code(), absl::StatusCode::kUnauthenticated) << "and that one cannot be";
  EXPECT_TRUE(*RemoveLogin(LoginPath("a:1")));
  EXPECT_EQ(renewal().code(), absl::StatusCode::kUnauthenticated);
}

TEST(ExpiryTest, IsReadFromTheToken) {
  EXPECT_EQ(ExpiryOf("e30.eyJleHAiOjIwMDAwMDAwMDB9.x"), absl::FromUnixSeconds(2'000'000'000));
  for (const char* token : {"", "a.b.c", "e30.e30.x", "e30.eyJleHAiOjF9"}) {
    EXPECT_EQ(ExpiryOf(token), absl::InfinitePast()) << token;
  }
}

}  // namespace
}  // namespace jobtail::client
