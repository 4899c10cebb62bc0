// Counting the connections every second, and looking for those that are to go.
#include "server/rpc/connection_guard.h"

#include <spdlog/spdlog.h>
#include <sys/socket.h>

#include <algorithm>
#include <chrono>
#include <optional>

#include "base/connection_name.h"

namespace jobtail {
namespace {

using ErrorCode = boost::system::error_code;

// How often connections are counted: within a second for who asks, sooner where a limit is met.
constexpr std::chrono::seconds kCountEvery(1);
constexpr absl::Duration kCountAgain = absl::Milliseconds(20);
// How often the process is looked at, and how often while it grows.
constexpr absl::Duration kLookEvery = absl::Milliseconds(50);
constexpr absl::Duration kLookAgain = absl::Milliseconds(20);
// How long nobody can connect from where a flood has come from: gRPC's threads free what it has
// left, which they would not come to if they had the next to read.
constexpr absl::Duration kShutOut = absl::Seconds(10);
// How often it is told that connections are given up for a reason.
constexpr absl::Duration kTellEvery = absl::Seconds(10);

// Ends a connection that somebody else has open, and drops what has come and was not read. Its
// descriptor stays. One that is closed between being found and being used may be another client's,
// who has to connect anew then.
bool Disconnect(int fd) {
  sockaddr none{};
  none.sa_family = AF_UNSPEC;
  if (connect(fd, &none, sizeof none) == 0) return true;
  return shutdown(fd, SHUT_RDWR) == 0;  // a unix socket, which has no other way
}

}  // namespace

ConnectionGuard::ConnectionGuard(const ConnectionLimits& limits, Clock* clock,
                                 boost::asio::io_context* loop)
    : limits_(limits),
      clock_(clock),
      owners_(limits.newcomers),
      handshakes_(limits.handshakes),
      count_(*loop),
      look_(*loop),
      shedder_(limits.resident_bytes),
      floods_([this](const Client& client) { return held_.Of(client); }),
      unfinished_(limits.requests, &handled_,
                  [this](const Client& client) { return held_.Of(client); }) {}

bool ConnectionGuard::Begin(int fd, const Client& client, bool has_handshake) {
  if (!HasRoom(client) || (has_handshake && !handshakes_.Begin(fd, client, clock_->Steady()))) {
    CountRefused();
    return false;
  }
  for (const Client& before : open_.Add(fd, client)) Ended(before);
  owners_.Began(client, clock_->Steady());
  handled_.Began(client);
  connections_ = static_cast<int64_t>(open_.Count());
  Watch();
  return true;
}

HandledCalls::Call ConnectionGuard::Called(const std::string& peer, size_t bytes) {
  handshakes_.Called(peer);
  return handled_.Begin(peer, bytes);
}

bool ConnectionGuard::HasRoom(const Client& client) {
  if (IsShutOut(client)) return false;
  const auto has_room = [&] {
    return open_.Count() < limits_.connections &&
           open_.CountOf(client) < limits_.connections_of_address && owners_.HasRoom(client);
  };
  const absl::Duration now = clock_->Steady();
  if (!has_room() && now - counted_ >= kCountAgain) {
    Sweep();
    counted_ = now;
    if (!owners_.HasRoom(client)) GiveUpOverdue();
  }
  return has_room();
}

bool ConnectionGuard::IsShutOut(const Client& client) {
  if (shut_out_.empty()) return false;
  const absl::Duration now = clock_->Steady();
  absl::erase_if(shut_out_, [now](const auto& entry) { return entry.second <= now; });
  return shut_out_.contains(NetworkOf(client.first));
}

void ConnectionGuard::Sweep() {
  for (const Client& client : open_.Sweep()) Ended(client);
}

void ConnectionGuard::Ended(const Client& client) {
  owners_.Ended(client);
  handled_.Ended(client);
  handshakes_.Ended(client);
}

// Nobody waits for a place behind those that do not tell who they are.
void ConnectionGuard::GiveUpOverdue() {
  for (const Client& client : owners_.Overdue(clock_->Steady())) GiveUp(client);
}

// False if it has gone by itself.
bool ConnectionGuard::GiveUp(const Client& client) {
  const std::optional<int> fd = open_.Find(client);
  if (!fd || !Disconnect(*fd)) return false;
  for (const Client& closed : open_.Remove(*fd)) Ended(closed);
  CountRefused();
  return true;
}

void ConnectionGuard::GiveUpAll(const std::vector<Client>& clients, Reason* reason) {
  for (const Client& client : clients) GiveUp(client);
  const absl::Duration now = clock_->Steady();
  if (clients.empty() || now - reason->told <= kTellEvery) return;
  reason->told = now;
  spdlog::error("connections that {}: that of {}:{} and {} others", reason->text,
                clients.front().first, clients.front().second, clients.size() - 1);
}

void ConnectionGuard::GiveUpFloods(const std::vector<Client>& clients, Reason* reason) {
  for (const Client& client : clients)
    shut_out_[NetworkOf(client.first)] = clock_->Steady() + kShutOut;
  GiveUpAll(clients, reason);
}

// Until no connection is open.
void ConnectionGuard::Watch() {
  if (std::exchange(watching_, true)) return;
  Count();
  Look();
}

void ConnectionGuard::Count() {
  Sweep();
  counted_ = clock_->Steady();
  connections_ = static_cast<int64_t>(open_.Count());
  if (open_.Count() == 0) {
    watching_ = false;
    look_.cancel();
    return;
  }
  GiveUpFloods(unfinished_.Look(TrafficReading(&open_)), &long_requests_);
  count_.expires_after(kCountEvery);
  count_.async_wait([this](const ErrorCode& error) {
    if (!error && !stopped_) Count();
  });
}

// While the process grows it is looked at more often, for a tenth of the time at most. The first to
// look is who needs what came to be read after something else.
void ConnectionGuard::Look() {
  const absl::Duration began = clock_->Steady();
  const TrafficReading traffic(&open_);
  if (floods_.is_growing()) GiveUpFloods(unfinished_.Look(traffic), &long_requests_);
  GiveUpFloods(floods_.Look(traffic), &many_calls_);
  GiveUpAll(shedder_.Look(traffic), &too_large_);
  const absl::Duration pause =
      floods_.is_growing() ? std::max(kLookAgain, 9 * (clock_->Steady() - began)) : kLookEvery;
  look_.expires_after(absl::ToChronoMilliseconds(pause));
  look_.async_wait([this](const ErrorCode& error) {
    if (!error && !stopped_ && watching_) Look();
  });
}

}  // namespace jobtail
