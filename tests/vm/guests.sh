#!/bin/bash
# Converts, for the virtual machine, the guests that it boots: busybox, Debian
# with sysvinit and with systemd, in both profiles, as trees that need not be
# unpacked there.
#
# usage: guests.sh DIR	makes DIR/equivalent/NAME and DIR/native/NAME

set -u
cd "$(dirname "$0")/../.." || exit 1
rehost=${REHOST:-${B:-build}/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
out=$1
tmp=$(mktemp -d /var/tmp/rehost-guests.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# guest NAME LAST TREE
guest()
{
	local conf=$tmp/host/etc/vservers/$1
	demo_guest "$tmp/host" "$1" $((40000 + $2)) "192.0.2.$2" || return 1
	if [ "$3" != busybox ]; then
		rm -rf "$tmp/host/vservers/$1"
		cp -a "$trees/$3" "$tmp/host/vservers/$1" || return 1
	fi
	# 65536 pages are 256 MiB
	demo_value "$conf/rlimits/rss.hard" 65536
	demo_value "$conf/rlimits/nproc.hard" 200
}

# What v2 has limits for.
limits()	# CGROUP
{
	demo_value "$1/cpu.shares" 512
	demo_value "$1/cpu.cfs_quota_us" 50000
	demo_value "$1/cpu.cfs_period_us" 100000
	demo_value "$1/cpuset.cpus" 0
}

trees=$(bash tests/debian_trees.sh) || exit 1
mkdir -p "$tmp/host/etc/vservers/.defaults" "$tmp/host/vservers" &&
echo vs1 >"$tmp/host/etc/hostname" &&
ln -s /vservers "$tmp/host/etc/vservers/.defaults/vdirbase" &&
guest sysvinit 11 sysvinit && guest systemd 12 systemd &&
guest busybox 14 busybox &&
limits "$tmp/host/etc/vservers/busybox/cgroup" &&
cat >"$tmp/site.conf" <<-'EOF' || exit 1
device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
target "lxc"  { version = "5.0"  cgroup = "v2" }
idmap { base = 1000000  size = 65536 }
EOF
mkdir -p "$out"
for profile in equivalent native; do
	"$rehost" convert -q --rootfs tree --profile $profile \
		--root "$tmp/host" --site "$tmp/site.conf" \
		-o "$out/$profile" || exit 1
done
