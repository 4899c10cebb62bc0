// The beginning of programs and scripts.
#include "server/process/machine.h"

#include <elf.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstddef>
#include <string>
#include <string_view>

#include "server/process/descriptor.h"

namespace jobtail::process {
namespace {

// The kernel's own bounds of a script's first line and of scripts whose interpreters are scripts.
constexpr size_t kMaxLine = 256;
constexpr int kMaxScripts = 5;

// Of a regular file: others are not even opened, since that alone may do something to a device or a
// pipe, and who the program belongs to may have chosen which it is.
std::string Beginning(const std::filesystem::path& path) {
  if (!path.is_absolute()) return "";
  const Descriptor found(open(path.c_str(), O_PATH | O_CLOEXEC));
  struct stat state;
  if (fstat(found.get(), &state) != 0 || !S_ISREG(state.st_mode)) return "";
  const std::string same = "/proc/self/fd/" + std::to_string(found.get());
  const Descriptor file(open(same.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY));
  std::array<char, kMaxLine> bytes;
  const ssize_t size = pread(file.get(), bytes.data(), bytes.size(), 0);
  return {bytes.data(), static_cast<size_t>(std::max<ssize_t>(size, 0))};
}

// What stands behind "#!", up to its argument.
std::string Interpreter(std::string_view line) {
  line.remove_prefix(2);
  line = line.substr(0, line.find('\n'));
  line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  return std::string(line.substr(0, line.find_first_of(" \t")));
}

}  // namespace

std::optional<Machine> MachineOf(const std::filesystem::path& file) {
  std::string bytes = Beginning(file);
  for (int scripts = 0; bytes.starts_with("#!") && scripts < kMaxScripts; ++scripts) {
    bytes = Beginning(Interpreter(bytes));
  }
  // Both kinds of header have the same up to the processor.
  constexpr size_t kSize = offsetof(Elf32_Ehdr, e_machine) + sizeof(Elf32_Half);
  static_assert(offsetof(Elf64_Ehdr, e_machine) == offsetof(Elf32_Ehdr, e_machine));
  if (bytes.size() < kSize || !bytes.starts_with(ELFMAG)) return std::nullopt;
  Machine machine{.word = static_cast<uint8_t>(bytes[EI_CLASS])};
  memcpy(&machine.processor, bytes.data() + offsetof(Elf32_Ehdr, e_machine), sizeof(Elf32_Half));
  return machine;
}

}  // namespace jobtail::process
