// The list of ways to print that capture must catch, each as a function.
#ifndef JOBTAIL_TESTS_CAPTURE_PRINTERS_H_
#define JOBTAIL_TESTS_CAPTURE_PRINTERS_H_

#include <vector>

// One way to print each: a function that prints something, a line or more, to standard output,
// standard error or both, and says what the calls returned.
struct Printer {
  const char* name;
  void (*print)(std::vector<long>& results);
};

// The same source, built in different ways.
const std::vector<Printer>* PlainPrinters();
const std::vector<Printer>* FortifiedPrinters();      // -O2 -D_FORTIFY_SOURCE=2
const std::vector<Printer>* SharedLibraryPrinters();  // in a shared library that the test links

// In a shared library that the test opens by itself.
using PrintersFunction = const std::vector<Printer>*();
extern "C" PrintersFunction PluginPrinters;

#endif  // JOBTAIL_TESTS_CAPTURE_PRINTERS_H_
