// A client's connection: with TLS, without, and by a unix socket.

#include "server/http/client_socket.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <boost/asio/ssl.hpp>
#include <string>

#include "tests/support/certificates.h"

namespace jobtail::http {
namespace {

using jobtail::testing::Authority;
using jobtail::testing::KeyPair;
using ::testing::ElementsAre;

class ClientSocketTest : public ::testing::Test {
 protected:
  std::shared_ptr<const Certificates> MakeServers() {
    const KeyPair pair = authority_.Issue("DNS:localhost");
    auto made = MakeCertificates({pair.certificate, pair.key, authority_.certificate()});
    EXPECT_TRUE(made.ok()) << made.status();
    return *made;
  }

  net::ssl::context MakeClients(const KeyPair& pair) {
    net::ssl::context context(net::ssl::context::tls_client);
    context.add_certificate_authority(net::buffer(authority_.certificate()));
    context.set_verify_mode(net::ssl::verify_peer);
    if (pair.key.empty()) return context;
    context.use_certificate(net::buffer(pair.certificate), net::ssl::context::pem);
    context.use_private_key(net::buffer(pair.key), net::ssl::context::pem);
    return context;
  }

  // Who the server takes a client with that certificate for; nullopt if it does not serve it.
  std::optional<PeerIdentity> SeenWith(const KeyPair& pair) {
    net::ssl::context context = MakeClients(pair);
    tcp::acceptor acceptor(loop_, tcp::endpoint(net::ip::address_v4::loopback(), 0));
    net::ssl::stream<tcp::socket> client(loop_, context);
    client.next_layer().connect(acceptor.local_endpoint());
    const auto server = std::make_shared<ClientSocket>(acceptor.accept(), MakeServers());
    EXPECT_TRUE(server->on_loopback());
    std::optional<PeerIdentity> seen;
    net::co_spawn(
        loop_,
        [server, &seen]() -> net::awaitable<void> {
          const bool is_ready = co_await server->Handshake();
          if (is_ready) seen = server->Peer();
          co_await server->ShutDown();
        },
        net::detached);
    client.async_handshake(net::ssl::stream_base::client, [&client](const ErrorCode& error) {
      if (error) return client.next_layer().close();
      client.async_shutdown([](const ErrorCode&) {});
    });
    loop_.restart();
    loop_.run();
    return seen;
  }

  const Authority authority_;
  net::io_context loop_;
};

TEST_F(ClientSocketTest, KnowsClientsByTheirCertificates) {
  const auto seen = SeenWith(authority_.Issue("DNS:b,URI:spiffe://example.org/a,DNS:c"));
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->kind, PeerIdentity::Kind::kCertificate);
  EXPECT_THAT(seen->uris, ElementsAre("spiffe://example.org/a"));
  EXPECT_THAT(seen->dns_names, ElementsAre("b", "c"));
  EXPECT_EQ(seen->name(), "spiffe://example.org/a");
}

TEST_F(ClientSocketTest, ServesClientsWithoutOne) {
  const auto seen = SeenWith({});
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->kind, PeerIdentity::Kind::kNone);
  EXPECT_TRUE(seen->is_private);
}

TEST_F(ClientSocketTest, TakesNoCommonName) {
  const auto seen = SeenWith(authority_.Issue(""));
  ASSERT_TRUE(seen.has_value());
  EXPECT_EQ(seen->name(), "");
}

TEST_F(ClientSocketTest, RefusesForeignCertificates) {
  EXPECT_EQ(SeenWith(Authority().Issue("DNS:b")), std::nullopt);
}

TEST_F(ClientSocketTest, RefusesCertificatesThatHaveExpired) {
  EXPECT_EQ(SeenWith(authority_.Issue("DNS:b", 0)), std::nullopt);
}

TEST_F(ClientSocketTest, KnowsUnixSocketsByTheKernel) {
  net::local::stream_protocol::socket client(loop_);
  net::local::stream_protocol::socket server(loop_);
  net::local::connect_pair(client, server);
  const ClientSocket socket(std::move(server), nullptr);
  EXPECT_EQ(socket.Peer().kind, PeerIdentity::Kind::kSocket);
  EXPECT_EQ(socket.Peer().uid, getuid());
  EXPECT_TRUE(socket.on_loopback());
  EXPECT_THAT(socket.Name(), ::testing::StartsWith("http:unix:uid=" + std::to_string(getuid())));
}

}  // namespace
}  // namespace jobtail::http
