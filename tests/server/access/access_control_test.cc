// Tests of who calls, of taking that away, and of what is written down about it.
#include "server/access/access_control.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <memory>
#include <sstream>
#include <string>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_replace.h"
#include "absl/synchronization/notification.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/fake_clock.h"

namespace jobtail::access {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kPolicy[] = R"(
  token_file: "tokens"
  audit { file: "audit.log" }
  group { name: "admins" member: "alice" member: "uid:7" }
  role { name: "all" allow { job: "*" verb: [LIST, READ] } limits { calls_per_second: 5 } }
  grant { role: "all" group: "admins" principal: "spiffe://x/*" principal: "dns:*" }
)";

class AccessControlTest : public ::testing::Test {
 protected:
  AccessControlTest() {
    Write(kPolicy);
    alice_ = Create({.name = "alice", .expires = clock_.Now() + absl::Hours(100)});
    Open();
  }

  void Write(const std::string& policy) {
    std::ofstream(file_ + ".new") << policy;
    chmod((file_ + ".new").c_str(), 0600);
    ASSERT_EQ(rename((file_ + ".new").c_str(), file_.c_str()), 0);
  }
  std::string Create(const NewToken& token) {
    return CreateToken(directory_.path() + "/tokens", token, clock_.Now()).value();
  }
  void Open() {
    auto access = AccessControl::Open(file_, &clock_);
    ASSERT_TRUE(access.ok()) << access.status();
    access_ = *std::move(access);
  }
  absl::StatusOr<Caller> Admit(const std::string& authorization, const std::string& session = "",
                               const PeerIdentity* peer = nullptr) {
    return access_->Admit({.authorization = authorization,
                           .session = session,
                           .peer_identity = peer,
                           .peer = "ipv4:1.2.3.4:5",
                           .traceparent = kTrace});
  }
  std::string Audit() const {
    std::ostringstream text;
    text << std::ifstream(directory_.path() + "/audit.log").rdbuf();
    return text.str();
  }

  static constexpr char kTrace[] = "00-0123456789abcdef0123456789abcdef-0123456789abcdef-01";

  FakeClock clock_;
  const testing::TemporaryDirectory directory_;
  const std::string file_ = directory_.path() + "/access.txt";
  std::string alice_;
  std::unique_ptr<AccessControl> access_;
};

TEST_F(AccessControlTest, ATokenProvesItsPrincipal) {
  const auto caller = Admit("Bearer " + alice_);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->principal->name, "alice");
  EXPECT_EQ(caller->peer, "ipv4:1.2.3.4:5");
  EXPECT_EQ(caller->trace_id, "0123456789abcdef0123456789abcdef");
  EXPECT_TRUE((*access_->RightsOf(*caller))->MayAny(SetOf(Verb::kRead)));
  EXPECT_THAT(access_->GroupsOf(*caller), ElementsAre("admins"));
  EXPECT_TRUE(Admit("bearer  " + alice_ + " ").ok());
}

TEST_F(AccessControlTest, WhoProvesNothingIsNobody) {
  for (const std::string& authorization :
       {std::string(), std::string("Bearer "), "Basic " + alice_, alice_, "Bearer " + MakeToken(),
        "Bearer x" + alice_, "Bearer " + alice_ + "," + alice_}) {
    EXPECT_EQ(Admit(authorization).status().code(), absl::StatusCode::kUnauthenticated)
        << authorization;
  }
}

TEST_F(AccessControlTest, AWrongTokenIsNotMadeUpForByAConnection) {
  PeerIdentity peer;
  peer.kind = PeerIdentity::Kind::kSocket;
  peer.uid = 7;
  peer.gid = 8;
  EXPECT_TRUE(Admit("", "", &peer).ok());
  EXPECT_FALSE(Admit("Bearer " + MakeToken(), "", &peer).ok());
  EXPECT_FALSE(Admit("", "no-session", &peer).ok());
}

