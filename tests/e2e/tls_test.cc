// TLS at both doors of whole servers: what is refused, what is reloaded, what is bounded.

#include <gmock/gmock.h>
#include <sys/socket.h>

#include <csignal>
#include <memory>
#include <string>
#include <vector>

#include "client/client.h"
#include "tests/e2e/fixture.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/certificates.h"
#include "tests/support/observe.h"
#include "tests/support/raw_client.h"

namespace jobtail::e2e {
namespace {

using jobtail::testing::Authority;
using jobtail::testing::Eventually;
using jobtail::testing::KeyPair;
using jobtail::testing::Outcome;
using jobtail::testing::TemporaryDirectory;
using jobtail::testing::WriteFile;
using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

constexpr char kNames[] = "DNS:localhost,IP:127.0.0.1";

class TlsTest : public ::testing::Test {
 protected:
  TlsTest() {
    WriteFile(ca_, authority_.certificate());
    Use(authority_.Issue(kNames, 10));
  }

  std::string File(const std::string& name) const { return directory_.path() + "/" + name; }

  void Use(const KeyPair& pair) {
    WriteFile(File("server.pem"), pair.certificate);
    WriteFile(File("server.key"), pair.key);
  }

  // Writes a client's certificate to files of that name.
  void IssueClient(const std::string& name, const Authority& authority) {
    const KeyPair pair = authority.Issue("URI:spiffe://example.org/" + name);
    WriteFile(File(name + ".pem"), pair.certificate);
    WriteFile(File(name + ".key"), pair.key);
  }

  void Serve(std::vector<std::string> flags = {}) {
    flags.insert(flags.end(), {"--tls-cert=" + File("server.pem"),
                               "--tls-key=" + File("server.key"), "--tls-client-ca=" + ca_});
    server_ = std::make_unique<DemoServer>(std::move(flags));
  }

  std::shared_ptr<grpc::Channel> Channel() {
    return grpc::CreateChannel(server_->address(),
                               grpc::SslCredentials({authority_.certificate(), "", ""}));
  }

  Outcome Curl(std::vector<std::string> arguments, const std::string& path) {
    arguments.insert(arguments.begin(),
                     {"/usr/bin/curl", "-sS", "--noproxy", "*", "--max-time", "30"});
    arguments.insert(arguments.end(), {"--cacert", ca_, server_->http_url() + path});
    return jobtail::testing::Run({.command = std::move(arguments)});
  }

  std::vector<std::string> ClientFiles(const std::string& name) const {
    return {"--cert", File(name + ".pem"), "--key", File(name + ".key")};
  }

  Outcome Jobtail(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), {JOBTAIL_COMMAND, "--server=" + server_->address()});
    return jobtail::testing::Run(
        {.command = std::move(arguments), .environment = {"JOBTAIL_CONFIG=/dev/null"}});
  }

  // The days that the certificate has left with which a new connection is made.
  int64_t DaysLeft() {
    const std::string text = Curl({}, "metrics").out;
    const std::string name = "\njobtail_tls_certificate_days_left ";
    const size_t at = text.find(name);
    EXPECT_NE(at, std::string::npos) << text;
    return std::stoi(text.substr(at + name.size())) + 1;
  }

  const Authority authority_;
  TemporaryDirectory directory_;
  const std::string ca_ = File("ca.pem");
  std::unique_ptr<DemoServer> server_;
};

TEST_F(TlsTest, BothDoorsServeIt) {
  Serve();
  EXPECT_THAT(server_->http_url(), StartsWith("https://127.0.0.1:"));
  EXPECT_THAT(Jobtail({"--tls-ca=" + ca_, "run", "countdown", "times=1", "interval=0s"}).out,
              HasSubstr("Done"));
  EXPECT_EQ(Curl({}, "healthz").out, "ok\n");
}

TEST_F(TlsTest, NeitherDoorServesPlainText) {
  Serve();
  EXPECT_EQ(Jobtail({"jobs"}).exit_code, 125);
  const std::string url = "http" + server_->http_url().substr(5) + "healthz";
  EXPECT_NE(
      jobtail::testing::Run({.command = {"/usr/bin/curl", "-sS", "--noproxy", "*", url}}).exit_code,
      0);
}

