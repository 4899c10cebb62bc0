// Who makes a call: over TLS with certificates, and over unix sockets.

#include "server/rpc/peer.h"

#include <gmock/gmock.h>
#include <grpcpp/generic/async_generic_service.h>
#include <grpcpp/grpcpp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/synchronization/mutex.h"
#include "base/connection_name.h"
#include "jobtail/v1/job_service.grpc.pb.h"
#include "server/rpc/acceptor.h"
#include "server/rpc/peer_name.h"
#include "server/rpc/tls_credentials.h"
#include "server/stream/byte_budget.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/certificates.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using jobtail::testing::Authority;
using jobtail::testing::KeyPair;
using jobtail::testing::TemporaryDirectory;
using jobtail::testing::WriteFile;
using ::testing::ElementsAre;
using Kind = PeerIdentity::Kind;

// Refuses every call, and remembers who made it.
class Porter final : public grpc::CallbackGenericService {
 public:
  grpc::ServerGenericBidiReactor* CreateReactor(
      grpc::GenericCallbackServerContext* context) override {
    class Refusal final : public grpc::ServerGenericBidiReactor {
     public:
      Refusal() { Finish(grpc::Status(grpc::StatusCode::ABORTED, "seen")); }
      void OnDone() override { delete this; }
    };
    absl::MutexLock lock(&mutex_);
    seen_ = IdentityOf(*context);
    peer_ = context->peer();
    return new Refusal;
  }

  PeerIdentity seen() {
    absl::MutexLock lock(&mutex_);
    return seen_;
  }
  std::string peer() {
    absl::MutexLock lock(&mutex_);
    return peer_;
  }

 private:
  absl::Mutex mutex_;
  PeerIdentity seen_;
  std::string peer_;
};

class PeerTest : public ::testing::Test {
 protected:
  ~PeerTest() override {
    acceptor_.Stop();
    if (server_) server_->Shutdown();
  }

  void Serve(const std::string& address, std::shared_ptr<grpc::ServerCredentials> credentials) {
    ASSERT_TRUE(acceptor_.Listen(address).ok());
    grpc::ServerBuilder builder;
    using Type = grpc::ServerBuilder::experimental_type::ExternalConnectionType;
    taker_ =
        builder.experimental().AddExternalConnectionAcceptor(Type::FROM_FD, std::move(credentials));
    builder.RegisterCallbackGenericService(&porter_);
    server_ = builder.BuildAndStart();
    acceptor_.Start([this](const Acceptor::Handover& handover) {
      grpc::experimental::ExternalConnectionAcceptor::NewConnectionParameters parameters;
      parameters.listener_fd = handover.listener;
      parameters.fd = handover.connection;
      taker_->HandleNewConnection(&parameters);
    });
  }

  void ServeTls() {
    const KeyPair pair = authority_.Issue("DNS:localhost,IP:127.0.0.1");
    const TlsOptions options = {.certificate_file = directory_.path() + "/c",
                                .key_file = directory_.path() + "/k",
                                .client_ca_file = directory_.path() + "/ca"};
    WriteFile(options.certificate_file, pair.certificate);
    WriteFile(options.key_file, pair.key);
    WriteFile(options.client_ca_file, authority_.certificate());
    auto source = CertificateSource::Open(options);
    ASSERT_TRUE(source.ok()) << source.status();
    source_ = *std::move(source);
    Serve("127.0.0.1:0", TlsCredentials(source_.get()));
  }

  // Calls once, and returns what became of that.
  grpc::StatusCode Call(const std::shared_ptr<grpc::ChannelCredentials>& credentials) {
    grpc::ChannelArguments arguments;
    arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
    const auto stub = v1::JobService::NewStub(
        grpc::CreateCustomChannel(acceptor_.address(), credentials, arguments));
    grpc::ClientContext context;
    v1::ListJobsResponse response;
    return stub->ListJobs(&context, {}, &response).error_code();
  }

  std::shared_ptr<grpc::ChannelCredentials> Credentials(const KeyPair& pair) const {
    return grpc::SslCredentials({authority_.certificate(), pair.key, pair.certificate});
  }

  const Authority authority_;
  TemporaryDirectory directory_;
  std::unique_ptr<CertificateSource> source_;
  Porter porter_;
  Acceptor acceptor_{{}};
  std::unique_ptr<grpc::experimental::ExternalConnectionAcceptor> taker_;
  std::unique_ptr<grpc::Server> server_;
};

TEST_F(PeerTest, WithoutTlsIsNobody) {
  Serve("127.0.0.1:0", grpc::InsecureServerCredentials());
  EXPECT_EQ(Call(grpc::InsecureChannelCredentials()), grpc::StatusCode::ABORTED);
  EXPECT_EQ(porter_.seen(), PeerIdentity());
}

