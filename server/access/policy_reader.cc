// Reading and checking an access file.
#include <algorithm>
#include <filesystem>
#include <set>
#include <string_view>
#include <utility>

#include "absl/strings/str_cat.h"
#include "base/files/diagnostics.h"
#include "base/nearest_names.h"
#include "base/quoting.h"
#include "server/access/access_policy.h"
#include "server/access/issuer_settings.h"
#include "server/access/principal.h"
#include "server/access/trusted_proxy.h"

namespace jobtail::access {
namespace {

using google::protobuf::TextFormat;
using Tree = TextFormat::ParseInfoTree;

bool IsJobPattern(std::string_view text) {
  return text.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789_-*?") ==
         std::string_view::npos;
}

// Checks an access file; each mistake goes to the diagnostics.
class Reader {
 public:
  Reader(v1::AccessFile* file, Tree* tree, Diagnostics* diagnostics)
      : file_(*file), tree_(tree), diagnostics_(*diagnostics) {}

  void Check() {
    CheckGroups();
    CheckRoles();
    CheckGrants();
    CheckIssuers(file_, [this](int i, const std::string& what) { Say("oidc", i, what); });
    CheckProxies();
    if (file_.has_audit() && file_.audit().file().empty()) {
      Say("audit", -1, "the audit log's file is missing; give audit { file: \"/var/log/...\" }");
    }
  }

 private:
  void Say(const std::string& field, int index, const std::string& what) {
    diagnostics_.Add(
        tree_->GetLocation(v1::AccessFile::descriptor()->FindFieldByName(field), index), what);
  }

  void CheckName(const std::string& field, int index, const std::string& name,
                 std::set<std::string>* names) {
    if (!IsPlainName(name)) {
      Say(field, index, absl::StrCat(field, " without a name; give name: \"...\", without spaces"));
    } else if (!names->insert(name).second) {
      Say(field, index, absl::StrCat(field, " ", Quoted(name), " is there already"));
    }
  }

  void CheckGroups() {
    for (int i = 0; i < file_.group_size(); ++i) {
      CheckName("group", i, file_.group(i).name(), &groups_);
      for (const std::string& member : file_.group(i).member()) {
        if (!IsPlainName(member)) {
          Say("group", i, absl::StrCat("member ", Quoted(member), ": no name of a principal"));
        }
      }
    }
  }

  void CheckRoles() {
    for (int i = 0; i < file_.role_size(); ++i) {
      const v1::Role& role = file_.role(i);
      CheckName("role", i, role.name(), &roles_);
      const v1::Limits& limits = role.limits();
      if (limits.active_runs() < 0 || limits.streams() < 0 || limits.queued_runs() < 0 ||
          limits.connections() < 0 || limits.request_bytes() < 0 ||
          !(limits.calls_per_second() >= 0)) {
        Say("role", i, absl::StrCat("role ", Quoted(role.name()), ": a limit is negative"));
      }
      for (const v1::Allow& allow : role.allow()) CheckAllow(i, allow);
    }
  }

  void CheckAllow(int role, const v1::Allow& allow) {
    const std::string of = absl::StrCat("role ", Quoted(file_.role(role).name()), ": ");
    if (allow.job().empty() && allow.label().empty()) {
      Say("role", role, of + "allow which jobs? give job: \"...\", \"*\" for all, or a label");
    }
    if (!IsJobPattern(allow.job())) {
      Say("role", role, absl::StrCat(of, "job ", Quoted(allow.job()), ": no job has such a name"));
    }
    if (allow.verb().empty()) {
      Say("role", role, of + "allow what? give verb: [LIST, READ, ...]");
    }
    if (std::ranges::find(allow.verb(), v1::Allow::VERB_UNSPECIFIED) != allow.verb().end()) {
      Say("role", role, of + "VERB_UNSPECIFIED allows nothing; give LIST, READ, ...");
    }
  }

  void CheckGrants() {
    for (int i = 0; i < file_.grant_size(); ++i) {
      const v1::Grant& grant = file_.grant(i);
      if (!roles_.contains(grant.role())) {
        Say("grant", i,
            absl::StrCat("there is no role ", Quoted(grant.role()),
                         DidYouMean(grant.role(), {roles_.begin(), roles_.end()})));
      }
      if (grant.principal().empty() && grant.group().empty() && !grant.anonymous()) {
        Say("grant", i, "to whom? give principal: \"...\", group: \"...\" or anonymous: true");
      }
      for (const auto* names : {&grant.principal(), &grant.group()}) {
        for (const std::string& name : *names) {
          if (!IsPlainName(name)) Say("grant", i, absl::StrCat(Quoted(name), " is no name"));
        }
      }
    }
  }

  void CheckProxies() {
    std::set<std::string> names;
    for (int i = 0; i < file_.trusted_proxy_size(); ++i) {
      const v1::TrustedProxy& proxy = file_.trusted_proxy(i);
      const std::string& name = proxy.principal();
      // Names with a colon are those of connections.
      if (!IsPlainName(name) || name.find_first_of("*?") != std::string::npos ||
          name.find(':') == std::string::npos || name.starts_with("proxy:")) {
        Say("trusted_proxy", i,
            absl::StrCat("principal ", Quoted(name),
                         ": give the name that the proxy's certificate ",
                         "or socket proves, such as \"spiffe://example.org/proxy\" or \"uid:33\""));
      } else if (!names.insert(name).second) {
        Say("trusted_proxy", i, absl::StrCat("principal ", Quoted(name), " is there already"));
      }
      const std::string& groups = proxy.groups_header();
      if (!IsHeaderForNames(proxy.user_header()) ||
          (!groups.empty() && !IsHeaderForNames(groups)) || proxy.user_header() == groups) {
        Say("trusted_proxy", i,
            "give user_header, and groups_header if there is one: two names of headers in small "
            "letters that mean nothing else, such as \"x-forwarded-user\"");
      }
    }
  }

  const v1::AccessFile& file_;
  Tree* const tree_;
  Diagnostics& diagnostics_;
  std::set<std::string> groups_;
  std::set<std::string> roles_;
};

void MakeAbsolute(const std::string& base, std::string* file) {
  if (!file->empty()) *file = (std::filesystem::path(base).parent_path() / *file).string();
}

}  // namespace

absl::StatusOr<std::shared_ptr<const AccessPolicy>> AccessPolicy::Parse(const std::string& text,
                                                                        const std::string& file) {
  Diagnostics diagnostics(file,
                          {v1::Allow::descriptor(), v1::Audit::descriptor(), v1::Oidc::descriptor(),
                           v1::TrustedProxy::descriptor(), v1::AccessFile::descriptor()});
  Tree tree;
  TextFormat::Parser parser;
  parser.RecordErrorsTo(&diagnostics);
  parser.WriteLocationsTo(&tree);
  v1::AccessFile parsed;
  if (!parser.ParseFromString(text, &parsed)) return diagnostics.status();
  Reader(&parsed, &tree, &diagnostics).Check();
  if (!diagnostics.ok()) return diagnostics.status();
  MakeAbsolute(file, parsed.mutable_token_file());
  if (parsed.has_audit()) MakeAbsolute(file, parsed.mutable_audit()->mutable_file());
  for (v1::Oidc& oidc : *parsed.mutable_oidc()) {
    MakeAbsolute(file, oidc.mutable_jwks_file());
    MakeAbsolute(file, oidc.mutable_client_secret_file());
    MakeAbsolute(file, oidc.mutable_ca_file());
  }
  return std::shared_ptr<const AccessPolicy>(new AccessPolicy(std::move(parsed)));
}

}  // namespace jobtail::access
