// HTTP: where it is served, and to which sites' pages.

#include <gmock/gmock.h>

#include <csignal>
#include <string>

#include "tests/e2e/fixture.h"
#include "tests/e2e/http_calls.h"
#include "tests/e2e/http_client.h"

namespace jobtail::e2e {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

TEST_F(HttpCalls, AreRefusedToOtherSites) {
  const std::string create = R"({"job":"hello"})";
  const auto post = [&](const Headers& headers) {
    return HttpClient(url()).Ask("POST", "/v1/runs", headers, create).status;
  };
  EXPECT_EQ(post({{"Content-Type", "application/json"}}), 200);
  EXPECT_EQ(post({{"Content-Type", "application/json"}, {"Origin", "http://evil.example"}}), 403);
  EXPECT_EQ(post({{"Content-Type", "application/json"}, {"Sec-Fetch-Site", "cross-site"}}), 403);
  EXPECT_EQ(post({{"Content-Type", "text/plain"}}), 415);
  EXPECT_EQ(post({{"Content-Type", "application/json"}, {"Host", "evil.example"}}), 403);
  HttpClient client(url());
  EXPECT_EQ(client.Get("/v1/jobs", {{"Host", "evil.example"}}).status, 403);
  EXPECT_EQ(
      HttpClient(url()).Ask("POST", "/stream/hello", {{"Sec-Fetch-Site", "cross-site"}}).status,
      403);
}

TEST_F(HttpCalls, AreNotSharedWithOtherOrigins) {
  HttpClient client(url());
  EXPECT_THAT(client.Get("/v1/jobs", {{"Origin", "http://evil.example"}}).header,
              Not(HasSubstr("Access-Control")));
  const HttpAnswer preflight =
      client.Ask("OPTIONS", "/v1/runs", {{"Origin", "http://evil.example"}});
  EXPECT_THAT(preflight.header, Not(HasSubstr("Access-Control")));
}

TEST_F(HttpCalls, SayWhatBrowsersMayDoWithTheAnswer) {
  EXPECT_THAT(HttpClient(url()).Get("/v1/jobs").header,
              AllOf(HasSubstr("X-Content-Type-Options: nosniff"),
                    HasSubstr("Content-Security-Policy: default-src 'none'"),
                    HasSubstr("Cache-Control: no-store")));
}

// The server listens on an IPv6 address, and sees IPv4 clients at "::ffff:127.0.0.1".
TEST(HttpOnIpv6, KnowsLoopbackInItsMappedForm) {
  Server server({.grpc_address = "127.0.0.1:0", .http = {.address = "[::ffff:127.0.0.1]:0"}});
  const absl::Status started = server.Start();
  if (!started.ok()) GTEST_SKIP() << "no IPv6 here: " << started;
  const std::string& url = server.http_url();
  const std::string by_ipv4 = "http://127.0.0.1" + url.substr(url.rfind(':'));
  EXPECT_EQ(HttpClient(by_ipv4).Get("/v1/jobs").status, 200);
  EXPECT_EQ(HttpClient(by_ipv4).Get("/v1/jobs", {{"Host", "evil.example"}}).status, 403);
}

class HttpSharedCalls : public HttpCalls {
 protected:
  HttpSharedCalls()
      : HttpCalls(
            {.allowed_hosts = {"ci.example.com"}, .allowed_origins = {"https://ci.example.com"}}) {}
};

TEST_F(HttpSharedCalls, AreForThatOriginAlone) {
  HttpClient client(url());
  EXPECT_THAT(client.Get("/v1/jobs", {{"Origin", "https://ci.example.com"}}).header,
              AllOf(HasSubstr("Access-Control-Allow-Origin: https://ci.example.com\r\n"),
                    HasSubstr("Vary: Origin")));
  EXPECT_THAT(client.Get("/v1/jobs", {{"Origin", "https://other.example.com"}}).header,
              Not(HasSubstr("Access-Control")));
  const HttpAnswer preflight =
      client.Ask("OPTIONS", "/v1/runs", {{"Origin", "https://ci.example.com"}});
  EXPECT_EQ(preflight.status, 204);
  EXPECT_THAT(preflight.header, HasSubstr("Access-Control-Allow-Methods: GET, POST, DELETE"));
  for (const char* header :
       {"Authorization", "Traceparent", "Tracestate", "Content-Type", "Last-Event-ID"}) {
    EXPECT_THAT(preflight.header, HasSubstr(header));
  }
  EXPECT_EQ(client.Get("/v1/jobs", {{"Host", "ci.example.com"}}).status, 200);
}

// In a network of its own: a server that others could reach, and what it answers to names.
constexpr char kAskElsewhere[] = R"py(
import fcntl, http.client, socket, struct, subprocess, sys
UP_AND_RUNNING, SIOCSIFFLAGS, SIOCSIFADDR, ADDRESS = 0x41, 0x8914, 0x8916, '192.0.2.7'
control = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
fcntl.ioctl(control, SIOCSIFFLAGS, struct.pack('16sH22x', b'lo', UP_AND_RUNNING))
fcntl.ioctl(control, SIOCSIFADDR, struct.pack('16sHH4s16x', b'lo:1', socket.AF_INET, 0, socket.inet_aton(ADDRESS)))
server = subprocess.Popen([sys.argv[1], '--insecure', '--grpc-address=127.0.0.1:0', '--http-address=0.0.0.0:0',
                           '--http-allow-host=ci.example.com'], stdout=subprocess.PIPE, text=True)
lines = [server.stdout.readline(), server.stdout.readline()]
port = int(next(line for line in lines if line.startswith('http')).rsplit(':', 1)[1].strip().rstrip('/'))
for host in sys.argv[2:]:
    client = http.client.HTTPConnection(ADDRESS, port)
    client.putrequest('GET', '/v1/jobs', skip_host=True)
    client.putheader('Host', host)
    client.endheaders()
    print(host, client.getresponse().status, flush=True)
server.terminate()
server.wait()
)py";

