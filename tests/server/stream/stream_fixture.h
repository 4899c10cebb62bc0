// A stream without a log and without a door.
#ifndef JOBTAIL_TESTS_SERVER_STREAM_STREAM_FIXTURE_H_
#define JOBTAIL_TESTS_SERVER_STREAM_STREAM_FIXTURE_H_

#include <gtest/gtest.h>

#include "absl/time/time.h"
#include "server/stream/store_pool.h"
#include "server/stream/stream_set.h"
#include "tests/server/stream/stream_fakes.h"
#include "tests/support/fake_clock.h"

namespace jobtail::testing {

inline constexpr absl::Duration kHeartbeat = absl::Seconds(15);

class StreamTest : public ::testing::Test {
 protected:
  ~StreamTest() override { script_.Release(); }  // or a test that has failed would never end

  FakeClock clock_;
  Script script_;
  StorePool pool_;
  StreamSet set_{&pool_, kHeartbeat, "test-streams", &clock_};
  FakeWriter writer_{&set_};
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_STREAM_STREAM_FIXTURE_H_