TEST_F(TlsTest, OlderVersionsAreRefused) {
  Serve();
  EXPECT_NE(Curl({"--tls-max", "1.1", "--ciphers", "DEFAULT@SECLEVEL=0"}, "healthz").exit_code, 0);
  EXPECT_EQ(Curl({"--tls-max", "1.2"}, "healthz").out, "ok\n");
  const auto at_grpc = [this](const char* version) {
    return jobtail::testing::Run(
        {.command = {"/usr/bin/openssl", "s_client", "-connect", server_->address(), "-CAfile", ca_,
                     "-alpn", "h2", version, "-cipher", "DEFAULT@SECLEVEL=0"}});
  };
  EXPECT_THAT(at_grpc("-tls1_1").out, HasSubstr("no peer certificate available"));
  EXPECT_THAT(at_grpc("-tls1_2").out, HasSubstr("Verify return code: 0"));
}

TEST_F(TlsTest, HttpSaysWhichVersionItSpeaks) {
  Serve();
  EXPECT_THAT(Curl({"-v", "--http2"}, "healthz").err, HasSubstr("ALPN: server accepted http/1.1"));
  const std::string address = server_->http_url().substr(8, server_->http_url().size() - 9);
  EXPECT_THAT(jobtail::testing::Run(
                  {.command = {"/usr/bin/openssl", "s_client", "-connect", address, "-alpn", "h2"}})
                  .err,
              HasSubstr("no application protocol"));
}

TEST_F(TlsTest, BrowsersAreToldToStayWithItWhereItHasAName) {
  Serve({"--http-allow-host=jobs.example.com"});
  EXPECT_THAT(Curl({"-i", "-H", "Host: jobs.example.com"}, "healthz").out,
              HasSubstr("Strict-Transport-Security: max-age="));
  EXPECT_THAT(Curl({"-i", "-H", "Host: localhost"}, "healthz").out,
              AllOf(HasSubstr("200 OK"), Not(HasSubstr("Strict-Transport-Security"))));
}

TEST_F(TlsTest, CertificatesOfClientsAreWelcomeForeignOnesAreNot) {
  IssueClient("mine", authority_);
  IssueClient("foreign", Authority());
  Serve();
  const auto run = [this](const std::string& name) {
    return Jobtail({"--tls-ca=" + ca_, "--tls-cert=" + File(name + ".pem"),
                    "--tls-key=" + File(name + ".key"), "jobs"})
        .exit_code;
  };
  EXPECT_EQ(run("mine"), 0);
  EXPECT_EQ(run("foreign"), 125);
  EXPECT_EQ(Curl(ClientFiles("mine"), "healthz").out, "ok\n");
  EXPECT_NE(Curl(ClientFiles("foreign"), "healthz").exit_code, 0);
}

// A stream at each door lives through everything that becomes of the files.
TEST_F(TlsTest, AStreamLivesOnWhileTheCertificateIsReplaced) {
  Serve();
  const auto stub = v1::JobService::NewStub(Channel());
  const std::string run = StartRun(*stub, "countdown", {{"times", "100000"}, {"interval", "10ms"}});
  grpc::ClientContext context;
  const auto stream = stub->TailLog(&context, Follow(run));
  v1::LogBatch batch;
  ASSERT_TRUE(stream->Read(&batch));
  testing::Subprocess http({.command = {"/usr/bin/curl", "-sSN", "--noproxy", "*", "--cacert", ca_,
                                        server_->http_url() + "v1/runs/" + run + "/log?follow=true",
                                        "-H", "Accept: text/plain"}});
  ASSERT_TRUE(http.WaitForOutput("Task #1"));

  const KeyPair next = authority_.Issue(kNames, 20);
  EXPECT_EQ(DaysLeft(), 10);
  WriteFile(File("server.pem"), next.certificate);  // the key is not its own yet
  EXPECT_EQ(DaysLeft(), 10);
  WriteFile(File("server.key"), "garbage");
  EXPECT_EQ(DaysLeft(), 10);
  unlink(File("server.key").c_str());
  EXPECT_EQ(DaysLeft(), 10);
  EXPECT_THAT(Curl({}, "metrics").out, AllOf(HasSubstr("jobtail_tls_failed_reloads_total 3"),
                                             HasSubstr("jobtail_tls_certificate_stale 1")));
  EXPECT_EQ(Jobtail({"--tls-ca=" + ca_, "jobs"}).exit_code, 0) << "gRPC serves with the last";
  WriteFile(File("server.key"), next.key);
  EXPECT_EQ(DaysLeft(), 20);
  EXPECT_THAT(Curl({}, "metrics").out, HasSubstr("jobtail_tls_certificate_stale 0"));

  // A CA that the clients do not know yet: who connects now notices.
  const Authority other;
  Use(other.Issue(kNames));
  EXPECT_EQ(Jobtail({"--tls-ca=" + ca_, "jobs"}).exit_code, 125);
  WriteFile(File("other.pem"), other.certificate());
  EXPECT_EQ(Jobtail({"--tls-ca=" + File("other.pem"), "jobs"}).exit_code, 0);

  const size_t seen = http.out().size();
  for (int i = 0; i < 20; ++i) ASSERT_TRUE(stream->Read(&batch));
  EXPECT_TRUE(Eventually([&] {
    http.WaitForOutput("Task #" + std::to_string(batch.lines(0).sequence()) + "\n");
    return http.out().size() > seen;
  }));
  context.TryCancel();
}

