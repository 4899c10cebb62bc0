// Tests of blocks of LZ4: there and back, and what is none.

#include "base/lz4_block.h"

#include <gtest/gtest.h>

#include <random>
#include <string>

namespace jobtail {
namespace {

std::string Lines() {
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "a line like many others, number " + std::to_string(i);
  return lines;
}

TEST(Lz4Block, StandsForWhatItWasMadeOf) {
  Lz4Encoder encoder;
  for (const std::string& bytes : {Lines(), std::string(100'000, 'x'), std::string(300, 'x')}) {
    const std::string block(encoder.Encode(bytes));
    ASSERT_FALSE(block.empty());
    EXPECT_LT(block.size(), bytes.size() - bytes.size() / 8);
    EXPECT_TRUE(CanBeLz4Of(block.size(), bytes.size()));
    std::string decoded(bytes.size(), '\0');
    ASSERT_TRUE(DecodeLz4(block, decoded.data(), decoded.size()));
    EXPECT_EQ(decoded, bytes);
  }
}

TEST(Lz4Block, IsNoneWhereItWouldHardlyBeSmaller) {
  std::mt19937 random(1);
  std::string noise;
  while (noise.size() < 100'000) noise.push_back(static_cast<char>(random()));
  EXPECT_EQ(Lz4Encoder().Encode(noise), "");
  EXPECT_EQ(Lz4Encoder().Encode(""), "");
}

TEST(Lz4Block, ThatIsDamagedOrOfAnotherSizeIsRefused) {
  const std::string bytes = Lines();
  Lz4Encoder encoder;
  const std::string block(encoder.Encode(bytes));
  std::string decoded(bytes.size() + 1, '\0');
  EXPECT_FALSE(DecodeLz4(block, decoded.data(), bytes.size() - 1));
  EXPECT_FALSE(DecodeLz4(block, decoded.data(), bytes.size() + 1));
  EXPECT_FALSE(DecodeLz4(block.substr(0, block.size() / 2), decoded.data(), bytes.size()));
  EXPECT_FALSE(DecodeLz4("", decoded.data(), bytes.size()));
}

TEST(Lz4Block, OfAFewBytesCannotStandForMany) {
  EXPECT_TRUE(CanBeLz4Of(10, 2000));
  EXPECT_FALSE(CanBeLz4Of(10, 10'000));
  EXPECT_FALSE(CanBeLz4Of(size_t{1} << 40, kMostLz4Bytes + 1));
}

}  // namespace
}  // namespace jobtail
