// What the names of an environment's variables mean to the programs that find them there.
#ifndef JOBTAIL_SERVER_CONFIG_VARIABLE_NAMES_H_
#define JOBTAIL_SERVER_CONFIG_VARIABLE_NAMES_H_

#include <string_view>

namespace jobtail::config {

// Who makes something of a variable that the job has not asked for it.
enum class VariableUse {
  kOwn,      // nobody, as far as its name says
  kSetting,  // perhaps the program: the name is like those that say where something is found, or
             // what is run ("BACKUP_PATH", "TAR_OPTIONS")
  kSystem,   // the dynamic linker, the C library, shells, interpreters and tools that everybody
             // uses: its value is as good as code
};

VariableUse UseOf(std::string_view name);

}  // namespace jobtail::config

#endif  // JOBTAIL_SERVER_CONFIG_VARIABLE_NAMES_H_
