// Tests of counting by name.
#include "base/tally.h"

#include <gtest/gtest.h>

namespace jobtail {
namespace {

TEST(Tally, CountsByNameAndInAll) {
  Tally tally;
  tally.Add("1.2.3.4");
  tally.Add("1.2.3.4", 7);
  tally.Add("1.2.3.5");
  EXPECT_EQ(tally.Of("1.2.3.4"), 8);
  EXPECT_EQ(tally.Of("1.2.3.5"), 1);
  EXPECT_EQ(tally.Of("1.2.3.6"), 0);
  EXPECT_EQ(tally.total(), 9);
  tally.Remove("1.2.3.4", 3);
  EXPECT_EQ(tally.Of("1.2.3.4"), 5);
  EXPECT_EQ(tally.total(), 6);
}

// Or whoever comes from many addresses, one after the other, would take memory with each.
TEST(Tally, ForgetsNamesThatHaveNothing) {
  Tally tally;
  tally.Add("1.2.3.4", 2);
  tally.Add("1.2.3.5", 0);
  EXPECT_EQ(tally.names(), 1);
  tally.Remove("1.2.3.5", 0);
  tally.Remove("1.2.3.4");
  EXPECT_EQ(tally.names(), 1);
  tally.Remove("1.2.3.4");
  EXPECT_EQ(tally.names(), 0);
  EXPECT_EQ(tally.total(), 0);
}

TEST(Tally, HasRoomWithinBothBounds) {
  Tally tally;
  EXPECT_FALSE(tally.HasRoom("a", 0, 2));
  EXPECT_FALSE(tally.HasRoom("a", 3, 0));
  tally.Add("a", 2);
  EXPECT_FALSE(tally.HasRoom("a", 3, 2));
  EXPECT_TRUE(tally.HasRoom("b", 3, 2));
  tally.Add("b");
  EXPECT_FALSE(tally.HasRoom("c", 3, 2));
}

}  // namespace
}  // namespace jobtail
