// Tests of the session's cookie.
#include "server/http/cookie.h"

#include <gtest/gtest.h>

namespace jobtail::http {
namespace {

TEST(CookieTest, IsForThisServerAndNoScript) {
  EXPECT_EQ(SessionCookie("x", false), "jobtail-session=x; Path=/; HttpOnly; SameSite=Strict");
  EXPECT_EQ(SessionCookie("x", true),
            "__Host-jobtail-session=x; Path=/; HttpOnly; SameSite=Strict; Secure");
  EXPECT_EQ(SessionCookie("", false),
            "jobtail-session=; Path=/; HttpOnly; SameSite=Strict; Max-Age=0");
}

TEST(CookieTest, OneOfASignInComesBackFromAnotherSite) {
  EXPECT_EQ(LoginCookie("x", true),
            "__Host-jobtail-login=x; Path=/; HttpOnly; SameSite=Lax; Max-Age=600; Secure");
  EXPECT_EQ(LoginCookie("", false), "jobtail-login=; Path=/; HttpOnly; SameSite=Lax; Max-Age=0");
  EXPECT_EQ(LoginIn("jobtail-session=y; jobtail-login=x", false), "x");
  EXPECT_EQ(LoginIn("jobtail-login=x", true), "");
}

TEST(CookieTest, IsFoundAmongOthers) {
  EXPECT_EQ(SessionIn("a=b; jobtail-session=x; c=d", false), "x");
  EXPECT_EQ(SessionIn("jobtail-session=x", true), "");
  EXPECT_EQ(SessionIn("jobtail-session=y; __Host-jobtail-session=x=", true), "x=");
  EXPECT_EQ(SessionIn("xjobtail-session=x;jobtail-session", false), "");
  EXPECT_EQ(SessionIn("", false), "");
}

}  // namespace
}  // namespace jobtail::http
