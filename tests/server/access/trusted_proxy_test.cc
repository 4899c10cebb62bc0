// Tests of what a proxy's headers say, and of whom they are believed.
#include "server/access/trusted_proxy.h"

#include <gmock/gmock.h>
#include <sys/stat.h>

#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

#include "server/access/access_control.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace jobtail::access {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

using Fields = std::multimap<std::string, std::string>;

HeaderValues Of(const Fields& fields) {
  return [fields](const std::string& name) {
    std::vector<std::string> values;
    const auto [begin, end] = fields.equal_range(name);
    for (auto each = begin; each != end; ++each) values.push_back(each->second);
    return values;
  };
}

v1::TrustedProxy Proxy() {
  v1::TrustedProxy proxy;
  proxy.set_principal("uid:33");
  proxy.set_user_header("x-user");
  proxy.set_groups_header("x-groups");
  return proxy;
}

TEST(NamedBy, IsWhomTheHeadersName) {
  const auto named =
      NamedBy(Proxy(), Of({{"x-user", "alice@example.org"}, {"x-groups", "web, ops,,dev"}}));
  ASSERT_TRUE(named.ok()) << named.status();
  EXPECT_EQ((*named)->name, "proxy:alice@example.org");
  EXPECT_THAT((*named)->groups, ElementsAre("dev", "ops", "web"));
  EXPECT_EQ((*named)->proof, Proof::kProxy);
  EXPECT_EQ((*named)->via, "uid:33");
}

TEST(NamedBy, IsNobodyWithoutAName) {
  for (const Fields& fields : {Fields(), Fields{{"x-user", ""}}, Fields{{"x-user", "  "}},
                               Fields{{"x-groups", "web"}}, Fields{{"x-other", "alice"}}}) {
    const auto named = NamedBy(Proxy(), Of(fields));
    ASSERT_TRUE(named.ok());
    EXPECT_EQ(*named, nullptr);
  }
  EXPECT_EQ(*NamedBy(Proxy(), nullptr), nullptr);
}

TEST(NamedBy, RefusesWhatCouldBeSomebodyElse) {
  for (const Fields& fields :
       {Fields{{"x-user", "alice"}, {"x-user", "root"}}, Fields{{"x-user", "alice bob"}},
        Fields{{"x-user", "al\x01ice"}}, Fields{{"x-user", "caf\xc3\xa9"}},
        Fields{{"x-user", std::string(257, 'a')}}, Fields{{"x-user", "a"}, {"x-groups", "gid:0"}},
        Fields{{"x-user", "a"}, {"x-groups", "web ops"}}}) {
    EXPECT_EQ(NamedBy(Proxy(), Of(fields)).status().code(), absl::StatusCode::kUnauthenticated);
  }
}

constexpr char kPolicy[] = R"(
  audit { file: "audit.log" }
  trusted_proxy { principal: "uid:33" user_header: "x-user" groups_header: "x-groups" }
  trusted_proxy { principal: "spiffe://x/proxy" user_header: "x-forwarded-user" }
  role { name: "all" allow { job: "*" verb: [LIST, READ] } }
  grant { role: "all" principal: "*" group: "web" }
)";

class TrustedProxyTest : public ::testing::Test {
 protected:
  TrustedProxyTest() {
    Write(kPolicy);
    access_ = AccessControl::Open(file_, &clock_).value();
  }

  void Write(const std::string& policy) const {
    std::ofstream(file_) << policy;
    chmod(file_.c_str(), 0600);
  }

  absl::StatusOr<Caller> Admit(const PeerIdentity& peer, const Fields& fields) {
    return access_->Admit({.peer_identity = &peer, .peer = "unix:", .headers = Of(fields)});
  }

  // The caller's name; "nobody" for one who is not let in.
  std::string NameOf(const PeerIdentity& peer, const Fields& fields) {
    const auto caller = Admit(peer, fields);
    return caller.ok() ? caller->principal->name : "nobody";
  }

  std::string Audit() const {
    std::ostringstream text;
    text << std::ifstream(directory_.path() + "/audit.log").rdbuf();
    return text.str();
  }

  const PeerIdentity socket_{.kind = PeerIdentity::Kind::kSocket, .uid = 33, .gid = 33, .pid = 1};
  const PeerIdentity other_socket_{
      .kind = PeerIdentity::Kind::kSocket, .uid = 34, .gid = 33, .pid = 1};
  const PeerIdentity proxy_{.kind = PeerIdentity::Kind::kCertificate, .uris = {"spiffe://x/proxy"}};
  const PeerIdentity other_{.kind = PeerIdentity::Kind::kCertificate, .uris = {"spiffe://x/other"}};
  const PeerIdentity second_{.kind = PeerIdentity::Kind::kCertificate,
                             .uris = {"spiffe://x/other", "spiffe://x/proxy"}};
  const testing::TemporaryDirectory directory_;
  const std::string file_ = directory_.path() + "/access.txt";
  FakeClock clock_;
  std::unique_ptr<AccessControl> access_;
};

