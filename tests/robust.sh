#!/bin/sh
# Input that nobody wrote on purpose, or somebody did: each file of noise as
# each kind of value, odd trees, odd roots, the fixtures of malformed input.
# No crash, no hang, a status from 0 to 3, and JSON stays JSON. TAP; with a
# program of make asan also no report of a sanitizer.
#
# usage: robust.sh [DIR]     with DIR only the files there, each as each value

set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$top/$rehost ;; esac
seconds=60
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d) || exit 1
# deep trees and modes of 000 need help
forget() { chmod -R u+rwX "$tmp" 2>/dev/null; rm -rf "$tmp"; }
trap forget EXIT
trap 'exit 1' HUP INT TERM
host=$tmp/host
guest=$host/etc/vservers/g
root=$host/vservers/g
# shellcheck source=tests/tap.sh
. tests/tap.sh

# new: a scratch host with one small guest
new()
{
	chmod -R u+rwX "$host" 2>/dev/null
	rm -rf "$host"
	mkdir -p "$guest/uts" "$guest/interfaces/0" "$root/etc" "$root/sbin"
	echo h >"$host/etc/hostname"
	ln -s /vservers/g "$guest/vdir"
	echo 40001 >"$guest/context"
	echo g >"$guest/uts/nodename"
	echo 192.0.2.10 >"$guest/interfaces/0/ip"
	echo eth0 >"$guest/interfaces/0/dev"
}

json()
{
	command -v python3 >/dev/null || return 0
	[ ! -s "$1" ] || python3 -c 'import json, sys
json.loads(open(sys.argv[1], "rb").read().decode("utf-8"))' "$1"
}

# one ARGUMENT...: why it is not good, in $tmp/why; empty: it is
one()
{
	timeout -k 5 "$seconds" "$rehost" "$@" >"$tmp/out" 2>"$tmp/err" \
		</dev/null
	status=$?
	[ "$status" -le 3 ] || echo "$1: status $status"
	grep -E 'died|took longer|no worker|Sanitizer|runtime error' "$tmp/err"
	# what goes to a terminal holds no control bytes
	grep -aqP '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/err" && echo "$1: control bytes"
	case " $* " in
	*" json "*) json "$tmp/out" 2>&1 | tail -n 1 ;;
	*)
		[ "$1" = convert ] ||
			! grep -aqP '[\x00-\x08\x0b-\x1f\x7f]' "$tmp/out" ||
			echo "$1: control bytes" ;;
	esac
}

