// Looking up what is granted.
#include "server/access/access_policy.h"

#include <algorithm>
#include <utility>

namespace jobtail::access {
namespace {

// Of several limits the most counts.
void Widen(const v1::Limits& more, Limits* limits) {
  const auto widen = [](auto* limit, auto other) { *limit = std::max(*limit, other); };
  widen(&limits->active_runs, more.active_runs());
  widen(&limits->streams, more.streams());
  widen(&limits->calls_per_second, more.calls_per_second());
  widen(&limits->queued_runs, more.queued_runs());
  widen(&limits->connections, more.connections());
  widen(&limits->request_bytes, more.request_bytes());
}

// Of a known principal without a role, who may but ask who it is.
Limits LimitsWithoutRole() {
  Limits limits;
  limits.active_runs = 1;
  limits.queued_runs = 1;
  limits.streams = 1;
  limits.calls_per_second = 50;
  limits.connections = 64;
  limits.request_bytes = 1 << 20;
  return limits;
}

}  // namespace

// Goes back to the last "*" where the text does not fit: quadratic at worst.
bool IsMatch(const std::string& pattern, const std::string& text) {
  size_t at = 0;
  size_t next = 0;
  size_t star = std::string::npos;
  size_t star_text = 0;
  while (next < text.size()) {
    if (at < pattern.size() && pattern[at] == '*') {
      star = at++;
      star_text = next;
    } else if (at < pattern.size() && (pattern[at] == '?' || pattern[at] == text[next])) {
      ++at;
      ++next;
    } else if (star != std::string::npos) {
      at = star + 1;
      next = ++star_text;
    } else {
      return false;
    }
  }
  return pattern.find_first_not_of('*', at) == std::string::npos;
}

bool Rule::Fits(const std::string& job_name, const Labels& job_labels) const {
  if (!job.empty() && !IsMatch(job, job_name)) return false;
  return std::ranges::all_of(labels, [&](const auto& label) {
    const auto found = job_labels.find(label.first);
    return found != job_labels.end() && found->second == label.second;
  });
}

Scope Rights::ScopeOf(VerbSet verbs, const std::string& job, const Labels& labels) const {
  if (everything_) return Scope::kAll;
  Scope scope = Scope::kNone;
  for (const Rule& rule : rules_) {
    if ((rule.verbs & verbs) == 0 || !rule.Fits(job, labels)) continue;
    scope = std::max(scope, rule.own_runs ? Scope::kOwn : Scope::kAll);
  }
  return scope;
}

bool Rights::MayAny(VerbSet verbs) const {
  return everything_ ||
         std::ranges::any_of(rules_, [&](const Rule& rule) { return (rule.verbs & verbs) != 0; });
}

AccessPolicy::AccessPolicy(v1::AccessFile proto) : proto_(std::move(proto)) {
  for (const v1::Role& role : proto_.role()) roles_.emplace(role.name(), &role);
  knows_anonymous_ =
      std::ranges::any_of(proto_.grant(), [](const v1::Grant& grant) { return grant.anonymous(); });
}

const v1::TrustedProxy* AccessPolicy::FindProxy(const std::string& name) const {
  const auto found = std::ranges::find_if(
      proto_.trusted_proxy(),
      [&](const v1::TrustedProxy& proxy) { return proxy.principal() == name; });
  return found == proto_.trusted_proxy().end() ? nullptr : &*found;
}

std::vector<std::string> AccessPolicy::GroupsOf(const Principal& principal) const {
  std::vector<std::string> groups = principal.groups;
  if (principal.proof == Proof::kAnonymous || principal.IsLocal()) return groups;
  for (const v1::Group& group : proto_.group()) {
    if (std::ranges::any_of(group.member(), [&](const std::string& member) {
          return IsMatch(member, principal.name);
        })) {
      groups.push_back(group.name());
    }
  }
  std::ranges::sort(groups);
  groups.erase(std::unique(groups.begin(), groups.end()), groups.end());
  return groups;
}

bool AccessPolicy::IsNamed(const v1::Grant& grant, const Principal& principal,
                           const std::vector<std::string>& groups) const {
  return std::ranges::any_of(
             grant.principal(),
             [&](const std::string& name) { return IsMatch(name, principal.name); }) ||
         std::ranges::any_of(grant.group(), [&](const std::string& name) {
           return std::ranges::binary_search(groups, name);
         });
}

std::shared_ptr<const Rights> AccessPolicy::RightsOf(const Principal& principal) const {
  if (principal.IsLocal()) return std::make_shared<const Rights>(/*everything=*/true);
  const std::vector<std::string> groups = GroupsOf(principal);
  std::vector<Rule> rules;
  Limits limits;
  Limits everybodys;  // of grants to those who are not known, which a known caller has as well
  bool has_role = false;
  bool has_own_role = false;
  for (const v1::Grant& grant : proto_.grant()) {
    const bool is_own = principal.proof != Proof::kAnonymous && IsNamed(grant, principal, groups);
    if (!is_own && !grant.anonymous()) continue;  // who is known has what everybody has
    has_role = true;
    has_own_role |= is_own;
    const v1::Role& role = *roles_.at(grant.role());
    Widen(role.limits(), is_own ? &limits : &everybodys);
    for (const v1::Allow& allow : role.allow()) {
      // "Own" is what one has started oneself; of all who are not known nobody has.
      const bool own = allow.runs() == v1::Allow::OWN;
      Rule& rule = rules.emplace_back(
          Rule{allow.job(), {allow.label().begin(), allow.label().end()}, 0, own});
      for (const int verb : allow.verb()) rule.verbs |= SetOf(static_cast<Verb>(verb));
    }
  }
  // What everybody has limits those who have nothing of their own.
  if (!has_own_role) limits = has_role ? everybodys : LimitsWithoutRole();
  return std::make_shared<const Rights>(std::move(rules), limits);
}

}  // namespace jobtail::access
