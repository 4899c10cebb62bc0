// Tests of hostile text shown to people, in messages and to shells.

#include "base/quoting.h"

#include <gtest/gtest.h>

namespace jobtail {
namespace {

TEST(PrintableTest, LeavesTextAlone) {
  EXPECT_EQ(Printable("plain text, ~!"), "plain text, ~!");
  EXPECT_EQ(Printable("Grüße, 世界 🚀"), "Grüße, 世界 🚀");
}

TEST(PrintableTest, DisarmsControlCharacters) {
  EXPECT_EQ(Printable("\x1b[31mred\x1b]0;title\x07"), "\\x1b[31mred\\x1b]0;title\\x07");
  EXPECT_EQ(Printable("two\nlines\r\t\x7f"), "two\\nlines\\x0d\\t\\x7f");
  EXPECT_EQ(Printable(std::string("\0", 1)), "\\x00");
  EXPECT_EQ(Printable("\u009b31m"), "\\u009b31m");  // the one-character form of ESC [
  EXPECT_EQ(Printable("a\u202eb\u2066c\u200f"), "a\\u202eb\\u2066c\\u200f");
}

TEST(PrintableTest, ShowsBytesThatAreNotUtf8) {
  EXPECT_EQ(Printable("a\xff\xfe"), "a\\xff\\xfe");
  EXPECT_EQ(Printable("\xc0\xaf"), "\\xc0\\xaf");                    // overlong
  EXPECT_EQ(Printable("\xed\xa0\x80"), "\\xed\\xa0\\x80");           // surrogate
  EXPECT_EQ(Printable("\xe4\xb8"), "\\xe4\\xb8");                    // cut off
  EXPECT_EQ(Printable("\xf4\x90\x80\x80"), "\\xf4\\x90\\x80\\x80");  // past the last character
  EXPECT_EQ(Printable("\x9b"
                      "31m"),
            "\\x9b31m");
}

TEST(PrintableTest, ShowsWhatDeceives) {
  EXPECT_EQ(Printable("pay\u200bpal\u00ad\ufeff"), "pay\\u200bpal\\u00ad\\ufeff");
  EXPECT_EQ(Printable("\u3164\U000e0041"), "\\u3164\\ue0041");
  EXPECT_EQ(Printable("می\u200cخواهم"), "می\u200cخواهم") << "a part of a word";
  EXPECT_EQ(Printable("pay\u200cpal \u200cم"), "pay\\u200cpal \\u200cم");
  EXPECT_EQ(Printable("👩\u200d💻 ❤\ufe0f"), "👩\u200d💻 ❤\ufe0f");  // emoji are made of these
}

TEST(QuotedTest, EscapesAndCuts) {
  EXPECT_EQ(Quoted("plain"), "\"plain\"");
  EXPECT_EQ(Quoted("a\"b\n\xE9"), "\"a\\\"b\\n\\xe9\"");
  EXPECT_EQ(Quoted(std::string(101, 'x')), "\"" + std::string(100, 'x') + "\"...");
}

TEST(ShellQuotedTest, QuotesOnlyWhereNeeded) {
  EXPECT_EQ(ShellQuoted("host:50051"), "host:50051");
  EXPECT_EQ(ShellQuoted("two words"), "'two words'");
  EXPECT_EQ(ShellQuoted("it's"), "'it'\\''s'");
  EXPECT_EQ(ShellQuoted("$(x)"), "'$(x)'");
  EXPECT_EQ(ShellQuoted(""), "''");
}

}  // namespace
}  // namespace jobtail
