// Channels: their arguments, TLS, and the token of each call.

#include "client/credentials.h"

#include <arpa/inet.h>
#include <grpcpp/support/client_interceptor.h>

#include <cerrno>
#include <cstring>
#include <fstream>
#include <optional>
#include <sstream>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "base/host_port.h"
#include "base/quoting.h"
#include "base/utf8.h"

namespace jobtail::client {
namespace {

namespace interception = grpc::experimental;

// Where Debian, and most others, keep the CAs that the system trusts.
constexpr char kSystemCas[] = "/etc/ssl/certs/ca-certificates.crt";

absl::Status Wrong(const std::string& path, absl::string_view what) {
  return absl::InvalidArgumentError(absl::StrCat(Printable(path), " ", what));
}

absl::StatusOr<std::string> ReadPem(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  std::stringstream text;
  if (!file || !(text << file.rdbuf())) {
    return Wrong(path, absl::StrCat("cannot be read: ", errno != 0 ? strerror(errno) : "empty"));
  }
  std::string pem = text.str();
  if (!absl::StrContains(pem, "-----BEGIN ")) return Wrong(path, "has no PEM text in it");
  DropByteOrderMark(&pem);
  return pem;
}

absl::StatusOr<std::string> ReadToken(const std::string& path) {
  errno = 0;
  std::ifstream file(path);
  std::string token;
  if (!file || !std::getline(file, token)) {
    return Wrong(path, absl::StrCat("has no token: ", errno != 0 ? strerror(errno) : "empty"));
  }
  DropByteOrderMark(&token);
  absl::StripAsciiWhitespace(&token);
  for (const char c : token) {
    if (!absl::ascii_isgraph(static_cast<unsigned char>(c))) {
      return Wrong(path, "has no token: it is to be in the first line, in printable ASCII");
    }
  }
  if (token.empty()) return Wrong(path, "has no token: its first line is empty");
  return token;
}

// Adds the token to a call. gRPC's own way, call credentials, does not go with unix sockets.
class BearerToken final : public interception::Interceptor {
 public:
  explicit BearerToken(std::string path) : path_(std::move(path)) {}

  void Intercept(interception::InterceptorBatchMethods* call) override {
    if (call->QueryInterceptionHookPoint(
            interception::InterceptionHookPoints::PRE_SEND_INITIAL_METADATA)) {
      const absl::StatusOr<std::string> token = ReadToken(path_);
      if (token.ok()) {
        call->GetSendInitialMetadata()->insert({"authorization", "Bearer " + *token});
      }
    }
    call->Proceed();
  }

 private:
  const std::string path_;
};

class BearerTokens final : public interception::ClientInterceptorFactoryInterface {
 public:
  explicit BearerTokens(std::string path) : path_(std::move(path)) {}

  interception::Interceptor* CreateClientInterceptor(interception::ClientRpcInfo*) override {
    return new BearerToken(path_);
  }

