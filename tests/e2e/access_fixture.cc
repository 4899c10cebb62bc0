// The server that asks, its files, and runs of others.
#include "tests/e2e/access_fixture.h"

#include <sys/stat.h>

#include <cstdio>
#include <fstream>
#include <iostream>
#include <sstream>
#include <utility>

#include "absl/synchronization/notification.h"
#include "absl/time/clock.h"
#include "server/access/token_file.h"
#include "server/run/engine.h"

namespace jobtail::e2e {

AccessTest::AccessTest(const std::string& policy, ServerOptions options) {
  WritePolicy(policy);
  options.access_file = file_;
  server_ = std::make_unique<EmbeddedServer>(std::move(options));
  Job greet("greet", [](JobContext& run) {
    std::cout << "Hello, " << run.Get<std::string>("name") << std::endl;
  });
  greet.With(Parameter::String("name").Default("world"));
  EXPECT_TRUE(server().AddJob(std::move(greet)).ok());
  server_->Add("wait", [](JobContext& run) {
    std::cout << "waiting" << std::endl;
    run.SleepFor(absl::InfiniteDuration());
  });
}

void AccessTest::WritePolicy(const std::string& policy) const {
  const std::string written = file_ + ".new";
  std::ofstream(written) << policy;
  chmod(written.c_str(), 0600);
  EXPECT_EQ(rename(written.c_str(), file_.c_str()), 0);
}

void AccessTest::SetPolicy(const std::string& policy) {
  WritePolicy(policy);
  server().ReloadAccess();
}

std::string AccessTest::Token(const std::string& name, const std::vector<std::string>& groups) {
  const auto token = access::CreateToken(directory_.path() + "/tokens",
                                         {.name = name, .groups = groups}, absl::Now());
  EXPECT_TRUE(token.ok()) << token.status();
  server().ReloadAccess();
  return token.value_or("");
}

void AccessTest::Revoke(const std::string& name) {
  EXPECT_TRUE(access::RevokeToken(directory_.path() + "/tokens", name, absl::Now()).ok());
}

std::string AccessTest::Run(const std::string& job, const std::string& creator) {
  access::Caller caller;
  caller.principal = std::make_shared<access::Principal>(
      access::Principal{.name = creator, .proof = access::Proof::kLocal});
  v1::CreateRunRequest request;
  request.set_job(job);
  if (job == "greet") (*request.mutable_parameters())["name"] = "Rumpelstiltskin";
  const auto run = server().engine().CreateRun(request, caller);
  EXPECT_TRUE(run.ok()) << run.status();
  return run.ok() ? run->id() : "";
}

std::string AccessTest::EndedRun(const std::string& job, const std::string& creator) {
  const std::string run = Run(job, creator);
  v1::TailLogRequest request;
  request.set_run(run);
  request.set_follow(true);
  const auto cursor = server().engine().TailLog(request);
  EXPECT_TRUE(cursor.ok());
  std::vector<Slice> slices;
  while (true) {
    const auto next = (*cursor)->Read(1 << 20, &slices);
    if (!next.ok() || *next == Cursor::Next::kEnd) break;
    if (*next != Cursor::Next::kWait) continue;
    absl::Notification wake;
    if ((*cursor)->Wait([&wake] { wake.Notify(); })) wake.WaitForNotification();
  }
  return run;
}

std::string AccessTest::Audit() const {
  std::ostringstream text;
  text << std::ifstream(directory_.path() + "/audit.log").rdbuf();
  return text.str();
}

void AccessTest::Authorize(const std::string& token, grpc::ClientContext* context) {
  if (!token.empty()) context->AddMetadata("authorization", "Bearer " + token);
}

Headers AccessTest::Bearer(const std::string& token) {
  if (token.empty()) return {};
  return {{"Authorization", "Bearer " + token}};
}

size_t CountOf(const std::string& part, const std::string& text) {
  size_t count = 0;
  for (size_t at = 0; (at = text.find(part, at)) != std::string::npos; at += part.size()) ++count;
  return count;
}

}  // namespace jobtail::e2e
