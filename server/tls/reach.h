// Whether an address may be listened at, by who can reach it.
#ifndef JOBTAIL_SERVER_TLS_REACH_H_
#define JOBTAIL_SERVER_TLS_REACH_H_

#include <string>

#include "absl/status/status.h"

namespace jobtail {

// Whether other machines can reach HOST:PORT or unix:PATH: a name's if one of its addresses can be.
// What is no address, or leads nowhere, is for whoever listens to tell.
bool IsReachable(const std::string& address);

// What a server has against those whom it does not know.
struct Protection {
  bool encrypts = false;       // TLS
  bool knows_callers = false;  // they are asked who they are
  bool insecure = false;       // it was said that neither is wanted
};

// FAILED_PRECONDITION, with what to do, for an address that others can reach without protection.
// `flag` is the one that has the address: "--grpc-address".
absl::Status CheckReach(const std::string& flag, const std::string& address,
                        const Protection& protection);

}  // namespace jobtail

#endif  // JOBTAIL_SERVER_TLS_REACH_H_
