// TLS and tokens of clients: what is sent to whom.

#include "client/credentials.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <fstream>
#include <map>
#include <string>

#include "absl/synchronization/mutex.h"
#include "client/client.h"
#include "jobtail/v1/job_service.grpc.pb.h"
#include "tests/support/certificates.h"

namespace jobtail::client {
namespace {

using jobtail::testing::Authority;
using jobtail::testing::KeyPair;
using ::testing::HasSubstr;

// Has no jobs, and remembers who asked for them, and with what.
class Recorder final : public v1::JobService::Service {
 public:
  grpc::Status ListJobs(grpc::ServerContext* context, const v1::ListJobsRequest*,
                        v1::ListJobsResponse*) override {
    Remember(context);
    return grpc::Status::OK;
  }
  grpc::Status TailLog(grpc::ServerContext* context, const v1::TailLogRequest*,
                       grpc::ServerWriter<v1::LogBatch>*) override {
    Remember(context);
    return {grpc::StatusCode::NOT_FOUND, "no such run"};
  }

  std::string Token() {
    absl::MutexLock lock(&mutex_);
    return token_;
  }
  std::string Name() {
    absl::MutexLock lock(&mutex_);
    return name_;
  }

 private:
  void Remember(grpc::ServerContext* context) {
    absl::MutexLock lock(&mutex_);
    const auto& metadata = context->client_metadata();
    const auto found = metadata.find("authorization");
    token_ = found == metadata.end() ? "" : std::string(found->second.data(), found->second.size());
    const auto names = context->auth_context()->FindPropertyValues("peer_uri");
    name_ = names.empty() ? "" : std::string(names[0].data(), names[0].size());
  }

  absl::Mutex mutex_;
  std::string token_ ABSL_GUARDED_BY(mutex_);
  std::string name_ ABSL_GUARDED_BY(mutex_);
};

class CredentialsTest : public ::testing::Test {
 protected:
  CredentialsTest() {
    Write("ca.pem", authority_.certificate());
    const KeyPair me = authority_.Issue("URI:spiffe://example.org/me");
    Write("me.pem", me.certificate);
    Write("me.key", me.key);
    Write("token", "jt_1_secret\n");
  }
  ~CredentialsTest() override {
    for (const char* name : {"ca.pem", "me.pem", "me.key", "token", "sock"}) {
      unlink(File(name).c_str());
    }
  }

  std::string File(const std::string& name) const {
    return ::testing::TempDir() + "jobtail_credentials_" + std::to_string(getpid()) + "_" + name;
  }
  void Write(const std::string& name, const std::string& text) const {
    std::ofstream(File(name)) << text;
  }

  // Serves with TLS, with a certificate of these names, and returns the address.
  std::string ServeTls(const std::string& names = "DNS:localhost,IP:127.0.0.1") {
    const KeyPair pair = authority_.Issue(names);
    grpc::SslServerCredentialsOptions options(GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY);
    options.pem_root_certs = authority_.certificate();
    options.pem_key_cert_pairs.push_back({pair.key, pair.certificate});
    return Serve("127.0.0.1:0", grpc::SslServerCredentials(options));
  }

  std::string Serve(const std::string& address,
                    std::shared_ptr<grpc::ServerCredentials> credentials) {
    grpc::ServerBuilder builder;
    int port = 0;
    builder.AddListeningPort(address, std::move(credentials), &port);
    builder.RegisterService(&service_);
    server_ = builder.BuildAndStart();
    return address.starts_with("unix:") ? address : "127.0.0.1:" + std::to_string(port);
  }

  static ClientOptions Impatient() {
    ClientOptions options;
    options.retry_for = absl::ZeroDuration();
    return options;
  }

  // Calls the server; whether that worked.
  static bool Call(const std::string& address, const CredentialFiles& files) {
    const auto channel = OpenChannel(address, files);
    EXPECT_TRUE(channel.ok()) << channel.status();
    return channel.ok() && Client(*channel, Impatient()).ListJobs({}).ok();
  }