 private:
  const std::string path_;
};

grpc::ChannelArguments Arguments(const std::string& address) {
  grpc::ChannelArguments arguments;
  // A silent connection is probed after 30 s and given up 10 s later.
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIME_MS, 30'000);
  arguments.SetInt(GRPC_ARG_KEEPALIVE_TIMEOUT_MS, 10'000);
  arguments.SetInt(GRPC_ARG_HTTP2_MAX_PINGS_WITHOUT_DATA, 0);
  // The attempts to connect, which gRPC makes by itself, must not lag behind ours to call.
  arguments.SetInt(GRPC_ARG_INITIAL_RECONNECT_BACKOFF_MS, 100);
  arguments.SetInt(GRPC_ARG_MAX_RECONNECT_BACKOFF_MS, 1'000);
  arguments.SetInt(GRPC_ARG_MIN_RECONNECT_BACKOFF_MS, 10'000);  // the longest that one may take
  // An error's text comes as metadata; what exceeds the limit would end all calls of the
  // connection.
  arguments.SetInt(GRPC_ARG_MAX_METADATA_SIZE, 64 << 10);
  // Two clients in a program share neither a connection nor its state of failure.
  arguments.SetInt(GRPC_ARG_USE_LOCAL_SUBCHANNEL_POOL, 1);
  // A proxy from the environment is not meant for this machine itself.
  if (IsLocalServer(address)) arguments.SetInt(GRPC_ARG_ENABLE_HTTP_PROXY, 0);
  return arguments;
}

absl::StatusOr<std::shared_ptr<grpc::ChannelCredentials>> TlsCredentials(
    const CredentialFiles& files) {
  if (files.certificate_file.empty() != files.key_file.empty()) {
    return absl::InvalidArgumentError(
        "a certificate goes with its key: give both --tls-cert and --tls-key");
  }
  grpc::SslCredentialsOptions options;
  const std::pair<const std::string&, std::string&> parts[] = {
      {files.ca_file, options.pem_root_certs},
      {files.certificate_file, options.pem_cert_chain},
      {files.key_file, options.pem_private_key}};
  for (const auto& [path, text] : parts) {
    if (path.empty()) continue;
    absl::StatusOr<std::string> read = ReadPem(path);
    if (!read.ok()) return read.status();
    text = *std::move(read);
  }
  // gRPC's own choice, where the system keeps none there.
  if (files.ca_file.empty()) options.pem_root_certs = ReadPem(kSystemCas).value_or("");
  return grpc::SslCredentials(options);
}

}  // namespace

bool IsLocalServer(const std::string& address) {
  if (absl::StartsWith(address, "unix:")) return true;
  const std::optional<HostPort> parsed = ParseHostPort(address);
  if (!parsed) return false;
  if (parsed->host == "localhost" || parsed->host == "::1") return true;
  in_addr v4{};
  return inet_pton(AF_INET, parsed->host.c_str(), &v4) == 1 &&
         (ntohl(v4.s_addr) >> 24U) == IN_LOOPBACKNET;
}

absl::StatusOr<std::shared_ptr<grpc::Channel>> OpenChannel(const std::string& address,
                                                           const CredentialFiles& files) {
  std::shared_ptr<grpc::ChannelCredentials> credentials = grpc::InsecureChannelCredentials();
  const bool is_unix = absl::StartsWith(address, "unix:");
  if (files.uses_tls() && !is_unix) {
    auto tls = TlsCredentials(files);
    if (!tls.ok()) return tls.status();
    credentials = *std::move(tls);
  }
  if (files.token_file.empty()) return OpenChannel(address, std::move(credentials));
  if (!files.uses_tls() && !IsLocalServer(address)) {
    return absl::InvalidArgumentError(
        absl::StrCat("the token would go to ", Printable(address),
                     " in plain text, for anybody between to read; give --tls, or --tls-ca"));
  }
  if (absl::Status token = ReadToken(files.token_file).status(); !token.ok()) return token;
  std::vector<std::unique_ptr<interception::ClientInterceptorFactoryInterface>> interceptors;
  interceptors.push_back(std::make_unique<BearerTokens>(files.token_file));
  return interception::CreateCustomChannelWithInterceptors(address, credentials, Arguments(address),
                                                           std::move(interceptors));
}

std::function<absl::Status()> TokenFileRenewal(const std::string& token_file) {
  return [token_file, known = ReadToken(token_file).value_or("")]() mutable {
    absl::StatusOr<std::string> token = ReadToken(token_file);
    if (!token.ok()) return absl::UnauthenticatedError(token.status().message());
    if (*token == known) {
      return absl::UnauthenticatedError(absl::StrCat(Printable(token_file), " has no other token"));
    }
    known = *std::move(token);
    return absl::OkStatus();
  };
}

std::shared_ptr<grpc::Channel> OpenChannel(const std::string& address,
                                           std::shared_ptr<grpc::ChannelCredentials> credentials) {
  return grpc::CreateCustomChannel(
      address, credentials ? std::move(credentials) : grpc::InsecureChannelCredentials(),
      Arguments(address));
}

}  // namespace jobtail::client
