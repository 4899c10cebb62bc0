// Lines to write into logs, and what encoded batches say.
#ifndef JOBTAIL_TESTS_SERVER_SUPPORT_RECORDS_H_
#define JOBTAIL_TESTS_SERVER_SUPPORT_RECORDS_H_

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "jobtail/v1/log.pb.h"
#include "server/log/batch.h"
#include "server/log/record.h"

namespace jobtail::testing {

// Lines on their way into a log; `text` must outlive them.
TextLine Out(std::string_view text, int64_t time_unix_nanos = 0);
TextLine Err(std::string_view text, int64_t time_unix_nanos = 0);

// What encoded batches say, as the protobuf library reads it. Ends the process if they are none.
std::vector<v1::LogLine> Decode(std::string_view batch);
std::vector<v1::LogLine> Decode(const std::vector<Slice>& slices);

// Those of the messages that are records.
std::vector<v1::LogLine> RecordsOf(const std::vector<v1::LogLine>& messages);

std::vector<int64_t> Sequences(const std::vector<v1::LogLine>& lines);
// The text of each line, "result" for the result.
std::vector<std::string> Texts(const std::vector<v1::LogLine>& lines);

// first, first + 1, ... last
std::vector<int64_t> Numbers(int64_t first, int64_t last);

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_SUPPORT_RECORDS_H_
