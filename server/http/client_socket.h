// A client's connection as bytes: TCP or a unix socket, with TLS or without.
#ifndef JOBTAIL_SERVER_HTTP_CLIENT_SOCKET_H_
#define JOBTAIL_SERVER_HTTP_CLIENT_SOCKET_H_

#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/flat_stream.hpp>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "server/http/asio.h"
#include "server/tls/certificates.h"
#include "server/tls/peer_identity.h"

namespace jobtail::http {

using Protocol = net::generic::stream_protocol;  // TCP's, or unix sockets'

// "http:ADDRESS:PORT" of a client's socket, or for a unix socket "http:unix:uid=UID:NUMBER": what
// goes before the last colon is one client's.
std::string NameOf(const Protocol::socket& socket);

// Reads and writes what a client sees, whatever it is connected by; what Asio calls an AsyncStream.
// Lives on the event loop. Held by shared_ptr: by its connection, and by each operation that is not
// awaited, since one that is cancelled still looks at it.
class ClientSocket {
 public:
  using executor_type = net::any_io_executor;

  // Without TLS, unless there are certificates.
  ClientSocket(Protocol::socket socket, const std::shared_ptr<const Certificates>& certificates);

  ClientSocket(const ClientSocket&) = delete;
  ClientSocket& operator=(const ClientSocket&) = delete;

  // To be done first: with TLS, agrees with the client. False if there is nobody to serve.
  net::awaitable<bool> Handshake();
  // Says with TLS that no more will come, within a moment, and closes.
  net::awaitable<void> ShutDown();

  bool is_tls() const { return tls_.has_value(); }
  // Whether the client is on this machine, and has come by an address that others cannot reach.
  bool on_loopback() const;
  // The address that the client has connected to; empty for a unix socket.
  std::string own_address() const;
  // As NameOf below.
  std::string Name() const { return NameOf(plain_.socket()); }
  // Once Handshake was done.
  PeerIdentity Peer() const;

  // The socket below.
  Protocol::socket& socket() { return plain_.socket(); }

  executor_type get_executor() { return plain_.get_executor(); }
  void expires_after(std::chrono::nanoseconds time) { plain_.expires_after(time); }
  void expires_never() { plain_.expires_never(); }
  void close() { plain_.close(); }

  template <typename Buffers, typename Token>
  auto async_read_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Token>(token));
    return plain_.async_read_some(buffers, std::forward<Token>(token));
  }

  template <typename Buffers, typename Token>
  auto async_write_some(const Buffers& buffers, Token&& token) {
    if (tls_) return tls_->async_write_some(buffers, std::forward<Token>(token));
    return plain_.async_write_some(buffers, std::forward<Token>(token));
  }

 private:
  using Plain = beast::basic_stream<Protocol>;
  // Flat: a record of TLS for each of an answer's small pieces would cost more than a copy.
  using Tls = beast::flat_stream<net::ssl::stream<Plain&>>;

  bool IsUnix() const;
  std::optional<tcp::endpoint> Own() const;

  Plain plain_;
  std::optional<Tls> tls_;
  bool is_ready_ = false;  // the handshake is done
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_CLIENT_SOCKET_H_
