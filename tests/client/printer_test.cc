// Tests of the output formats: what goes to stdout and stderr for which records.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <poll.h>
#include <unistd.h>

#include <atomic>
#include <string>
#include <thread>

#include "batch.h"
#include "client/cli/json_printer.h"
#include "client/cli/output.h"
#include "client/cli/prefix_printer.h"
#include "client/cli/text_printer.h"
#include "printing.h"

namespace jobtail::client::cli {
namespace {

v1::LogLine Raw(int64_t sequence, const std::string& bytes) {
  v1::LogLine line = Line(sequence, "", v1::ENDING_LF);
  line.set_raw(bytes);
  return line;
}

// Prints into two files, or both streams into one.
class PrinterTest : public ::testing::Test {
 protected:
  std::string Out() const { return out_file_.contents(); }
  std::string Err() const { return err_file_.contents(); }

  MemoryFile out_file_;
  MemoryFile err_file_;
  FdWriter out_{out_file_.fd(), "stdout"};
  FdWriter err_{err_file_.fd(), "stderr"};
  Output output_{&out_, &err_};
  FdWriter same_{out_file_.fd(), "stderr"};
  Output merged_{&out_, &same_};
};

using TextPrinterTest = PrinterTest;
using JsonPrinterTest = PrinterTest;
using OutputTest = PrinterTest;

TEST_F(TextPrinterTest, PrintsTheBytesAsTheyWere) {
  TextPrinter printer(&output_, {});
  const std::string nul("a\0b", 3);
  ASSERT_TRUE(
      printer
          .Print(
              Batch({Line(1, "", v1::ENDING_LF), Line(2, nul, v1::ENDING_LF), Raw(3, "\xff\xfe"),
                     Line(4, "10%", v1::ENDING_CR), Line(5, "prompt> ", v1::ENDING_NONE),
                     Line(6, "long", v1::ENDING_SPLIT), Line(7, "er", v1::ENDING_LF),
                     Line(8, "\x1b[31mred\r", v1::ENDING_LF), Line(9, "no end", v1::ENDING_NONE)}))
          .ok());
  EXPECT_EQ(Out(), "\n" + nul + "\n\xff\xfe\n10%\rprompt> longer\n\x1b[31mred\r\nno end");
  EXPECT_EQ(Err(), "");
}

TEST_F(TextPrinterTest, PrintsCrLfAsItWas) {
  TextPrinter printer(&output_, {});
  ASSERT_TRUE(printer
                  .Print(Batch({Line(1, "a", v1::ENDING_CRLF), Line(2, "b", v1::ENDING_CR),
                                Line(3, "", v1::ENDING_CRLF)}))
                  .ok());
  EXPECT_EQ(Out(), "a\r\nb\r\r\n");
}

// Several runs side by side: whole lines, of which only what stands is shown.
TEST_F(PrinterTest, ShowsLinesThatNothingOverwrites) {
  PrefixPrinter printer(&output_, {.prefix = "run | "});
  const std::string utf16("a\0", 2);
  const std::string zero("\0", 1);
  for (const v1::LogLine& line :
       {Line(1, "cr lf", v1::ENDING_CRLF), Line(2, "cr cr lf", v1::ENDING_CR),
        Line(3, "", v1::ENDING_CRLF), Line(4, "before", v1::ENDING_CR),
        Line(5, "\r", v1::ENDING_LF), Line(6, utf16, v1::ENDING_CR), Line(7, zero, v1::ENDING_LF),
        Line(8, "10%", v1::ENDING_CR), Line(9, "20%", v1::ENDING_LF),
        Line(10, "test ... ", v1::ENDING_NONE), Line(11, "ok", v1::ENDING_LF)}) {
    ASSERT_TRUE(printer.Print(Batch({line})).ok());
  }
  ASSERT_TRUE(printer.Finish().ok());
  EXPECT_EQ(Out(), "run | cr lf\nrun | cr cr lf\nrun | before\r\nrun | " + utf16 + zero +
                       "\nrun | 20%\nrun | test ... ok\n");
}

TEST_F(TextPrinterTest, PrintsEachStreamToItsOwn) {
  TextPrinter printer(&output_, {});
  ASSERT_TRUE(
      printer
          .Print(Batch({Line(1, "a", v1::ENDING_LF), Line(2, "b", v1::ENDING_LF, v1::STREAM_STDERR),
                        Line(3, "c", v1::ENDING_LF)}))
          .ok());
  EXPECT_EQ(Out(), "a\nc\n");
  EXPECT_EQ(Err(), "b\n");
}

TEST_F(TextPrinterTest, KeepsTheOrderBetweenTheStreams) {
  TextPrinter printer(&merged_, {});
  v1::LogBatch batch;
  std::string expected;
  for (int i = 1; i <= 100; ++i) {
    const v1::Stream stream = i % 3 == 0 ? v1::STREAM_STDERR : v1::STREAM_STDOUT;
    *batch.add_lines() = Line(i, std::to_string(i), v1::ENDING_LF, stream);
    expected += std::to_string(i) + "\n";
  }
  ASSERT_TRUE(printer.Print(batch).ok());
  EXPECT_EQ(Out(), expected);
}

TEST_F(PrinterTest, AmongSeveralRunsALineGoesOnBehindAGapOfWhatWasOverwritten) {
  for (const auto reason : {v1::GAP_REASON_OVERWRITTEN, v1::GAP_REASON_DROPPED}) {
    const MemoryFile file;
    FdWriter out(file.fd(), "stdout");
    Output output(&out, &err_);
    PrefixPrinter printer(&output, {.prefix = "run | "});
    ASSERT_TRUE(printer
                    .Print(Batch({Line(1, "a", v1::ENDING_NONE), Gap(2, 9, reason),
                                  Line(10, "b", v1::ENDING_LF)}))
                    .ok());
    EXPECT_EQ(file.contents(),
              reason == v1::GAP_REASON_DROPPED ? "run | a\nrun | b\n" : "run | ab\n");
  }
}

TEST_F(TextPrinterTest, TimestampsStandBehindGapsThatEndLines) {
  TextPrinter printer(&output_, {.timestamps = true});
  ASSERT_TRUE(
      printer
          .Print(Batch({Line(1, "a", v1::ENDING_NONE), Gap(2, 2, v1::GAP_REASON_OVERWRITTEN),
                        Line(3, "b", v1::ENDING_NONE), Gap(4, 4), Line(5, "c", v1::ENDING_LF)}))
          .ok());
  EXPECT_EQ(Out(), "2023-11-14T22:13:21.000Z ab\n2023-11-14T22:13:25.000Z c\n");
}

TEST_F(TextPrinterTest, TimestampsStandAtTheBeginningOfLinesOnly) {
  TextPrinter printer(&output_, {.run = "", .timestamps = true, .notices = true});
  ASSERT_TRUE(printer
                  .Print(Batch({Line(1, "a", v1::ENDING_NONE),
                                Line(2, "err", v1::ENDING_LF, v1::STREAM_STDERR),
                                Line(3, "b", v1::ENDING_SPLIT), Line(4, "c", v1::ENDING_LF),
                                Line(5, "50%", v1::ENDING_CR), Line(6, "60%", v1::ENDING_LF)}))
                  .ok());
  EXPECT_EQ(Out(),
            "2023-11-14T22:13:21.000Z abc\n"
            "2023-11-14T22:13:25.000Z 50%\r"
            "2023-11-14T22:13:26.000Z 60%\n");
  EXPECT_EQ(Err(), "2023-11-14T22:13:22.000Z err\n");
}

TEST_F(TextPrinterTest, TellsOfGapsInTheirPlace) {
  TextPrinter printer(&merged_, {});
  ASSERT_TRUE(printer
                  .Print(Batch({Line(4, "d", v1::ENDING_LF), Gap(5, 9),
                                Line(10, "j", v1::ENDING_LF), Gap(11, 11)}))
                  .ok());
  EXPECT_EQ(Out(),
            "d\njobtail: lines 5-9 are missing (dropped: the job printed faster than they could be "
            "kept)\nj\njobtail: line 11 is missing (dropped: the job printed faster than they "
            "could be kept)\n");
}

TEST_F(TextPrinterTest, TellsOfALineWithoutItsBeginning) {
  v1::LogLine cut;
  cut.set_stream(v1::STREAM_STDOUT);
  cut.mutable_cut()->set_first(4);
  cut.mutable_cut()->set_last(9);
  TextPrinter printer(&merged_, {});
  ASSERT_TRUE(printer.Print(Batch({cut, Line(12, "FAILED", v1::ENDING_LF)})).ok());
  EXPECT_EQ(Out(),
            "jobtail: the beginning of a line that matches, in lines 4-9, is left out (it was not "
            "known in time that it would match)\nFAILED\n");
  cut.mutable_cut()->set_last(4);
  EXPECT_THAT(DescribeCut(cut.cut()), ::testing::HasSubstr(" in line 4, "));
}

TEST_F(TextPrinterTest, TellsOfAFailure) {
  TextPrinter printer(&output_, {.run = "run-1", .timestamps = false, .notices = true});
  ASSERT_TRUE(printer.Print(Batch({Failed(1, 3, "disk\x1b full")})).ok());
  EXPECT_EQ(Err(), "jobtail: run run-1 FAILED with exit code 3: disk\\x1b full\n");
  ASSERT_TRUE(printer.result().has_value());
  EXPECT_EQ(printer.result()->exit_code(), 3);
}

TEST_F(TextPrinterTest, RawTellsNothing) {
  TextPrinter printer(&output_, {.run = "run-1", .timestamps = false, .notices = false});
  ASSERT_TRUE(
      printer.Print(Batch({Gap(1, 4), Line(5, "x", v1::ENDING_LF), Failed(6, 3, "no")})).ok());
  EXPECT_EQ(Out(), "x\n");
  EXPECT_EQ(Err(), "");
  EXPECT_TRUE(printer.result().has_value());
  EXPECT_EQ(output_.last_written(), 6);
}

TEST(DescribeFailureTest, NamesStateCodeSignalAndText) {
  v1::RunResult result;
  result.set_state(v1::RUN_STATE_SUCCEEDED);
  EXPECT_EQ(DescribeFailure("r", result), "");
  result.set_state(v1::RUN_STATE_CANCELLED);
  EXPECT_EQ(DescribeFailure("r", result), "run r CANCELLED");
  result.set_state(v1::RUN_STATE_FAILED);
  result.set_signal(11);
  EXPECT_EQ(DescribeFailure("r", result), "run r FAILED by signal 11 (SIGSEGV)");
}

TEST_F(JsonPrinterTest, PrintsBothStreamsToStdoutALineEach) {
  JsonPrinter printer(&output_);
  v1::LogLine heartbeat;
  heartbeat.mutable_heartbeat()->set_last_sequence(2);
  v1::LogLine run;
  run.mutable_run()->set_id("run-1");
  ASSERT_TRUE(
      printer
          .Print(Batch({run, Line(1, "a", v1::ENDING_LF), heartbeat,
                        Line(2, "b", v1::ENDING_NONE, v1::STREAM_STDERR), Failed(3, 2, "")}))
          .ok());
  EXPECT_EQ(Out(),
            R"({"sequence":"0","stream":"STREAM_UNSPECIFIED","ending":"ENDING_UNSPECIFIED",)"
            R"("run":{"id":"run-1","job":"","parameters":{},"state":"RUN_STATE_UNSPECIFIED",)"
            R"("lastSequence":"0","cutParameters":[],"omittedParameters":0,"createdBy":""}})"
            "\n"
            R"({"sequence":"1","stream":"STREAM_STDOUT","ending":"ENDING_LF",)"
            R"("time":"2023-11-14T22:13:21Z","text":"a"})"
            "\n"
            R"({"sequence":"2","stream":"STREAM_STDERR","ending":"ENDING_NONE",)"
            R"("time":"2023-11-14T22:13:22Z","text":"b"})"
            "\n"
            R"({"sequence":"3","stream":"STREAM_UNSPECIFIED","ending":"ENDING_UNSPECIFIED",)"
            R"("result":{"state":"RUN_STATE_FAILED","exitCode":2,"signal":0,"error":"",)"
            R"("totalLines":"0","totalBytes":"0","coreDumped":false,"overwrittenLines":"0"}})"
            "\n");
}

TEST_F(OutputTest, NoticesStandOnALineOfTheirOwn) {
  std::string* buffer = nullptr;
  ASSERT_TRUE(output_.Begin(Output::kErr, &buffer).ok());
  buffer->append("half a line");
  output_.Notice("hello");
  output_.Notice("again");
  EXPECT_EQ(Err(), "half a line\njobtail: hello\njobtail: again\n");
}

TEST_F(OutputTest, KnowsTheLastLineWrittenInFull) {
  std::string* buffer = nullptr;
  EXPECT_EQ(output_.last_written(), 0);
  for (int i = 1; i <= 3; ++i) {
    ASSERT_TRUE(output_.Begin(Output::kOut, &buffer).ok());
    buffer->append("x\n");
    output_.End(i);
  }
  EXPECT_EQ(output_.last_written(), 0);
  ASSERT_TRUE(output_.Flush().ok());
  EXPECT_EQ(output_.last_written(), 3);
}

TEST(OutputStopTest, KnowsTheLastLineThatWentThroughBeforeAStop) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  const int capacity = fcntl(ends[1], F_SETPIPE_SZ, 4096);
  std::atomic<bool> stop = false;
  FdWriter out(ends[1], "stdout", &stop);
  FdWriter err(ends[1], "stderr", &stop);
  Output output(&out, &err);
  std::string* buffer = nullptr;
  ASSERT_TRUE(output.Begin(Output::kOut, &buffer).ok());
  for (int i = 1; i <= capacity; ++i) {  // ten bytes a line, too many for the pipe
    buffer->append("123456789\n");
    output.End(i);
  }
  std::thread stopper([&] {
    pollfd full = {.fd = ends[0], .events = POLLIN, .revents = 0};
    poll(&full, 1, -1);
    std::string taken(10, '\0');
    stop = true;
    ASSERT_EQ(read(ends[0], taken.data(), taken.size()), 10);  // may let a waiting writer go on
    std::string rest(capacity, '\0');
    ASSERT_GT(read(ends[0], rest.data(), rest.size()), 0);
  });
  EXPECT_TRUE(absl::IsCancelled(output.Flush()));
  stopper.join();
  EXPECT_GE(output.last_written(), capacity / 10);
  EXPECT_LT(output.last_written(), capacity);
  close(ends[0]);
  close(ends[1]);
}

TEST(FdWriterTest, WritesAllThroughANonBlockingPipe) {
  int ends[2];
  ASSERT_EQ(pipe2(ends, O_NONBLOCK), 0);
  const std::string bytes(1 << 20, 'x');
  std::string received;
  std::thread reader([&] {
    char chunk[1000];
    while (received.size() < bytes.size()) {
      const ssize_t count = read(ends[0], chunk, sizeof chunk);
      if (count > 0) received.append(chunk, count);
    }
  });
  size_t written;
  EXPECT_TRUE(FdWriter(ends[1], "stdout").Write(bytes, &written).ok());
  EXPECT_EQ(written, bytes.size());
  reader.join();
  EXPECT_EQ(received, bytes);
  close(ends[0]);
  close(ends[1]);
}

TEST(FdWriterTest, NamesWhatCannotBeWrittenTo) {
  const int full = open("/dev/full", O_WRONLY);
  size_t written;
  const absl::Status status = FdWriter(full, "stdout").Write("x", &written);
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("cannot write to stdout"));
  EXPECT_THAT(std::string(status.message()), ::testing::HasSubstr("No space left"));
  EXPECT_EQ(written, 0u);
  close(full);
}

}  // namespace
}  // namespace jobtail::client::cli
