// Where literals are found, held against the library's own search.

#include "server/log/literal.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <random>
#include <string>
#include <string_view>

namespace jobtail {
namespace {

// In memory that ends where the bytes end: who reads beyond is caught where such things are looked
// for.
size_t Find(std::string_view literal, std::string_view bytes, size_t from = 0) {
  const auto exact = std::make_unique<char[]>(bytes.size());
  std::ranges::copy(bytes, exact.get());
  return Literal(literal).FindIn({exact.get(), bytes.size()}, from);
}

TEST(Literal, IsFoundWhereverItLies) {
  for (const std::string literal : {"x", "no", "request", "no such request", "aaaaaaaaaaaaaaab"}) {
    for (size_t size = literal.size(); size < 150; ++size) {
      for (size_t place = 0; place + literal.size() <= size; ++place) {
        std::string bytes(size, 'a');
        bytes.replace(place, literal.size(), literal);
        ASSERT_EQ(Find(literal, bytes), bytes.find(literal)) << literal << " at " << place;
        ASSERT_EQ(Find(literal, bytes, place + 1), std::string::npos) << literal;
      }
    }
  }
}

TEST(Literal, IsNotFoundInPartsOfIt) {
  EXPECT_EQ(Find("needle", ""), Literal::kNowhere);
  EXPECT_EQ(Find("needle", "needl"), Literal::kNowhere);
  EXPECT_EQ(Find("needle", "needl", 9), Literal::kNowhere);
  EXPECT_EQ(Find("needle", std::string(100, ' ') + "needl"), Literal::kNowhere);
  EXPECT_EQ(Find("needle", "eedle" + std::string(100, ' ')), Literal::kNowhere);
}

TEST(Literal, IsFoundAmongRandomBytes) {
  std::mt19937 random(1);
  for (int round = 0; round < 20'000; ++round) {
    const unsigned letters = 1 + random() % 4;  // few, so that there is nearly always something
    const auto text = [&](size_t size) {
      std::string made(size, ' ');
      for (char& c : made) c = "q \xFF\x0A"[random() % letters];
      return made;
    };
    const std::string bytes = text(random() % 400);
    const std::string literal = text(1 + random() % 12);
    const size_t from = random() % (bytes.size() + 1);
    ASSERT_EQ(Find(literal, bytes, from), bytes.find(literal, from)) << "round " << round;
  }
}

// Both rare bytes everywhere, and never the rest: each place is a candidate.
TEST(Literal, IsFoundBehindMuchThatLooksLikeIt) {
  const std::string literal = std::string(500, 'Q') + "!" + std::string(500, 'Q');
  std::string bytes(1 << 20, 'Q');
  EXPECT_EQ(Find(literal, bytes), Literal::kNowhere);
  bytes += literal;
  EXPECT_EQ(Find(literal, bytes), bytes.size() - literal.size());
  EXPECT_EQ(Find(literal, bytes, 7), bytes.size() - literal.size());
}

}  // namespace
}  // namespace jobtail
