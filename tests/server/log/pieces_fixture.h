// The fixture of tests of lines that came in pieces.
#ifndef JOBTAIL_TESTS_SERVER_LOG_PIECES_FIXTURE_H_
#define JOBTAIL_TESTS_SERVER_LOG_PIECES_FIXTURE_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/strings/str_cat.h"
#include "jobtail/v1/job_service.pb.h"
#include "server/log/cursor.h"
#include "tests/server/log/log_fixture.h"

namespace jobtail::testing {

// Logs of records of any ending.
class PiecesTest : public LogTest {
 protected:
  static TextLine Record(v1::Stream stream, v1::Ending ending, std::string_view text) {
    return {stream, ending, 0, text};
  }
  static TextLine Out(std::string_view text, v1::Ending ending = v1::ENDING_LF) {
    return Record(v1::STREAM_STDOUT, ending, text);
  }
  static TextLine Err(std::string_view text, v1::Ending ending = v1::ENDING_LF) {
    return Record(v1::STREAM_STDERR, ending, text);
  }

  static v1::TailLogRequest LastLines(int64_t count) {
    v1::TailLogRequest request;
    request.set_last_lines(count);
    return request;
  }

  std::shared_ptr<Log> LogOf(std::vector<TextLine> lines, bool ended = true) {
    const auto log = MakeLog({}, absl::StrCat("run", ++logs_));
    for (TextLine& line : lines) line.time_unix_nanos = kHour;  // after a pause: stored at once
    log->Append(lines);
    if (ended) Finish(*log);
    return log;
  }

  int logs_ = 0;
};

}  // namespace jobtail::testing

#endif  // JOBTAIL_TESTS_SERVER_LOG_PIECES_FIXTURE_H_
