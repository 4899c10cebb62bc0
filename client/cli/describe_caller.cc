// Who the caller is to the server, as text.
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_join.h"
#include "absl/strings/strip.h"
#include "client/cli/describe.h"
#include "client/cli/table.h"
#include "client/cli/time_format.h"

namespace jobtail::client::cli {
namespace {

std::string ProofName(const v1::WhoAmIResponse& who) {
  const std::string& name = v1::Proof_Name(who.proof());
  return absl::AsciiStrToLower(absl::StripPrefix(name, "PROOF_"));
}

std::string Verbs(const v1::Right& right) {
  std::vector<std::string> verbs;
  for (const int verb : right.verbs()) {
    const std::string& name = v1::Verb_Name(static_cast<v1::Verb>(verb));
    verbs.emplace_back(absl::StripPrefix(name, "VERB_"));
  }
  return absl::StrJoin(verbs, " ");
}

// "deploy-*, team=web".
std::string Jobs(const v1::Right& right) {
  std::vector<std::string> jobs;
  if (!right.job().empty()) jobs.push_back(right.job());
  for (const auto& [name, value] : right.labels()) jobs.push_back(absl::StrCat(name, "=", value));
  return absl::StrJoin(jobs, ", ");
}

}  // namespace

std::string DescribeCaller(const v1::WhoAmIResponse& who, const TableLook& look) {
  if (who.proof() == v1::PROOF_LOCAL) {
    return "nobody in particular: this server lets everybody do everything\n";
  }
  Table facts;
  facts.AddRow({"name", Table::Cell(who.name().empty() ? "-" : who.name(), Paint::kBold)});
  if (!who.groups().empty()) facts.AddRow({"groups", absl::StrJoin(who.groups(), ", ")});
  facts.AddRow({"known by", ProofName(who)});
  if (who.has_expire_time()) facts.AddRow({"until", LocalTime(who.expire_time())});
  Table rights;
  for (const v1::Right& right : who.rights()) {
    rights.AddRow({Jobs(right), right.own_runs() ? "own runs" : "all runs", Verbs(right)});
  }
  TableLook indented = look;
  indented.indent = "  ";
  return absl::StrCat(facts.Render(look), who.rights().empty() ? "may do nothing\n" : "may\n",
                      rights.Render(indented));
}

}  // namespace jobtail::client::cli
