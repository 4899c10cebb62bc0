// Certificates through every order in which their files can be replaced.

#include "server/tls/certificate_source.h"

#include <gmock/gmock.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <string>

#include "tests/server/support/temporary_directory.h"
#include "tests/support/certificates.h"
#include "tests/support/observe.h"

namespace jobtail {
namespace {

using jobtail::testing::Authority;
using jobtail::testing::Eventually;
using jobtail::testing::KeyPair;
using jobtail::testing::TemporaryDirectory;
using jobtail::testing::WriteFile;
using ::testing::HasSubstr;

constexpr char kNames[] = "DNS:localhost";

class CertificateSourceTest : public ::testing::Test {
 protected:
  CertificateSourceTest() {
    Write(first_);
    WriteFile(options_.client_ca_file, authority_.certificate());
  }

  void Write(const KeyPair& pair) {
    WriteFile(options_.certificate_file, pair.certificate);
    WriteFile(options_.key_file, pair.key);
  }

  // Opens what is there, which has to be right.
  void Open() {
    auto opened = CertificateSource::Open(options_);
    ASSERT_TRUE(opened.ok()) << opened.status();
    source_ = *std::move(opened);
  }

  std::string Problem() {
    const auto opened = CertificateSource::Open(options_);
    EXPECT_EQ(opened.status().code(), absl::StatusCode::kInvalidArgument);
    return std::string(opened.status().message());
  }

  std::string Served() { return source_->Current()->texts.chain; }

