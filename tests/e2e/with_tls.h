// A server with TLS, which asks its clients for certificates.
#ifndef JOBTAIL_TESTS_E2E_WITH_TLS_H_
#define JOBTAIL_TESTS_E2E_WITH_TLS_H_

#include <string>

#include "server/server.h"
#include "tests/server/support/temporary_directory.h"
#include "tests/support/certificates.h"

namespace jobtail::e2e {

// The CA of this program's servers and clients.
const jobtail::testing::Authority& Ca();

// A server on loopback whose certificate, and those it takes, are of that CA. Their files are put
// into the directory.
ServerOptions WithTls(const std::string& directory);

// For files that a server needs before there is its fixture: a base class, before the fixture's.
struct Place {
  const testing::TemporaryDirectory place_;
};

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_WITH_TLS_H_
