// Boost.Asio and Beast, and what their coroutines need here.
#ifndef JOBTAIL_SERVER_HTTP_ASIO_H_
#define JOBTAIL_SERVER_HTTP_ASIO_H_

#include <utility>  // Boost.Asio 1.74 forgets it
// Boost's headers in the order that they need.
#include <algorithm>
#include <boost/asio.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/beast/core.hpp>
#include <boost/beast/http.hpp>
#include <chrono>
#include <optional>
#include <type_traits>

namespace jobtail::http {

namespace net = boost::asio;
namespace beast = boost::beast;
using tcp = net::ip::tcp;
using ErrorCode = boost::system::error_code;

// co_await Async(...)(&error): what fails is reported, not thrown.
inline auto Into(ErrorCode* error) { return net::redirect_error(net::use_awaitable, *error); }

// Something to wait for on an event loop, where everything happens on one thread.
class Signal {
 public:
  explicit Signal(const net::any_io_executor& executor) : timer_(executor) {}

  void Set() {
    set_ = true;
    timer_.cancel();
  }

  // Returns when it is set, which it then no longer is, or at the end of that time. True if set.
  net::awaitable<bool> WaitFor(std::chrono::nanoseconds time) {
    ErrorCode ignored;
    if (!set_) {
      timer_.expires_after(std::min(time, kLongest));
      co_await timer_.async_wait(Into(&ignored));
    }
    co_return std::exchange(set_, false);
  }

 private:
  static constexpr std::chrono::nanoseconds kLongest = std::chrono::hours(24 * 365);

  net::steady_timer timer_;
  bool set_ = false;
};

// Calls `function` where `run` runs what it is given, on another thread, and comes back with its
// result. It must not be dropped.
template <typename Run, typename F>
net::awaitable<std::invoke_result_t<F>> Offload(Run run, F function) {
  const net::any_io_executor executor = co_await net::this_coro::executor;
  std::optional<std::invoke_result_t<F>> result;
  Signal done(executor);
  run([&] {
    result.emplace(function());
    net::post(executor, [&done] { done.Set(); });
  });
  while (!co_await done.WaitFor(std::chrono::nanoseconds::max())) {
  }
  co_return *std::move(result);
}

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_ASIO_H_
