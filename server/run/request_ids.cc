// Request ids, pending and settled.
#include "server/run/request_ids.h"

#include <uuid/uuid.h>

#include <algorithm>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "base/quoting.h"

namespace jobtail {
namespace {

// With its length before it: no two lists of texts look the same.
void Append(std::string_view text, std::string* bytes) {
  absl::StrAppend(bytes, text.size(), ":");
  bytes->append(text);
}

}  // namespace

// A name-based UUID, of SHA-1: whoever finds two requests with the same one deceives himself alone.
RequestIds::Digest RequestIds::DigestOf(const std::string& job, const Parameters& parameters) {
  std::vector<std::pair<std::string_view, std::string_view>> sorted;
  for (const auto& [name, value] : parameters) sorted.emplace_back(name, value);
  std::ranges::sort(sorted);
  std::string bytes;
  Append(job, &bytes);
  for (const auto& [name, value] : sorted) {
    Append(name, &bytes);
    Append(value, &bytes);
  }
  const uuid_t space = {};
  uuid_t uuid;
  uuid_generate_sha1(uuid, space, bytes.data(), bytes.size());
  Digest digest;
  std::ranges::copy(uuid, digest.begin());
  return digest;
}

absl::StatusOr<std::string> RequestIds::Enter(const std::string& id, const Digest& digest,
                                              const std::string& run, const std::string& owner) {
  const absl::Duration deadline = clock_->Steady() + kPatience;
  std::unique_lock lock(mutex_);
  while (true) {
    const auto [known, is_new] = requests_.try_emplace(Key(owner, id), Request{digest, run, true});
    const Request& request = known->second;
    if (is_new) return run;
    if (request.digest != digest) {
      return absl::InvalidArgumentError(absl::StrCat(
          "request_id ", Quoted(id), " came before, with another job or other parameters (run ",
          request.run, "); use a new one"));
    }
    if (!request.pending) return request.run;
    if (clock_->Steady() >= deadline) {
      return absl::UnavailableError(absl::StrCat(
          "request_id ", Quoted(id), " came before, and the store has not taken its run for ",
          absl::ToInt64Seconds(kPatience), " s; try again with the same one"));
    }
    clock_->WaitUntil(deadline, lock, settled_);
  }
}

void RequestIds::Settle(const std::string& id, const std::string& run, bool created,
                        const std::string& owner) {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(Key(owner, id));
  if (found == requests_.end() || found->second.run != run) return;  // it is deleted already
  found->second.pending = false;
  if (!created) requests_.erase(found);
  settled_.notify_all();
}

void RequestIds::Restore(const std::string& id, const Digest& digest, const std::string& run,
                         const std::string& owner) {
  const std::lock_guard lock(mutex_);
  requests_.emplace(Key(owner, id), Request{digest, run, false});
}

void RequestIds::Forget(const std::string& id, const std::string& run, const std::string& owner) {
  const std::lock_guard lock(mutex_);
  const auto found = requests_.find(Key(owner, id));
  if (found == requests_.end() || found->second.run != run) return;
  requests_.erase(found);
  settled_.notify_all();
}

}  // namespace jobtail
