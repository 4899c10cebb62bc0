#include <gtest/gtest.h>

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

}  // namespace
}  // namespace jobtail::e2e
