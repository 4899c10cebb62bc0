// What one thread prints, written to its file or after its tag.

#include "capture/preload/thread_log.h"

#include <sys/prctl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>

#include "capture/preload/log_file.h"

namespace jobtail::capture::preload {
namespace {

using SharedOutputs = std::array<std::shared_ptr<SharedOutput>, 2>;

bool LeadToTheSame(int one, int other) {
  struct stat a;
  struct stat b;
  return fstat(one, &a) == 0 && fstat(other, &b) == 0 && a.st_dev == b.st_dev &&
         a.st_ino == b.st_ino;
}

std::shared_ptr<SharedOutput> OnReal(int fd) {
  return std::make_shared<SharedOutput>([fd] { return fd; });
}

// The real stdout and stderr: one, if both lead to the same terminal.
const SharedOutputs& RealSharedOutputs() {
  static const auto* const papers = [] {
    const auto out = OnReal(STDOUT_FILENO);
    const bool same = LeadToTheSame(STDOUT_FILENO, STDERR_FILENO);
    return new SharedOutputs{out, same ? out : OnReal(STDERR_FILENO)};
  }();
  return *papers;
}

std::string NameOfThisThread() {
  std::array<char, 16> name{};
  prctl(PR_GET_NAME, name.data());
  return name.data();
}

// Threads that were not given a name have that of the thread that started them.
const std::string& NameOfProgram() {
  static const auto* const name = new std::string(NameOfThisThread());
  return *name;
}

}  // namespace

ThreadLog::ThreadLog(const Settings& settings) : thread_id_(gettid()) {
  NameOfProgram();
  if (settings.mode == Settings::Mode::kDirectory) UseFile(settings.directory);
  if (settings.mode == Settings::Mode::kTag) UseTags();
  for (const Stream stream : {Stream::kStdout, Stream::kStderr}) {
    if (!settings.Captures(stream)) PassThrough(stream);
  }
  UpdateTag();
}

void ThreadLog::UseFile(const std::string& directory) {
  const auto file = std::make_shared<LogFile>(directory + "/" + std::to_string(getpid()) + "." +
                                              std::to_string(thread_id_) + ".log");
  const auto shared = std::make_shared<SharedOutput>([file] { return file->descriptor(); });
  for (Output& output : outputs_) output = {shared, SharedOutput::NewWriter(), false};
}

void ThreadLog::UseTags() {
  for (size_t i = 0; i < outputs_.size(); ++i) {
    outputs_[i] = {RealSharedOutputs()[i], SharedOutput::NewWriter(), true};
  }
}

// All threads are one writer, so that the bytes are exactly those that were printed.
void ThreadLog::PassThrough(Stream stream) {
  static const uint64_t everybody = SharedOutput::NewWriter();
  output(stream) = {RealSharedOutputs()[stream == Stream::kStderr], everybody, false};
}

// A thread may be given its name at any time, and tells it only to itself.
void ThreadLog::UpdateTag() {
  if (gettid() != thread_id_) return;
  const std::string name = NameOfThisThread();
  const bool is_unnamed = name.empty() || (name == NameOfProgram() && thread_id_ != getpid());
  tag_ = "[" + (is_unnamed ? std::to_string(thread_id_) : name) + "] ";
}

void ThreadLog::Write(std::span<const Line> lines) noexcept {
  std::lock_guard lock(mutex_);
  while (!lines.empty()) {
    const Stream stream = lines.front().stream;
    const auto other = std::find_if(lines.begin(), lines.end(),
                                    [=](const Line& line) { return line.stream != stream; });
    const auto count = static_cast<size_t>(other - lines.begin());
    const Output& output = this->output(stream);
    if (output.tagged) UpdateTag();
    output.shared->Write(output.writer, output.tagged ? tag_ : "", lines.first(count));
    lines = lines.subspan(count);
  }
}

}  // namespace jobtail::capture::preload
