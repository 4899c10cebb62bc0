// Asks a server whose disk is full, and reads the logs that it has kept.
#include "tests/faults/full_disk.h"

#include <gmock/gmock.h>

#include "tests/e2e/fixture.h"
#include "tests/faults/counted_log.h"

namespace jobtail::faults {

using grpc::StatusCode;
using ::testing::Contains;
using ::testing::Each;
using ::testing::Property;

Answers ExpectFull(const FaultyServer& server, std::chrono::seconds stays) {
  Answers answers;
  // On a machine that is busy, printing that much takes a while.
  EXPECT_TRUE(Within(std::chrono::seconds(150), [&] {
    server.Ask(&answers);
    return answers.grpc.contains(StatusCode::RESOURCE_EXHAUSTED);
  }));
  const auto until = std::chrono::steady_clock::now() + stays;
  answers = {};
  while (std::chrono::steady_clock::now() < until) server.Ask(&answers);
  EXPECT_THAT(answers.grpc, Contains(StatusCode::RESOURCE_EXHAUSTED));
  EXPECT_THAT(answers.ready, Contains(503));
  return answers;
}

void ExpectWholeLogs(const FaultyServer& server, const std::vector<std::string>& runs) {
  for (const std::string& run : runs) {
    v1::CancelRunRequest request;
    request.set_run(run);
    v1::Run cancelled;
    grpc::ClientContext context;
    EXPECT_TRUE(server.stub().CancelRun(&context, request, &cancelled).ok());
  }
  for (const std::string& run : runs) {
    EXPECT_TRUE(Within(kPatience, [&] { return e2e::GetRun(server.stub(), run).has_result(); }));
    CountedLog log(run);
    ReadAll(server.stub(), run, &log);
    EXPECT_TRUE(log.result());
    EXPECT_THAT(log.gaps(), Each(Property(&v1::Gap::reason, v1::GAP_REASON_STORE_FULL)));
  }
}

}  // namespace jobtail::faults
