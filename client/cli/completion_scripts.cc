// The scripts by which bash, zsh and fish ask for completions.

#include "client/cli/commands.h"
#include "client/cli/completion.h"

namespace jobtail::client::cli {
namespace {

// Readline has split the line at "=", ":" and "@", too, and puts a candidate in the place of what
// stands behind the last of them; hence the words are taken from the line itself.
constexpr char kBash[] = R"(# bash completion for jobtail: source <(jobtail completion bash)
_jobtail() {
  local line=${COMP_LINE:0:COMP_POINT} current behind candidate
  local -a words
  read -ra words <<<"$line"
  [[ $line == *[[:space:]] ]] && words+=("")
  current=${words[${#words[@]}-1]}
  behind=${current##*[=:@]}
  COMPREPLY=()
  if [[ $current == *=@* && $current != *=@@* && ${words[*]} == *" run "* ]]; then
    while IFS= read -r candidate; do COMPREPLY+=("$candidate"); done < <(compgen -f -- "$behind")
    compopt -o filenames 2>/dev/null
    return
  fi
  while IFS=$'\t' read -r candidate _; do
    [[ $candidate == *= ]] && compopt -o nospace 2>/dev/null
    # The words are the server's: quoted, or the shell would run what is in them.
    candidate=${candidate#"${current%"$behind"}"}
    [[ -n $candidate ]] && printf -v candidate %q "$candidate"
    COMPREPLY+=("$candidate")
  done < <("${words[0]/#\~/$HOME}" __complete -- "${words[@]:1}" 2>/dev/null)
}
complete -F _jobtail jobtail
)";

constexpr char kZsh[] = R"(#compdef jobtail
# zsh completion for jobtail: source <(jobtail completion zsh), after compinit
_jobtail() {
  local line word help
  local -a plain plain_help open open_help
  if [[ $PREFIX == *=@* && $PREFIX != *=@@* ]]; then
    compset -P '*=@'
    _files
    return
  fi
  for line in "${(@f)$(${~words[1]} __complete -- "${(@)words[2,CURRENT]}" 2>/dev/null)}"; do
    [[ -n $line ]] || continue
    word=${line%%$'\t'*}
    help="$word  -- ${line#*$'\t'}"
    if [[ $word == *= ]]; then
      open+=("$word")
      open_help+=("$help")
    else
      plain+=("$word")
      plain_help+=("$help")
    fi
  done
  compadd -l -d plain_help -a plain
  compadd -S '' -l -d open_help -a open
}
if [[ $funcstack[1] == _jobtail ]]; then
  _jobtail "$@"
else
  compdef _jobtail jobtail
fi
)";

constexpr char kFish[] = R"(# fish completion for jobtail: jobtail completion fish | source
function __jobtail_complete
    set -l words (commandline -opc)
    set -l current (commandline -ct)
    if string match -qr '^[^@]+=@[^@]*$' -- $current
        set -l name (string replace -r '=@.*' '=@' -- $current)
        for file in (__fish_complete_path (string replace -r '^[^@]+=@' '' -- $current))
            echo $name$file
        end
        return
    end
    $words[1] __complete -- $words[2..-1] "$current" 2>/dev/null
end
complete -c jobtail -f -a '(__jobtail_complete)'
)";

}  // namespace

std::string CompletionScript(const std::string& shell) {
  if (shell == "zsh") return kZsh;
  return shell == "fish" ? kFish : kBash;
}

absl::StatusOr<int> Execute(const CommonOptions& common, const CompletionOptions& options) {
  return PrintToStdout(CompletionScript(options.shell));
}

}  // namespace jobtail::client::cli
