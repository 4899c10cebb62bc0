// The tokens that a server knows: reading and finding.
#include <algorithm>
#include <iterator>
#include <utility>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "base/files/diagnostics.h"
#include "base/quoting.h"
#include "server/access/token_file.h"

namespace jobtail::access {
namespace {

using google::protobuf::TextFormat;

constexpr size_t kMaxTokenNameBytes = 63;

absl::Status NoToken() {
  return absl::UnauthenticatedError("the token is not one of this server; ask for another");
}

bool IsTime(const std::string& text, absl::Time* time) {
  return absl::ParseTime(absl::RFC3339_full, text, time, nullptr);
}

// What is wrong with the token; empty: nothing.
std::string Mistake(const v1::Token& token) {
  absl::Time time;
  if (TokenId(absl::StrCat("jt_", token.id(), "_", std::string(64, '0'))).empty()) {
    return absl::StrCat("id ", Quoted(token.id()), ": 16 hexadecimal digits");
  }
  if (!ParseDigest(token.sha256())) return "sha256: 64 hexadecimal digits";
  if (!IsTokenName(token.name())) {
    return absl::StrCat("name ", Quoted(token.name()), ": letters, digits and \"-._@\", at most ",
                        kMaxTokenNameBytes);
  }
  if (!token.expires().empty() && !IsTime(token.expires(), &time)) {
    return absl::StrCat("expires ", Quoted(token.expires()), ": a time such as ",
                        "2030-01-31T00:00:00Z");
  }
  return "";
}

}  // namespace

bool IsTokenName(std::string_view name) {
  const auto fits = [](unsigned char c) {
    return absl::ascii_isalnum(c) || std::string_view("-._@").find(c) != std::string_view::npos;
  };
  return !name.empty() && name.size() <= kMaxTokenNameBytes && name != "anonymous" &&
         std::ranges::all_of(name, fits);
}

absl::StatusOr<std::shared_ptr<const TokenTable>> TokenTable::Parse(const std::string& text,
                                                                    const std::string& file) {
  Diagnostics diagnostics(file);
  TextFormat::ParseInfoTree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&diagnostics);
  parser.WriteLocationsTo(&tree);
  v1::TokenFile tokens;
  if (!parser.ParseFromString(text, &tokens)) return diagnostics.status();
  auto table = std::make_shared<TokenTable>();
  const auto* const field = v1::TokenFile::descriptor()->FindFieldByName("token");
  for (int i = 0; i < tokens.token_size(); ++i) {
    const v1::Token& token = tokens.token(i);
    if (const std::string mistake = Mistake(token); !mistake.empty()) {
      diagnostics.Add(tree.GetLocation(field, i), mistake);
      continue;
    }
    auto principal = std::make_shared<Principal>();
    principal->name = token.name();
    principal->groups = {token.group().begin(), token.group().end()};
    std::ranges::sort(principal->groups);
    principal->proof = Proof::kToken;
    principal->token_id = token.id();
    if (!token.expires().empty()) IsTime(token.expires(), &principal->expires);
    const bool is_new =
        table->tokens_
            .emplace(token.id(), Entry{*ParseDigest(token.sha256()), !token.revoked().empty(),
                                       std::move(principal)})
            .second;
    if (!is_new) {
      diagnostics.Add(tree.GetLocation(field, i),
                      absl::StrCat("id ", token.id(), " is there twice"));
    }
  }
  if (!diagnostics.ok()) return diagnostics.status();
  return table;
}

absl::StatusOr<std::shared_ptr<const Principal>> TokenTable::Find(std::string_view token,
                                                                  absl::Time now) const {
  const auto found = tokens_.find(absl::string_view(TokenId(token).data(), TokenId(token).size()));
  if (found == tokens_.end() || !AreEqual(DigestOf(token), found->second.digest)) return NoToken();
  return Check(found->second, now);
}

absl::StatusOr<std::shared_ptr<const Principal>> TokenTable::FindAgain(std::string_view id,
                                                                       absl::Time now) const {
  const auto found = tokens_.find(absl::string_view(id.data(), id.size()));
  return found == tokens_.end() ? NoToken() : Check(found->second, now);
}

std::shared_ptr<const TokenTable> TokenTable::NarrowedBy(const TokenTable& later) const {
  auto narrowed = std::make_shared<TokenTable>();
  for (const auto& [id, entry] : tokens_) {
    const auto found = later.tokens_.find(id);
    if (found == later.tokens_.end()) continue;
    const Entry& its = found->second;
    if (its.digest != entry.digest || its.principal->name != entry.principal->name) continue;
    auto principal = std::make_shared<Principal>(*entry.principal);
    principal->expires = std::min(principal->expires, its.principal->expires);
    principal->groups.clear();
    std::ranges::set_intersection(entry.principal->groups, its.principal->groups,
                                  std::back_inserter(principal->groups));
    narrowed->tokens_.emplace(
        id, Entry{entry.digest, entry.revoked || its.revoked, std::move(principal)});
  }
  return narrowed;
}

absl::StatusOr<std::shared_ptr<const Principal>> TokenTable::Check(const Entry& entry,
                                                                   absl::Time now) {
  if (entry.revoked) {
    return absl::UnauthenticatedError("the token has been revoked; ask for another");
  }
  if (now >= entry.principal->expires) {
    return absl::UnauthenticatedError(absl::StrCat(
        "the token expired at ",
        absl::FormatTime(absl::RFC3339_sec, entry.principal->expires, absl::UTCTimeZone()),
        "; ask for another"));
  }
  return entry.principal;
}

}  // namespace jobtail::access
