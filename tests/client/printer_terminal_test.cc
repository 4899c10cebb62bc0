// What the printers send to a terminal, and how they leave it.

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <pty.h>
#include <termios.h>
#include <unistd.h>

#include <initializer_list>
#include <string>
#include <utility>

#include "batch.h"
#include "client/cli/prefix_printer.h"
#include "client/cli/text_printer.h"
#include "printing.h"

namespace jobtail::client::cli {
namespace {

using ::testing::EndsWith;
using ::testing::StartsWith;

// A terminal that changes no byte.
class DrawnScreen {
 public:
  DrawnScreen() {
    termios modes;
    EXPECT_EQ(openpty(&screen_, &terminal_, nullptr, nullptr, nullptr), 0);
    tcgetattr(terminal_, &modes);
    cfmakeraw(&modes);
    tcsetattr(terminal_, TCSANOW, &modes);
  }
  ~DrawnScreen() {
    if (terminal_ >= 0) close(terminal_);
    close(screen_);
  }
  DrawnScreen(const DrawnScreen&) = delete;
  DrawnScreen& operator=(const DrawnScreen&) = delete;

  int fd() const { return terminal_; }

  // What it has got. Closes it.
  std::string Shown() {
    close(std::exchange(terminal_, -1));
    std::string shown;
    char bytes[4096];
    for (ssize_t size; (size = read(screen_, bytes, sizeof bytes)) > 0;) shown.append(bytes, size);
    return shown;
  }

 private:
  int screen_ = -1;
  int terminal_ = -1;
};

// Both streams on one terminal.
class PrinterTerminalTest : public ::testing::Test {
 protected:
  std::string Shown() { return screen_.Shown(); }

  void Print(LinePrinter* printer, std::initializer_list<v1::LogLine> lines) {
    ASSERT_TRUE(printer->Print(Batch(lines)).ok());
  }

  DrawnScreen screen_;
  FdWriter out_{screen_.fd(), "stdout"};
  FdWriter err_{screen_.fd(), "stderr"};
  Output output_{&out_, &err_};
};

TEST_F(PrinterTerminalTest, AJobDrawsOnItsRowsAndTheCursorEndsBelow) {
  TextPrinter printer(&output_, {});
  Print(&printer, {Line(1, "a: waiting"), Line(2, "b: waiting"),
                   Line(3, "\x1b[2A\x1b[Ka: done", v1::ENDING_CR)});
  ASSERT_TRUE(printer.Finish().ok());
  ASSERT_TRUE(printer.Leave().ok()) << "a second time, it has nothing to do";
  EXPECT_EQ(Shown(), "a: waiting\nb: waiting\n\x1b[2A\x1b[Ka: done\r\x1b[2B");
}

v1::LogLine OnStderr(v1::LogLine line) {
  line.set_stream(v1::STREAM_STDERR);
  return line;
}

// Each stream on a terminal of its own.
class TwoTerminalsTest : public PrinterTerminalTest {
 protected:
  DrawnScreen other_;
  FdWriter other_err_{other_.fd(), "stderr"};
  Output both_{&out_, &other_err_};
};

TEST_F(TwoTerminalsTest, HaveRowsOfTheirOwn) {
  EXPECT_TRUE(output_.is_one_terminal());
  EXPECT_FALSE(both_.is_one_terminal());
  TextPrinter printer(&both_, {});
  Print(&printer,
        {Line(1, "a"), Line(2, "b"), Line(3, "c"), OnStderr(Line(4, "x")),
         OnStderr(Line(5, "\x1b[3Ay", v1::ENDING_CR)), Line(6, "\x1b[2Ad", v1::ENDING_CR)});
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Shown(), "a\nb\nc\n\x1b[2Ad\r\x1b[2B");
  EXPECT_EQ(other_.Shown(), "x\n\x1b[1Ay\r\x1b[1B") << "it has printed one row there";
}

TEST_F(TwoTerminalsTest, AreBothAsBeforeAfterAJobThatGotAllOfThem) {
  TextPrinter printer(&both_, {.raw = true});
  Print(&printer, {Line(1, "\x1b[?25l"), OnStderr(Line(2, "\x1b[?1000h"))});
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Shown(), "\x1b[?25l\n\x1b[?25h");
  EXPECT_EQ(other_.Shown(), "\x1b[?1000h\n\x1b[?1000l");
}

TEST_F(TwoTerminalsTest, ALineLeftOpenOnOneLeavesTheOtherAsItIs) {
  TextPrinter printer(&both_, {});
  Print(&printer, {Line(1, "open", v1::ENDING_NONE), Gap(2, 2)});
  EXPECT_EQ(Shown(), "open");
  EXPECT_THAT(other_.Shown(), StartsWith("jobtail: line 2 is missing"));
}

TEST_F(PrinterTerminalTest, AColourIsTakenUpAgainAfterANotice) {
  TextPrinter printer(&output_, {});
  Print(&printer, {Line(1, "\x1b[31mred"), Gap(2, 4), Line(5, "still")});
  ASSERT_TRUE(printer.Finish().ok());
  const std::string shown = Shown();
  EXPECT_THAT(shown, StartsWith("\x1b[31mred\n\x1b[mjobtail: lines 2-4"));
  EXPECT_THAT(shown, EndsWith("\n\x1b[31mstill\n\x1b[m"));
}

TEST_F(PrinterTerminalTest, IsAsBeforeAfterAJobThatGotAllOfIt) {
  TextPrinter printer(&output_, {.raw = true});
  Print(&printer, {Line(1, "\x1b[31mred\x1b[?25l\x1b[?1049h\x1b[?1000h")});
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_THAT(Shown(), EndsWith("\n\x1b[m\x1b[?1000l\x1b[?1049l\x1b[?25h"));
}

TEST_F(PrinterTerminalTest, SeveralRunsNeverDisturbOneAnother) {
  PrefixPrinter a(&output_, {.run = "a", .prefix = "A| "});
  PrefixPrinter b(&output_, {.run = "b", .prefix = "B| "});
  Print(&a, {Line(1, "\x1b[31mone")});
  Print(&b, {Line(1, "plain")});
  Print(&a, {Line(2, "\x1b[5A\b\b\b\b\x1b[2Ktwo"), Line(3, "10%", v1::ENDING_CR), Line(4, "20%")});
  ASSERT_TRUE(a.Finish().ok());
  EXPECT_EQ(Shown(),
            "A| \x1b[31mone\x1b[m\nB| plain\nA| \x1b[31mtwo\x1b[m\nA| \x1b[31m20%\x1b[m\n");
}

}  // namespace
}  // namespace jobtail::client::cli
