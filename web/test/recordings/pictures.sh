#!/bin/bash
# Makes NAME.picture of each NAME.bytes here: what tmux shows of it in a pane of 80 columns and 24 rows, with what has
# scrolled out above it, and with SGR sequences for the looks of cells. Needs tmux 3.3 or later.
set -euo pipefail
cd "$(dirname "$0")"
export LC_ALL=C.UTF-8 TERM=xterm-256color
dir=$(mktemp -d)
tmux() { command tmux -u -S "$dir/socket" -f "$dir/conf" "$@"; }
trap 'tmux kill-server; rm -rf "$dir"' EXIT
printf '%s\n' 'set -g exit-empty off' 'set -g status off' 'set -g history-limit 50000' > "$dir/conf"
# tmux answers where its cursor is when it has drawn all that came before.
cat > "$dir/show" <<'SHOW'
stty -echo -icanon
cat "$1"
printf '\e[6n'
dd bs=1 count=1 status=none > /dev/null
tmux -S "$2" wait-for -S shown
exec sleep infinity
SHOW
tmux start-server
for bytes in *.bytes; do
  tmux new-session -d -x 80 -y 24 -s picture "bash '$dir/show' '$PWD/$bytes' '$dir/socket'"
  tmux wait-for shown
  tmux capture-pane -p -e -N -S - -t picture > "${bytes%.bytes}.picture"
  tmux kill-session -t picture
done