// A browser's page that is closed says goodbye in TLS, which is more than silence.
TEST_F(TlsTest, AClientThatSaysGoodbyeIsNoReaderAnyMore) {
  Serve({"--heartbeat=3600"});  // which would notice, too
  const auto stub = v1::JobService::NewStub(Channel());
  const std::string run = StartRun(*stub, "countdown", {{"times", "1000"}, {"interval", "1h"}});
  const auto readers = [this] { return Curl({}, "metrics").out; };
  {
    testing::Subprocess client(
        {.command = {"/usr/bin/openssl", "s_client", "-quiet", "-no_ign_eof", "-CAfile", ca_,
                     "-connect", server_->http_url().substr(8, server_->http_url().size() - 9)}});
    client.Write("GET /v1/runs/" + run + "/log?follow=true HTTP/1.1\r\nHost: localhost\r\n\r\n");
    ASSERT_TRUE(client.WaitForOutput("Task"));
    EXPECT_THAT(readers(), HasSubstr("jobtail_readers{door=\"http\"} 1"));
    client.Write("Q\n");  // s_client's own: close in order
    client.Wait();
  }
  EXPECT_TRUE(Eventually(
      [&] { return readers().find("jobtail_readers{door=\"http\"} 0") != std::string::npos; }));
}

TEST_F(TlsTest, HandshakesThatAreNotFinishedKeepNobodyOut) {
  Serve();
  constexpr int kIdlers = 700;  // more than may be under way
  std::vector<std::unique_ptr<jobtail::testing::RawClient>> idlers;
  for (int i = 0; i < kIdlers; ++i) {
    idlers.push_back(std::make_unique<jobtail::testing::RawClient>());
    const std::string address = server_->http_url().substr(8, server_->http_url().size() - 9);
    ASSERT_TRUE(idlers.back()->Connect(address));
  }
  EXPECT_EQ(Curl({"--interface", "127.0.0.2"}, "healthz").out, "ok\n")
      << "one address has no more than its part";
  EXPECT_TRUE(Eventually([this] { return Curl({}, "healthz").out == "ok\n"; }))
      << "those that do not finish are given up after ten seconds";
  EXPECT_THAT(Curl({}, "metrics").out, Not(HasSubstr("jobtail_tls_failed_handshakes_total 0")));
  EXPECT_EQ(Jobtail({"--tls-ca=" + ca_, "jobs"}).exit_code, 0);
}

TEST_F(TlsTest, HandshakesAtGrpcThatAreNotFinishedAreGivenUp) {
  Serve();
  jobtail::testing::RawClient silent;
  jobtail::testing::RawClient begun;
  ASSERT_TRUE(silent.Connect(server_->address()) && begun.Connect(server_->address()));
  begun.Send("\x16\x03\x01");  // of a ClientHello
  EXPECT_TRUE(silent.AwaitClose()) << "after twenty seconds";
  EXPECT_TRUE(begun.AwaitClose());
}

TEST_F(TlsTest, HandshakesAtGrpcThatFailAreCounted) {
  Serve();
  ASSERT_EQ(Jobtail({"--tls-ca=" + ca_, "jobs"}).exit_code, 0);
  for (int i = 0; i < 3; ++i) {
    jobtail::testing::RawClient client;
    ASSERT_TRUE(client.Connect(server_->address()));
    client.Send("GET / HTTP/1.1\r\n\r\n");
    ASSERT_TRUE(client.AwaitClose());
  }
  EXPECT_TRUE(Eventually([this] {
    return Curl({}, "metrics").out.find("\njobtail_grpc_unused_connections_total 3\n") !=
           std::string::npos;
  })) << Curl({}, "metrics").out;
}

