// Lines, batches and their decoded records, for tests.

#include "tests/server/support/records.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <numeric>

namespace jobtail::testing {

TextLine Out(std::string_view text, int64_t time_unix_nanos) {
  return {v1::STREAM_STDOUT, v1::ENDING_LF, time_unix_nanos, text};
}

TextLine Err(std::string_view text, int64_t time_unix_nanos) {
  return {v1::STREAM_STDERR, v1::ENDING_LF, time_unix_nanos, text};
}

std::vector<v1::LogLine> Decode(std::string_view batch) {
  v1::LogBatch parsed;
  if (!parsed.ParseFromArray(batch.data(), static_cast<int>(batch.size()))) {
    fprintf(stderr, "these %zu bytes are no LogBatch\n", batch.size());
    abort();
  }
  return {parsed.lines().begin(), parsed.lines().end()};
}

std::vector<v1::LogLine> Decode(const std::vector<Slice>& slices) {
  std::string bytes;
  for (const Slice& slice : slices) bytes.append(slice.view());
  return Decode(bytes);
}

std::vector<v1::LogLine> RecordsOf(const std::vector<v1::LogLine>& messages) {
  std::vector<v1::LogLine> records;
  std::ranges::copy_if(messages, std::back_inserter(records),
                       [](const v1::LogLine& line) { return line.sequence() != 0; });
  return records;
}

std::vector<int64_t> Sequences(const std::vector<v1::LogLine>& lines) {
  std::vector<int64_t> sequences;
  std::ranges::transform(lines, std::back_inserter(sequences),
                         [](const v1::LogLine& line) { return line.sequence(); });
  return sequences;
}

std::vector<std::string> Texts(const std::vector<v1::LogLine>& lines) {
  std::vector<std::string> texts;
  std::ranges::transform(lines, std::back_inserter(texts), [](const v1::LogLine& line) {
    if (line.has_result()) return std::string("result");
    return line.has_raw() ? line.raw() : line.text();
  });
  return texts;
}

std::vector<int64_t> Numbers(int64_t first, int64_t last) {
  std::vector<int64_t> numbers(std::max<int64_t>(0, last - first + 1));
  std::iota(numbers.begin(), numbers.end(), first);
  return numbers;
}

}  // namespace jobtail::testing