TEST_F(AccessControlTest, AConnectionProvesAUserOrACertificate) {
  PeerIdentity peer;
  peer.kind = PeerIdentity::Kind::kSocket;
  peer.uid = 7;
  peer.gid = 8;
  const auto socket = Admit("", "", &peer);
  ASSERT_TRUE(socket.ok());
  EXPECT_EQ(socket->principal->name, "uid:7");
  EXPECT_THAT(access_->GroupsOf(*socket), ElementsAre("admins", "gid:8"));
  peer = PeerIdentity();
  peer.kind = PeerIdentity::Kind::kCertificate;
  peer.uris = {"spiffe://x/y"};
  peer.dns_names = {"h"};
  EXPECT_EQ(Admit("", "", &peer)->principal->name, "spiffe://x/y");
  peer.uris.clear();
  EXPECT_EQ(Admit("", "", &peer)->principal->name, "dns:h");
  peer.dns_names.clear();
  EXPECT_FALSE(Admit("", "", &peer).ok());
  // A certificate cannot pass for a user or for another kind of name.
  for (const char* const uri : {"uid:7", "dns:h", "alice"}) {
    peer.uris = {uri};
    EXPECT_FALSE(Admit("", "", &peer).ok()) << uri;
  }
}

TEST_F(AccessControlTest, WhatHasExpiredIsWorthNothing) {
  const auto caller = Admit("Bearer " + alice_);
  clock_.Advance(absl::Hours(100));
  EXPECT_EQ(access_->RightsOf(*caller).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(Admit("Bearer " + alice_).ok());
}

TEST_F(AccessControlTest, ARevokedTokenIsNoticedByItself) {
  const auto caller = Admit("Bearer " + alice_);
  absl::Notification changed;
  access_->OnChange([&] {
    if (!changed.HasBeenNotified()) changed.Notify();
  });
  const int64_t version = access_->version();
  ASSERT_TRUE(RevokeToken(directory_.path() + "/tokens", "alice", clock_.Now()).ok());
  ASSERT_TRUE(changed.WaitForNotificationWithTimeout(absl::Seconds(10)));
  EXPECT_GT(access_->version(), version);
  EXPECT_EQ(access_->RightsOf(*caller).status().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(AccessControlTest, ANewTokenAndANewPolicyAreInForceAfterAReload) {
  const std::string bob = Create({.name = "bob"});
  Write(std::string(kPolicy) + "grant { role: \"all\" principal: \"bob\" }");
  access_->Reload();
  const auto caller = Admit("Bearer " + bob);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_TRUE((*access_->RightsOf(*caller))->MayAny(SetOf(Verb::kRead)));
  Write(kPolicy);
  access_->Reload();
  EXPECT_FALSE((*access_->RightsOf(*caller))->MayAny(kAnyVerb));
}

TEST_F(AccessControlTest, AWrongFileChangesNothing) {
  Write("role {");
  access_->Reload();
  EXPECT_TRUE(Admit("Bearer " + alice_).ok());
  std::ofstream(directory_.path() + "/tokens") << "token { id: \"x\" }";
  Write(kPolicy);
  access_->Reload();
  EXPECT_TRUE(Admit("Bearer " + alice_).ok());
  EXPECT_GE(access_->failed_reloads(), 2);
  EXPECT_FALSE(AccessControl::Check(file_).ok());
  EXPECT_FALSE(AccessControl::Open(file_).ok());
}

// Nobody has to find a mistake in one file before what was taken away in another is gone.
TEST_F(AccessControlTest, ARevokedTokenIsWorthNothingThoughTheAccessFileIsWrong) {
  const auto caller = Admit("Bearer " + alice_);
  Write("role {");
  access_->Reload();
  ASSERT_TRUE(access_->RightsOf(*caller).ok());
  ASSERT_TRUE(RevokeToken(directory_.path() + "/tokens", "alice", clock_.Now()).ok());
  access_->Reload();
  EXPECT_EQ(access_->RightsOf(*caller).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_FALSE(Admit("Bearer " + alice_).ok());
  EXPECT_GE(access_->failed_reloads(), 2);
}

// Its roles may have been what was changed for the new token: by the old ones it could do more.
TEST_F(AccessControlTest, ANewTokenWaitsForTheAccessFileToBeRight) {
  Write("role {");
  const std::string again = Create({.name = "alice"});
  access_->Reload();
  EXPECT_EQ(Admit("Bearer " + again).status().code(), absl::StatusCode::kUnauthenticated);
  EXPECT_TRUE(Admit("Bearer " + alice_).ok());
  Write(kPolicy);
  access_->Reload();
  EXPECT_TRUE(Admit("Bearer " + again).ok());
  EXPECT_TRUE(Admit("Bearer " + alice_).ok());
}

TEST_F(AccessControlTest, AFileThatOthersCanWriteIsRefused) {
  chmod(file_.c_str(), 0606);
  EXPECT_EQ(AccessControl::Open(file_).status().code(), absl::StatusCode::kFailedPrecondition);
}

// Which changes nothing about the file.
TEST_F(AccessControlTest, AFileIsInForceOnceTheDirectoryIsMendedThatOthersCouldWrite) {
  chmod(directory_.path().c_str(), 0707);
  Write(absl::StrReplaceAll(kPolicy, {{"[LIST, READ]", "[LIST]"}}));
  access_->Reload();
  const auto caller = Admit("Bearer " + alice_);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_TRUE((*access_->RightsOf(*caller))->MayAny(SetOf(Verb::kRead)));
  absl::Notification changed;
  access_->OnChange([&changed] {
    if (!changed.HasBeenNotified()) changed.Notify();
  });
  chmod(directory_.path().c_str(), 0700);
  ASSERT_TRUE(changed.WaitForNotificationWithTimeout(absl::Seconds(30)));
  EXPECT_FALSE((*access_->RightsOf(*caller))->MayAny(SetOf(Verb::kRead)));
  access_->OnChange(nullptr);
}

// Nor may it be the access file's mistake that keeps a revoked token in force.
TEST_F(AccessControlTest,
       ARevokedTokenIsWorthNothingOnceItsDirectoryIsMendedThoughThePolicyIsWrong) {
  const std::string other = directory_.path() + "/keys";
  ASSERT_EQ(mkdir(other.c_str(), 0700), 0);
  const std::string bob = CreateToken(other + "/tokens", {.name = "bob"}, clock_.Now()).value();
  Write(absl::StrReplaceAll(kPolicy, {{"\"tokens\"", "\"keys/tokens\""}}));
  access_->Reload();
  const auto caller = Admit("Bearer " + bob);
  ASSERT_TRUE(caller.ok()) << caller.status();
  Write("role {");
  ASSERT_TRUE(RevokeToken(other + "/tokens", "bob", clock_.Now()).ok());
  chmod(other.c_str(), 0707);
  access_->Reload();
  ASSERT_TRUE(access_->RightsOf(*caller).ok());
  absl::Notification changed;
  access_->OnChange([&changed] {
    if (!changed.HasBeenNotified()) changed.Notify();
  });
  chmod(other.c_str(), 0700);
  ASSERT_TRUE(changed.WaitForNotificationWithTimeout(absl::Seconds(30)));
  EXPECT_EQ(access_->RightsOf(*caller).status().code(), absl::StatusCode::kUnauthenticated);
  access_->OnChange({});
}

// What the token file is for a moment, while another file is wrong, nobody is locked out by for
// longer.
TEST_F(AccessControlTest, TokensThatAreThereAgainCountAgainThoughThePolicyIsWrong) {
  const std::string file = directory_.path() + "/tokens";
  std::ostringstream whole;
  whole << std::ifstream(file).rdbuf();
  const auto caller = Admit("Bearer " + alice_);
  ASSERT_TRUE(caller.ok()) << caller.status();
  Write("role {");
  std::ofstream(file) << "";
  access_->Reload();
  EXPECT_FALSE(access_->RightsOf(*caller).ok()) << "it has no tokens";
  std::ofstream(file) << whole.str();
  access_->Reload();
  EXPECT_TRUE(access_->RightsOf(*caller).ok());
  ASSERT_EQ(unlink(file.c_str()), 0);
  access_->Reload();
  EXPECT_TRUE(access_->RightsOf(*caller).ok()) << "a file that is gone says nothing";
}

TEST_F(AccessControlTest, ASessionIsBegunWithATokenAndEndsWithIt) {
  EXPECT_FALSE(access_->SignIn({.peer = "http:1.2.3.4:5"}, MakeToken()).ok());
  const std::string secret = access_->SignIn({.peer = "http:1.2.3.4:5"}, alice_).value();
  const auto caller = Admit("", secret);
  ASSERT_TRUE(caller.ok()) << caller.status();
  EXPECT_EQ(caller->principal->name, "alice");
  EXPECT_EQ(caller->principal->proof, Proof::kSession);
  ASSERT_TRUE(RevokeToken(directory_.path() + "/tokens", "alice", clock_.Now()).ok());
  access_->Reload();
  EXPECT_FALSE(access_->RightsOf(*caller).ok());
  EXPECT_FALSE(Admit("", secret).ok());
}

TEST_F(AccessControlTest, WhoSignsOutHasSignedOut) {
  const std::string secret = access_->SignIn({.peer = "http:1.2.3.4:5"}, alice_).value();
  const auto caller = Admit("", secret);
  access_->SignOut({.session = secret, .peer = "http:1.2.3.4:5"});
  EXPECT_FALSE(access_->RightsOf(*caller).ok());
  EXPECT_FALSE(Admit("", secret).ok());
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"LOGIN\""));
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"LOGOUT\""));
}

