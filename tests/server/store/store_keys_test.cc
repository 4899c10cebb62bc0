// Tests of the database's keys and index entries, byte by byte.

#include "server/store/store_keys.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <string>

#include "server/store/record_range.h"

namespace jobtail {
namespace {

using ::testing::HasSubstr;

const std::string kRun = "019a7b3c-0000-7000-8000-000000000001";

std::string Key(int64_t first) { return BatchKey(*RunKey(kRun), first); }

IndexEntry Entry() {
  return {.first = 5,
          .last = 9,
          .last_time_unix_nanos = -3,
          .offset = 1000,
          .size = 200,
          .total_lines = 8,
          .total_bytes = 77};
}

std::string Error(const std::string& value) {
  return std::string(DecodeIndexEntry(Key(5), value).status().message());
}

TEST(StoreKeys, SortAsTheirNumbersDo) {
  EXPECT_LT(Key(1), Key(255));
  EXPECT_LT(Key(255), Key(256));
  EXPECT_LT(Key(kMaxSequence), EndKey(*RunKey(kRun)));
  EXPECT_EQ(RunOfKey(Key(1)), kRun);
  EXPECT_EQ(DecodeBatchKey(Key(77)), 77);
  EXPECT_EQ(DecodeBatchKey(Key(77).substr(1)), std::nullopt);
}

TEST(IndexEntry, IsReadAsItWasWritten) {
  const std::string value = EncodeIndexEntry(Entry());
  const auto entry = DecodeIndexEntry(Key(5), value);
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(EncodeIndexEntry(*entry), value);
  EXPECT_EQ(entry->first, 5);
  EXPECT_EQ(entry->last, 9);
  EXPECT_EQ(entry->end(), 1200);
  EXPECT_FALSE(entry->is_rebuilt);
}

TEST(IndexEntry, OfVersion1HadNoVersion) {
  const auto entry = DecodeIndexEntry(Key(5), EncodeIndexEntry(Entry()).substr(1));
  ASSERT_TRUE(entry.ok()) << entry.status();
  EXPECT_EQ(EncodeIndexEntry(*entry), EncodeIndexEntry(Entry()));
}

TEST(IndexEntry, OfAnotherVersionIsRefusedByItsNumber) {
  std::string value = EncodeIndexEntry(Entry());
  value[0] = 3;
  EXPECT_THAT(Error(value), HasSubstr("version 3"));
  EXPECT_THAT(Error(value), HasSubstr("knows versions 1 and 2"));
}

TEST(IndexEntry, OfAnotherLengthIsRefused) {
  const std::string value = EncodeIndexEntry(Entry());
  for (size_t size = 0; size < kIndexFieldsBytes; ++size) {
    EXPECT_FALSE(DecodeIndexEntry(Key(5), value.substr(0, size)).ok()) << size;
  }
  EXPECT_TRUE(DecodeIndexEntry(Key(5), value + "and more").ok());
  EXPECT_FALSE(DecodeIndexEntry(Key(5).substr(1), value).ok());
}

TEST(IndexEntry, ThatNoBatchCanHaveIsRefused) {
  const auto is_read = [](const IndexEntry& entry) {
    return DecodeIndexEntry(Key(entry.first), EncodeIndexEntry(entry)).ok();
  };
  for (const int64_t last : {int64_t{4}, int64_t{0}, int64_t{-1}, INT64_MAX - 1, INT64_MAX}) {
    IndexEntry entry = Entry();
    entry.last = last;
    EXPECT_FALSE(is_read(entry)) << last;
  }
  for (const int64_t first : {int64_t{0}, int64_t{-1}, int64_t{10}}) {
    IndexEntry entry = Entry();
    entry.first = first;
    EXPECT_FALSE(is_read(entry)) << first;
  }
  for (const auto field : {&IndexEntry::offset, &IndexEntry::size, &IndexEntry::total_lines,
                           &IndexEntry::total_bytes}) {
    IndexEntry entry = Entry();
    entry.*field = -1;
    EXPECT_FALSE(is_read(entry));
  }
  IndexEntry entry = Entry();
  entry.offset = INT64_MAX;
  EXPECT_FALSE(is_read(entry)) << "its end is no number";
}

}  // namespace
}  // namespace jobtail
