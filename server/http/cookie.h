// The cookies of a session, and of a sign-in that is under way.
#ifndef JOBTAIL_SERVER_HTTP_COOKIE_H_
#define JOBTAIL_SERVER_HTTP_COOKIE_H_

#include <string>
#include <string_view>

namespace jobtail::http {

// Where a browser is to send the cookie.
struct CookieScope {
  bool is_tls = false;     // over TLS alone, as far as the browser is concerned
  std::string path = "/";  // to what is below it
};

// The header Set-Cookie that gives a browser the session's secret; for an empty one, that takes it
// away. Scripts do not see the cookie, and pages of other sites do not send it.
std::string SessionCookie(std::string_view secret, const CookieScope& scope);

// The secret in a header Cookie; empty if there is none.
std::string SessionIn(std::string_view cookies, const CookieScope& scope);

// The same for what belongs to a sign-in with an issuer, which takes ten minutes at most. Browsers
// send it also where a page of another site has taken them here: the issuer's.
std::string LoginCookie(std::string_view value, const CookieScope& scope);
std::string LoginIn(std::string_view cookies, const CookieScope& scope);

}  // namespace jobtail::http

#endif  // JOBTAIL_SERVER_HTTP_COOKIE_H_