TEST_F(AccessControlTest, CallsAreHeldToTheRateOfThePrincipal) {
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(Admit("Bearer " + alice_).ok());
  EXPECT_EQ(Admit("Bearer " + alice_).status().code(), absl::StatusCode::kResourceExhausted);
  clock_.Advance(absl::Seconds(1));
  EXPECT_TRUE(Admit("Bearer " + alice_).ok());
}

TEST_F(AccessControlTest, GuessesAreBoundedAndARightTokenIsHeardAllTheSame) {
  for (int i = 0; i < 20; ++i) Admit("Bearer " + MakeToken()).IgnoreError();
  const size_t written = Audit().size();
  EXPECT_EQ(Admit("Bearer " + MakeToken()).status().code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Audit().size(), written);
  EXPECT_TRUE(Admit("Bearer " + alice_).ok());
}

TEST_F(AccessControlTest, WhatIsWrittenDownHasNoSecret) {
  const std::string wrong = MakeToken();
  Admit("Bearer " + wrong).IgnoreError();
  access_->SignIn({.peer = "http:1.2.3.4:5"}, alice_).IgnoreError();
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"AUTHENTICATE\",\"outcome\":\"DENIED\""));
  EXPECT_THAT(Audit(), HasSubstr("\"trace_id\":\"0123456789abcdef0123456789abcdef\""));
  EXPECT_THAT(Audit(), Not(HasSubstr(wrong.substr(20))));
  EXPECT_THAT(Audit(), Not(HasSubstr(alice_.substr(20))));
}

