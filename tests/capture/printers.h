#ifndef JOBTAIL_TESTS_CAPTURE_PRINTERS_H_
#define JOBTAIL_TESTS_CAPTURE_PRINTERS_H_

#include <span>
#include <vector>

// One way to print each: a function that prints something, a line or more, to standard output,
// standard error or both, and says what the calls returned.
struct Printer {
  const char* name;
  void (*print)(std::vector<long>& results);
};

// The same source, built in different ways.
extern "C" {
std::span<const Printer> PlainPrinters();
std::span<const Printer> FortifiedPrinters();      // -O2 -D_FORTIFY_SOURCE=2
std::span<const Printer> SharedLibraryPrinters();  // in a shared library that the test links

// In a shared library that the test opens by itself.
using PrintersFunction = std::span<const Printer>();
std::span<const Printer> PluginPrinters();
}

#endif  // JOBTAIL_TESTS_CAPTURE_PRINTERS_H_
