// Sockets, and OpenSSL above them.
#include "server/http/client_socket.h"

#include <openssl/ssl.h>
#include <sys/socket.h>

#include <boost/asio/ssl/context.hpp>
#include <cstring>

#include "absl/strings/str_cat.h"
#include "server/http/guard.h"
#include "server/tls/peer_certificate.h"
#include "server/tls/unix_socket.h"

namespace jobtail::http {
namespace {

// How long a client may take to say goodbye, too.
constexpr std::chrono::seconds kGoodbye(1);

// Nothing if it is no address of TCP.
std::optional<tcp::endpoint> ToTcp(const Protocol::endpoint& generic) {
  const int family = generic.data()->sa_family;
  if (family != AF_INET && family != AF_INET6) return std::nullopt;
  tcp::endpoint endpoint;
  endpoint.resize(generic.size());
  std::memcpy(endpoint.data(), generic.data(), generic.size());
  return endpoint;
}

// Asio's own object for an SSL_CTX, which it frees.
net::ssl::context Shared(SSL_CTX* context) {
  SSL_CTX_up_ref(context);
  return net::ssl::context(context);
}

}  // namespace

std::string NameOf(const Protocol::socket& socket) {
  ErrorCode error;
  const Protocol::endpoint end = socket.remote_endpoint(error);
  if (const std::optional<tcp::endpoint> other = error ? std::nullopt : ToTcp(end)) {
    return absl::StrCat("http:", other->address().to_string(), ":", other->port());
  }
  const int fd = const_cast<Protocol::socket&>(socket).native_handle();
  return absl::StrCat("http:unix:uid=", IdentityOfSocket(fd).uid, ":", fd);
}

ClientSocket::ClientSocket(Protocol::socket socket,
                           const std::shared_ptr<const Certificates>& certificates)
    : plain_(std::move(socket)) {
  ErrorCode ignored;
  if (!IsUnix()) this->socket().set_option(tcp::no_delay(true), ignored);
  this->socket().set_option(net::socket_base::keep_alive(true), ignored);
  if (!certificates) return;
  net::ssl::context context = Shared(certificates->context.get());
  tls_.emplace(plain_, context);  // which keeps what it needs of it
}

net::awaitable<bool> ClientSocket::Handshake() {
  ErrorCode error;
  if (tls_)
    co_await tls_->next_layer().async_handshake(net::ssl::stream_base::server, Into(&error));
  is_ready_ = !error;
  co_return is_ready_;
}

net::awaitable<void> ClientSocket::ShutDown() {
  ErrorCode ignored;
  if (tls_ && is_ready_ && socket().is_open()) {
    expires_after(kGoodbye);
    co_await tls_->next_layer().async_shutdown(Into(&ignored));
  }
  socket().shutdown(net::socket_base::shutdown_both, ignored);
  close();
}

bool ClientSocket::on_loopback() const {
  const std::optional<tcp::endpoint> own = Own();
  return own ? IsLoopback(own->address()) : IsUnix();
}

PeerIdentity ClientSocket::Peer() const {
  if (tls_) return IdentityOf(const_cast<Tls&>(*tls_).next_layer().native_handle());
  if (!IsUnix()) return {};
  return IdentityOfSocket(const_cast<Plain&>(plain_).socket().native_handle());
}

bool ClientSocket::IsUnix() const {
  ErrorCode error;
  const Protocol::endpoint own = plain_.socket().local_endpoint(error);
  return !error && own.data()->sa_family == AF_UNIX;
}

std::string ClientSocket::own_address() const {
  const std::optional<tcp::endpoint> own = Own();
  return own ? own->address().to_string() : "";
}

std::optional<tcp::endpoint> ClientSocket::Own() const {
  ErrorCode error;
  const Protocol::endpoint own = plain_.socket().local_endpoint(error);
  return error ? std::nullopt : ToTcp(own);
}

}  // namespace jobtail::http
