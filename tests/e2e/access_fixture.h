// A server that asks who calls, and callers of several roles.
#ifndef JOBTAIL_TESTS_E2E_ACCESS_FIXTURE_H_
#define JOBTAIL_TESTS_E2E_ACCESS_FIXTURE_H_

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

#include "tests/e2e/fixture.h"
#include "tests/e2e/http_client.h"
#include "tests/server/support/temporary_directory.h"

namespace jobtail::e2e {

// The policy of the tests: a role for each column of the table in docs/security.md, granted to the
// principals of the same name, by whatever it is proved, and to nobody else.
inline constexpr char kAccessPolicy[] = R"(
token_file: "tokens"
audit { file: "audit.log" }
role { name: "lister" allow { job: "*" verb: LIST } }
role { name: "reader" allow { job: "*" verb: [LIST, READ] } }
role { name: "follower" allow { job: "*" verb: [LIST, READ, READ_LOG] } }
role { name: "deployer" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, DELETE] runs: OWN } }
role { name: "operator" allow { job: "*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, DELETE] } }
role { name: "scraper" allow { job: "*" verb: METRICS } }
role { name: "elsewhere" allow { job: "other-*" verb: [LIST, READ, READ_LOG, RUN, CANCEL, DELETE, METRICS, ADMIN] } }
grant { role: "lister" principal: "lister" principal: "spiffe://example.org/lister" principal: "proxy:lister" principal: "oidc:lister" }
grant { role: "reader" principal: "reader" principal: "spiffe://example.org/reader" principal: "proxy:reader" principal: "oidc:reader" }
grant { role: "follower" principal: "follower" principal: "spiffe://example.org/follower" principal: "proxy:follower" principal: "oidc:follower" }
grant { role: "deployer" principal: "deployer" principal: "deployer-2" principal: "spiffe://example.org/deployer" principal: "proxy:deployer" principal: "oidc:deployer" }
grant { role: "operator" principal: "operator" principal: "spiffe://example.org/operator" principal: "proxy:operator" principal: "oidc:operator" }
grant { role: "scraper" principal: "scraper" principal: "spiffe://example.org/scraper" principal: "proxy:scraper" principal: "oidc:scraper" }
grant { role: "elsewhere" principal: "elsewhere" principal: "spiffe://example.org/elsewhere" principal: "proxy:elsewhere" principal: "oidc:elsewhere" }
)";

// A server with an access file, in this process, on both doors of loopback.
class AccessTest : public ::testing::Test {
 protected:
  explicit AccessTest(const std::string& policy = kAccessPolicy, ServerOptions options = {});

  // Puts another policy in the place of that which is there, and leaves it to the server to notice.
  void WritePolicy(const std::string& policy) const;
  // The same; it is in force when this returns.
  void SetPolicy(const std::string& policy);
  // A new token for the principal.
  std::string Token(const std::string& name, const std::vector<std::string>& groups = {});
  void Revoke(const std::string& name);

  // A run of the job that `creator` has started, whatever it may do.
  std::string Run(const std::string& job, const std::string& creator);
  // The same, once it has ended.
  std::string EndedRun(const std::string& job, const std::string& creator);

  v1::JobService::Stub& stub() { return server_->stub(); }
  Server& server() { return server_->server(); }
  std::string Audit() const;

  // Has the calls of a context sent with a token; none for an empty one.
  static void Authorize(const std::string& token, grpc::ClientContext* context);
  static Headers Bearer(const std::string& token);

  const testing::TemporaryDirectory directory_;
  const std::string file_ = directory_.path() + "/access.txt";
  std::unique_ptr<EmbeddedServer> server_;
};

// How often `part` is in `text`.
size_t CountOf(const std::string& part, const std::string& text);

}  // namespace jobtail::e2e

#endif  // JOBTAIL_TESTS_E2E_ACCESS_FIXTURE_H_
