// Names, beginnings of names and words in them.

#include "server/config/variable_names.h"

#include <algorithm>
#include <string>
#include <vector>

#include "absl/strings/ascii.h"
#include "absl/strings/str_split.h"

namespace jobtail::config {
namespace {

constexpr std::string_view kNames[] = {
    "PATH",
    "HOME",
    "SHELL",
    "ENV",
    "IFS",
    "USER",
    "LOGNAME",
    "CDPATH",
    "FPATH",
    "ZDOTDIR",
    "PS0",
    "PS1",
    "PS2",
    "PS4",
    "PROMPT_COMMAND",
    "SHELLOPTS",
    "GLOBIGNORE",
    "EXECIGNORE",
    "HISTFILE",
    "INPUTRC",
    "MAIL",
    "GCONV_PATH",
    "GETCONF_DIR",
    "GLIBC_TUNABLES",
    "HOSTALIASES",
    "LOCALDOMAIN",
    "LOCPATH",
    "NLSPATH",
    "NIS_PATH",
    "RES_OPTIONS",
    "RESOLV_HOST_CONF",
    "TMPDIR",
    "TZDIR",
    "LANG",
    "LANGUAGE",
    "TERM",
    "TERMCAP",
    "TERMINFO",
    "TERMINFO_DIRS",
    "EDITOR",
    "VISUAL",
    "PAGER",
    "MANPAGER",
    "BROWSER",
    "LESS",
    "LESSOPEN",
    "LESSCLOSE",
    "LESSKEY",
    "SUDO_ASKPASS",
    "CLASSPATH",
    "AWKPATH",
    "AWKLIBPATH",
    "CC",
    "CXX",
    "MAKEFLAGS",
    "MFLAGS",
    "MAKEFILES",
    "PHPRC",
    "PHP_INI_SCAN_DIR",
    "WGETRC",
    "CURL_HOME",
    "NETRC",
    "KUBECONFIG",
    "RSYNC_RSH",
    "CVS_RSH",
    "TAPE",
    "POSIXLY_CORRECT",
    "BLOCK_SIZE",
    "COMSPEC",
    "HTTP_PROXY",
    "HTTPS_PROXY",
    "ALL_PROXY",
    "NO_PROXY",
    "FTP_PROXY",
    "PKG_CONFIG_PATH",
    "SSLKEYLOGFILE",
    "MANPATH",
    "LS_COLORS",
    "GZIP",
    "XZ_OPT",
    "GOFLAGS",
    "GOROOT",
    "GOPATH",
    "GOPROXY",
    "GOENV",
    "RUSTC",
    "RUSTFLAGS",
    "RUSTC_WRAPPER",
    "PGSERVICEFILE",
    "PGSYSCONFDIR",
    "PGOPTIONS",
    "PGPASSFILE",
    "AWS_CONFIG_FILE",
    "AWS_SHARED_CREDENTIALS_FILE",
    "AWS_CA_BUNDLE",
    "VIMINIT",
    "EXINIT",
    "VIM",
    "VIMRUNTIME",
    "JAVACMD",
    "MAVEN_OPTS",
    "GROOVY_HOME",
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "COMPILER_PATH",
    "CPPFLAGS",
    "CFLAGS",
    "CXXFLAGS",
    "LDFLAGS",
};

constexpr std::string_view kBeginnings[] = {
    "LD_",     "DYLD_",    "PIP_",     "GRADLE_",  "MAVEN_",   "LC_",     "BASH_",   "BASHOPTS",
    "MALLOC_", "JOBTAIL_", "PYTHON",   "PERL",     "RUBY",     "GEM_",    "BUNDLE_", "NODE_",
    "NPM_",    "YARN_",    "JAVA_",    "JDK_",     "_JAVA_",   "LUA_",    "PHP_",    "GIT_",
    "SSH_",    "SVN_",     "GNUPG",    "OPENSSL_", "SSL_",     "CURL_",   "XDG_",    "SYSTEMD_",
    "DBUS_",   "DOCKER_",  "ANSIBLE_", "DOTNET_",  "CORECLR_", "COR_",    "CARGO_",  "R_",
    "JULIA_",  "TCL",      "GUILE_",   "ERL_",     "ELIXIR_",  "_STDBUF", "GTK_",    "QT_",
    "GIO_",    "GST_",
};

constexpr std::string_view kWords[] = {
    "PATH",   "HOME",    "DIR",     "DIRS",    "ROOT",    "LIB",     "LIBS",   "LIBRARY", "PRELOAD",
    "MODULE", "MODULES", "PLUGIN",  "PLUGINS", "OPT",     "OPTS",    "OPTION", "OPTIONS", "FLAGS",
    "ARGS",   "RC",      "CONF",    "CONFIG",  "CFG",     "INI",     "INIT",   "STARTUP", "HOOK",
    "HOOKS",  "RSH",     "SHELL",   "CMD",     "COMMAND", "EXEC",    "PAGER",  "EDITOR",  "ASKPASS",
    "PROXY",  "AGENT",   "INCLUDE", "LOADER",  "SCRIPT",  "PROGRAM", "BINARY", "ENV",
};

}  // namespace

VariableUse UseOf(std::string_view name) {
  const std::string upper = absl::AsciiStrToUpper(absl::string_view(name.data(), name.size()));
  if (std::ranges::find(kNames, upper) != std::end(kNames)) return VariableUse::kSystem;
  if (std::ranges::any_of(kBeginnings, [&](std::string_view begin) {
        return std::string_view(upper).starts_with(begin);
      })) {
    return VariableUse::kSystem;
  }
  const std::vector<std::string> words = absl::StrSplit(upper, '_');
  const bool is_setting = std::ranges::any_of(words, [](const std::string& word) {
    return std::ranges::find(kWords, word) != std::end(kWords);
  });
  return is_setting ? VariableUse::kSetting : VariableUse::kOwn;
}

}  // namespace jobtail::config
