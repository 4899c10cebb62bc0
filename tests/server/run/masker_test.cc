// Secrets in what is printed, wherever it is cut.

#include "server/run/masker.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <random>
#include <string>
#include <vector>

#include "absl/strings/str_cat.h"

namespace jobtail {
namespace {

// What a masker shows of a text that comes in pieces, each of `sizes` bytes and then the rest.
std::string MaskInPieces(const Masker& masker, const std::string& text,
                         const std::vector<size_t>& sizes) {
  std::string shown;
  std::string held;
  size_t covered = 0;
  size_t at = 0;
  for (const size_t size : sizes) {
    held += text.substr(at, size);
    at += size;
    const Masker::Result result = masker.Mask(held, covered, /*whole=*/false);
    shown += result.text;
    held.erase(0, result.held);
    covered = result.covered;
  }
  return shown + masker.Mask(held + text.substr(at), covered, /*whole=*/true).text;
}

TEST(Masker, HidesASecretWhereverItStands) {
  const Masker masker({"hunter2"}, {});
  EXPECT_EQ(masker.Mask("hunter2"), "***");
  EXPECT_EQ(masker.Mask("-phunter2 and hunter2."), "-p*** and ***.");
  EXPECT_EQ(masker.Mask("hunter hunter1 unter2"), "hunter hunter1 unter2");
  EXPECT_EQ(masker.Mask(""), "");
}

TEST(Masker, HidesAllThatOverlappingSecretsCover) {
  EXPECT_EQ(Masker({"abab"}, {}).Mask("xababab"), "x***");
  EXPECT_EQ(Masker({"secret", "retold"}, {}).Mask("a secretold b"), "a *** b");
  EXPECT_EQ(Masker({"pass", "password"}, {}).Mask("password pass"), "*** ***");
}

TEST(Masker, LooksForTheLinesOfASecretOfSeveral) {
  const Masker masker({"-----BEGIN\r\nMIIBOgIB\n}\n"}, {});
  EXPECT_EQ(masker.Mask("key: MIIBOgIB }"), "key: *** }");
  EXPECT_EQ(masker.Mask("-----BEGIN"), "***");
}

TEST(Masker, OfNothingIsEmpty) {
  EXPECT_TRUE(Masker({"", "\n"}, {}).empty());
  EXPECT_FALSE(Masker({"x"}, {}).empty());
}

TEST(Masker, HidesWhatPatternsFindInAnyBytes) {
  const Masker masker({}, {"token=\\S+", "[0-9]{4}-[0-9]{4}"});
  EXPECT_EQ(masker.Mask("get ?token=abc\xFF\xFE done"), "get ?*** done");
  EXPECT_EQ(masker.Mask("card 1234-5678, 12-34"), "card ***, 12-34");
}

TEST(Masker, ShowsAtOnceWhatCannotBeginASecret) {
  const Masker masker({"secret"}, {});
  const Masker::Result result = masker.Mask("Password: se", 0, /*whole=*/false);
  EXPECT_EQ(result.text, "Password: ");
  EXPECT_EQ(result.held, 10);
}

TEST(Masker, HoldsBackUnfinishedLinesForPatterns) {
  const Masker masker({}, {"token=\\S+"});
  EXPECT_EQ(masker.Mask("no tok", 0, /*whole=*/false).text, "");
  EXPECT_EQ(MaskInPieces(masker, "a token=abc b", {4, 4}), "a *** b");
}

TEST(Masker, FindsPatternsInLinesLongerThanItHoldsBack) {
  const Masker masker({}, {"token=[a-z]+;"});
  const std::string text =
      absl::StrCat(std::string(65'530, '.'), "token=abcdefgh;", std::string(70'000, '.'));
  const std::string masked =
      absl::StrCat(std::string(65'530, '.'), "***", std::string(70'000, '.'));
  for (size_t cut = 65'520; cut < 65'560; ++cut) {
    ASSERT_EQ(MaskInPieces(masker, text, {cut, 4000, 4000}), masked) << cut;
  }
}

TEST(Masker, ShowsTheSameWhereverTheTextIsCut) {
  const Masker masker({"abcabd", "bdab", "aa", "d"}, {});
  const std::string text = "xabcabcabdabdab aaa abcab bda aabcabdaa d abcabd";
  const std::string whole = masker.Mask(text);
  for (size_t first = 0; first <= text.size(); ++first) {
    for (size_t second = 0; first + second <= text.size(); ++second) {
      ASSERT_EQ(MaskInPieces(masker, text, {first, second}), whole) << first << "+" << second;
    }
  }
  EXPECT_EQ(MaskInPieces(masker, text, std::vector<size_t>(text.size(), 1)), whole);
}

TEST(Masker, ShowsTheSameForAnyTextAndAnySecrets) {
  std::mt19937 random(1);
  const auto any = [&](size_t max) {
    std::string text(1 + random() % max, ' ');
    for (char& c : text) c = static_cast<char>('a' + random() % 2);
    return text;
  };
  for (int round = 0; round < 2000; ++round) {
    const std::vector<std::string> secrets{any(6), any(6)};
    const Masker masker(secrets, {});
    const std::string text = any(40);
    std::vector<size_t> sizes;
    for (size_t left = text.size(); left > 0; left -= sizes.back()) {
      sizes.push_back(1 + random() % left);
    }
    const std::string shown = masker.Mask(text);
    ASSERT_EQ(MaskInPieces(masker, text, sizes), shown)
        << text << ": " << secrets[0] << ", " << secrets[1];
    for (const std::string& secret : secrets) {
      ASSERT_EQ(shown.find(secret), std::string::npos) << text << ": " << secret;
    }
  }
}

}  // namespace
}  // namespace jobtail
