// Tests of what an access file allows, and of what is wrong with one.
#include "server/access/access_policy.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

namespace jobtail::access {
namespace {

using ::testing::HasSubstr;

Principal Known(const std::string& name, std::vector<std::string> groups = {}) {
  return {.name = name, .groups = std::move(groups), .proof = Proof::kToken};
}

std::shared_ptr<const AccessPolicy> Parse(const std::string& text) {
  auto policy = AccessPolicy::Parse(text, "/etc/jobtail/access.txt");
  EXPECT_TRUE(policy.ok()) << policy.status();
  return policy.ok() ? *policy : nullptr;
}

void ExpectMistake(const std::string& text, const std::string& what) {
  const auto policy = AccessPolicy::Parse(text, "access.txt");
  EXPECT_EQ(policy.status().code(), absl::StatusCode::kInvalidArgument) << text;
  EXPECT_THAT(std::string(policy.status().message()), HasSubstr(what));
}

Scope On(const Rights& rights, Verb verb, const std::string& job, const Labels& labels = {}) {
  return rights.ScopeOf(SetOf(verb), job, labels);
}

constexpr char kRoles[] = R"(
  role { name: "deployer" allow { job: "deploy-*" verb: [LIST, RUN, CANCEL] runs: OWN }
         limits { active_runs: 20 streams: 200 calls_per_second: 50 } }
  role { name: "reader" allow { job: "*" verb: [LIST, READ] } limits { streams: 300 } }
  role { name: "team" allow { label { key: "team" value: "web" } verb: READ_LOG } }
)";

TEST(AccessPolicyTest, WhatNothingAllowsIsDenied) {
  const auto rights = Parse(kRoles)->RightsOf(Known("alice"));
  for (const Verb verb : kVerbs) EXPECT_EQ(On(*rights, verb, "deploy-a"), Scope::kNone);
  EXPECT_FALSE(rights->MayAny(kAnyVerb));
}

TEST(AccessPolicyTest, AGrantIsForItsPrincipalAndItsGroup) {
  const auto policy = Parse(std::string(kRoles) +
                            R"(grant { role: "deployer" group: "web" }
                               grant { role: "reader" principal: "spiffe://example.org/*" }
                               group { name: "web" member: "bob" })");
  EXPECT_EQ(On(*policy->RightsOf(Known("alice", {"web"})), Verb::kRun, "deploy-a"), Scope::kOwn);
  EXPECT_EQ(On(*policy->RightsOf(Known("bob")), Verb::kRun, "deploy-a"), Scope::kOwn);
  EXPECT_EQ(On(*policy->RightsOf(Known("carol", {"ops"})), Verb::kRun, "deploy-a"), Scope::kNone);
  EXPECT_EQ(On(*policy->RightsOf(Known("bob")), Verb::kRun, "backup"), Scope::kNone);
  EXPECT_EQ(On(*policy->RightsOf(Known("bob")), Verb::kDelete, "deploy-a"), Scope::kNone);
  EXPECT_EQ(On(*policy->RightsOf(Known("spiffe://example.org/x")), Verb::kRead, "backup"),
            Scope::kAll);
  EXPECT_EQ(On(*policy->RightsOf(Known("spiffe://example.com/x")), Verb::kRead, "backup"),
            Scope::kNone);
}

TEST(AccessPolicyTest, GrantsAndTheirLimitsAddUp) {
  const auto policy = Parse(std::string(kRoles) + R"(grant { role: "deployer" principal: "a" }
                                                     grant { role: "reader" principal: "a" })");
  const auto rights = policy->RightsOf(Known("a"));
  EXPECT_EQ(On(*rights, Verb::kList, "deploy-a"), Scope::kAll);
  EXPECT_EQ(On(*rights, Verb::kCancel, "deploy-a"), Scope::kOwn);
  EXPECT_EQ(rights->limits().active_runs, 20);
  EXPECT_EQ(rights->limits().streams, 300);
  EXPECT_EQ(rights->limits().calls_per_second, 50);
}

// Nor does it cost others what they have.
TEST(AccessPolicyTest, WhatEverybodyHasLimitsThoseWhoHaveNothingElse) {
  const auto policy = Parse(R"(
      role { name: "guest" allow { job: "*" verb: LIST } limits { calls_per_second: 1 streams: 2 } }
      role { name: "admin" allow { job: "*" verb: [RUN, ADMIN] } }
      grant { role: "guest" anonymous: true principal: "carol" }
      grant { role: "admin" principal: "mary" })");
  EXPECT_EQ(policy->RightsOf({})->limits().calls_per_second, 1);
  EXPECT_EQ(policy->RightsOf(Known("bob"))->limits().streams, 2);
  EXPECT_EQ(policy->RightsOf(Known("carol"))->limits().streams, 2);
  const auto rights = policy->RightsOf(Known("mary"));
  EXPECT_EQ(rights->limits().calls_per_second, 0);
  EXPECT_EQ(rights->limits().streams, 0);
  EXPECT_EQ(rights->ScopeOf(SetOf(Verb::kList), "any", {}), Scope::kAll);
}

TEST(AccessPolicyTest, WhoeverHasNoRoleHasLimits) {
  const auto policy = Parse(R"(role { name: "reader" allow { job: "*" verb: READ } }
                              grant { role: "reader" principal: "mary" })");
  const auto stranger = policy->RightsOf(Known("nobody-knows"));
  EXPECT_GT(stranger->limits().calls_per_second, 0);
  EXPECT_GT(stranger->limits().streams, 0);
  EXPECT_GT(stranger->limits().connections, 0);
  EXPECT_GT(stranger->limits().request_bytes, 0);
  EXPECT_EQ(policy->RightsOf(Known("mary"))->limits().calls_per_second, 0);
}

TEST(AccessPolicyTest, AnAllowByLabelTakesTheLabel) {
  const auto policy = Parse(std::string(kRoles) + R"(grant { role: "team" principal: "a" })");
  const auto rights = policy->RightsOf(Known("a"));
  EXPECT_EQ(On(*rights, Verb::kReadLog, "x", {{"team", "web"}, {"b", "c"}}), Scope::kAll);
  EXPECT_EQ(On(*rights, Verb::kReadLog, "x", {{"team", "db"}}), Scope::kNone);
  EXPECT_EQ(On(*rights, Verb::kReadLog, "x"), Scope::kNone);
}

TEST(AccessPolicyTest, EverybodyIsNotWhoIsNotKnown) {
  const Principal anonymous{.name = "anonymous"};
  const auto closed = Parse(std::string(kRoles) + R"(grant { role: "reader" principal: "*" })");
  EXPECT_FALSE(closed->RightsOf(anonymous)->MayAny(kAnyVerb));
  EXPECT_TRUE(closed->RightsOf(Known("a"))->MayAny(kAnyVerb));
  EXPECT_FALSE(closed->knows_anonymous());
  const auto open = Parse(std::string(kRoles) + R"(grant { role: "reader" anonymous: true })");
  EXPECT_TRUE(open->RightsOf(anonymous)->MayAny(kAnyVerb));
  EXPECT_TRUE(open->RightsOf(Known("a"))->MayAny(kAnyVerb));
  EXPECT_TRUE(open->knows_anonymous());
}

TEST(AccessPolicyTest, NamesOfFilesStartAtItsDirectory) {
  const auto policy = Parse("token_file: \"tokens\" audit { file: \"/var/log/audit\" }");
  EXPECT_EQ(policy->proto().token_file(), "/etc/jobtail/tokens");
  EXPECT_EQ(policy->proto().audit().file(), "/var/log/audit");
}

TEST(AccessPolicyTest, MistakesAreNamedWithTheirPlacesAndRemedies) {
  ExpectMistake("\nrole { name: \"a\" allow { verb: LIST } }",
                "access.txt:2:1: role \"a\": allow which jobs");
  ExpectMistake("role { name: \"a\" allow { job: \"*\" } }", "allow what");
  ExpectMistake("role { name: \"a\" allow { job: \"A\" verb: LIST } }", "no job has such a name");
  ExpectMistake("role { name: \"a\" allow { job: \"*\" verb: REED } }", "did you mean READ");
  ExpectMistake("role { name: \"a\" } role { name: \"a\" }", "is there already");
  ExpectMistake("role { name: \"reader\" } grant { role: \"raeder\" principal: \"x\" }",
                "did you mean reader");
  ExpectMistake("role { name: \"a\" } grant { role: \"a\" }", "to whom");
  ExpectMistake("role { name: \"a\" limits { streams: -1 } }", "negative");
  ExpectMistake("audit { }", "file is missing");
  ExpectMistake("deny { }", "has no field named \"deny\"");
}

TEST(AccessPolicyTest, PatternsDescribeTheWholeText) {
  EXPECT_TRUE(IsMatch("*", ""));
  EXPECT_TRUE(IsMatch("a*c", "abbc"));
  EXPECT_TRUE(IsMatch("a*b*c", "axbxbxc"));
  EXPECT_TRUE(IsMatch("a?c", "abc"));
  EXPECT_FALSE(IsMatch("a?c", "ac"));
  EXPECT_FALSE(IsMatch("a", "ab"));
  EXPECT_FALSE(IsMatch("", "a"));
  EXPECT_FALSE(IsMatch("a*", "ba"));
  EXPECT_FALSE(IsMatch("*a", std::string(1000, 'b')));
}

}  // namespace
}  // namespace jobtail::access
