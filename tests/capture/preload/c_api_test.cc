// The C API of the static library.

#include "capture/c_api.h"

#include <errno.h>
#include <gmock/gmock.h>
#include <stdio.h>

#include <iostream>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

struct Recorder {
  std::mutex mutex;
  std::vector<std::string> lines;

  static void Record(void* context, const jobtail_capture_line* line) {
    auto* recorder = static_cast<Recorder*>(context);
    std::lock_guard lock(recorder->mutex);
    recorder->lines.push_back(std::to_string(line->stream) + ":" + std::to_string(line->ending) +
                              ":" + std::string(line->text, line->size));
  }
};

TEST(CApi, HandsLinesToTheCallback) {
  Recorder recorder;
  jobtail_capture* capture = jobtail_capture_begin(Recorder::Record, &recorder);
  ASSERT_NE(capture, nullptr);
  puts("out");
  std::cerr << "err" << std::endl;
  fputs("10 %\r20 %\r\n", stdout);
  fputs("rest", stdout);
  EXPECT_EQ(jobtail_capture_end(capture), 0);
  EXPECT_THAT(recorder.lines,
              ElementsAre("1:1:out", "2:1:err", "1:2:10 %", "1:1:20 %\r", "1:3:rest"));
}

TEST(CApi, TellsWhenTheLineWasCompleted) {
  int64_t time = 0;
  const auto record = [](void* context, const jobtail_capture_line* line) {
    *static_cast<int64_t*>(context) = line->time_unix_nanos;
  };
  timespec before;
  clock_gettime(CLOCK_REALTIME, &before);
  jobtail_capture* capture = jobtail_capture_begin(record, &time);
  puts("now");
  EXPECT_EQ(jobtail_capture_end(capture), 0);
  timespec after;
  clock_gettime(CLOCK_REALTIME, &after);
  EXPECT_GE(time, before.tv_sec * 1'000'000'000 + before.tv_nsec);
  EXPECT_LE(time, after.tv_sec * 1'000'000'000 + after.tv_nsec);
}

TEST(CApi, Nests) {
  Recorder outer;
  Recorder inner;
  jobtail_capture* first = jobtail_capture_begin(Recorder::Record, &outer);
  puts("outer");
  jobtail_capture* second = jobtail_capture_begin(Recorder::Record, &inner);
  puts("inner");
  EXPECT_EQ(jobtail_capture_end(first), EBUSY);
  EXPECT_EQ(jobtail_capture_end(second), 0);
  puts("outer again");
  EXPECT_EQ(jobtail_capture_end(first), 0);
  EXPECT_THAT(outer.lines, ElementsAre("1:1:outer", "1:1:outer again"));
  EXPECT_THAT(inner.lines, ElementsAre("1:1:inner"));
}

TEST(CApi, EndsOnTheThreadThatBegan) {
  Recorder recorder;
  jobtail_capture* capture = jobtail_capture_begin(Recorder::Record, &recorder);
  int error = 0;
  std::thread([&] { error = jobtail_capture_end(capture); }).join();
  EXPECT_EQ(error, EPERM);
  puts("still captured");
  EXPECT_EQ(jobtail_capture_end(capture), 0);
  EXPECT_THAT(recorder.lines, ElementsAre("1:1:still captured"));
}

TEST(CApi, RefusesWhatMakesNoSense) {
  errno = 0;
  EXPECT_EQ(jobtail_capture_begin(nullptr, nullptr), nullptr);
  EXPECT_EQ(errno, EINVAL);
  EXPECT_EQ(jobtail_capture_end(nullptr), EINVAL);
}

}  // namespace
