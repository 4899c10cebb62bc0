// The address by which browsers reach the HTTP door, where a proxy stands before it.
#ifndef JOBTAIL_SERVER_HTTP_PUBLIC_URL_H_
#define JOBTAIL_SERVER_HTTP_PUBLIC_URL_H_

#include <string>

namespace jobtail::http {

// "https://ci.example.com/jobs/" in its parts. A value; an empty one is that of a server which
// browsers reach directly.
//
// The proxy takes the path off: what it asks for begins with "/v1/" all the same. The server needs
// the path for cookies alone; its pages find out by themselves.
struct PublicUrl {
  std::string origin = {};  // "https://ci.example.com", as browsers write it; empty: there is none
  std::string host = {};    // "ci.example.com", without the port
  std::string path = "/";   // "/jobs/"
  bool is_https = false;
};

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_PUBLIC_URL_H_
