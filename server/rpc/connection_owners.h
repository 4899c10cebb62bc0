// Whose each gRPC connection is.
#ifndef JOBTAIL_SERVER_RPC_CONNECTION_OWNERS_H_
#define JOBTAIL_SERVER_RPC_CONNECTION_OWNERS_H_

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "absl/base/thread_annotations.h"
#include "absl/container/flat_hash_map.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/synchronization/mutex.h"
#include "absl/time/time.h"
#include "base/connection_name.h"
#include "server/access/address_places.h"
#include "server/access/principal.h"
#include "server/access/quotas.h"
#include "server/rpc/open_connections.h"

namespace jobtail {

// Of the connections that are open: who has made the last call that was admitted, or that nobody
// has yet. Counts them for their owners, those whose calls are admitted without a proof by their
// address, and the others as newcomers. Thread-safe.
class ConnectionOwners {
 public:
  using Client = OpenConnections::Client;
  // Takes a place among the caller's connections, or says that there is none.
  using Enter = std::function<absl::StatusOr<access::Quotas::Place>()>;

  // How long a connection may be nobody's where others want its place.
  static constexpr absl::Duration kPatience = absl::Seconds(60);

  // `strangers`: of newcomers, and once more of those that are admitted without a proof.
  explicit ConnectionOwners(const access::AddressPlaces::Limits& strangers)
      : newcomers_(strangers), anonymous_(strangers) {}

  // Whether another one of the client's address may begin.
  bool HasRoom(const Client& client) const { return newcomers_.HasRoom(NetworkOf(client.first)); }
  // One begins, at `now` by a steady clock; or is over.
  void Began(const Client& client, absl::Duration now);
  void Ended(const Client& client);

  // The connection of that peer, as gRPC names it, has made a call of `owner`'s. RESOURCE_EXHAUSTED
  // if the owner may have no more, by `enter`; or the owner's address, if nobody knows who it is. A
  // connection that is not known is nobody's.
  absl::Status Own(const std::string& peer, const access::Principal& owner, const Enter& enter);

  // Those that have been nobody's for longer than kPatience.
  std::vector<Client> Overdue(absl::Duration now) const;
  // Those that are nobody's, and those that are admitted without a proof.
  int64_t newcomers() const { return newcomers_.count(); }
  int64_t anonymous() const { return anonymous_.count(); }

 private:
  struct Connection {
    absl::Duration since;
    access::AddressPlaces::Place stranger = {};  // as a newcomer, or as anonymous
    bool is_owned = false;
    std::string owner = {};
    access::Quotas::Place place = {};  // among the owner's
  };

  access::AddressPlaces newcomers_;
  access::AddressPlaces anonymous_;
  mutable absl::Mutex mutex_;
  absl::flat_hash_map<Client, Connection> connections_ ABSL_GUARDED_BY(mutex_);
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_CONNECTION_OWNERS_H_
