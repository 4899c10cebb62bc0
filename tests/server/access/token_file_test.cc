// Tests of making, finding, listing and revoking tokens.
#include "server/access/token_file.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/support/temporary_directory.h"

namespace jobtail::access {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const absl::Time kNow = absl::UnixEpoch() + absl::Hours(500'000);

std::string InFile(absl::Time time) {
  return absl::FormatTime(absl::RFC3339_sec, time, absl::UTCTimeZone());
}

class TokenFileTest : public ::testing::Test {
 protected:
  std::string Create(NewToken token) {
    const auto created = CreateToken(file_, token, kNow);
    EXPECT_TRUE(created.ok()) << created.status();
    return created.value_or("");
  }
  std::string Text() const {
    std::ostringstream text;
    text << std::ifstream(file_).rdbuf();
    return text.str();
  }
  std::shared_ptr<const TokenTable> Table() const {
    auto table = TokenTable::Parse(Text(), file_);
    EXPECT_TRUE(table.ok()) << table.status();
    return *table;
  }

  const testing::TemporaryDirectory directory_;
  const std::string file_ = directory_.path() + "/tokens";
};

TEST_F(TokenFileTest, ATokenProvesItsPrincipalAndTheFileHasNoSecret) {
  const std::string token = Create({.name = "alice", .groups = {"web", "ops"}});
  const auto principal = Table()->Find(token, kNow);
  ASSERT_TRUE(principal.ok()) << principal.status();
  EXPECT_EQ((*principal)->name, "alice");
  EXPECT_THAT((*principal)->groups, ::testing::ElementsAre("ops", "web"));
  EXPECT_EQ((*principal)->proof, Proof::kToken);
  EXPECT_THAT(Text(), Not(HasSubstr(token.substr(20))));
}

TEST_F(TokenFileTest, ATableThatIsNarrowedLosesAndGainsNothing) {
  const std::string alice = Create({.name = "alice", .groups = {"web", "ops"}});
  const std::string bob = Create({.name = "bob", .expires = kNow + absl::Hours(2)});
  const std::string carol = Create({.name = "carol"});
  const std::string dave = Create({.name = "dave"});
  const std::string frank = Create({.name = "frank"});
  const auto before = Table();
  std::string text = Text();
  const size_t digest = text.rfind("sha256: \"") + 9;  // of the last: it is another secret's then
  ASSERT_LT(digest, text.size());
  text[digest] = text[digest] == '0' ? '1' : '0';
  const auto change = [&text](const std::string& from, const std::string& to) {
    const size_t at = text.find(from);
    ASSERT_NE(at, std::string::npos) << from;
    text.replace(at, from.size(), to);
  };
  change("group: \"ops\"", "group: \"admins\"");
  change(InFile(kNow + absl::Hours(2)), InFile(kNow + absl::Hours(1)));
  change("\"dave\"", "\"root\"");
  std::ofstream(file_) << text;
  ASSERT_TRUE(RevokeToken(file_, "carol", kNow).ok());
  const std::string erin = Create({.name = "erin"});
  const auto narrowed = before->NarrowedBy(*Table());
  EXPECT_THAT((*narrowed->Find(alice, kNow))->groups, ::testing::ElementsAre("web"));
  EXPECT_TRUE(narrowed->Find(bob, kNow).ok());
  EXPECT_FALSE(narrowed->Find(bob, kNow + absl::Hours(1)).ok());
  for (const std::string& lost : {carol, dave, erin, frank}) {
    EXPECT_FALSE(narrowed->Find(lost, kNow).ok()) << lost;
  }
  const auto wide = narrowed->NarrowedBy(*before);
  EXPECT_FALSE(wide->Find(bob, kNow + absl::Hours(1)).ok());
  EXPECT_FALSE(wide->Find(carol, kNow).ok());
}

TEST_F(TokenFileTest, TheFileIsForNobodyElse) {
  Create({.name = "alice"});
  Create({.name = "bob"});
  struct stat status {};
  ASSERT_EQ(stat(file_.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600);
  int files = 0;
  for (const auto& each : std::filesystem::directory_iterator(directory_.path())) {
    static_cast<void>(each);
    ++files;
  }
  EXPECT_EQ(files, 1);
}

TEST_F(TokenFileTest, AnotherSecretForTheSameIdProvesNothing) {
  std::string token = Create({.name = "alice"});
  token.back() = token.back() == '0' ? '1' : '0';
  EXPECT_EQ(Table()->Find(token, kNow).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Table()->Find(MakeToken(), kNow).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_EQ(Table()->Find("", kNow).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(TokenFileTest, AnExpiredTokenProvesNothing) {
  const std::string token = Create({.name = "alice", .expires = kNow + absl::Hours(1)});
  EXPECT_TRUE(Table()->Find(token, kNow + absl::Minutes(59)).ok());
  EXPECT_EQ(Table()->Find(token, kNow + absl::Hours(1)).status().code(),
            absl::StatusCode::kUnauthenticated);
}

TEST_F(TokenFileTest, ARevokedTokenProvesNothingAndTheOthersGoOn) {
  const std::string alice = Create({.name = "alice"});
  const std::string bob = Create({.name = "bob"});
  ASSERT_TRUE(RevokeToken(file_, "alice", kNow).ok());
  EXPECT_THAT(std::string(Table()->Find(alice, kNow).status().message()), HasSubstr("revoked"));
  EXPECT_TRUE(Table()->Find(bob, kNow).ok());
  ASSERT_TRUE(RevokeToken(file_, std::string(TokenId(bob)), kNow).ok());
  EXPECT_FALSE(Table()->Find(bob, kNow).ok());
}

TEST_F(TokenFileTest, ANameOfSeveralTokensIsNotEnoughToRevokeOne) {
  Create({.name = "alice"});
  const std::string second = Create({.name = "alice"});
  EXPECT_EQ(RevokeToken(file_, "alice", kNow).status().code(), absl::StatusCode::kInvalidArgument);
  ASSERT_TRUE(RevokeToken(file_, std::string(TokenId(second)), kNow).ok());
  EXPECT_TRUE(RevokeToken(file_, "alice", kNow).ok());  // one is left
  EXPECT_EQ(RevokeToken(file_, "alice", kNow).status().code(), absl::StatusCode::kNotFound);
}

TEST_F(TokenFileTest, NamesThatCouldBeMistakenAreRefused) {
  for (const char* const name : {"", "anonymous", "uid:0", "spiffe://a", "a b", "a\n"}) {
    EXPECT_EQ(CreateToken(file_, {.name = name}, kNow).status().code(),
              absl::StatusCode::kInvalidArgument)
        << name;
  }
  EXPECT_EQ(CreateToken(file_, {.name = "a", .groups = {"*"}}, kNow).status().code(),
            absl::StatusCode::kInvalidArgument);
  EXPECT_FALSE(std::filesystem::exists(file_));
}

TEST_F(TokenFileTest, TwoWhoChangeItLoseNothing) {
  constexpr int kEach = 20;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([this] {
      for (int j = 0; j < kEach; ++j) Create({.name = "someone"});
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(Table()->size(), 4 * kEach);
}

TEST_F(TokenFileTest, AFileThatOthersCanWriteIsRefused) {
  Create({.name = "alice"});
  chmod(file_.c_str(), 0606);
  EXPECT_EQ(ReadTokens(file_).status().code(), absl::StatusCode::kFailedPrecondition);
  EXPECT_EQ(CreateToken(file_, {.name = "bob"}, kNow).status().code(),
            absl::StatusCode::kFailedPrecondition);
}

TEST_F(TokenFileTest, MistakesAreNamedWithTheirPlaces) {
  const auto table = TokenTable::Parse(
      "token { id: \"1\" sha256: \"2\" name: \"a\" }\ntoken { id: \"0123456789abcdef\" }",
      "tokens");
  EXPECT_EQ(table.status().code(), absl::StatusCode::kInvalidArgument);
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("tokens:1:1: id \"1\""));
  EXPECT_THAT(std::string(table.status().message()), HasSubstr("tokens:2:1: sha256"));
}

}  // namespace
}  // namespace jobtail::access