TEST_F(AccessControlTest, WhatCannotBeWrittenDownIsNotDone) {
  Write(std::string(kPolicy).replace(std::string(kPolicy).find("audit.log"), 9, "/dev/full"));
  access_->Reload();
  const auto caller = Admit("Bearer " + alice_);
  EXPECT_EQ(access_->Allow(*caller, {.verb = "RUN"}).code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(access_->SignIn({.peer = "x"}, alice_).status().code(), absl::StatusCode::kUnavailable);
  EXPECT_EQ(access_->audit_failures(), 2);
}

TEST_F(AccessControlTest, WhoIsNotKnownIsAdmittedWhereSomethingIsGranted) {
  EXPECT_FALSE(Admit("").ok());
  Write(std::string(kPolicy) + "grant { role: \"all\" anonymous: true }");
  access_->Reload();
  const auto caller = Admit("");
  ASSERT_TRUE(caller.ok());
  EXPECT_EQ(caller->principal->proof, Proof::kAnonymous);
  EXPECT_FALSE(Admit("Bearer " + MakeToken()).ok());
  Write(kPolicy);
  access_->Reload();
  EXPECT_EQ(access_->RightsOf(*caller).status().code(), absl::StatusCode::kUnauthenticated);
}

// Nobody's share is everybody's.
TEST_F(AccessControlTest, WhoIsNotKnownHasWhatTheAddressHas) {
  Write(std::string(kPolicy) + R"(
    role { name: "few" allow { job: "*" verb: LIST }
           limits { connections: 1 request_bytes: 100 } }
    grant { role: "few" anonymous: true })");
  access_->Reload();
  const Credentials here{.peer = "ipv4:1.2.3.4:5"};
  const Credentials there{.peer = "http:1.2.3.5:5"};
  const auto held = access_->HoldRequest(here, 60);
  ASSERT_TRUE(held.ok());
  EXPECT_FALSE(access_->HoldRequest(here, 60).ok());
  EXPECT_TRUE(access_->HoldRequest(there, 60).ok());
  const auto connection = access_->HoldConnection(*access_->Admit(here));
  ASSERT_TRUE(connection.ok());
  EXPECT_FALSE(access_->HoldConnection(*access_->Admit(here)).ok());
  EXPECT_TRUE(access_->HoldConnection(*access_->Admit(there)).ok());
}

TEST_F(AccessControlTest, BytesBeyondALimitAreWrittenDownNowAndThen) {
  Write(absl::StrReplaceAll(kPolicy, {{"calls_per_second: 5", "request_bytes: 100"}}));
  access_->Reload();
  const std::string bearer = "Bearer " + alice_;
  const Credentials credentials{.authorization = bearer, .peer = "ipv4:1.2.3.4:5"};
  const absl::Status refused = access_->HoldRequest(credentials, 101).status();
  ASSERT_EQ(refused.code(), absl::StatusCode::kResourceExhausted);
  EXPECT_EQ(Audit(), "") << "by whoever may wait for the disk";
  const auto note = access_->DenyRequest(credentials, refused);
  ASSERT_TRUE(note);
  note();
  EXPECT_THAT(Audit(), HasSubstr(R"("principal":"alice","proof":"token")"));
  EXPECT_THAT(Audit(), HasSubstr(R"("verb":"REQUEST","outcome":"DENIED")"));
  Quotas::Place place;
  const auto caller = access_->Admit(credentials);
  ASSERT_TRUE(caller.ok());
  for (int i = 0; i < 100; ++i) EXPECT_FALSE(access_->HoldRequest(*caller, 101, &place).ok());
  const std::string audit = Audit();
  EXPECT_EQ(std::count(audit.begin(), audit.end(), '\n'), Quotas::kFailuresInARow);
  EXPECT_EQ(access_->DenyRequest(credentials, refused), nullptr);
  EXPECT_TRUE(access_->HoldRequest(*caller, 100, &place).ok());
  EXPECT_FALSE(access_->HoldRequest(credentials, 1).ok());
}

TEST(TraceIdTest, IsThatOfTheHeaderOrNone) {
  EXPECT_EQ(TraceIdOf("00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"),
            "0123456789abcdef0123456789abcdef");
  EXPECT_EQ(TraceIdOf("00-00000000000000000000000000000000-0123456789abcdef-01"), "");
  EXPECT_EQ(TraceIdOf("00-0123456789ABCDEF0123456789abcdef-0123456789abcdef-01"), "");
  EXPECT_EQ(TraceIdOf("nonsense"), "");
  EXPECT_EQ(TraceIdOf(""), "");
}

}  // namespace
}  // namespace jobtail::access
