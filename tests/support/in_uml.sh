#!/bin/sh
# Runs a test program as root on a machine of its own, whose control groups and clock nobody else has: User Mode Linux, a kernel
# that is a program, with this machine's files, which it cannot write.
#
#   in_uml.sh LINUX PROGRAM [ARGUMENT...]
#
# LINUX is that kernel (Debian: user-mode-linux). With IN_UML_DISK=SIZE it has a blank disk of that size, block device 98:0. The exit
# code is the program's; 77 where such a machine does not begin, as in containers that forbid what it takes.
set -eu

# What the kernel starts as its first process, with IN_UML from its command line.
if [ "$$" = 1 ]; then
  mount -t proc proc /proc
  mount -t sysfs sysfs /sys
  mount -t cgroup2 cgroup2 /sys/fs/cgroup
  echo "+memory +pids" >/sys/fs/cgroup/cgroup.subtree_control
  mount -t tmpfs tmpfs /tmp
  mkdir -p /dev/pts && mount -t devpts devpts /dev/pts
  export PATH=/usr/bin:/bin:/usr/sbin:/sbin HOME=/tmp USER=root
  echo "in_uml: begun"
  code=0
  $IN_UML || code=$?
  echo "in_uml: exit code $code"
  sync
  echo o >/proc/sysrq-trigger
  while :; do sleep 1; done
fi

linux=$1
shift
script=$(readlink -f "$0")
output=$(mktemp)
disk=
trap 'rm -f "$output" ${disk:+"$disk"}' EXIT
trap 'exit 129' HUP
trap 'exit 130' INT
trap 'exit 143' TERM
if [ -n "${IN_UML_DISK-}" ]; then
  disk=$(mktemp -p /tmp)
  truncate -s "$IN_UML_DISK" "$disk"
fi
# One that hangs before it has begun is one that does not begin.
timeout -k 5 200 "$linux" mem=768M root=/dev/root rootfstype=hostfs rootflags=/ ro init="$script" IN_UML="\"$*\"" \
  con=null con0=null,fd:1 ssl=null ${disk:+"ubda=$disk"} quiet </dev/null 2>&1 | tee "$output" || true
grep -q '^in_uml: begun' "$output" || exit 77
code=$(sed -n 's/^in_uml: exit code \([0-9]*\).*/\1/p' "$output")
exit "${code:-1}"
