// A client's connection to the HTTP door.
#ifndef JOBTAIL_SERVER_HTTP_CONNECTION_H_
#define JOBTAIL_SERVER_HTTP_CONNECTION_H_

#include <atomic>
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

#include "absl/time/time.h"
#include "base/clock.h"
#include "base/scheduler.h"
#include "server/access/address_places.h"
#include "server/access/quotas.h"
#include "server/http/api.h"
#include "server/http/asio.h"
#include "server/http/client_socket.h"
#include "server/http/guard.h"
#include "server/http/login.h"
#include "server/http/options.h"
#include "server/http/stream_body.h"
#include "server/stream/byte_budget.h"
#include "server/stream/store_pool.h"
#include "server/tls/certificate_source.h"
#include "server/tls/peer_identity.h"

namespace jobtail::http {

// What connections share. Outlives them.
struct ConnectionServices {
  const HttpOptions* options;
  Api* api;
  StorePool* pool;                   // for what may wait for the store
  ByteBudget* budget;                // for requests and answers
  Login* login;                      // with an issuer
  access::AddressPlaces* newcomers;  // connections of which no call was admitted yet
  access::AddressPlaces* anonymous;  // those whose calls are admitted without a proof
  Scheduler* metrics;  // for what takes long, and is to be answered whatever the store does
  Scheduler* probes;   // for asking who probes, whatever the figures wait for
  Clock* clock;
  CertificateSource* certificates;  // null: no TLS
  StreamServices streams;
};

// A client's connection: reads requests, answers them one after the other. Lives on the event loop.
class Connection {
 public:
  Connection(Protocol::socket socket, const ConnectionServices* services);

  // Agrees with the client on TLS, if there is TLS; before Run. False if there is nobody to serve.
  net::awaitable<bool> Handshake();

  // Until the connection ends.
  net::awaitable<void> Run();

  // Who is at the other end, once Handshake was done.
  const PeerIdentity& peer() const { return peer_; }

  // Ends it, as Stop does, if no call has been admitted in so long a time.
  void GiveWay(absl::Duration patience);

  // Ends it: after the answer that is under way or, `now`, at once. Streams are ended by their set.
  void Stop(bool now);

 private:
  static constexpr size_t kBufferBytes = 256 << 10;

  using Parser = beast::http::request_parser<beast::http::string_body>;
  using Message = beast::http::request<beast::http::string_body>;
  using Response = beast::http::response<beast::http::string_body>;

  template <typename Header>
  void Secure(Header* header) const;
  net::awaitable<bool> AwaitRequest();
  net::awaitable<bool> Serve();
  net::awaitable<absl::Status> Read(Parser* parser, unsigned* status);
  net::awaitable<absl::Status> ReadBody(Parser* parser, unsigned* status);
  absl::Status HoldBody(const Parser& parser);
  net::awaitable<bool> Continue();
  net::awaitable<void> Linger();
  net::awaitable<bool> Answer(const Message& request);
  std::string AllowedAt(std::string_view path) const;
  net::awaitable<bool> AnswerByApi(const Message& request);
  net::awaitable<bool> AnswerMetrics(const Message& request);
  net::awaitable<bool> AnswerProbe(const Message& request);
  net::awaitable<bool> AnswerLogin(const Message& request);
  Reply ReadyReply() const;
  http::Request Ask(const Message& request) const;
  std::string HomeOf(const Message& request) const;
  absl::StatusOr<access::Caller> Admit(const http::Request& asked);
  absl::Status Own(const access::Caller& caller);
  net::awaitable<bool> SendReply(const Message& request, Reply reply);
  net::awaitable<bool> SendStream(const Message& request, Reply reply);
  net::awaitable<bool> Send(Response response);
  Provenance ProvenanceOf(const Message& request) const;
  absl::Status Check(const Message& request) const;
  absl::Status CheckProvenance(const Message& request) const;

  const ConnectionServices& services_;
  const HttpOptions& options_;
  const std::shared_ptr<ClientSocket> socket_;
  // Also what bounds the extensions and trailers of chunks, which Beast counts against no limit.
  beast::flat_buffer buffer_{kBufferBytes};
  std::string client_;            // the connection's name in the pool, whose turns go by it
  ByteBudget::Reservation held_;  // for the request's body and its answer
  access::Quotas::Place body_;    // the same, of who asks
  access::AddressPlaces::Place stranger_;  // until a known caller's call was admitted
  const absl::Duration began_;             // by the steady clock
  std::atomic<bool> is_known_{false};      // whether one was; for any thread
  // Whether it is of somebody who is not known, of whom there are as many as may be: it makes room.
  std::atomic<bool> is_one_too_many_{false};
  std::string owner_;            // whose call that was; empty before that
  access::Quotas::Place place_;  // among the owner's connections
  PeerIdentity peer_;
  const bool on_loopback_;
  const std::string own_address_;
  bool is_named_ = false;  // the request's Host is a name that others may be served under, too
  bool stopping_ = false;
  bool idle_ = false;  // between two requests
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_CONNECTION_H_
