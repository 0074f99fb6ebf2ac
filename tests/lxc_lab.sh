#!/bin/bash
# Starts a real LXC container where it can reach nothing: a network namespace
# and a mount namespace of its own, with a fresh sysfs and the cgroup mounts
# bound back onto it (lxc-start looks for its bridge in /sys and for its
# groups in /sys/fs/cgroup). Needs root.
#
#	lxc_lab.sh LXCPATH NAME SETUP INSIDE
#
# SETUP is a shell command run in the namespaces before the start (bridges);
# INSIDE one run after it, with the functions `inside COMMAND...` (in the
# guest) and `limit FILE` (of its cgroup). Everything made is removed.
# LXC_LAB_START in the environment: the command that starts it.
set -u
path=$1 name=$2 setup=$3 inside_command=$4

# The second life, in namespaces of its own.
if [ "${LXC_LAB_INSIDE:-}" != yes ]; then
	LXC_LAB_INSIDE=yes
	export LXC_LAB_INSIDE
	exec unshare --net --mount --propagation private -- \
		"$BASH" "$0" "$@"
fi

groups() { find /sys/fs/cgroup -type d \( -name "lxc.payload.$name" -o \
	-name "lxc.monitor.$name" -o -name lxc.pivot \) 2>/dev/null; }
before=$(groups)
# shellcheck disable=SC2317 # called by the trap
clean()
{
	lxc-stop -P "$path" -n "$name" -k >/dev/null 2>&1
	for _try in 1 2 3 4 5; do
		for _g in $(groups | sort -r); do
			case "$before" in *"$_g"*) continue ;; esac
			find "$_g" -depth -type d -exec rmdir {} + 2>/dev/null
		done
		[ "$(groups)" = "$before" ] && break
		sleep 0.2
	done
	umount -l /sys/fs/cgroup /sys 2>/dev/null
	rmdir "$hold" 2>/dev/null
}

hold=$(mktemp -d) || exit 1
mount --rbind /sys/fs/cgroup "$hold" || exit 1
mount -t sysfs sysfs /sys || exit 1
mount --rbind "$hold" /sys/fs/cgroup || exit 1
umount -l "$hold"
trap clean EXIT
ip link set lo up
eval "$setup" || exit 1

log=$path/$name.log
start=${LXC_LAB_START:-lxc-start -P "$path" -n "$name"}
if ! eval "$start -o \"\$log\" -l INFO"; then
	echo "lxc-start failed:" >&2
	grep -E 'ERROR|WARN' "$log" >&2
	exit 1
fi
lxc-wait -P "$path" -n "$name" -s RUNNING -t 20 || exit 1

inside() { lxc-attach -P "$path" -n "$name" --clear-env -- "$@"; }
limit() { lxc-cgroup -P "$path" -n "$name" "$1"; }
pid1() { lxc-info -P "$path" -n "$name" -p -H; }
eval "$inside_command"
