// Part of each test program that ThreadSanitizer looks at: makes spdlog's loggers before there are
// threads. They are made behind a guard within a library that is not compiled for it, so that a
// thread that finds them there seems not to have waited for the one that made them.
#include <spdlog/spdlog.h>

namespace {

[[maybe_unused]] const spdlog::logger* const first_use = spdlog::default_logger_raw();

}  // namespace
