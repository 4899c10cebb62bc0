// Tests of the format that an Accept header chooses.

#include "server/http/accept.h"

#include <gtest/gtest.h>

namespace jobtail::http {
namespace {

TEST(ChooseFormat, TakesWhatIsNamed) {
  EXPECT_EQ(ChooseFormat("text/plain", Format::kNdjson), Format::kText);
  EXPECT_EQ(ChooseFormat("text/event-stream", Format::kText), Format::kEventStream);
  EXPECT_EQ(ChooseFormat("application/x-ndjson", Format::kText), Format::kNdjson);
  EXPECT_EQ(ChooseFormat("application/json", Format::kText), Format::kNdjson);
  EXPECT_EQ(ChooseFormat("Text/Event-Stream; charset=utf-8", Format::kText), Format::kEventStream);
}

TEST(ChooseFormat, TakesTheFallbackWhereEverythingIsAlike) {
  EXPECT_EQ(ChooseFormat("", Format::kText), Format::kText);
  EXPECT_EQ(ChooseFormat("*/*", Format::kNdjson), Format::kNdjson);
  EXPECT_EQ(ChooseFormat("text/html,application/xhtml+xml,*/*;q=0.8", Format::kText),
            Format::kText);
}

TEST(ChooseFormat, HeedsWeights) {
  EXPECT_EQ(ChooseFormat("text/plain;q=0.5, application/json;q=0.9", Format::kText),
            Format::kNdjson);
  EXPECT_EQ(ChooseFormat("application/json, text/plain", Format::kText), Format::kNdjson)
      << "the first of equals";
  EXPECT_EQ(ChooseFormat("text/plain;q=0, text/event-stream;q=0.1", Format::kText),
            Format::kEventStream);
}

TEST(ChooseFormat, RefusesWhatThereIsNot) {
  EXPECT_EQ(ChooseFormat("image/png", Format::kText), std::nullopt);
  EXPECT_EQ(ChooseFormat("text/plain;q=0", Format::kText), std::nullopt);
}

}  // namespace
}  // namespace jobtail::http
