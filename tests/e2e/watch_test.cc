// Tests of WatchRuns, from a run's start to its deletion.

#include <gtest/gtest.h>

#include <map>
#include <string>
#include <vector>

#include "absl/synchronization/notification.h"
#include "tests/e2e/fixture.h"

namespace jobtail::e2e {
namespace {

TEST(Watch, TellsWhatRunsBecomeUpToTheirDeletion) {
  EmbeddedServer server;
  absl::Notification leave;
  server.Add("waits", [&](JobContext&) { leave.WaitForNotification(); });
  server.Add("other", [](JobContext&) {});
  const std::string run = StartRun(server.stub(), "waits");

  v1::WatchRunsRequest request;
  request.set_job("waits");
  grpc::ClientContext context;
  const auto reader = server.stub().WatchRuns(&context, request);
  v1::Run change;
  ASSERT_TRUE(reader->Read(&change));  // the run that is at work already
  EXPECT_EQ(change.id(), run);
  EXPECT_FALSE(change.has_result());

  Tail(server.stub(), Follow(StartRun(server.stub(), "other")));  // not asked for
  leave.Notify();
  do {
    ASSERT_TRUE(reader->Read(&change));
    ASSERT_EQ(change.id(), run);
  } while (!change.has_result());
  EXPECT_EQ(change.state(), v1::RUN_STATE_SUCCEEDED);
  EXPECT_FALSE(change.has_delete_time());

  v1::DeleteRunRequest remove;
  remove.set_run(run);
  grpc::ClientContext remove_context;
  google::protobuf::Empty empty;
  // The state is final a moment before the last change is told.
  ASSERT_TRUE(server.stub().DeleteRun(&remove_context, remove, &empty).ok());
  do {
    ASSERT_TRUE(reader->Read(&change));
    ASSERT_EQ(change.id(), run);
  } while (!change.has_delete_time());
  context.TryCancel();
  reader->Finish();
}

// What the connection could not take when it happened comes later, in its last state only.
TEST(Watch, SparesASlowReaderWhatHasBeenReplaced) {
  constexpr int kRuns = 3000;
  EmbeddedServer server;
  server.Add("quick", [](JobContext&) {});
  grpc::ClientContext context;
  const auto reader = server.stub().WatchRuns(&context, {});
  reader->WaitForInitialMetadata();
  const auto other = Connect(server.server().grpc_address());
  std::vector<std::string> runs;
  for (int i = 0; i < kRuns; ++i) {
    runs.push_back(StartRun(*other, "quick"));
    Tail(*other, Follow(runs.back()));
  }

  std::map<std::string, int> changes;
  std::map<std::string, v1::RunState> states;
  int ended = 0;
  for (v1::Run change; ended < kRuns && reader->Read(&change);) {
    ++changes[change.id()];
    v1::RunState& state = states[change.id()];
    EXPECT_GE(change.state(), state);
    if (change.has_result() && state != change.state()) ++ended;
    state = change.state();
  }
  EXPECT_EQ(ended, kRuns);
  // The very last may still have been changing when the reading began.
  for (int i = kRuns / 2; i < kRuns - 10; ++i) ASSERT_EQ(changes[runs[i]], 1) << i;
  context.TryCancel();
  reader->Finish();
}

}  // namespace
}  // namespace jobtail::e2e
