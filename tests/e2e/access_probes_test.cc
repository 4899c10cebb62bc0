// Health checks and reflection, where they are for those who are known.
#include <gmock/gmock.h>

#include <memory>
#include <string>

#include "absl/time/clock.h"
#include "tests/e2e/access_calls.h"
#include "tests/e2e/raw_call.h"

namespace jobtail::e2e {
namespace {

using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

constexpr char kCheck[] = "/grpc.health.v1.Health/Check";
constexpr char kWatch[] = "/grpc.health.v1.Health/Watch";
constexpr char kReflection[] = "/grpc.reflection.v1.ServerReflection/ServerReflectionInfo";
constexpr char kOldReflection[] = "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo";
const std::string kListServices("\x3A\0", 2);

constexpr char kServing[] = "\x08\x01";

class AccessProbesTest : public AccessCallsTest {
 protected:
  AccessProbesTest() { channel_ = OpenChannel(server().grpc_address()); }

  RawReply Call(const std::string& method, const std::string& token) {
    return RawCall(channel_, method, method == kCheck ? "" : kListServices, Bearer(token));
  }
  void Close(const std::string& setting) {
    SetPolicy(std::string(kAccessPolicy) + setting + ": true");
  }
  // Begins to watch the server's health, and reads how it is.
  std::unique_ptr<RawStream> Watch(const std::string& token) {
    auto watch = std::make_unique<RawStream>(channel_, kWatch, Bearer(token));
    watch->Write("");
    EXPECT_EQ(watch->Read(), kServing);
    return watch;
  }
  // Its end, which comes within a second: the longest that a right lives on.
  static grpc::Status AwaitEnd(RawStream* stream) {
    const absl::Time begin = absl::Now();
    EXPECT_EQ(stream->Read(), std::nullopt);
    EXPECT_LT(absl::Now() - begin, absl::Seconds(20));  // it does not hang
    return stream->Finish();
  }

  std::shared_ptr<grpc::Channel> channel_;
};

TEST_F(AccessProbesTest, TheyAskNobodyUnlessTheyAreToldTo) {
  for (const char* method : {kCheck, kReflection, kOldReflection}) {
    EXPECT_TRUE(Call(method, "").status.ok()) << method;
    EXPECT_TRUE(Call(method, "no token").status.ok()) << method;
  }
}

TEST_F(AccessProbesTest, HealthIsForThoseWhoAreKnown) {
  Close("probes_need_identity");
  for (const char* token : {"", "no token"}) {
    const RawReply refused = Call(kCheck, token);
    EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_THAT(refused.messages, IsEmpty());
  }
  EXPECT_THAT(Call(kCheck, Token("lister")).messages, SizeIs(1));
  EXPECT_TRUE(Call(kReflection, "").status.ok()) << "is not a probe";
  EXPECT_EQ(RawCall(channel_, kWatch, "").status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"AUTHENTICATE\",\"outcome\":\"DENIED\""));
}

TEST_F(AccessProbesTest, ReflectionIsForThoseWhoAreKnown) {
  Close("reflection_needs_identity");
  for (const char* method : {kReflection, kOldReflection}) {
    const RawReply refused = Call(method, "");
    EXPECT_EQ(refused.status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
    EXPECT_THAT(refused.messages, IsEmpty());
    EXPECT_THAT(Call(method, Token("lister")).messages, SizeIs(1));
  }
  EXPECT_TRUE(Call(kCheck, "").status.ok()) << "is not reflection";
}

TEST_F(AccessProbesTest, ARevokedTokenEndsItsStreams) {
  SetPolicy(std::string(kAccessPolicy) +
            "probes_need_identity: true reflection_needs_identity: true");
  const std::string token = Token("lister");
  const auto watch = Watch(token);
  RawStream reflection(channel_, kReflection, Bearer(token));
  reflection.Write(kListServices);
  EXPECT_TRUE(reflection.Read());
  const auto other = Watch(Token("reader"));
  Revoke("lister");
  EXPECT_EQ(AwaitEnd(watch.get()).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_EQ(AwaitEnd(&reflection).error_code(), grpc::StatusCode::UNAUTHENTICATED);
  server().Stop();
  EXPECT_EQ(other->Read(), "\x08\x02") << "goes on, and is told of the end";
  EXPECT_EQ(AwaitEnd(other.get()).error_code(), grpc::StatusCode::UNAVAILABLE);
}

TEST_F(AccessProbesTest, AStreamThatAskedNobodyEndsWithThePermissionToDoSo) {
  const auto watch = Watch("");
  Close("probes_need_identity");
  const grpc::Status status = AwaitEnd(watch.get());
  EXPECT_EQ(status.error_code(), grpc::StatusCode::UNAUTHENTICATED);
  EXPECT_THAT(status.error_message(), HasSubstr("call again"));
}

// --- How many

class AccessProbeLimitsTest : public AccessProbesTest {
 protected:
  void SetUp() override {
    SetPolicy(R"(token_file: "tokens" audit { file: "audit.log" }
        probes_need_identity: true reflection_needs_identity: true
        role { name: "few" allow { job: "*" verb: [LIST, READ, READ_LOG] } limits { streams: 1 } }
        grant { role: "few" principal: "few" principal: "others" })");
  }
};

TEST_F(AccessProbeLimitsTest, StreamsAreThoseOfTheirPrincipal) {
  const std::string token = Token("few");
  auto watch = Watch(token);
  const grpc::Status refused = Call(kReflection, token).status;
  EXPECT_EQ(refused.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_THAT(refused.error_message(), HasSubstr("streams"));
  EXPECT_EQ(Call(kWatch, token).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
  EXPECT_EQ(HttpClient(server().http_url()).Get("/v1/runs:watch", Bearer(token)).status, 429);
  EXPECT_TRUE(Call(kCheck, token).status.ok()) << "is no stream";
  EXPECT_TRUE(Call(kReflection, Token("others")).status.ok());
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"REFLECT\",\"outcome\":\"DENIED\""));
  EXPECT_THAT(Audit(), HasSubstr("\"verb\":\"WATCH_HEALTH\",\"outcome\":\"DENIED\""));
  watch.reset();
  EXPECT_TRUE(testing::Eventually([&] { return Call(kReflection, token).status.ok(); }));
}

TEST_F(AccessProbeLimitsTest, ALogTakesTheirPlace) {
  const std::string run = Run("wait", "x");
  const std::string token = Token("few");
  const FollowedLog log(stub(), token, run);
  EXPECT_EQ(Call(kReflection, token).status.error_code(), grpc::StatusCode::RESOURCE_EXHAUSTED);
}

}  // namespace
}  // namespace jobtail::e2e
