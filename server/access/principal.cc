// Names of proofs, and the principal that every program is to itself.
#include "server/access/principal.h"

#include <algorithm>

namespace jobtail::access {

std::string_view NameOf(Proof proof) {
  switch (proof) {
    case Proof::kAnonymous:
      return "anonymous";
    case Proof::kLocal:
      return "local";
    case Proof::kSocket:
      return "socket";
    case Proof::kCertificate:
      return "certificate";
    case Proof::kToken:
      return "token";
    case Proof::kSession:
      return "session";
    case Proof::kJwt:
      return "jwt";
    case Proof::kProxy:
      return "proxy";
  }
  return "";
}

bool IsPlainName(std::string_view text) {
  return !text.empty() && std::ranges::all_of(text, [](char c) { return c > ' ' && c <= '~'; });
}

std::shared_ptr<const Principal> Caller::Local() {
  static const auto& local =
      *new std::shared_ptr<const Principal>(new Principal{.proof = Proof::kLocal});
  return local;
}

}  // namespace jobtail::access