TEST_F(TlsTest, HandshakesThatFailDoNotFillTheLog) {
  Serve();
  for (int i = 0; i < 50; ++i) {
    jobtail::testing::RawClient client;
    ASSERT_TRUE(client.Connect(server_->address()));
    client.Send("GET / HTTP/1.1\r\n\r\n");
    while (!client.AwaitClose()) {
    }
  }
  server_->process().Signal(SIGTERM);
  const std::string log = server_->process().Wait().err;
  const size_t first = log.find("Handshake failed");
  EXPECT_NE(first, std::string::npos) << log;
  EXPECT_EQ(log.find("Handshake failed", first + 1), std::string::npos) << log;
}

TEST_F(TlsTest, ItDoesNotStartWithWhatWillNotDo) {
  WriteFile(File("server.key"), authority_.Issue(kNames).key);
  const auto start = [](std::vector<std::string> flags) {
    flags.insert(flags.begin(),
                 {JOBTAIL_DEMO, "--grpc-address=127.0.0.1:0", "--http-address=127.0.0.1:0"});
    return jobtail::testing::Run({.command = std::move(flags)});
  };
  const Outcome mismatch =
      start({"--tls-cert=" + File("server.pem"), "--tls-key=" + File("server.key")});
  EXPECT_EQ(mismatch.exit_code, 1);
  EXPECT_THAT(mismatch.err, HasSubstr("the key is not that of the certificate"));
  EXPECT_NE(start({"--tls-cert=" + File("server.pem")}).exit_code, 0);
  EXPECT_NE(start({"--tls-client-ca=" + ca_}).exit_code, 0);
}

TEST_F(TlsTest, AnEmbedderMayBringItsOwnCredentials) {
  const KeyPair pair = authority_.Issue(kNames);
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({pair.key, pair.certificate});
  Server server({.grpc_address = "127.0.0.1:0",
                 .grpc_credentials = grpc::SslServerCredentials(options),
                 .http = {.address = ""}});
  ASSERT_TRUE(server.Start().ok());
  client::ClientOptions trust;
  trust.credentials = grpc::SslCredentials({authority_.certificate(), "", ""});
  EXPECT_TRUE(client::Client(server.grpc_address(), trust).ListJobs({}).ok());
  client::ClientOptions plain;
  plain.retry_for = absl::ZeroDuration();
  EXPECT_FALSE(client::Client(server.grpc_address(), plain).ListJobs({}).ok());
}

TEST(Reach, AnAddressThatOthersCanReachNeedsProtection) {
  const std::pair<const char*, const char*> cases[] = {
      {"--grpc-address=0.0.0.0:0", "--http-address="},
      {"--http-address=[::]:0", "--grpc-address=127.0.0.1:0"}};
  for (const auto& [flag, other] : cases) {
    const Outcome outcome = jobtail::testing::Run({.command = {JOBTAIL_DEMO, flag, other}});
    EXPECT_EQ(outcome.exit_code, 1);
    EXPECT_THAT(outcome.err, AllOf(HasSubstr(flag), HasSubstr("--tls-cert"), HasSubstr("unix:PATH"),
                                   HasSubstr("--insecure")));
  }
  DemoServer insecure({"--grpc-address=0.0.0.0:0", "--insecure"});
  EXPECT_THAT(insecure.address(), StartsWith("0.0.0.0:"));
}

TEST(Reach, CredentialsThatProtectNothingAreNoProtection) {
  Server server({.grpc_address = "0.0.0.0:0",
                 .grpc_credentials = grpc::InsecureServerCredentials(),
                 .http = {.address = ""}});
  const absl::Status status = server.Start();
  EXPECT_EQ(status.code(), absl::StatusCode::kFailedPrecondition) << status;
}

