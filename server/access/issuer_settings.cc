// Checking what is said of issuers, and reading their files.
#include "server/access/issuer_settings.h"

#include <algorithm>
#include <set>
#include <string_view>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/fetch/url.h"
#include "base/files/trusted_file.h"
#include "base/quoting.h"
#include "server/access/principal.h"
#include "server/oidc/key_set.h"

namespace jobtail::access {
namespace {

constexpr char kPrefix[] = "oidc:";

std::string PrefixOf(const v1::Oidc& issuer) {
  return issuer.name_prefix().empty() ? kPrefix : issuer.name_prefix();
}

// Checks one issuer.
class Check {
 public:
  Check(const v1::Oidc& issuer, std::function<void(const std::string&)> say)
      : issuer_(issuer), say_(std::move(say)) {}

  void Run() {
    CheckAddresses();
    CheckNames();
    if (issuer_.audience().empty() && issuer_.client_id().empty()) {
      say_("whom are its tokens for? give audience: \"...\", as they have it in \"aud\"");
    }
    if (std::ranges::find(issuer_.algorithm(), v1::Oidc::ALGORITHM_UNSPECIFIED) !=
        issuer_.algorithm().end()) {
      say_("ALGORITHM_UNSPECIFIED signs nothing; give RS256, ES256, ...");
    }
    if (issuer_.client_id().empty() && !issuer_.client_secret_file().empty()) {
      say_("client_secret_file without client_id");
    }
  }

 private:
  void CheckAddresses() {
    if (absl::Status right = CheckUrl(issuer_.issuer(), /*may_have_query=*/false); !right.ok()) {
      say_(absl::StrCat("issuer: ", std::string(right.message())));
    }
  }

  void CheckNames() {
    const std::string prefix = PrefixOf(issuer_);
    if (!prefix.starts_with(kPrefix) || !prefix.ends_with(':') || !IsPlainName(prefix)) {
      say_(absl::StrCat("name_prefix ", Quoted(prefix), ": give \"oidc:\", or \"oidc:NAME:\""));
    }
    const std::string& groups = issuer_.groups_prefix();
    if (!groups.empty() && (!IsPlainName(groups) || groups.starts_with("gid:"))) {
      say_(absl::StrCat("groups_prefix ", Quoted(groups), " is no beginning of a group's name"));
    }
    for (const auto* list : {&issuer_.audience(), &issuer_.scope()}) {
      for (const std::string& name : *list) {
        if (!IsPlainName(name)) say_(absl::StrCat(Quoted(name), " is no audience, and no scope"));
      }
    }
  }

  const v1::Oidc& issuer_;
  const std::function<void(const std::string&)> say_;
};

// "EdDSA", as JOSE has it.
std::string NameOf(int algorithm) {
  if (algorithm == v1::Oidc::EDDSA) return "EdDSA";
  return v1::Oidc::Algorithm_Name(static_cast<v1::Oidc::Algorithm>(algorithm));
}

oidc::Settings ToSettings(const v1::Oidc& issuer) {
  oidc::Settings settings;
  settings.name = issuer.name().empty() ? HostOfUrl(issuer.issuer()) : issuer.name();
  settings.issuer = issuer.issuer();
  settings.audiences = {issuer.audience().begin(), issuer.audience().end()};
  settings.client_id = issuer.client_id();
  if (!settings.client_id.empty()) settings.audiences.push_back(settings.client_id);
  if (!issuer.algorithm().empty()) settings.algorithms.clear();
  for (const int algorithm : issuer.algorithm()) settings.algorithms.push_back(NameOf(algorithm));
  settings.name_prefix = PrefixOf(issuer);
  if (!issuer.name_claim().empty()) settings.name_claim = issuer.name_claim();
  settings.groups_claim = issuer.groups_claim();
  settings.groups_prefix = issuer.groups_prefix();
  for (const std::string& scope : issuer.scope()) {
    if (scope != "openid") settings.scopes.push_back(scope);
  }
  settings.ca_file = issuer.ca_file();
  return settings;
}

}  // namespace

void CheckIssuers(const v1::AccessFile& file,
                  const std::function<void(int, const std::string&)>& say) {
  std::set<std::string> addresses;
  for (int i = 0; i < file.oidc_size(); ++i) {
    Check(file.oidc(i), [&](const std::string& what) {
      say(i, absl::StrCat("oidc: ", what));
    }).Run();
    if (!addresses.insert(file.oidc(i).issuer()).second) {
      say(i, absl::StrCat("oidc: issuer ", Quoted(file.oidc(i).issuer()), " is there already"));
    }
    const std::string prefix = PrefixOf(file.oidc(i));
    for (int k = 0; k < i; ++k) {
      const std::string other = PrefixOf(file.oidc(k));
      if (!prefix.starts_with(other) && !other.starts_with(prefix)) continue;
      say(i, absl::StrCat("oidc: its principals could have the names of another issuer's; give ",
                          "each a name_prefix of its own: \"oidc:NAME:\""));
    }
  }
}

absl::StatusOr<std::vector<oidc::Settings>> ReadIssuers(const v1::AccessFile& file) {
  std::vector<oidc::Settings> issuers;
  for (const v1::Oidc& issuer : file.oidc()) {
    oidc::Settings settings = ToSettings(issuer);
    if (!issuer.jwks_file().empty()) {
      absl::StatusOr<std::string> keys = ReadTrustedFile(issuer.jwks_file());
      if (!keys.ok()) return keys.status();
      const auto parsed = oidc::KeySet::Parse(*keys, settings.algorithms);
      if (!parsed.ok()) {
        return absl::InvalidArgumentError(
            absl::StrCat(issuer.jwks_file(), ": ", std::string(parsed.status().message())));
      }
      settings.keys = *std::move(keys);
    }
    if (!issuer.client_secret_file().empty()) {
      const absl::StatusOr<std::string> secret = ReadTrustedFile(issuer.client_secret_file());
      if (!secret.ok()) return secret.status();
      settings.client_secret = std::string(absl::StripAsciiWhitespace(*secret));
    }
    issuers.push_back(std::move(settings));
  }
  return issuers;
}

std::vector<std::string> FilesOf(const v1::AccessFile& file) {
  std::vector<std::string> files = {file.token_file()};
  for (const v1::Oidc& issuer : file.oidc()) {
    for (const std::string* name : {&issuer.jwks_file(), &issuer.client_secret_file()}) {
      if (!name->empty() && std::ranges::find(files, *name) == files.end()) files.push_back(*name);
    }
  }
  return files;
}

}  // namespace jobtail::access
