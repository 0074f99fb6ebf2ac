#!/bin/bash
# Converts, for the virtual machine, the guests that it boots: busybox, Debian
# with sysvinit and with systemd, in both profiles, as trees that need not be
# unpacked there.
#
# usage: guests.sh DIR [PATTERN]	makes DIR/equivalent/NAME and
#					DIR/native/NAME, as the parts of guest.sh
#					that fit want them

set -u
cd "$(dirname "$0")/../.." || exit 1
rehost=${REHOST:-${B:-build}/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
# shellcheck source=tests/vm/part.sh
. tests/vm/part.sh
out=$1
# shellcheck disable=SC2034 # of part.sh
pattern=${2:-*}
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
	# of a disk of the old host; the machine's second one takes its place
	demo_value "$1/io.max" "8:0 rbps=8388608 wiops=500"
}

# Interfaces of kinds that the machine's kernel alone has; ipvlan in mode l3 has
# the default route, so that it is a guest's only one.
nets()
{
	local c=$tmp/host/etc/vservers/nets i=0 dev
	guest nets 15 busybox || return 1
	demo_value "$c/interfaces/0/dev" eth1
	for dev in eth2.2003 eth3; do
		i=$((i + 1))
		demo_value "$c/interfaces/$i/ip" "198.51.$i.15"
		demo_value "$c/interfaces/$i/prefix" 24
		demo_value "$c/interfaces/$i/dev" $dev
	done
	guest layer3 16 busybox &&
	demo_value "$tmp/host/etc/vservers/layer3/interfaces/0/dev" eth4
}

# convert PROFILE GUEST...
convert()
{
	local profile=$1
	shift
	"$rehost" convert -q --rootfs tree --profile "$profile" \
		--root "$tmp/host" --site "$tmp/site.conf" \
		-o "$out/$profile" "$@"
}

mkdir -p "$tmp/host/etc/vservers/.defaults" "$tmp/host/vservers" "$out" &&
echo vs1 >"$tmp/host/etc/hostname" &&
ln -s /vservers "$tmp/host/etc/vservers/.defaults/vdirbase" &&
guest busybox 14 busybox && nets &&
guest confined 17 busybox && guest free 18 busybox &&
limits "$tmp/host/etc/vservers/busybox/cgroup" &&
cat >"$tmp/site.conf" <<-'EOF' &&
device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
device "eth1" { attach = "bridge:br0"  vlan = 7  gateway4 = "192.0.2.1" }
device "eth2.2003" { attach = "macvlan:eth2.2003" }
device "eth3" { attach = "ipvlan:eth3" }
device "eth4" { attach = "ipvlan:eth4" }
guest "*/vserver:layer3" { set = {"nic.0.mode=l3"} }
guest "*/vserver:busybox" { set = {"io.0.device=254:16"} }
guest "*/vserver:confined" { set = {"lsm.profile=rehost-test"} }
guest "*/vserver:free" { set = {"lsm.profile=unconfined"} }
target "lxc"  { version = "5.0"  cgroup = "v2" }
idmap { base = 1000000  size = 65536 }
EOF
convert equivalent vserver:busybox vserver:nets vserver:layer3 \
	vserver:confined vserver:free &&
convert native vserver:busybox || exit 1
if part guests native; then
	trees=$(bash tests/debian_trees.sh) &&
	guest sysvinit 11 sysvinit && guest systemd 12 systemd || exit 1
	for profile in equivalent native; do
		convert $profile vserver:sysvinit vserver:systemd || exit 1
	done
fi