TEST_F(TlsTest, CredentialsThatKnowNobodyAreNotEnoughForAnAddressThatOthersCanReach) {
  const KeyPair pair = authority_.Issue(kNames);
  grpc::SslServerCredentialsOptions options;
  options.pem_key_cert_pairs.push_back({pair.key, pair.certificate});
  for (const bool know_callers : {false, true}) {
    Server server({.grpc_address = "0.0.0.0:0",
                   .grpc_credentials = grpc::SslServerCredentials(options),
                   .grpc_credentials_know_callers = know_callers,
                   .http = {.address = ""}});
    EXPECT_EQ(server.Start().code(),
              know_callers ? absl::StatusCode::kOk : absl::StatusCode::kFailedPrecondition);
  }
}

TEST_F(TlsTest, AnAddressThatOthersCanReachIsServedWithProtection) {
  const std::string access = File("access.txt");
  jobtail::testing::WriteFile(access, R"(role { name: "r" allow { job: "*" verb: LIST } }
                                         grant { role: "r" principal: "*" })");
  Serve({"--grpc-address=0.0.0.0:0", "--http-address=0.0.0.0:0", "--access-file=" + access});
  EXPECT_THAT(server_->http_url(), StartsWith("https://0.0.0.0:"));
}

TEST_F(TlsTest, AnAddressThatOthersCanReachNeedsAWayToKnowThem) {
  const std::string access = File("access.txt");
  const auto serve = [&](const std::string& policy) {
    jobtail::testing::WriteFile(access, policy);
    return jobtail::testing::Run({.command = {
                                      JOBTAIL_DEMO,
                                      "--tls-cert=" + File("server.pem"),
                                      "--tls-key=" + File("server.key"),
                                      "--access-file=" + access,
                                      "--grpc-address=0.0.0.0:0",
                                      "--http-address=",
                                  }});
  };
  for (
      const char* policy :
      {"",
       R"(role { name: "r" allow { job: "*" verb: LIST } } grant { role: "r" anonymous: true })"}) {
    const Outcome outcome = serve(policy);
    EXPECT_EQ(outcome.exit_code, 1) << policy;
    EXPECT_THAT(outcome.err, AllOf(HasSubstr("no way to know who calls"), HasSubstr("token_file"),
                                   HasSubstr("--tls-client-ca")));
  }
}

// Such a server ended as it began.
TEST_F(TlsTest, NoClientNeedsACertificateWhereNoneIsAskedFor) {
  IssueClient("alice", authority_);
  server_ = std::make_unique<DemoServer>(std::vector<std::string>{
      "--tls-cert=" + File("server.pem"), "--tls-key=" + File("server.key")});
  EXPECT_EQ(Jobtail({"--tls-ca=" + ca_, "jobs"}).exit_code, 0);
  EXPECT_THAT(Curl({}, "v1/jobs").out, HasSubstr("countdown"));
  const Outcome with_one = Jobtail({"--tls-ca=" + ca_, "--tls-cert=" + File("alice.pem"),
                                    "--tls-key=" + File("alice.key"), "jobs"});
  EXPECT_EQ(with_one.exit_code, 0) << with_one.err;
}

// A port for others, and a socket for those who are here.
TEST_F(TlsTest, BothDoorsServeAtSeveralAddresses) {
  const std::string grpc = "unix:" + File("grpc.sock");
  const std::string http = File("http.sock");
  Serve({"--grpc-address=127.0.0.1:0", "--grpc-address=" + grpc, "--http-address=127.0.0.1:0",
         "--http-address=unix:" + http});
  EXPECT_THAT(server_->address(), StartsWith("127.0.0.1:"));
  EXPECT_EQ(Jobtail({"--tls-ca=" + ca_, "jobs"}).exit_code, 0);
  const Outcome local =
      jobtail::testing::Run({.command = {JOBTAIL_COMMAND, "--server=" + grpc, "jobs"},
                             .environment = {"JOBTAIL_CONFIG=/dev/null"}});
  EXPECT_EQ(local.exit_code, 0) << local.err;
  EXPECT_THAT(local.out, HasSubstr("countdown"));
  EXPECT_THAT(Curl({}, "v1/jobs").out, HasSubstr("countdown"));
  const Outcome curl =
      jobtail::testing::Run({.command = {"/usr/bin/curl", "-sS", "--max-time", "30",
                                         "--unix-socket", http, "http://localhost/v1/jobs"}});
  EXPECT_THAT(curl.out, HasSubstr("countdown")) << curl.err;
}

}  // namespace
}  // namespace jobtail::e2e
