// Tests that no text of a job or client becomes markup.

#include "server/http/html.h"

#include <gmock/gmock.h>

namespace jobtail::http {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::string Text(std::string_view bytes) {
  std::string html;
  AppendHtmlText(bytes, &html);
  return html;
}

TEST(HtmlText, IsNeverMarkup) {
  EXPECT_EQ(Text("<script>alert('1')</script>"), "&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt;");
  EXPECT_EQ(Text("</pre>\"&amp;"), "&lt;/pre&gt;&quot;&amp;amp;");
}

TEST(HtmlText, ShowsEscapesAndLinksOfTerminalsAsTheyAre) {
  EXPECT_EQ(Text("\x1b]8;;javascript:x\x07"), "␛]8;;javascript:x␇");
  EXPECT_EQ(Text("\x1b[31mred\x7f"), "␛[31mred␡");
  EXPECT_EQ(Text(std::string_view("\0", 1)), "␀");
}

TEST(HtmlText, ShowsWhatTurnsOrHidesText) {
  EXPECT_THAT(Text("a\u202e"
                   "b"),
              HasSubstr("U+202E"));
  EXPECT_THAT(Text("a\u202e"
                   "b"),
              Not(HasSubstr("\u202e")));
  EXPECT_THAT(Text("\u2066\u200b\u061c\ufeff"), Not(HasSubstr("\u2066")));
  EXPECT_THAT(Text("\u0085"), HasSubstr("U+0085"));
}

TEST(HtmlText, KeepsTextAndReplacesBadUtf8) {
  EXPECT_EQ(Text("Grüße 🚀\tx\n"), "Grüße 🚀\tx\n");
  EXPECT_EQ(Text("\xff\xc3"), "\ufffd\ufffd");
  EXPECT_EQ(Text("\xed\xa0\x80"), "\ufffd\ufffd\ufffd") << "half a surrogate pair";
  EXPECT_EQ(Text("10%\r20%\r"), "10%\n20%\n");
}

TEST(HtmlText, TakesACarriageReturnAndANewlineForOneEnd) {
  EXPECT_EQ(Text("one\r\ntwo\r\n"), "one\ntwo\n");
  EXPECT_EQ(Text("one\r\r\ntwo"), "one\n\ntwo");
  EXPECT_EQ(Text("one\r"), "one\n");
}

TEST(HtmlQuestion, NamesTheJobAndItsParametersAsText) {
  v1::Job job;
  job.set_name("backup");
  auto* secret = job.add_parameters();
  secret->set_name("password");
  secret->set_secret(true);
  const std::string html = HtmlQuestion(
      job, {{"to", "<b>\u202e"}, {"password", "hush"}, {"long", std::string(5000, 'x')}});
  EXPECT_THAT(html, AllOf(HasSubstr("Run backup?"), HasSubstr("to=&lt;b&gt;<span"),
                          HasSubstr("password=***"), HasSubstr("(5005 bytes)")));
  EXPECT_THAT(html, HasSubstr("<form method=\"post\"><button")) << "to the page's own address";
  EXPECT_THAT(html, AllOf(Not(HasSubstr("hush")), Not(HasSubstr("\u202e")),
                          Not(HasSubstr("<script")), Not(HasSubstr(std::string(1000, 'x')))));
}

TEST(HtmlResult, HasTheErrorAsText) {
  v1::RunResult result;
  result.set_state(v1::RUN_STATE_FAILED);
  result.set_exit_code(3);
  result.set_error("<b>");
  std::string html;
  AppendHtmlResult(result, &html);
  EXPECT_THAT(html, AllOf(HasSubstr("RUN_STATE_FAILED"), HasSubstr("3"), HasSubstr("&lt;b&gt;")));
}

}  // namespace
}  // namespace jobtail::http
