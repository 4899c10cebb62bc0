// Certificates, and where the server finds them.
#include "tests/e2e/with_tls.h"

#include "tests/support/observe.h"

namespace jobtail::e2e {

const jobtail::testing::Authority& Ca() {
  static const auto& authority = *new jobtail::testing::Authority;
  return authority;
}

ServerOptions WithTls(const std::string& directory) {
  const jobtail::testing::KeyPair pair = Ca().Issue("DNS:localhost,IP:127.0.0.1");
  ServerOptions options;
  options.tls = {.certificate_file = directory + "/server.pem",
                 .key_file = directory + "/server.key",
                 .client_ca_file = directory + "/ca.pem"};
  jobtail::testing::WriteFile(options.tls.certificate_file, pair.certificate);
  jobtail::testing::WriteFile(options.tls.key_file, pair.key);
  jobtail::testing::WriteFile(options.tls.client_ca_file, Ca().certificate());
  return options;
}

}  // namespace jobtail::e2e