TEST_F(PeerTest, WithoutACertificateIsNobodyInPrivate) {
  ServeTls();
  EXPECT_EQ(Call(Credentials({})), grpc::StatusCode::ABORTED);
  EXPECT_EQ(porter_.seen().kind, Kind::kNone);
  EXPECT_TRUE(porter_.seen().is_private);
}

TEST_F(PeerTest, IsWhoItsCertificateSaysUrisFirst) {
  ServeTls();
  EXPECT_EQ(Call(Credentials(authority_.Issue(
                "DNS:ci.example.org,URI:spiffe://example.org/ci,URI:https://x.example,DNS:ci2"))),
            grpc::StatusCode::ABORTED);
  const PeerIdentity seen = porter_.seen();
  EXPECT_EQ(seen.kind, Kind::kCertificate);
  EXPECT_THAT(seen.uris, ElementsAre("spiffe://example.org/ci", "https://x.example"));
  EXPECT_THAT(seen.dns_names, ElementsAre("ci.example.org", "ci2"));
  EXPECT_EQ(seen.name(), "spiffe://example.org/ci");
}

TEST_F(PeerTest, ACommonNameIsNoName) {
  ServeTls();
  EXPECT_EQ(Call(Credentials(authority_.Issue(""))), grpc::StatusCode::ABORTED);
  EXPECT_EQ(porter_.seen().kind, Kind::kCertificate);
  EXPECT_EQ(porter_.seen().name(), "");
  EXPECT_EQ(Call(Credentials(authority_.Issue("DNS:ci.example.org"))), grpc::StatusCode::ABORTED);
  EXPECT_EQ(porter_.seen().name(), "ci.example.org");
}

TEST_F(PeerTest, OfAForeignCaIsRefused) {
  ServeTls();
  EXPECT_EQ(Call(Credentials(Authority().Issue("DNS:x"))), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(Call(grpc::InsecureChannelCredentials()), grpc::StatusCode::UNAVAILABLE);
  EXPECT_EQ(porter_.peer(), "") << "none of these got as far as a call";
}

TEST_F(PeerTest, OfAUnixSocketIsWhomTheKernelSays) {
  Serve("unix:" + directory_.path() + "/s", grpc::InsecureServerCredentials());
  EXPECT_EQ(Call(grpc::InsecureChannelCredentials()), grpc::StatusCode::ABORTED);
  const PeerIdentity seen = porter_.seen();
  EXPECT_EQ(seen.kind, Kind::kSocket);
  EXPECT_EQ(seen.uid, getuid());
  EXPECT_EQ(seen.gid, getgid());
  EXPECT_EQ(seen.pid, getpid());
  EXPECT_TRUE(seen.is_private);
  EXPECT_EQ(ClientAddress(porter_.peer()), "unix:uid=" + std::to_string(getuid()))
      << "all connections of a user count together";
}

TEST_F(PeerTest, ConnectionsOfUnixSocketsHaveNamesOfTheirOwn) {
  Serve("unix:" + directory_.path() + "/s", grpc::InsecureServerCredentials());
  Call(grpc::InsecureChannelCredentials());
  const std::string first = porter_.peer();
  Call(grpc::InsecureChannelCredentials());
  EXPECT_NE(porter_.peer(), first);
}

TEST(PeerName, CannotBeMadeUp) {
  PeerIdentity root;
  root.kind = Kind::kSocket;
  root.uid = 0;
  root.gid = 0;
  root.pid = 1;
  root.is_private = true;
  const std::string name = "unix:" + MakePeerName(root, 7);
  EXPECT_EQ(ParsePeerName(name), root);
  EXPECT_EQ(ParsePeerName(name.substr(0, name.rfind(',')) + "," + std::string(32, '0')),
            std::nullopt);
  for (const char* other : {"unix:", "unix:uid=0:0,1,7", "unix:uid=0:0,1,7,", "ipv4:127.0.0.1:5"}) {
    EXPECT_EQ(ParsePeerName(other), std::nullopt) << other;
  }
}

// Whoever asks for the name of another socket, or without such an object, gets the real one.
TEST(PeerName, IsOfOneSocketAndForAWhile) {
  int ends[2];
  ASSERT_EQ(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
  const auto name_of = [](int fd) {
    sockaddr_un address{};
    socklen_t size = sizeof address;
    EXPECT_EQ(getpeername(fd, reinterpret_cast<sockaddr*>(&address), &size), 0);
    return size > sizeof(sa_family_t) ? std::string(address.sun_path) : "";
  };
  {
    const std::string name = "somebody";
    const ScopedPeerName naming(ends[0], name);
    EXPECT_EQ(name_of(ends[0]), "somebody");
    EXPECT_EQ(name_of(ends[1]), "");
  }
  EXPECT_EQ(name_of(ends[0]), "");
  EXPECT_EQ(getpeername(-1, nullptr, nullptr), -1);
  EXPECT_EQ(errno, EBADF);
  close(ends[0]);
  close(ends[1]);
}

}  // namespace
}  // namespace jobtail
