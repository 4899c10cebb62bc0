// Tests of which variables programs obey.

#include "server/config/variable_names.h"

#include <gtest/gtest.h>

namespace jobtail::config {
namespace {

TEST(VariableNames, ThatProgramsObeyAreKnown) {
  for (const char* name : {"LD_PRELOAD",
                           "LD_LIBRARY_PATH",
                           "LD_AUDIT",
                           "PATH",
                           "BASH_ENV",
                           "ENV",
                           "IFS",
                           "PYTHONPATH",
                           "PYTHONSTARTUP",
                           "GCONV_PATH",
                           "PERL5LIB",
                           "PERL5OPT",
                           "RUBYOPT",
                           "NODE_OPTIONS",
                           "HOME",
                           "GLIBC_TUNABLES",
                           "GIT_SSH_COMMAND",
                           "BASH_FUNC_ls%%",
                           "JAVA_TOOL_OPTIONS",
                           "TMPDIR",
                           "http_proxy",
                           "PROMPT_COMMAND",
                           "RSYNC_RSH",
                           "LESSOPEN",
                           "JOBTAIL_RUN_ID",
                           "MAKEFLAGS"}) {
    EXPECT_EQ(UseOf(name), VariableUse::kSystem) << name;
  }
  for (const char* name : {"BACKUP_PATH", "TAR_OPTIONS", "MY_HOME", "APP_CONFIG", "FOO_PLUGIN"}) {
    EXPECT_EQ(UseOf(name), VariableUse::kSetting) << name;
  }
  for (const char* name : {"COLOR", "RSYNC_PASSWORD", "PGPASSWORD", "TOKEN", "GOAL", "MANAGER",
                           "PATHOLOGY", "RESTIC_PASSWORD", "AWS_SECRET_ACCESS_KEY"}) {
    EXPECT_EQ(UseOf(name), VariableUse::kOwn) << name;
  }
}

}  // namespace
}  // namespace jobtail::config
