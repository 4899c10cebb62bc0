// Who makes a gRPC call, as its connection proves it.
#ifndef JOBTAIL_SERVER_RPC_PEER_H_
#define JOBTAIL_SERVER_RPC_PEER_H_

#include <grpcpp/grpcpp.h>

#include "server/tls/peer_identity.h"

namespace jobtail {

// Of a call on any server, also one that JobService was added to (Server::AddTo): certificates are
// known wherever gRPC has verified them, unix sockets' peers on the server's own Acceptor alone.
// May be called by any thread while the context lives.
PeerIdentity IdentityOf(const grpc::CallbackServerContext& context);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_PEER_H_
