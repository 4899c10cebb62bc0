// Fetching an issuer's keys, and remembering which tokens they have verified.
#include "server/oidc/issuer.h"

#include <openssl/sha.h>
#include <spdlog/spdlog.h>

#include <algorithm>
#include <utility>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "server/oidc/verify.h"

namespace jobtail::oidc {
namespace {

std::string DigestOf(std::string_view text) {
  std::string digest(SHA256_DIGEST_LENGTH, '\0');
  SHA256(reinterpret_cast<const unsigned char*>(text.data()), text.size(),
         reinterpret_cast<unsigned char*>(digest.data()));
  return digest;
}

// Each text with its size before it, so that no two settings come to the same.
std::string IdOf(const Settings& settings) {
  std::string all;
  const auto add = [&all](const std::string& text) {
    absl::StrAppend(&all, text.size(), ":", text);
  };
  for (const auto* text : {&settings.name_prefix, &settings.name_claim, &settings.groups_claim,
                           &settings.groups_prefix, &settings.client_id}) {
    add(*text);
  }
  for (const auto* list : {&settings.audiences, &settings.algorithms}) {
    absl::StrAppend(&all, list->size(), ";");
    for (const std::string& text : *list) add(text);
  }
  return absl::StrCat(settings.issuer, " ", absl::WebSafeBase64Escape(DigestOf(all)));
}

}  // namespace

Issuer::Issuer(Settings settings, Clock* clock, std::function<void()> changed)
    : settings_(std::move(settings)),
      id_(IdOf(settings_)),
      clock_(clock),
      changed_(std::move(changed)),
      fetches_("oidc", clock) {
  if (!settings_.keys.empty()) {
    auto keys = KeySet::Parse(settings_.keys, settings_.algorithms);
    if (keys.ok()) KeepKeys(*std::move(keys));
    if (settings_.client_id.empty()) return;  // there is nothing to ask it
  }
  {
    absl::MutexLock lock(&mutex_);
    fetching_ = true;
  }
  fetches_.Soon([this] { Refresh(); });
}

Issuer::~Issuer() {
  fetcher_.Cancel();
  fetches_.Stop();
}

// On the thread of fetches.
void Issuer::Refresh() {
  fetches_.Cancel(next_);
  {
    absl::MutexLock lock(&mutex_);
    fetching_ = true;
    fetched_ = clock_->Steady();
  }
  absl::Status fetched = FetchAll();
  if (!fetched.ok()) ++failed_fetches_;
  bool is_news = false;
  {
    absl::MutexLock lock(&mutex_);
    fetching_ = false;
    is_news = trouble_.ok() != fetched.ok();
    trouble_ = fetched;
  }
  if (is_news && fetched.ok()) spdlog::info("{}: its keys can be fetched again", settings_.issuer);
  if (is_news && !fetched.ok() && !absl::IsCancelled(fetched)) {
    spdlog::error("the OpenID Connect issuer's keys stay as they are: {}",
                  std::string(fetched.message()));
  }
  next_ = fetches_.After(fetched.ok() ? kRefresh : kRetry, [this] { Refresh(); });
}

absl::StatusOr<std::string> Issuer::Get(const std::string& url) {
  absl::StatusOr<FetchAnswer> answer = fetcher_.Fetch({.url = url, .ca_file = settings_.ca_file});
  if (!answer.ok()) return answer.status();
  if (answer->status != 200) {
    return absl::UnavailableError(absl::StrCat(url, ": HTTP status ", answer->status));
  }
  return std::move(answer->body);
}

absl::Status Issuer::FetchAll() {
  const std::string url = MetadataUrl(settings_.issuer);
  const absl::StatusOr<std::string> text = Get(url);
  if (!text.ok()) return text.status();
  const absl::StatusOr<Metadata> metadata = ParseMetadata(*text, settings_.issuer);
  if (!metadata.ok()) {
    return absl::UnavailableError(
        absl::StrCat(url, ": ", std::string(metadata.status().message())));
  }
  if (settings_.keys.empty()) {
    if (metadata->jwks_uri.empty()) {
      return absl::UnavailableError(absl::StrCat(url, ": there is no jwks_uri in it"));
    }
    const absl::StatusOr<std::string> jwks = Get(metadata->jwks_uri);
    if (!jwks.ok()) return jwks.status();
    auto keys = KeySet::Parse(*jwks, settings_.algorithms);
    if (!keys.ok()) {
      return absl::UnavailableError(
          absl::StrCat(metadata->jwks_uri, ": ", std::string(keys.status().message())));
    }
    KeepKeys(*std::move(keys));
  }
  absl::MutexLock lock(&mutex_);
  has_metadata_ = true;
  metadata_ = *metadata;
  return absl::OkStatus();
}

void Issuer::KeepKeys(std::shared_ptr<const KeySet> keys) {
  bool has_lost = false;
  {
    absl::MutexLock lock(&mutex_);
    has_lost = keys_ && std::ranges::any_of(keys_->keys(),
                                            [&](const Key& key) { return !keys->Has(key.id); });
    keys_ = std::move(keys);
    verified_.clear();
  }
  if (has_lost) changed_();
}

// Whether keys are being fetched that may be other ones; begins with it, if it is time.
bool Issuer::MayCome() {
  if (!settings_.keys.empty()) return false;
  {
    absl::MutexLock lock(&mutex_);
    if (fetching_) return true;
    if (clock_->Steady() - fetched_ < kRetry) return false;
    fetching_ = true;
  }
  fetches_.Soon([this] { Refresh(); });
  return true;
}

absl::StatusOr<Claims> Issuer::Verify(std::string_view token) {
  const std::string digest = DigestOf(token);
  const absl::Time now = clock_->Now();
  std::shared_ptr<const KeySet> keys;
  {
    absl::MutexLock lock(&mutex_);
    const auto found = verified_.find(digest);
    if (found != verified_.end() && now < found->second.expires) return found->second;
    if (!keys_) {
      return absl::UnavailableError(absl::StrCat(
          "the keys of ", settings_.issuer, " are not known yet", trouble_.ok() ? "" : ": ",
          std::string(trouble_.message()), "; try again soon"));
    }
    keys = keys_;
  }
  const std::string kid = HintsOf(token).kid;
  if (!kid.empty() && !keys->Knows(kid) && MayCome()) {
    return absl::UnavailableError(
        absl::StrCat("the token names a key that is not known, and the "
                     "keys of ",
                     settings_.issuer, " are being fetched; try again soon"));
  }
  absl::StatusOr<Claims> claims = oidc::Verify(token, settings_, *keys, now);
  if (!claims.ok()) return claims;
  absl::MutexLock lock(&mutex_);
  if (verified_.size() >= kMostVerified) verified_.clear();
  if (keys_ == keys) verified_.emplace(digest, *claims);
  return claims;
}

std::optional<Claims> Issuer::Recall(std::string_view token) const {
  const std::string digest = DigestOf(token);
  const absl::Time now = clock_->Now();
  absl::MutexLock lock(&mutex_);
  const auto found = verified_.find(digest);
  if (found == verified_.end() || now >= found->second.expires) return std::nullopt;
  return found->second;
}

bool Issuer::Has(std::string_view key) const {
  absl::MutexLock lock(&mutex_);
  return keys_ && keys_->Has(key);
}

absl::StatusOr<Metadata> Issuer::metadata() const {
  absl::MutexLock lock(&mutex_);
  if (has_metadata_) return metadata_;
  return absl::UnavailableError(absl::StrCat(settings_.issuer, " cannot be asked",
                                             trouble_.ok() ? " yet" : ": ",
                                             std::string(trouble_.message()), "; try again soon"));
}

}  // namespace jobtail::oidc
