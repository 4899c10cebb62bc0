// Finding a literal in many bytes: the search behind most searches of a log.
#ifndef JOBTAIL_SERVER_LOG_LITERAL_H_
#define JOBTAIL_SERVER_LOG_LITERAL_H_

#include <cstddef>
#include <string_view>

namespace jobtail {

// A string to be looked for. Refers to it. A value, immutable; thread-safe.
class Literal {
 public:
  static constexpr size_t kNowhere = std::string_view::npos;

  explicit Literal(std::string_view text);

  // Where it begins for the first time at or after `from`; kNowhere if it does not. Takes time
  // proportional to the bytes, whatever they and the literal are.
  size_t FindIn(std::string_view bytes, size_t from) const;

 private:
  std::string_view text_;
  // Where in it are the byte that is rarest in logs, and the rarest of those that stand apart from
  // it: what stands side by side often comes together.
  size_t rare_ = 0;
  size_t other_ = 0;
};

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_LOG_LITERAL_H_
