// Tests of the metrics that the server exports.

#include "server/metrics/metrics.h"

#include <gmock/gmock.h>

#include <optional>

#include "tests/server/run/engine_fixture.h"

namespace jobtail {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class MetricsTest : public testing::EngineTest {
 protected:
  std::string Text(std::optional<int64_t> store_bytes = std::nullopt) {
    return MetricsText(registry_, {.runs = engine_.CountRuns(),
                                   .refused_runs = engine_.refused_runs(),
                                   .grpc = {.open = 3, .messages = 40},
                                   .http = {.open = 5, .stalled = 1},
                                   .http_connections = 7,
                                   .http_refused_connections = 2,
                                   .grpc_connections = 11,
                                   .grpc_refused_connections = 12,
                                   .grpc_unused_connections = 13,
                                   .waiting_store_calls = 4,
                                   .store_bytes = store_bytes});
  }

  prometheus::Registry registry_;
};

TEST_F(MetricsTest, CountsRunsByJobAndState) {
  AddJob(Job("quick", [](JobContext&) {}));
  AddWaitingJob("slow");
  Run("quick");
  Run("quick");
  AwaitLog(Start("quick"));
  Start("slow");
  EXPECT_THAT(Text(), HasSubstr("jobtail_runs{job=\"quick\",state=\"RUN_STATE_SUCCEEDED\"} 3\n"));
  EXPECT_THAT(Text(), HasSubstr("jobtail_runs{job=\"slow\",state=\"RUN_STATE_"));
}

TEST_F(MetricsTest, CountsRunsThatAreRefused) {
  EXPECT_THAT(Text(), HasSubstr("jobtail_refused_runs_total 0\n"));
  AddJob(Job("takes", [](JobContext&) {}).With(Parameter::String("text").Default("")));
  v1::CreateRunRequest request;
  request.set_job("takes");
  (*request.mutable_parameters())["text"] = std::string(2 << 20, 'x');
  EXPECT_EQ(engine_.CreateRun(request).status().code(), absl::StatusCode::kResourceExhausted);
  request.set_job("none");
  request.clear_parameters();
  EXPECT_EQ(engine_.CreateRun(request).status().code(), absl::StatusCode::kNotFound);
  EXPECT_THAT(Text(), HasSubstr("jobtail_refused_runs_total 1\n"));
}

TEST_F(MetricsTest, CountsReadersAtEachDoor) {
  EXPECT_THAT(Text(), AllOf(HasSubstr("jobtail_readers{door=\"grpc\"} 3\n"),
                            HasSubstr("jobtail_readers{door=\"http\"} 5\n"),
                            HasSubstr("jobtail_stalled_readers{door=\"http\"} 1\n"),
                            HasSubstr("jobtail_sent_batches_total{door=\"grpc\"} 40\n"),
                            HasSubstr("jobtail_http_connections 7\n"),
                            HasSubstr("jobtail_grpc_connections 11\n"),
                            HasSubstr("jobtail_grpc_refused_connections_total 12\n"),
                            HasSubstr("jobtail_grpc_unused_connections_total 13\n"),
                            HasSubstr("jobtail_http_refused_connections_total 2\n"),
                            HasSubstr("jobtail_waiting_store_calls 4\n")));
}

TEST_F(MetricsTest, TellsTheStoresHealthAndSize) {
  EXPECT_THAT(Text(),
              AllOf(HasSubstr("jobtail_store_healthy 1\n"), Not(HasSubstr("jobtail_store_bytes"))));
  EXPECT_THAT(Text(1000), HasSubstr("jobtail_store_bytes 1000\n"));
}

}  // namespace
}  // namespace jobtail
