// Tests that what is a number in three places is the same number.
#include "server/access/verb.h"

#include <gtest/gtest.h>

#include <string>

#include "jobtail/access/v1/access.pb.h"
#include "jobtail/v1/access.pb.h"
#include "server/access/principal.h"

namespace jobtail::access {
namespace {

TEST(VerbTest, IsThatOfTheApiAndOfTheAccessFile) {
  EXPECT_EQ(kVerbs.size(), jobtail::v1::Verb_descriptor()->value_count() - 1);
  EXPECT_EQ(kVerbs.size(), v1::Allow::Verb_descriptor()->value_count() - 1);
  for (const Verb verb : kVerbs) {
    const std::string name(NameOf(verb));
    EXPECT_EQ(jobtail::v1::Verb_Name(static_cast<jobtail::v1::Verb>(verb)), "VERB_" + name);
    EXPECT_EQ(v1::Allow::Verb_Name(static_cast<v1::Allow::Verb>(verb)), name);
  }
}

TEST(ProofTest, IsThatOfTheApi) {
  for (int i = 1; i < jobtail::v1::Proof_descriptor()->value_count(); ++i) {
    const int number = jobtail::v1::Proof_descriptor()->value(i)->number();
    std::string name(NameOf(static_cast<Proof>(number)));
    for (char& c : name) c = static_cast<char>(c - 'a' + 'A');
    EXPECT_EQ(jobtail::v1::Proof_Name(static_cast<jobtail::v1::Proof>(number)), "PROOF_" + name);
  }
}

}  // namespace
}  // namespace jobtail::access
