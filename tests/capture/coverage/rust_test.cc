// Rust, in a static library. Its stdout is line-buffered whatever it is, and shared by all threads:
// whole lines go where the thread that ends them prints.

#include <gtest/gtest.h>

#include "tests/capture/coverage/row.h"

extern "C" {
void rust_print_line(int thread, int repetition);
void rust_print_line_on_a_thread(int thread, int repetition);
}

namespace jobtail::capture {
namespace {

TEST(Rust, PrintlnAndEprintln) {
  ExpectCaptured(
      {.captured = {[](const Tag& tag) { rust_print_line(tag.thread, tag.repetition); }, OnBoth}});
}

TEST(Rust, ThreadOfRust) {
  ExpectCaptured({.captured = {[](const Tag& tag) {
                    rust_print_line_on_a_thread(tag.thread, tag.repetition);
                  }},
                  .uncaptured = Plainly(),
                  .repetitions = 40});
}

}  // namespace
}  // namespace jobtail::capture
