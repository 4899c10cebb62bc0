// std::cout, cerr and clog with buffers of their own, led to the session of the thread that writes.

#include "capture/cout_router.h"

#include <stdio.h>

#include <array>
#include <cwchar>
#include <ext/stdio_filebuf.h>
#include <iostream>
#include <locale>
#include <mutex>
#include <streambuf>
#include <string>
#include <string_view>
#include <tuple>

#include "capture/current.h"
#include "capture/interpose.h"
#include "capture/real.h"
#include "capture/target.h"

namespace jobtail::capture::internal {
namespace {

FILE* FileOf(Stream stream) { return stream == Stream::kStdout ? stdout : stderr; }

// What a stream of that locale writes.
std::string_view Encode(std::string_view text, const std::locale&, std::string*) { return text; }

// The same; "?" for a character that the locale does not have, as the C library's streams do it.
std::string_view Encode(std::wstring_view text, const std::locale& locale, std::string* space) {
  const auto& codecvt = std::use_facet<std::codecvt<wchar_t, char, mbstate_t>>(locale);
  space->resize(text.size() * static_cast<size_t>(codecvt.max_length()));
  mbstate_t state{};
  const wchar_t* from = text.data();
  const wchar_t* const end = from + text.size();
  char* to = space->data();
  char* const room_end = to + space->size();
  while (from < end) {
    const wchar_t* next = from;
    char* written = to;
    const auto result = codecvt.out(state, from, end, next, to, room_end, written);
    from = next;
    to = written;
    if (result != std::codecvt_base::error) break;
    *to++ = '?';
    ++from;
    state = {};
  }
  return {space->data(), static_cast<size_t>(to - space->data())};
}

template <typename Char>
class RouterBuffer : public std::basic_streambuf<Char> {
  using Base = std::basic_streambuf<Char>;
  using Traits = typename Base::traits_type;

 public:
  RouterBuffer(Stream stream, Base* next) : stream_(stream), next_(next) {
    this->pubimbue(next->getloc());
  }

 protected:
  typename Base::int_type overflow(typename Base::int_type c) override {
    if (Traits::eq_int_type(c, Traits::eof())) return Traits::not_eof(c);
    const Char one = Traits::to_char_type(c);
    return xsputn(&one, 1) == 1 ? c : Traits::eof();
  }

  std::streamsize xsputn(const Char* data, std::streamsize size) override {
    const FileTarget target(FileOf(stream_));
    const bool redirected =
        current.thread && !target.IsCaptured() && !StandardStream(target.file());
    if (!target.IsCaptured() && !redirected) return next_->sputn(data, size);
    std::string space;
    const std::string_view text = Encode({data, static_cast<size_t>(size)}, this->getloc(), &space);
    if (redirected) return Print(text, target.file()) ? size : 0;
    return target.Take(text) ? size : next_->sputn(data, size);
  }

  // std::cerr flushes after every output; that is no request to tear lines apart.
  int sync() override {
    const FileTarget target(FileOf(stream_));
    if (!target.IsCaptured()) return next_->pubsync();
    if (target.stream() == Stream::kStdout && !(std::cout.flags() & std::ios::unitbuf)) {
      current.thread->Flush(target.stream());
    }
    return 0;
  }

  void imbue(const std::locale& locale) override { next_->pubimbue(locale); }

 private:
  static bool StandardStream(FILE* file) { return internal::StandardStream(file) != Stream{}; }

  // To a file of the job's own.
  static bool Print(std::string_view text, FILE* file) {
    return fwrite(text.data(), 1, text.size(), file) == text.size();
  }

  const Stream stream_;
  Base* const next_;
};

// Exchanges the buffer and nothing else: rdbuf() clears the error state.
template <typename Char>
void Exchange(std::basic_ostream<Char>& out, std::basic_streambuf<Char>* buffer) {
  const std::ios::iostate state = out.rdstate();
  const std::ios::iostate exceptions = out.exceptions();
  out.exceptions(std::ios::goodbit);
  out.rdbuf(buffer);
  out.setstate(state);
  if (!(state & exceptions)) out.exceptions(exceptions);
}

// One of the program's streams, and what has been put in front of its buffer.
template <typename Char>
struct Routed {
  void Route() {
    auto* const own = dynamic_cast<__gnu_cxx::stdio_filebuf<Char>*>(out.rdbuf());
    // One that the program has made itself leads where the program wants it.
    if (!own || internal::StandardStream(own->file()) != stream) return;
    // Never destroyed: streams are used until the very end of the program.
    if (own != before) router = new RouterBuffer<Char>(stream, own);
    before = own;
    Exchange<Char>(out, router);
  }

  void Restore() {
    if (router && out.rdbuf() == router) Exchange<Char>(out, before);
  }

  std::basic_ostream<Char>& out;
  Stream stream;
  std::basic_streambuf<Char>* before = nullptr;
  std::basic_streambuf<Char>* router = nullptr;
};

struct Routes {
  std::mutex mutex;
  int users = 0;
  std::tuple<Routed<char>, Routed<char>, Routed<char>, Routed<wchar_t>, Routed<wchar_t>,
             Routed<wchar_t>>
      streams{{std::cout, Stream::kStdout},  {std::cerr, Stream::kStderr},
              {std::clog, Stream::kStderr},  {std::wcout, Stream::kStdout},
              {std::wcerr, Stream::kStderr}, {std::wclog, Stream::kStderr}};

  // Never destroyed, as the buffers.
  static Routes& Get() {
    static auto* const routes = new Routes;
    return *routes;
  }
};

}  // namespace

void LockRoutesForFork() { Routes::Get().mutex.lock(); }
void UnlockRoutesAfterFork() { Routes::Get().mutex.unlock(); }

void RouteUnsyncedStreams() {
  Routes& routes = Routes::Get();
  std::lock_guard lock(routes.mutex);
  ++routes.users;
  std::apply([](auto&... routed) { (routed.Route(), ...); }, routes.streams);
}

// The program gives the streams their buffers while scopes are open. Weak, for the C++ library has
// the function, too, and may be linked statically: then nobody comes here.
extern "C" __attribute__((weak)) bool jobtail_capture__ZNSt8ios_base15sync_with_stdioEb(bool sync);
JOBTAIL_INTERPOSE(bool, _ZNSt8ios_base15sync_with_stdioEb, (bool sync)) {
  const bool before = Real<"_ZNSt8ios_base15sync_with_stdioEb", bool(bool)>()(sync);
  Routes& routes = Routes::Get();
  std::lock_guard lock(routes.mutex);
  if (routes.users > 0) {
    std::apply([](auto&... routed) { (routed.Route(), ...); }, routes.streams);
  }
  return before;
}

void RestoreUnsyncedStreams() {
  Routes& routes = Routes::Get();
  std::lock_guard lock(routes.mutex);
  if (--routes.users > 0) return;
  std::apply([](auto&... routed) { (routed.Restore(), ...); }, routes.streams);
}

}  // namespace jobtail::capture::internal
