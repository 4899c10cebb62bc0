// gRPC's config fetcher: it asks at each handshake, and takes a no for "as before".
#include "server/rpc/tls_credentials.h"

#include <grpc/grpc.h>
#include <grpc/grpc_security.h>
#include <spdlog/spdlog.h>

#include <string>
#include <typeinfo>
#include <utility>

namespace jobtail {
namespace {

class Credentials final : public grpc::ServerCredentials {
 public:
  explicit Credentials(CertificateSource* source) : source_(source) {
    const grpc_ssl_client_certificate_request_type request =
        source->verifies_clients() ? GRPC_SSL_REQUEST_CLIENT_CERTIFICATE_AND_VERIFY
                                   : GRPC_SSL_DONT_REQUEST_CLIENT_CERTIFICATE;
    credentials_ = grpc_ssl_server_credentials_create_with_options(
        grpc_ssl_server_credentials_create_options_using_config_fetcher(request, &Fetch, this));
  }

  ~Credentials() override { grpc_server_credentials_release(credentials_); }

  Credentials(const Credentials&) = delete;
  Credentials& operator=(const Credentials&) = delete;

  void SetAuthMetadataProcessor(const std::shared_ptr<grpc::AuthMetadataProcessor>&) override {
    spdlog::error("an AuthMetadataProcessor is not supported here");
  }

 private:
  int AddPortToServer(const std::string& address, grpc_server* server) override {
    return grpc_server_add_http2_port(server, address.c_str(), credentials_);
  }

  // Called by gRPC, one at a time: when the server starts, and for each connection.
  static grpc_ssl_certificate_config_reload_status Fetch(
      void* self, grpc_ssl_server_certificate_config** config) {
    return static_cast<Credentials*>(self)->Fetch(config);
  }

  grpc_ssl_certificate_config_reload_status Fetch(grpc_ssl_server_certificate_config** config) {
    std::shared_ptr<const Certificates> current = source_->Current();
    if (current == fetched_) return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_UNCHANGED;
    const CertificateTexts& texts = current->texts;
    const grpc_ssl_pem_key_cert_pair pair = {texts.key.c_str(), texts.chain.c_str()};
    // gRPC aborts without any, also where no client is asked for a certificate. Whichever they are
    // then, nothing is held against them.
    const std::string& roots = source_->verifies_clients() ? texts.client_ca : texts.chain;
    *config = grpc_ssl_server_certificate_config_create(roots.c_str(), &pair, 1);
    fetched_ = std::move(current);
    return GRPC_SSL_CERTIFICATE_CONFIG_RELOAD_NEW;
  }

  CertificateSource* const source_;
  grpc_server_credentials* credentials_;
  std::shared_ptr<const Certificates> fetched_;  // in Fetch alone
};

}  // namespace

std::shared_ptr<grpc::ServerCredentials> TlsCredentials(CertificateSource* source) {
  return std::make_shared<Credentials>(source);
}

// gRPC does not let them be asked.
bool AreInsecure(const std::shared_ptr<grpc::ServerCredentials>& credentials) {
  if (!credentials) return true;
  const std::shared_ptr<grpc::ServerCredentials> insecure = grpc::InsecureServerCredentials();
  const grpc::ServerCredentials& own = *credentials;
  const grpc::ServerCredentials& plain = *insecure;
  return typeid(own) == typeid(plain);
}

}  // namespace jobtail
