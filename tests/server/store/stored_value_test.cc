// Tests of batches as values of the database, compressed, damaged or of a newer form.

#include "server/store/stored_value.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>

namespace jobtail {
namespace {

std::string Noise(size_t size) {
  std::mt19937 random(1);
  std::string bytes;
  while (bytes.size() < size) bytes.push_back(static_cast<char>(random()));
  return bytes;
}

std::string Decode(std::string_view value) {
  if (const auto plain = PlainBytes(value)) return std::string(*plain);
  const auto bytes = Decompress(value);
  EXPECT_TRUE(bytes.ok()) << bytes.status();
  return bytes.ok() ? std::string(**bytes) : "";
}

TEST(StoredValue, GivesBackWhatItWasMadeOf) {
  ValueEncoder encoder;
  for (const std::string& start : {std::string("\n"), std::string(1, '\0'), std::string(2, '\0'),
                                   std::string("\0\1", 2), std::string("\0\1\0", 3)}) {
    for (const size_t size : {0, 1, 10, 1023, 1024, 1025, 100'000}) {
      for (const std::string& bytes :
           {start + std::string(size, 'x'), start + Noise(size), std::string(size, '\0')}) {
        EXPECT_EQ(Decode(encoder.Encode(bytes)), bytes) << size;
      }
    }
  }
}

TEST(StoredValue, IsTheBytesThemselvesWhereTheyAreFew) {
  ValueEncoder encoder;
  const std::string bytes = "\n" + std::string(200, 'x');
  EXPECT_EQ(encoder.Encode(bytes).data(), bytes.data());
}

TEST(StoredValue, IsTheBytesThemselvesWhereCompressingIsOfNoUse) {
  ValueEncoder encoder;
  const std::string bytes = "\n" + Noise(100'000);
  EXPECT_EQ(encoder.Encode(bytes).data(), bytes.data());
}

TEST(StoredValue, IsSmallerWhereThatCanBe) {
  ValueEncoder encoder;
  std::string lines;
  for (int i = 0; i < 1000; ++i) lines += "a line like many others, number " + std::to_string(i);
  EXPECT_LT(encoder.Encode(lines).size(), lines.size() / 2);
}

TEST(StoredValue, IsNotCompressedWhereSomebodyHasTried) {
  ValueEncoder encoder;
  Batch batch{.bytes = Share("\n" + std::string(5000, 'x'))};
  EXPECT_LT(encoder.Encode(batch).size(), 1000);
  batch.is_incompressible = true;
  EXPECT_EQ(encoder.Encode(batch).data(), batch.bytes->data());
}

TEST(StoredValue, ThatIsDamagedIsAnError) {
  ValueEncoder encoder;
  const std::string value(encoder.Encode("\n" + std::string(5000, 'x')));
  ASSERT_FALSE(PlainBytes(value));
  for (size_t size = 2; size < value.size(); ++size) {
    EXPECT_EQ(Decompress(value.substr(0, size)).status().code(), absl::StatusCode::kDataLoss)
        << size;
  }
  for (size_t i = 2; i < 10; ++i) {
    std::string wrong = value;
    wrong[i] = '\xff';
    EXPECT_FALSE(Decompress(wrong).ok()) << i;
  }
}

// A small value that claims to be a large batch must not be given the memory.
TEST(StoredValue, ThatClaimsMoreThanItCanHaveIsAnError) {
  std::string value("\0\1\0\0\0\0\x0f\0\0\0block", 15);
  const absl::Status status = Decompress(value).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()),
              ::testing::HasSubstr("15 bytes for a batch of 251658240"));
}

TEST(StoredValue, OfAFormThatANewerServerHasWrittenIsAnErrorThatSaysSo) {
  const std::string value("\0\2something", 11);
  EXPECT_FALSE(PlainBytes(value));
  const absl::Status status = Decompress(value).status();
  EXPECT_EQ(status.code(), absl::StatusCode::kDataLoss);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("form 2"));
}

// It must not go to a client, as if it were a batch.
TEST(StoredValue, ThatBeginsWithNoKnownByteIsAnError) {
  for (int first = 1; first < 256; ++first) {
    if (first == '\n') continue;
    const std::string value = std::string(1, static_cast<char>(first)) + "something";
    EXPECT_FALSE(PlainBytes(value)) << first;
    EXPECT_EQ(Decompress(value).status().code(), absl::StatusCode::kDataLoss) << first;
  }
}

}  // namespace
}  // namespace jobtail
