// A subroutine in Fortran. libgfortran keeps what it prints in a buffer of its own, shared by all
// threads, unless GFORTRAN_UNBUFFERED_PRECONNECTED is set before the program starts.

#include <gtest/gtest.h>
#include <stdlib.h>

#include <string>
#include <vector>

#include "tests/capture/coverage/row.h"

extern "C" {
void fortran_print_line(int thread, int repetition);
void fortran_write_line(int thread, int repetition);
}

namespace jobtail::capture {
namespace {

TEST(Fortran, Print) {
  ASSERT_STREQ(getenv("GFORTRAN_UNBUFFERED_PRECONNECTED"), "y") << "run by ctest, or set it";
  const Way way{[](const Tag& tag) {
                  fortran_print_line(tag.thread, tag.repetition);
                  fortran_write_line(tag.thread, tag.repetition);
                },
                [](const Tag& tag) {
                  return std::vector{Out(" thread " + std::to_string(tag.thread) + " line " +
                                         std::to_string(tag.repetition)),
                                     Err(tag.text)};
                }};
  ExpectCaptured({.captured = way});
}

}  // namespace
}  // namespace jobtail::capture