  const Authority authority_;
  const KeyPair first_ = authority_.Issue(kNames, 10);
  const KeyPair second_ = authority_.Issue(kNames, 20);
  TemporaryDirectory directory_;
  const TlsOptions options_ = {.certificate_file = directory_.path() + "/server.pem",
                               .key_file = directory_.path() + "/server.key",
                               .client_ca_file = directory_.path() + "/clients.pem"};
  std::unique_ptr<CertificateSource> source_;
};

TEST_F(CertificateSourceTest, StaysTheSameWhileTheFilesDo) {
  Open();
  const auto first = source_->Current();
  EXPECT_EQ(source_->Current(), first);
  WriteFile(options_.key_file, first_.key);  // the same anew
  EXPECT_EQ(source_->Current(), first);
  EXPECT_EQ(source_->stats().failed_reloads, 0);
}

TEST_F(CertificateSourceTest, TakesFilesWithAByteOrderMark) {
  constexpr char kMark[] = "\xEF\xBB\xBF";
  Write({.certificate = kMark + first_.certificate, .key = kMark + first_.key});
  WriteFile(options_.client_ca_file, kMark + authority_.certificate());
  Open();
  EXPECT_EQ(Served(), first_.certificate);
}

TEST_F(CertificateSourceTest, TakesTheCertificateFirst) {
  Open();
  WriteFile(options_.certificate_file, second_.certificate);
  EXPECT_EQ(Served(), first_.certificate);
  EXPECT_TRUE(source_->stats().is_stale);
  WriteFile(options_.key_file, second_.key);
  EXPECT_EQ(Served(), second_.certificate);
  EXPECT_FALSE(source_->stats().is_stale);
  EXPECT_EQ(source_->stats().failed_reloads, 1);
}

TEST_F(CertificateSourceTest, TakesTheKeyFirst) {
  Open();
  WriteFile(options_.key_file, second_.key);
  EXPECT_EQ(Served(), first_.certificate);
  WriteFile(options_.certificate_file, second_.certificate);
  EXPECT_EQ(Served(), second_.certificate);
}

TEST_F(CertificateSourceTest, KeepsTheLastThatDidThroughGarbageAndNothing) {
  Open();
  const std::string half = second_.certificate.substr(0, second_.certificate.size() / 2);
  for (const std::string& file :
       {options_.certificate_file, options_.key_file, options_.client_ca_file}) {
    for (const std::string& text : {std::string("garbage"), std::string(), half}) {
      WriteFile(file, text);
      EXPECT_EQ(Served(), first_.certificate) << file << ": " << text;
      EXPECT_TRUE(source_->stats().is_stale) << file << ": " << text;
    }
    unlink(file.c_str());
    EXPECT_EQ(Served(), first_.certificate) << file;
    EXPECT_TRUE(source_->stats().is_stale) << file;
    Write(first_);
    WriteFile(options_.client_ca_file, authority_.certificate());
    EXPECT_EQ(Served(), first_.certificate);
    EXPECT_FALSE(source_->stats().is_stale) << file;
  }
  Write(second_);
  EXPECT_EQ(Served(), second_.certificate);
}

// In place and within the same moment, so that neither inode nor size nor, perhaps, time change.
TEST_F(CertificateSourceTest, SeesAFileThatIsWrittenAgainAtOnce) {
  Open();
  const auto overwrite = [](const std::string& path, const std::string& text) {
    std::ofstream(path, std::ios::in | std::ios::out) << text;
  };
  overwrite(options_.key_file, std::string(first_.key.size(), 'x'));
  EXPECT_EQ(Served(), first_.certificate);
  EXPECT_TRUE(source_->stats().is_stale);
  overwrite(options_.key_file, first_.key);
  EXPECT_EQ(Served(), first_.certificate);
  EXPECT_FALSE(source_->stats().is_stale);
}

// As Kubernetes and certbot do.
TEST_F(CertificateSourceTest, SeesALinkThatLeadsElsewhere) {
  for (const auto& [name, pair] : {std::pair("/1", first_), std::pair("/2", second_)}) {
    std::filesystem::create_directory(directory_.path() + name);
    WriteFile(directory_.path() + name + "/c", pair.certificate);
    WriteFile(directory_.path() + name + "/k", pair.key);
  }
  const std::string data = directory_.path() + "/data";
  std::filesystem::create_directory_symlink("1", data);
  const TlsOptions linked = {
      .certificate_file = data + "/c", .key_file = data + "/k", .client_ca_file = ""};
  auto opened = CertificateSource::Open(linked);
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->Current()->texts.chain, first_.certificate);
  std::filesystem::create_directory_symlink("2", data + ".new");
  std::filesystem::rename(data + ".new", data);
  EXPECT_EQ((*opened)->Current()->texts.chain, second_.certificate);
}

TEST_F(CertificateSourceTest, LooksByItself) {
  Open();
  Write(second_);
  EXPECT_TRUE(Eventually(
      [&] { return absl::ToInt64Hours(source_->stats().expires - absl::Now()) > 15 * 24; }));
}

TEST_F(CertificateSourceTest, TellsWhenItExpires) {
  Open();
  const absl::Duration left = source_->stats().expires - absl::Now();
  EXPECT_GT(left, absl::Hours(10 * 24 - 1));
  EXPECT_LE(left, absl::Hours(10 * 24));
}

TEST_F(CertificateSourceTest, DoesNotBeginWithWhatWillNotDo) {
  WriteFile(options_.key_file, second_.key);
  EXPECT_THAT(Problem(), HasSubstr("the key is not that of the certificate"));
  WriteFile(options_.key_file, "-----BEGIN ENCRYPTED PRIVATE KEY-----\n");
  EXPECT_THAT(Problem(), HasSubstr("there is no key that is not encrypted"));
  Write(first_);
  WriteFile(options_.client_ca_file, "");
  EXPECT_THAT(Problem(), HasSubstr(options_.client_ca_file));
  unlink(options_.certificate_file.c_str());
  EXPECT_THAT(Problem(), HasSubstr(options_.certificate_file + " cannot be read"));
}

// Whoever can write the CAs of clients can be any of them.
TEST_F(CertificateSourceTest, TakesNoFileThatOthersCanWrite) {
  for (const std::string& file :
       {options_.client_ca_file, options_.certificate_file, options_.key_file}) {
    std::filesystem::permissions(file, std::filesystem::perms(0646));
    EXPECT_THAT(Problem(), HasSubstr("its mode is 0646; enter `chmod go-w " + file + "`"));
    std::filesystem::permissions(file, std::filesystem::perms(0600));
  }
  Open();
  Write(second_);
  std::filesystem::permissions(options_.key_file, std::filesystem::perms(0666));
  EXPECT_EQ(Served(), first_.certificate);
  EXPECT_TRUE(source_->stats().is_stale);
  std::filesystem::permissions(options_.key_file, std::filesystem::perms(0600));
  EXPECT_TRUE(Eventually([&] { return Served() == second_.certificate; }));
}

TEST_F(CertificateSourceTest, TakesFilesOnceTheirFolderIsMended) {
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
  Open();
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0777));
  Write(second_);
  EXPECT_TRUE(Eventually([&] { return source_->stats().is_stale; }));
  EXPECT_EQ(Served(), first_.certificate);
  std::filesystem::permissions(directory_.path(), std::filesystem::perms(0755));
  EXPECT_TRUE(Eventually([&] { return Served() == second_.certificate; }));
}

TEST_F(CertificateSourceTest, TakesNoFolderAndNoDevice) {
  unlink(options_.certificate_file.c_str());
  std::filesystem::create_directory(options_.certificate_file);
  EXPECT_THAT(Problem(), HasSubstr("it is no file of PEM texts"));
  std::filesystem::remove(options_.certificate_file);
  std::filesystem::create_symlink("/dev/zero", options_.certificate_file);
  EXPECT_THAT(Problem(), HasSubstr("it is no file of PEM texts"));
}

}  // namespace
}  // namespace jobtail
