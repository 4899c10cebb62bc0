// What is refused because it could be read in two ways, and lists that come in several fields.

#include "server/http/request_check.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

namespace jobtail::http {
namespace {

using ::testing::HasSubstr;
using Fields = std::vector<std::pair<std::string, std::string>>;

Message Get(const Fields& fields) {
  Message request(beast::http::verb::get, "/v1/jobs", 11);
  request.set(beast::http::field::host, "localhost");
  for (const auto& [name, value] : fields) request.insert(name, value);
  return request;
}

TEST(RequestCheck, RefusesWhatIsNoListAndComesTwice) {
  for (const char* name :
       {"Host", "Content-Type", "Content-Length", "Last-Event-ID", "Origin", "Referer",
        "Sec-Fetch-Site", "Sec-Purpose", "Purpose", "User-Agent", "Expect"}) {
    Message request = Get({{name, "1"}, {name, "2"}});
    const absl::Status status = CheckUnambiguous(&request);
    EXPECT_EQ(status.code(), absl::StatusCode::kInvalidArgument) << name;
    EXPECT_THAT(std::string(status.message()), HasSubstr("more than one " + std::string(name)));
    EXPECT_THAT(std::string(status.message()), HasSubstr("give one"));
  }
}

TEST(RequestCheck, TakesOneOfEach) {
  Message request = Get({{"Content-Type", "application/json"},
                         {"Last-Event-ID", "3"},
                         {"Origin", "http://localhost"},
                         {"Sec-Fetch-Site", "same-origin"},
                         {"User-Agent", "curl"}});
  EXPECT_TRUE(CheckUnambiguous(&request).ok());
}

TEST(RequestCheck, TakesListsInSeveralFieldsAsOneList) {
  Message request = Get({{"Accept", "text/plain"},
                         {"Accept-Encoding", "br"},
                         {"accept", ""},
                         {"accept", "text/event-stream"},
                         {"Accept-Encoding", "gzip"}});
  EXPECT_TRUE(CheckUnambiguous(&request).ok());
  EXPECT_EQ(ListField(request, "Accept"), "text/plain, text/event-stream");
  EXPECT_EQ(ListField(request, "Accept-Encoding"), "br, gzip");
  EXPECT_EQ(ListField(request, "If-None-Match"), "");
  EXPECT_EQ(ToRequest(request).accept, "text/plain, text/event-stream");
}

TEST(RequestCheck, SeesEveryCodingOfTheLength) {
  Message request = Get({{"Transfer-Encoding", "chunked"}, {"Transfer-Encoding", "gzip"}});
  EXPECT_THAT(std::string(CheckUnambiguous(&request).message()), HasSubstr("chunked, gzip"));
}

TEST(RequestCheck, FindsAFileThatOneOfSeveralTagsNames) {
  const StaticFile file{.path = "/", .etag = "\"b\""};
  EXPECT_EQ(MakeFileResponse(Get({{"If-None-Match", "\"a\""}, {"If-None-Match", "\"b\""}}), file)
                .result_int(),
            304u);
}

}  // namespace
}  // namespace jobtail::http