# survives WHAT [ARGUMENT...]
survives()
{
	what=$1
	shift
	[ $# -gt 0 ] || set -- --root "$host"
	{
		one scan "$@"
		one plan -v "$@"
		one plan -t model,lxc --format json "$@"
		one convert -n -o "$tmp/none" --rootfs none "$@"
	} | cut -c 1-300 | tr -cd '[:print:]\n' >"$tmp/why"
	[ ! -s "$tmp/why" ]
	ok $? "$what" "$tmp/why"
}

# lxc FILE: a container whose config, mount table and include it is, and each of
# whose keys has its first lines as values
lxc()
{
	mkdir -p "$host/var/lib/lxc/c/rootfs"
	cp "$1" "$host/var/lib/lxc/c/fstab"
	cp "$1" "$host/var/lib/lxc/c/more"
	{
		echo 'lxc.mount = /var/lib/lxc/c/fstab'
		echo 'lxc.include = /var/lib/lxc/c/more'
		cat "$1"
		echo
		sed -nE 's/^"(lxc[^"]*[a-z])"$/\1/p' tests/fuzz/fuzz_lxc.dict |
		while read -r key; do
			head -n 2 "$1" | head -c 5000 | sed "s/^/$key = /"
			echo
		done
		echo 'lxc.rootfs = /var/lib/lxc/c/rootfs'
	} >"$host/var/lib/lxc/c/config"
}

# libvirt FILE: its beginning as every value of a domain and of a network
libvirt()
{
	value=$(head -c 2000 "$1" | LC_ALL=C tr -d '\000-\037\177' |
		iconv -c -f UTF-8 -t UTF-8 |
		sed "s/&/\&amp;/g; s/</\&lt;/g; s/\"/\&quot;/g; s/'/\&apos;/g")
	mkdir -p "$host/etc/libvirt/lxc" "$host/etc/libvirt/qemu/networks"
	cat >"$host/etc/libvirt/qemu/networks/n.xml" <<-END
	<network><name>n</name><forward mode='$value' dev='$value'/>
	<bridge name='$value'/><vlan><tag id='$value'/></vlan></network>
	END
	cat >"$host/etc/libvirt/lxc/c.xml" <<-END
	<domain type='lxc'><name>$value</name><uuid>$value</uuid>
	<memory unit='$value'>$value</memory>
	<memtune><hard_limit>$value</hard_limit></memtune>
	<vcpu cpuset='$value'>$value</vcpu>
	<cputune><shares>$value</shares><quota>$value</quota></cputune>
	<os><type arch='$value'>exe</type><init>$value</init>
	<initarg>$value</initarg><initenv name='$value'>$value</initenv></os>
	<idmap><uid start='$value' target='$value' count='$value'/></idmap>
	<features><capabilities policy='$value'><kill state='$value'/>
	</capabilities></features>
	<devices>
	<filesystem><source dir='$value'/><target dir='/'/></filesystem>
	<filesystem><source dir='$value'/><target dir='$value'/></filesystem>
	<interface type='network'><source network='n'/></interface>
	<interface type='bridge'><source bridge='$value'/>
	<mac address='$value'/><guest dev='$value'/>
	<ip address='$value' prefix='$value'/>
	<route address='$value' gateway='$value'/></interface>
	<hostdev mode='capabilities' type='misc'><source><char>$value</char>
	</source></hostdev>
	</devices></domain>
	END
}

# places FILE NAME: the file as each kind of value, all of one shape at once
places()
{
	new
	for f in bcapabilities ccapabilities ncapabilities flags nflags umask; do
		cp "$1" "$guest/$f"
	done
	survives "$2 as lists of flags"
	new
	mkdir -p "$guest/apps/init" "$guest/dlimits/0" "$guest/sysctl/0" \
		"$guest/rlimits" "$guest/sched" "$guest/cgroup" "$guest/spaces"
	for f in fstab fstab.remote personality schedule nice context name \
		uts/nodename uts/domainname apps/init/style apps/init/mark \
		apps/init/depends apps/init/environment apps/init/cmd.start \
		apps/init/killseq dlimits/0/space_total dlimits/0/directory \
		sysctl/0/setting sysctl/0/value rlimits/rss.hard rlimits/nproc \
		sched/fill-rate cgroup/memory.limit_in_bytes \
		cgroup/devices.allow spaces/net; do
		cp "$1" "$guest/$f"
	done
	survives "$2 as fstab, scalars, numbers"
	new
	mkdir -p "$guest/interfaces/1"
	for f in 0/ip 0/prefix 0/mask 0/bcast 0/name 1/dev 1/ip bcast lback; do
		cp "$1" "$guest/interfaces/$f"
	done
	survives "$2 as addresses"
	new
	mv "$guest" "$guest.off"
	cp "$1" "$guest.conf"
	cp "$1" "$guest.sh"
	survives "$2 as NAME.conf" --root "$host" --from vserver \
		/etc/vservers/g.conf
	mkdir -p "$host/etc/vz/conf"
	cp "$1" "$host/etc/vz/conf/101.conf"
	cp "$1" "$host/etc/vz/vz.conf"
	survives "$2 as a configuration of OpenVZ" --root "$host" \
		--from openvz /etc/vz/conf/101.conf
	lxc "$1"
	survives "$2 as a configuration of LXC" --root "$host" --from lxc \
		/var/lib/lxc/c/config
	libvirt "$1"
	survives "$2 as values of a domain" --root "$host" --from libvirt \
		/etc/libvirt/lxc/c.xml
	cp "$1" "$host/etc/libvirt/lxc/c.xml"
	survives "$2 as a domain" --root "$host" --from libvirt \
		/etc/libvirt/lxc/c.xml
	new
	cp "$1" "$tmp/site.conf"
	survives "$2 as site file" --root "$host" --site "$tmp/site.conf"
	rm "$tmp/site.conf"
	cp "$1" "$host/rehost-capture.txt"
	survives "$2 as a capture"
	{
		echo "# rehost-capture 1"
		cat "$1"
	} >"$host/rehost-capture.txt"
	survives "$2 as the rest of a capture"
	new
	mkdir -p "$root/var/log" "$root/etc/init.d" "$root/var/lib/dpkg" \
		"$host/usr/lib/util-vserver"
	for f in os-release debian_version redhat-release passwd group inittab \
		fstab hostname init.d/rc PROFILE crontab; do
		cp "$1" "$root/etc/$f"
	done
	cp "$1" "$root/var/log/wtmp"
	cp "$1" "$root/var/lib/dpkg/status"
	cp "$1" "$root/sbin/init"
	chmod 755 "$root/sbin/init" "$root/etc/init.d/rc"
	cp "$1" "$host/etc/hostname"
	cp "$1" "$host/usr/lib/util-vserver/util-vserver-vars"
	survives "$2 in the guest's root and the host's"
}

# --- made here -----------------------------------------------------------------

made()
{
	head -c 20000 "$rehost" >"$tmp/noise"
	places "$tmp/noise" "a program"
	head -c 5000 /dev/zero >"$tmp/noise"
	places "$tmp/noise" "NUL bytes"
	# shellcheck disable=SC2016 # as it stands
	yes '\"${[(<;|&!~^,%%s%n' | head -n 300 >"$tmp/noise"
	places "$tmp/noise" "punctuation"
	{
		yes , | head -n 3000 | tr -d '\n'
		yes '192.0.2.1/24 -1 0x7fffffffffffffff a=b' | head -n 300
	} >"$tmp/noise"
	places "$tmp/noise" "commas and lines"
	printf '\357\273\277\r\n\033[2J\007\n\377\376\0a\n' >"$tmp/noise"
	places "$tmp/noise" "escape sequences"
	rm "$tmp/noise"
}

large()
{
	new
	yes NET_RAW | head -c 104857600 >"$guest/bcapabilities"
	truncate -s 100G "$guest/fstab"
	truncate -s 20M "$guest/uts/nodename"
	truncate -s 20M "$guest.conf"
	truncate -s 20M "$root/etc/os-release"
	truncate -s 3G "$root/etc/inittab"
	truncate -s 3G "$host/etc/hostname"
	survives "files of 100 MB, of 100 GB with nothing in them"
	new
	truncate -s 3G "$host/rehost-capture.txt"
	survives "a capture of 3 GB"
	new
	truncate -s 3G "$tmp/site.conf"
	survives "a site file of 3 GB" --root "$host" --site "$tmp/site.conf"
	rm "$tmp/site.conf"
}

# A configuration of OpenVZ that is no configuration any more
huge_conf()
{
	new
	mkdir -p "$host/etc/vz/conf"
	truncate -s 200M "$host/etc/vz/conf/101.conf"
	survives "a configuration of 200 MB" --root "$host" --from openvz \
		/etc/vz/conf/101.conf
	timeout "$seconds" "$rehost" plan --root "$host" --from openvz \
		/etc/vz/conf/101.conf >"$tmp/out" 2>&1
	check "and it says why it is not read" \
		grep -q '101.conf: it is larger than [0-9]* bytes' "$tmp/out"
}

# What lies beside the root is not reached, however it is asked for.
hostile_conf()
{
	outside=$tmp/outside
	new
	mkdir -p "$host/etc/vz/conf" "$host/vz/private/101/etc" \
		"$outside/etc" "$outside/root.hdd"
	touch "$outside/secret" "$outside/etc/passwd"
	ln -s "$outside" "$host/vz/private/102"
	ln -s ../../../../../../../../.."$outside" "$host/vz/private/103"
	ln -s "$outside/secret" "$host/etc/vz/conf/104.conf"
	ln -sf "$outside/etc/passwd" "$host/vz/private/101/etc/hostname"
	ln -s "$outside/etc" "$host/vz/private/101/etc/network"
	for id in 101 102 103; do
		cat >"$host/etc/vz/conf/$id.conf" <<-END
		VE_PRIVATE="/vz/private/\$VEID"
		VE_ROOT="$outside"
		HOSTNAME="\$(touch $outside/ran)\`touch $outside/ran\`"
		DEVNODES="../../..$outside/secret:rw net/tun:rw"
		BINDMOUNT="$outside:/mnt,ro /etc/../..$outside"
		DISK="uuid={1},image=../../../../../..$outside/root.hdd,mnt=/"
		ORIGIN_SAMPLE="../../../..$outside/secret"
		. $outside/secret
		END
	done
	cat >"$host/etc/vz/conf/105.conf" <<-END
	VE_PRIVATE="/../../../../../../../..$outside"
	END
	survives "paths and programs out of the root, as OpenVZ's"
	# sanitizers look for leaks by ptrace(2) themselves
	ASAN_OPTIONS=detect_leaks=0 timeout "$seconds" strace -f -yy \
		-e trace=openat,openat2,open,execve -o "$tmp/trace" \
		"$rehost" plan --root "$host" >/dev/null 2>&1
	if [ -s "$tmp/trace" ] && grep -q '/vz/conf>' "$tmp/trace"; then
		grep -E "= [0-9]+<$outside" "$tmp/trace" >"$tmp/opened"
		[ ! -e "$outside/ran" ] && [ ! -s "$tmp/opened" ]
		ok $? "nothing outside is opened, nothing is run" \
			"$tmp/opened"
	else
		skip "nothing outside is opened" "strace cannot be used"
	fi
	rm -rf "$outside"
}

links()
{
	new
	ln -s loop "$guest/loop"
	ln -sf a "$guest/b"
	ln -sf b "$guest/a"
	ln -sfn . "$guest/interfaces/self"
	ln -sfn ../../.. "$guest/apps"
	ln -sfn /etc/vservers/g "$guest/cgroup"
	ln -sfn /proc/self/fd "$guest/sysctl"
	ln -sfn /dev "$guest/rlimits"
	survives "links in circles, out of the tree, to /proc and /dev"
	for to in /vservers/gone vdir / /etc/vservers . /dev/zero /proc "?" \
		/vservers/g/../../../../..; do
		new
		ln -sfn "$to" "$guest/vdir"
		survives "vdir to \"$to\""
	done
	new
	rm -rf "$root"
	mkfifo "$root"
	survives "a FIFO instead of the root"
	new
	rm -rf "$host/etc/vservers"
	ln -s vservers "$host/etc/vservers"
	survives "etc/vservers in a circle"
}

odd_types()
{
	new
	for f in bcapabilities fstab name interfaces/0/prefix; do
		mkfifo "$guest/$f"
	done
	mkfifo "$guest.conf" "$host/etc/vservers/x.conf" "$root/etc/os-release" \
		"$root/sbin/init" "$root/etc/inittab"
	survives "FIFOs"
	new
	rm "$host/etc/hostname"
	mkfifo "$host/etc/hostname" "$host/rehost-capture.txt"
	survives "FIFOs for the host's name and the capture"
	new
	mkdir -p "$guest/bcapabilities" "$guest/fstab/x" "$root/etc/os-release" \
		"$root/etc/inittab/a" "$root/sbin/init" "$guest/personality"
	rm -rf "$guest/uts" "$guest/interfaces"
	echo x >"$guest/uts"
	echo x >"$guest/interfaces"
	survives "directories instead of files, files instead of directories"
	new
	: >"$host/etc/vservers/.defaults"
	mkdir "$host/etc/vservers/c.conf" "$host/rehost-capture.txt"
	survives "the same of the host"
	if [ "$(id -u)" -eq 0 ]; then
		skip unreadable "root reads everything"
		return
	fi
	new
	echo x >"$guest/bcapabilities"
	chmod 000 "$guest/bcapabilities" "$guest/uts" "$root"
	survives "unreadable files and directories"
	chmod -R u+rwX "$host"
	chmod 000 "$guest"
	survives "a guest that is unreadable"
	chmod 700 "$guest"
	chmod 000 "$host/etc/vservers"
	survives "no guest can be seen"
}

# deep DIR TIMES: beyond PATH_MAX
deep()
{
	(
		cd "$1" || exit
		name=$(printf '%0100d' 0)
		i=0
		while [ "$i" -lt "$2" ]; do
			mkdir "$name" && cd -P "$name" || exit
			i=$((i + 1))
		done
		echo x >bottom
	)
}

many()
{
	new
	mkdir "$guest/sched"
	deep "$guest/interfaces" 60
	deep "$guest/sched" 60
	deep "$guest" 60
	deep "$root" 60
	survives "directories beyond the longest path"
	new
	i=0
	while [ "$i" -lt 300 ]; do
		mkdir "$guest/interfaces/i$i"
		echo "192.0.2.$i" >"$guest/interfaces/i$i/ip"
		i=$((i + 1))
	done
	yes 'none /x tmpfs a,b,,c,,,size=1 0 0' | head -n 500 >"$guest/fstab"
	survives "hundreds of interfaces and mounts"
}

names()
{
	new
	# shellcheck disable=SC2016,SC1003 # as they stand
	for name in "$(printf 'a\nb')" '"' "'" '$(id)' '`id`' '-n' '*' 'a b' \
		"$(printf '\377\376')" "$(printf 'x\033[2J')" '%s%n' '\' '..a' \
		'con:x' 'é' '}' "$(printf '%0250d' 0)"; do
		cp -RP "$guest" "$host/etc/vservers/$name"
		mkdir -p "$guest/interfaces/$name" "$guest/sysctl/$name"
		echo 192.0.2.9 >"$guest/interfaces/$name/ip"
		echo "$name" >"$guest/interfaces/$name/dev"
		echo "$name" >"$guest/sysctl/$name/setting"
		echo "$name" >"$guest/sysctl/$name/value"
	done
	printf 'h\033[2J"\n' >"$host/etc/hostname"
	survives "odd names of guests and files"
}

fixtures()
{
	for case in 11 12 13 14 15 16 17 18 10 19; do
		for dir in fixtures/vserver/"$case"-*; do
			sh tests/fixture.sh "$dir" "$tmp/case" 2>/dev/null
			survives "${dir##*/}" --root "$tmp/case"
			chmod -R u+rwX "$tmp/case"
			rm -rf "$tmp/case"
		done
	done
}

[ -x "$rehost" ] || skip_all "$rehost is not built"
if [ $# -gt 0 ]; then
	find "$1" -type f >"$tmp/list"
	while read -r file; do
		places "$file" "${file#"$1"/}"
	done <"$tmp/list"
else
	made
	large
	huge_conf
	hostile_conf
	links
	odd_types
	many
	names
	fixtures
fi
tap_end
