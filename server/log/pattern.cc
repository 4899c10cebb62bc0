// Compiles patterns, and keeps those that were used last.
#include "server/log/pattern.h"

#include <algorithm>
#include <list>
#include <utility>

#include "absl/base/thread_annotations.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/synchronization/mutex.h"

namespace jobtail {
namespace {

using CompiledPattern = std::shared_ptr<const RE2>;

constexpr size_t kMaxPatternBytes = 4096;
constexpr int kMaxProgramSize = 1000;
constexpr size_t kShownBytes = 100;

absl::Status Refuse(const std::string& pattern, const std::string& what,
                    const std::string& remedy) {
  return absl::InvalidArgumentError(
      absl::StrCat("pattern \"", absl::CHexEscape(pattern.substr(0, kShownBytes)),
                   pattern.size() > kShownBytes ? "\"..." : "\"", ": ", what, "; ", remedy));
}

RE2::Options OptionsFor(const std::string& pattern) {
  RE2::Options options;
  options.set_encoding(RE2::Options::EncodingLatin1);  // lines are bytes, not always UTF-8
  for (const char c : pattern) {
    if (static_cast<unsigned char>(c) >= 0x80) options.set_encoding(RE2::Options::EncodingUTF8);
  }
  options.set_max_mem(Pattern::kMaxMemory);
  options.set_log_errors(false);
  return options;
}

// Those of all readers that were used last, the very last first. Thread-safe.
class CompiledPatterns {
 public:
  // Lives for ever.
  static CompiledPatterns& OfAll() {
    static auto& patterns = *new CompiledPatterns;
    return patterns;
  }

  CompiledPattern Find(const std::string& text) {
    absl::MutexLock lock(&mutex_);
    const auto found = std::ranges::find_if(
        kept_, [&](const CompiledPattern& kept) { return kept->pattern() == text; });
    if (found == kept_.end()) return nullptr;
    kept_.splice(kept_.begin(), kept_, found);
    return *found;
  }

  void Keep(CompiledPattern compiled) {
    CompiledPattern forgotten;  // destroyed without the lock
    absl::MutexLock lock(&mutex_);
    kept_.push_front(std::move(compiled));
    if (kept_.size() <= Pattern::kKept) return;
    forgotten = std::move(kept_.back());
    kept_.pop_back();
  }

 private:
  absl::Mutex mutex_;
  std::list<CompiledPattern> kept_ ABSL_GUARDED_BY(mutex_);
};

CompiledPattern FindOrCompile(const std::string& text) {
  CompiledPattern compiled = CompiledPatterns::OfAll().Find(text);
  if (compiled) return compiled;
  compiled = std::make_shared<const RE2>(text, OptionsFor(text));
  if (compiled->ok()) CompiledPatterns::OfAll().Keep(compiled);
  return compiled;
}

}  // namespace

absl::StatusOr<Pattern> Pattern::Make(const std::string& text) {
  if (text.size() > kMaxPatternBytes) {
    return absl::InvalidArgumentError(absl::StrCat("pattern: ", text.size(), " bytes; at most ",
                                                   kMaxPatternBytes, " are allowed"));
  }
  const CompiledPattern compiled = FindOrCompile(text);
  if (!compiled->ok()) {
    return Refuse(text, absl::CHexEscape(compiled->error().substr(0, kShownBytes)),
                  "see RE2's syntax");
  }
  // The time for a byte of text is at worst proportional to these.
  const int size = std::max(compiled->ProgramSize(), compiled->ReverseProgramSize());
  if (size > kMaxProgramSize) {
    return Refuse(text, absl::StrCat("too costly (", size, " steps)"),
                  absl::StrCat("at most ", kMaxProgramSize, "; repeat less"));
  }
  return Pattern(text, Sieve::Make(text, compiled->options()));
}

std::shared_ptr<const RE2> Pattern::Compiled() const { return FindOrCompile(text_); }

}  // namespace jobtail
