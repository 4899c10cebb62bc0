// Tests of the session's cookie.
#include "server/http/cookie.h"

#include <gtest/gtest.h>

namespace jobtail::http {
namespace {

TEST(CookieTest, IsForThisServerAndNoScript) {
  EXPECT_EQ(SessionCookie("x", {}), "jobtail-session=x; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_EQ(SessionCookie("x", {.is_tls = true}),
            "__Host-jobtail-session=x; Path=/; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(SessionCookie("", {}),
            "jobtail-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

TEST(CookieTest, OneOfASignInComesBackFromAnotherSite) {
  EXPECT_EQ(LoginCookie("x", {.is_tls = true}),
            "__Host-jobtail-login=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure");
  EXPECT_EQ(LoginCookie("", {}), "jobtail-login=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
  EXPECT_EQ(LoginIn("jobtail-session=y; jobtail-login=x", {}), "x");
  EXPECT_EQ(LoginIn("jobtail-login=x", {.is_tls = true}), "");
}

TEST(CookieTest, IsForThePathThatAProxyServesUnder) {
  const CookieScope scope{.is_tls = true, .path = "/jobs/"};
  EXPECT_EQ(SessionCookie("x", scope),
            "__Secure-jobtail-session=x; Path=/jobs/; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(SessionIn("jobtail-session=a; __Secure-jobtail-session=x", scope), "x");
  EXPECT_EQ(SessionIn("jobtail-session=a; __Host-jobtail-session=b", scope), "");
  EXPECT_EQ(SessionCookie("x", {.path = "/jobs/"}),
            "jobtail-session=x; Path=/jobs/; HttpOnly; SameSite=Strict");
}

TEST(CookieTest, IsFoundAmongOthers) {
  EXPECT_EQ(SessionIn("a=b; jobtail-session=x; c=d", {}), "x");
  EXPECT_EQ(SessionIn("jobtail-session=x", {.is_tls = true}), "");
  EXPECT_EQ(SessionIn("jobtail-session=y; __Host-jobtail-session=x=", {.is_tls = true}), "x=");
  EXPECT_EQ(SessionIn("xjobtail-session=x;jobtail-session", {}), "");
  EXPECT_EQ(SessionIn("", {}), "");
}

}  // namespace
}  // namespace jobtail::http
