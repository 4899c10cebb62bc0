// gRPC's credentials of a server whose certificate is replaced while it runs.
#ifndef JOBTAIL_SERVER_RPC_TLS_CREDENTIALS_H_
#define JOBTAIL_SERVER_RPC_TLS_CREDENTIALS_H_

#include <grpcpp/security/server_credentials.h>

#include <memory>

#include "server/tls/certificate_source.h"

namespace jobtail {

// For one listening port, or one acceptor: each connection is made with what `source` has at that
// moment. Clients are asked for a certificate if the source has CAs for them; one without is
// served, one of another CA is refused. `source` outlives the grpc::Server.
std::shared_ptr<grpc::ServerCredentials> TlsCredentials(CertificateSource* source);

// Whether they are gRPC's insecure ones, or none: they neither encrypt nor know anybody.
bool AreInsecure(const std::shared_ptr<grpc::ServerCredentials>& credentials);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_RPC_TLS_CREDENTIALS_H_
