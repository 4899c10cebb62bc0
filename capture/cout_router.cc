#include "capture/cout_router.h"

#include <ext/stdio_filebuf.h>
#include <iostream>
#include <mutex>
#include <streambuf>

#include "capture/session.h"

namespace jobtail::capture::internal {
namespace {

class RouterBuffer : public std::streambuf {
 public:
  RouterBuffer(Stream stream, std::streambuf* next) : stream_(stream), next_(next) {}

 protected:
  int_type overflow(int_type c) override {
    if (traits_type::eq_int_type(c, traits_type::eof())) return traits_type::not_eof(c);
    const char byte = traits_type::to_char_type(c);
    return Take(stream_, {&byte, 1}) ? c : next_->sputc(byte);
  }

  std::streamsize xsputn(const char* data, std::streamsize size) override {
    return Take(stream_, {data, static_cast<size_t>(size)}) ? size : next_->sputn(data, size);
  }

  // std::cerr flushes after every output; that is no request to tear lines apart.
  int sync() override {
    if (!current_thread) return next_->pubsync();
    if (stream_ == Stream::kStdout && !(std::cout.flags() & std::ios::unitbuf)) Flush(stream_);
    return 0;
  }

 private:
  const Stream stream_;
  std::streambuf* const next_;
};

void Route(std::ostream& out, Stream stream) {
  auto* own = dynamic_cast<__gnu_cxx::stdio_filebuf<char>*>(out.rdbuf());
  // Never destroyed: streams are used until the very end of the program.
  if (own) out.rdbuf(new RouterBuffer(stream, own));
}

}  // namespace

void RouteUnsyncedStreams() {
  static std::mutex mutex;
  std::lock_guard lock(mutex);
  Route(std::cout, Stream::kStdout);
  Route(std::cerr, Stream::kStderr);
  Route(std::clog, Stream::kStderr);
}

}  // namespace jobtail::capture::internal
