// The interface of the shared library that tests open by dlopen.
#ifndef JOBTAIL_TESTS_CAPTURE_COVERAGE_PLUGIN_H_
#define JOBTAIL_TESTS_CAPTURE_COVERAGE_PLUGIN_H_

namespace jobtail::capture {

// What the library that tests open exports, as `coverage_plugin`. Each prints its own name and
// `text`, as a line.
struct Plugin {
  void (*with_printf)(const char* text);  // to stdout
  void (*with_cout)(const char* text);
  void (*with_write)(const char* text);  // to descriptor 2
};

}  // namespace jobtail::capture

#endif  // JOBTAIL_TESTS_CAPTURE_COVERAGE_PLUGIN_H_