TEST(HttpElsewhere, TakesTheNamesThatWereGivenAndTheAddressConnectedTo) {
  const std::vector<std::string> apart = {"/usr/bin/unshare", "--user", "--map-root-user", "--net"};
  std::vector<std::string> command = apart;
  command.emplace_back("/bin/true");
  if (jobtail::testing::Run({.command = command}).exit_code != 0) {
    GTEST_SKIP() << "no networks of one's own here";
  }
  command = apart;
  for (const char* word : {"/usr/bin/python3", "-c", kAskElsewhere, JOBTAIL_DEMO, "192.0.2.7:1",
                           "ci.example.com", "localhost", "127.0.0.1", "192.0.2.8"}) {
    command.emplace_back(word);
  }
  const jobtail::testing::Outcome outcome = jobtail::testing::Run({.command = command});
  EXPECT_EQ(outcome.out,
            "192.0.2.7:1 200\nci.example.com 200\nlocalhost 403\n127.0.0.1 403\n192.0.2.8 403\n")
      << outcome.err;
}

TEST(HttpFlag, TurnsItOff) {
  jobtail::testing::Subprocess demo(
      {.command = {JOBTAIL_DEMO, "--grpc-address=127.0.0.1:0", "--http-address="}});
  EXPECT_THAT(demo.ReadLine().value_or(""), StartsWith("grpc "));
  demo.Signal(SIGTERM);
  const jobtail::testing::Outcome outcome = demo.Wait();
  EXPECT_EQ(outcome.exit_code, 0);
  EXPECT_THAT(outcome.out, Not(HasSubstr("http")));
}

TEST(HttpFlag, NamesAnAddressThatIsTaken) {
  const DemoServer first;
  const std::string address = first.http_url().substr(7, first.http_url().size() - 8);
  const jobtail::testing::Outcome outcome = jobtail::testing::Run(
      {.command = {JOBTAIL_DEMO, "--grpc-address=127.0.0.1:0", "--http-address=" + address}});
  EXPECT_EQ(outcome.exit_code, 1);
  EXPECT_THAT(outcome.err, AllOf(HasSubstr(address), HasSubstr("--http-address")));
}

TEST(HttpFlag, RefusesWhatIsNoAddress) {
  for (const char* address : {"x", "127.0.0.1:", ":8080", "127.0.0.1:99999"}) {
    Server server({.grpc_address = "127.0.0.1:0", .http = {.address = address}});
    EXPECT_EQ(server.Start().code(), absl::StatusCode::kInvalidArgument) << address;
  }
}

}  // namespace
}  // namespace jobtail::e2e
