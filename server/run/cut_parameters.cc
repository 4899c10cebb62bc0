// How much of each parameter is kept.
#include "server/run/cut_parameters.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "base/utf8.h"

namespace jobtail {
namespace {

size_t BytesOf(const v1::Run& run) {
  size_t bytes = 0;
  for (const auto& [name, value] : run.parameters()) bytes += name.size() + value.size();
  return bytes;
}

bool HasLongValue(const v1::Run& run) {
  return std::ranges::any_of(run.parameters(), [](const auto& parameter) {
    return parameter.second.size() > kMostValueBytes;
  });
}

}  // namespace

void CutParameters(v1::Run* run) {
  if (HasCutParameters(*run) || (BytesOf(*run) <= kMostParameterBytes && !HasLongValue(*run)))
    return;
  std::map<std::string, std::string> all(run->parameters().begin(), run->parameters().end());
  google::protobuf::Map<std::string, std::string> kept;
  size_t left = kMostParameterBytes;
  for (const auto& [name, value] : all) {
    if (2 * name.size() > left) {
      run->set_omitted_parameters(run->omitted_parameters() + 1);
      continue;
    }
    left -= name.size();
    const bool is_whole = value.size() <= std::min(kMostValueBytes, left);
    if (!is_whole) {
      left -= name.size();
      run->add_cut_parameters(name);
    }
    std::string& text = kept[name];
    text = is_whole ? value : ToUtf8(value, std::min(kMostValueBytes, left));
    left -= text.size();
  }
  run->mutable_parameters()->swap(kept);
}

bool HasCutParameters(const v1::Run& run) {
  return run.cut_parameters_size() > 0 || run.omitted_parameters() > 0;
}

}  // namespace jobtail