  static std::string Problem(const std::string& address, const CredentialFiles& files) {
    const auto channel = OpenChannel(address, files);
    EXPECT_EQ(channel.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(channel.status().message());
  }

  const Authority authority_;
  Recorder service_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(CredentialsTest, TlsKnowsTheServerByItsCa) {
  const std::string address = ServeTls();
  EXPECT_TRUE(Call(address, {.ca_file = File("ca.pem")}));
  EXPECT_FALSE(Call(address, {.tls = true})) << "the system does not know that CA";
  EXPECT_FALSE(Call(address, {}));
}

// Whoever has a certificate of the same CA is not the server for that.
TEST_F(CredentialsTest, TlsKnowsTheServerByItsName) {
  const std::string address = ServeTls("DNS:elsewhere.example.com,IP:127.0.0.2");
  EXPECT_FALSE(Call(address, {.ca_file = File("ca.pem"), .token_file = File("token")}));
  EXPECT_EQ(service_.Token(), "") << "nor is it told a secret";
}

TEST_F(CredentialsTest, ACertificateTellsWhoCalls) {
  const std::string address = ServeTls();
  EXPECT_TRUE(Call(
      address,
      {.ca_file = File("ca.pem"), .certificate_file = File("me.pem"), .key_file = File("me.key")}));
  EXPECT_EQ(service_.Name(), "spiffe://example.org/me");
}

TEST_F(CredentialsTest, ATokenGoesWithEachCallAndStream) {
  const std::string address = ServeTls();
  const auto channel =
      OpenChannel(address, {.ca_file = File("ca.pem"), .token_file = File("token")});
  ASSERT_TRUE(channel.ok()) << channel.status();
  const Client client(*channel, Impatient());
  EXPECT_TRUE(client.ListJobs({}).ok());
  EXPECT_EQ(service_.Token(), "Bearer jt_1_secret");
  Write("token", "jt_2_next");  // read anew
  v1::TailLogRequest request;
  request.set_run("r");
  (void)client.Tail(request)->Next();
  EXPECT_EQ(service_.Token(), "Bearer jt_2_next");
}

TEST_F(CredentialsTest, ATokenFileIsRenewedOnceItHasAnotherToken) {
  const auto renewal = TokenFileRenewal(File("token"));
  const auto of_another_reader = renewal;
  EXPECT_EQ(renewal().code(), absl::StatusCode::kUnauthenticated);
  Write("token", "jt_2_next");
  EXPECT_TRUE(renewal().ok());
  EXPECT_THAT(std::string(renewal().message()), HasSubstr("has no other token"));
  EXPECT_TRUE(of_another_reader().ok());
  Write("token", "");
  EXPECT_EQ(renewal().code(), absl::StatusCode::kUnauthenticated);
}

TEST_F(CredentialsTest, ATokenGoesOverTlsOrStaysOnThisMachine) {
  EXPECT_THAT(Problem("build7:50051", {.token_file = File("token")}), HasSubstr("in plain text"));
  EXPECT_THAT(Problem("127.evil.example:50051", {.token_file = File("token")}),
              HasSubstr("in plain text"));
  EXPECT_TRUE(
      Call(Serve("127.0.0.1:0", grpc::InsecureServerCredentials()), {.token_file = File("token")}));
  EXPECT_EQ(service_.Token(), "Bearer jt_1_secret");
}

TEST_F(CredentialsTest, AUnixSocketTakesTokensAndNeedsNoTls) {
  const std::string address = Serve("unix:" + File("sock"), grpc::InsecureServerCredentials());
  EXPECT_TRUE(Call(address, {.ca_file = File("ca.pem"), .token_file = File("token")}));
  EXPECT_EQ(service_.Token(), "Bearer jt_1_secret");
}

TEST_F(CredentialsTest, FilesThatWillNotDoAreTold) {
  EXPECT_THAT(Problem("h:1", {.ca_file = "/nowhere/ca.pem"}),
              HasSubstr("/nowhere/ca.pem cannot be read"));
  EXPECT_THAT(Problem("h:1", {.ca_file = File("token")}), HasSubstr("has no PEM text in it"));
  EXPECT_THAT(Problem("h:1", {.certificate_file = File("me.pem")}), HasSubstr("give both"));
  Write("token", "");
  EXPECT_THAT(Problem("localhost:1", {.token_file = File("token")}), HasSubstr("has no token"));
  Write("token", "two words");
  EXPECT_THAT(Problem("localhost:1", {.token_file = File("token")}), HasSubstr("has no token"));
}

TEST_F(CredentialsTest, KnowsWhatStaysOnThisMachine) {
  for (const char* address : {"127.0.0.1:1", "127.9.9.9:1", "localhost:1", "[::1]:1", "unix:x"}) {
    EXPECT_TRUE(IsLocalServer(address)) << address;
  }
  for (const char* address : {"127.evil.example:1", "localhost.evil.example:1", "10.0.0.1:1",
                              "dns:///localhost:1", "nonsense"}) {
    EXPECT_FALSE(IsLocalServer(address)) << address;
  }
}

}  // namespace
}  // namespace jobtail::client
