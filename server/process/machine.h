// Which kind of machine a program is for.
#ifndef JOBTAIL_SERVER_PROCESS_MACHINE_H_
#define JOBTAIL_SERVER_PROCESS_MACHINE_H_

#include <cstdint>
#include <filesystem>
#include <optional>

namespace jobtail::process {

// As a file in ELF has it.
struct Machine {
  uint8_t word = 0;  // ELFCLASS32 or ELFCLASS64
  uint16_t processor = 0;

  bool operator==(const Machine&) const = default;
};

// Of a program or library; of a script, of its interpreter. None if it is neither, or cannot be
// read by this process. Thread-safe.
std::optional<Machine> MachineOf(const std::filesystem::path& file);

}  // namespace jobtail::process

#endif  // JOBTAIL_SERVER_PROCESS_MACHINE_H_
