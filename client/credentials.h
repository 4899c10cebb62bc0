// How a client is sure of its server, and known to it.
#ifndef JOBTAIL_CLIENT_CREDENTIALS_H_
#define JOBTAIL_CLIENT_CREDENTIALS_H_

#include <grpcpp/grpcpp.h>

#include <functional>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"

namespace jobtail::client {

// Files in PEM format, and one with a token. All empty: no encryption, and nobody in particular.
struct CredentialFiles {
  // Encrypt. Implied by the next three.
  bool tls = false;
  // The CAs that the server's certificate may be of. Empty: those of the system.
  std::string ca_file = {};
  // The client's own certificate, with those that lead to its CA, and its key; both or neither.
  std::string certificate_file = {};
  std::string key_file = {};
  // A token, to be sent with each call as "authorization: Bearer TOKEN". It is read anew for each.
  std::string token_file = {};

  bool uses_tls() const {
    return tls || !ca_file.empty() || !certificate_file.empty() || !key_file.empty();
  }

  friend bool operator==(const CredentialFiles&, const CredentialFiles&) = default;
};

// A channel for Client, that does not connect yet. `address` is HOST:PORT, [IPV6]:PORT or
// unix:PATH, where TLS is not used. INVALID_ARGUMENT for files that cannot be read or do not go
// together, and for a token that would go over the network in plain text.
absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& address,
                                                           const CredentialFiles& files);

// The same with credentials of the caller's own; null: no encryption.
std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address,
                                           std::shared_ptr<grpc::ChannelCredentials> credentials);

// For ResumeOptions::renew_credentials of one reader, on a channel with that token file: OK if the
// file has another token than when this was made, or last called; otherwise UNAUTHENTICATED.
std::function<absl::Status()> TokenFileRenewal(const std::string& token_file);

// Whether nobody but this machine sees what is sent to an address: a unix socket, or loopback by
// number or as "localhost".
bool IsLocalServer(const std::string& address);

}  // namespace jobtail::client

#endif  // JOBTAIL_CLIENT_CREDENTIALS_H_