TEST_F(TrustedProxyTest, IsBelievedByItsOwnConnectionAlone) {
  EXPECT_EQ(NameOf(socket_, {{"x-user", "alice"}}), "proxy:alice");
  EXPECT_EQ(NameOf(proxy_, {{"x-forwarded-user", "alice"}}), "proxy:alice");
  EXPECT_EQ(NameOf(other_socket_, {{"x-user", "alice"}}), "uid:34");
  EXPECT_EQ(NameOf(other_, {{"x-forwarded-user", "alice"}}), "spiffe://x/other");
  EXPECT_EQ(NameOf(second_, {{"x-forwarded-user", "alice"}}), "spiffe://x/other");
  EXPECT_EQ(NameOf({}, {{"x-user", "alice"}, {"x-forwarded-user", "alice"}}), "nobody");
  EXPECT_EQ(NameOf(proxy_, {{"x-user", "alice"}}), "nobody") << "another proxy's header";
}

// Otherwise whoever the proxy does not know would be the proxy.
TEST_F(TrustedProxyTest, IsNobodyItself) {
  EXPECT_EQ(NameOf(socket_, {}), "nobody");
  EXPECT_EQ(NameOf(proxy_, {{"x-forwarded-user", ""}}), "nobody");
}

// A proxy has many processes, and others after each reload.
TEST_F(TrustedProxyTest, HasOneShareForAllWhomItDoesNotKnow) {
  Write(std::string(kPolicy) + "grant { role: \"all\" anonymous: true }");
  access_->Reload();
  PeerIdentity worker = socket_;
  worker.pid = 2;
  const auto one = Admit(socket_, {});
  const auto other = Admit(worker, {});
  ASSERT_TRUE(one.ok() && other.ok());
  ASSERT_EQ(one->principal->proof, Proof::kAnonymous);
  EXPECT_NE(one->peer, other->peer) << "what the audit log tells";
  EXPECT_EQ(ShareOf(*one), ShareOf(*other));
}

TEST_F(TrustedProxyTest, HasItsGroupsGranted) {
  const auto caller = Admit(socket_, {{"x-user", "alice"}, {"x-groups", "web"}});
  ASSERT_TRUE(caller.ok());
  EXPECT_THAT(access_->GroupsOf(*caller), ElementsAre("web"));
}

TEST_F(TrustedProxyTest, IsInTheAuditLog) {
  const auto caller = Admit(socket_, {{"x-user", "alice"}});
  ASSERT_TRUE(caller.ok());
  ASSERT_TRUE(access_->Allow(*caller, {.verb = "RUN"}).ok());
  EXPECT_THAT(Audit(), HasSubstr(R"("principal":"proxy:alice","proof":"proxy","via":"uid:33")"));
}

TEST_F(TrustedProxyTest, IsNotTrustedAnyMore) {
  const auto caller = Admit(socket_, {{"x-user", "alice"}});
  ASSERT_TRUE(caller.ok() && access_->RightsOf(*caller).ok());
  Write(
      "role { name: \"all\" allow { job: \"*\" verb: LIST } }\ngrant { role: \"all\" principal: "
      "\"*\" }\n");
  access_->Reload();
  EXPECT_EQ(access_->RightsOf(*caller).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST(TrustedProxyInTheFile, IsChecked) {
  const auto mistakes = [](const std::string& proxy) {
    const auto parsed = AccessPolicy::Parse("trusted_proxy { " + proxy + " }", "access.txt");
    return std::string(parsed.status().message());
  };
  EXPECT_EQ(mistakes("principal: \"uid:33\" user_header: \"x-user\""), "");
  for (const char* principal :
       {"", "alice", "*", "uid:*", "spiffe://x/?", "proxy:alice", "uid: 3"}) {
    EXPECT_THAT(mistakes("principal: \"" + std::string(principal) + "\" user_header: \"x-user\""),
                HasSubstr("access.txt:1:"))
        << principal;
  }
  for (const char* header : {"", "X-User", "authorization", "cookie", "host", "x_user",
                             "x-user-bin", "grpc-x", "-", "x user"}) {
    EXPECT_THAT(mistakes("principal: \"uid:33\" user_header: \"" + std::string(header) + "\""),
                HasSubstr("user_header"))
        << header;
  }
  EXPECT_THAT(mistakes("principal: \"uid:33\" user_header: \"x-a\" groups_header: \"x-a\""),
              HasSubstr("groups_header"));
  EXPECT_THAT(
      std::string(AccessPolicy::Parse("trusted_proxy { principal: \"uid:1\" user_header: \"a\" }\n"
                                      "trusted_proxy { principal: \"uid:1\" user_header: \"b\" }",
                                      "access.txt")
                      .status()
                      .message()),
      HasSubstr("access.txt:2:"));
}

}  // namespace
}  // namespace jobtail::access
