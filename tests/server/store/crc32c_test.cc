// Tests of the checksum, with and without the processor's instruction.

#include "server/store/crc32c.h"

#include <gtest/gtest.h>

#include <string>

namespace jobtail {
namespace {

TEST(Crc32c, IsThatOfEveryCatalogue) {
  EXPECT_EQ(Crc32c("123456789"), 0xE3069283);
  EXPECT_EQ(ExtendCrc32cByTable(0, "123456789"), 0xE3069283);
  EXPECT_EQ(Crc32c(""), 0);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8A9136AA) << "as in RFC 3720";
}

TEST(Crc32c, IsTheSameWithTheInstructionAndWithout) {
  std::string bytes;
  for (size_t size = 0; size < 300; ++size) {
    EXPECT_EQ(Crc32c(bytes), ExtendCrc32cByTable(0, bytes)) << size;
    bytes.push_back(static_cast<char>(size * 7919 >> 3));
  }
}

TEST(Crc32c, OfTwoPartsIsThatOfTheWhole) {
  const std::string whole = "a text that is taken in two parts, wherever it is cut";
  for (size_t cut = 0; cut <= whole.size(); ++cut) {
    EXPECT_EQ(ExtendCrc32c(Crc32c(whole.substr(0, cut)), whole.substr(cut)), Crc32c(whole)) << cut;
  }
}

}  // namespace
}  // namespace jobtail
