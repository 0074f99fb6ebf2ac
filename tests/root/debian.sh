#!/bin/bash
# Real guests of an old host, from its files to a clean stop: Debian with
# sysvinit, with systemd and without an init (style sysv, so with the small
# init inside), and busybox with and without; converted in both profiles,
# unpacked by GNU tar, booted by the real lxc-start, looked at from outside,
# stopped by lxc-stop; then the same packages verified in the box. TAP; needs
# root, lxc, mmdebstrap and sources of apt.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
LC_ALL=C
export LC_ALL

# --- what there is to do it with ---------------------------------------------

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
for need in lxc-start lxc-info ip python3 busybox zstd; do
	command -v $need >/dev/null || skip_all "there is no $need"
done
cgroup=v2
[ ! -d /sys/fs/cgroup/memory ] || cgroup=v1
[ "$cgroup" = v1 ] ||
	grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null ||
	skip_all "no controller of memory here"

tmp=$(mktemp -d "${TMPDIR:-/tmp}/rehost-debian.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
# of the run: another may be under way on this machine
tag=${tmp##*.}

# --- the old host ------------------------------------------------------------

# A service of the administrator's: tells when it was started and stopped.
mark_script()	# ROOT
{
	cat >"$1/etc/init.d/mark" <<-'END'
	#!/bin/sh
	### BEGIN INIT INFO
	# Provides: mark
	# Required-Start: $local_fs
	# Required-Stop: $local_fs
	# Default-Start: 2 3 4 5
	# Default-Stop: 0 1 6
	# Short-Description: marks start and stop
	### END INIT INFO
	case $1 in
	start) echo up >>/var/log/mark ;;
	stop) echo down >>/var/log/mark ;;
	esac
	END
	chmod 755 "$1/etc/init.d/mark"
}

# guest NAME LAST STYLE TREE: TREE is of trees, or busybox
guest()
{
	local root=$tmp/host/vservers/$1 conf=$tmp/host/etc/vservers/$1
	demo_guest "$tmp/host" "$1" $((40000 + $2)) "192.0.2.$2" || return 1
	if [ "$4" != busybox ]; then
		rm -rf "$root"
		cp -a "$trees/$4" "$root" || return 1
	fi
	mark_script "$root"
	if [ "$4" != busybox ]; then
		chroot "$root" update-rc.d mark defaults || return 1
	elif [ "$3" = sysv ]; then
		cat >"$root/etc/init.d/rc" <<-'END'
		#!/bin/sh
		case $1 in
		6) /etc/init.d/mark stop ;;
		*) /etc/init.d/mark start ;;
		esac
		END
		chmod 755 "$root/etc/init.d/rc"
	else
		printf '%s\n' '::sysinit:/etc/init.d/mark start' \
			'::respawn:/bin/sleep 3600' \
			'::shutdown:/etc/init.d/mark stop' \
			>"$root/etc/inittab"
	fi
	[ "$3" != sysv ] || rm "$root/sbin/init"
	mknod "$root/node" c 10 200 &&
	demo_value "$conf/apps/init/style" "$3" &&
	# 65536 pages are 256 MiB
	demo_value "$conf/rlimits/rss.hard" 65536 &&
	demo_value "$conf/rlimits/nproc.hard" 200
}

make_host()
{
	mkdir -p "$tmp/host/etc/vservers/.defaults" "$tmp/host/vservers" &&
	echo vs1 >"$tmp/host/etc/hostname" &&
	ln -s /vservers "$tmp/host/etc/vservers/.defaults/vdirbase" &&
	guest "$1" 11 plain sysvinit && guest "$2" 12 plain systemd &&
	guest "$3" 13 sysv sysvinit && guest "$4" 14 plain busybox &&
	guest "$5" 15 sysv busybox && guest "broken-$tag" 16 plain systemd &&
	break_unit "$tmp/host/vservers/broken-$tag" &&
	cat >"$tmp/site.conf" <<-END
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { path = "$tmp/lxc"  version = "5.0"  cgroup = "$cgroup" }
	idmap { base = 1000000  size = 65536 }
	END
	echo root:1000000:1000000 >"$tmp/subid"
	chmod 755 "$tmp"
}

# A unit that fails: the only thing that is wrong with the guest.
break_unit()	# ROOT
{
	printf '%s\n' '[Service]' Type=oneshot ExecStart=/bin/false \
		'[Install]' WantedBy=multi-user.target \
		>"$1/etc/systemd/system/broken.service" &&
	ln -s /etc/systemd/system/broken.service \
		"$1/etc/systemd/system/multi-user.target.wants/"
}

# --- a boot ------------------------------------------------------------------

# convert DIR OPTION...
convert()
{
	local dir=$1
	shift
	"$rehost" convert -q "$@" --root "$tmp/host" \
		--site "$tmp/site.conf" -o "$tmp/$dir"
}

# commands PACKAGE: what README.txt tells to type
commands() { sed -n 's/^    //p' "$1/README.txt"; }

# No archive holds nodes, not even those that the old host's guest had.
no_nodes()	# ROOT
{
	[ -z "$(find "$1" -type c -o -type b)" ]
}

# For the guest whose devices are the rules that were written. With mapped ids
# there are none (userns.conf of LXC clears them): no node can be made.
add_nodes()	# PROFILE ROOT
{
	[ "$1" = equivalent ] || return 0
	mknod -m 666 "$2/refused" c 10 200 && mknod -m 666 "$2/allowed" c 1 5
}

# install PROFILE NAME: as README.txt says, with the least rights
install()
{
	local root=$tmp/lxc/$2/rootfs
	rm -rf "$tmp/lxc"
	commands "$tmp/$1/$2" | sed '/^lxc-start/,$d' >"$tmp/install" &&
	(umask 077 && cd "$tmp/$1/$2" && sh -e "$tmp/install") &&
	no_nodes "$root" && add_nodes "$1" "$root" &&
	echo "lxc.console.logfile = $tmp/lxc/$2.console" \
		>>"$tmp/lxc/$2/config"
}

# until_true COMMAND...: at most a minute
until_true()
{
	local try
	for ((try = 0; try < 120; try++)); do
		"$@" >/dev/null 2>&1 && return 0
		sleep 0.5
	done
	echo "waited in vain for: $*" >&2
	return 1
}

# shellcheck disable=SC2154 # of the laboratory
marked() { grep -qx "$1" "$path/$name/rootfs/var/log/mark"; }

# children WORD: one of the first process has WORD in its command line
children() { pgrep -P "$pid" -f -- "$1"; }

# groups: those of the guest, without the lxc.monitor ones
payload() { find /sys/fs/cgroup -type d -name "lxc.payload.$name"; }
no_payload() { [ -z "$(payload)" ]; }

# opens FILE...: which of them the guest can open, or why it cannot
opens()
{
	# shellcheck disable=SC2016 # for the guest's shell
	inside /bin/sh -c 'for f; do (: <"$f") && echo "${f##*/}"; done' \
		sh "$@" 2>&1 | sed 's/.*: //' | tr '\n' ' '
}

# makes a node, which takes a capability that was not there
makes()
{
	local mknod=(mknod)
	[ ! -e "$path/$name/rootfs/bin/busybox" ] ||
		mknod=(/bin/busybox mknod)
	inside "${mknod[@]}" /dev/made c 1 3 2>&1 | sed 's/.*: //'
}

# finished KIND: the boot is
finished()
{
	until_true marked up || return 1
	case $1 in
	systemd) inside systemctl is-system-running --wait ;;
	sysvinit) until_true children getty && echo running ;;
	*) echo running ;;
	esac
}

# look KIND: run in the laboratory; a line for everything that is compared
look()
{
	local started
	pid=$(pid1)
	echo "boot $(finished "$1")"
	[ "$1" != systemd ] || inside systemctl --failed --no-pager >&2
	echo "init $(cat "/proc/$pid/comm")"
	echo "ids $(awk '{ print $1, $2, $3 }' "/proc/$pid/uid_map")"
	echo "owner $(stat -c %u "$path/$name/rootfs/etc")"
	echo "netns $(readlink "/proc/$pid/ns/net")"
	echo "hostname $(nsenter -t "$pid" -u hostname)"
	echo "address $(nsenter -t "$pid" -n ip -4 -o addr show dev eth0 |
		sed 's/.* inet \([^ ]*\) .*/\1/')"
	echo "route $(nsenter -t "$pid" -n ip -4 route | tr -s ' \n' ' ')"
	echo "answers $(busybox ping -c 1 -w 9 "$2" | grep -c '1 packets rec')"
	echo "capbnd $(sed -n 's/^CapBnd:[^0-9a-f]*//p' "/proc/$pid/status")"
	echo "opened $(opens /dev/null /dev/zero /dev/full /dev/random \
		/dev/urandom /dev/ptmx)"
	echo "nodes $(opens /allowed /refused)"
	echo "made $(makes)"
	echo "tmp $(awk '$2 == "/tmp" { print $3 }' "/proc/$pid/mounts")"
	echo "pids $(limit pids.max)"
	echo "memory $(limit memory.limit_in_bytes 2>/dev/null ||
		limit memory.max)"
	started=$(date +%s)
	# it never kills: a guest that does not stop is an error
	eval "$LXC_LAB_STOP --nokill"
	echo "stop $? after $(($(date +%s) - started)) seconds" >&2
	until_true no_payload
	sleep 0.5 # a guest that starts again would be up by now
	echo "state $(lxc-info -P "$path" -n "$name" -s -H)"
	echo "groups $(payload | wc -l)"
	echo "mark $(tr '\n' ' ' <"$path/$name/rootfs/var/log/mark")"
}
export -f look finished makes opens payload no_payload children marked until_true
export tmp

# boot PROFILE NAME KIND ADDRESS: the setup lets root map the range of ids
boot()
{
	# shellcheck disable=SC2016 # for the laboratory
	local setup='ip link add br0 type bridge &&
		ip addr add 192.0.2.1/24 dev br0 && ip link set br0 up &&
		for f in /etc/subuid /etc/subgid; do
			[ ! -e $f ] || mount --bind "$tmp/subid" $f || exit 1
		done'
	LXC_LAB_START=$(commands "$tmp/$1/$2" | grep '^lxc-start') &&
	LXC_LAB_STOP=$(commands "$tmp/$1/$2" | grep '^lxc-stop') || return 1
	export LXC_LAB_START LXC_LAB_STOP
	shift
	timeout --foreground 300 bash tests/lxc_lab.sh "$tmp/lxc" "$1" "$setup" \
		"look $2 $3" >"$tmp/seen"
}

# --- what it is compared with --------------------------------------------------

# same WHAT EXPECTED: what the guest showed
same()
{
	local seen
	seen=$(sed -n "s/^$1 //p" "$tmp/seen" | sed 's/ *$//')
	echo "$1: expected \"$2\", seen \"$seen\""
	[ -n "$2" ] && [ "$seen" = "$2" ]
}

# keep_mask PROFILE NAME: the set of the policy as /proc/PID/status shows it
keep_mask()
{
	python3 -c 'import json, re, sys
bits = {m[1]: int(m[0]) for m in re.findall(
    r"^CAP\((\d+), \"(\w+)\"\)", open("src/base/cap.def").read(), re.M)}
p = json.load(open(sys.argv[1]))["targets"]["lxc"]
print("%016x" % sum(1 << bits[i["key"]] for i in p
      if i["field"] == "cap.bounding" and i["value"] == "yes"))' \
		"$tmp/$1/$2/policy.json"
}

# base PACKAGE: the host's id that is the guest's root
base() { sed -n 's/^lxc.idmap = u 0 \([0-9]*\) 65536$/\1/p' "$1/lxc/config"; }

# ids PROFILE NAME: as the map of its first process shows them
ids()
{
	case $1 in
	equivalent) echo "0 0 4294967295" ;;
	*) echo "0 $(base "$tmp/$1/$2") 65536" ;;
	esac
}

# owner PROFILE NAME: mapped in the tree, or by the mount, or not at all
owner()
{
	case $1 in
	shifted) base "$tmp/$1/$2" ;;
	*) echo 0 ;;
	esac
}

# nothing_left NAME: neither groups nor mounts, processes or their network
nothing_left()
{
	local net
	net=$(sed -n 's/^netns //p' "$tmp/seen")
	[ -n "$net" ] || return 1
	{
		find /sys/fs/cgroup -type d -name "lxc.*.$1"
		grep -F "$tmp/" /proc/self/mountinfo
		grep -l "/lxc\..*\.$1\$" /proc/[0-9]*/cgroup
		find /proc/[0-9]*/ns/net -lname "$net"
		pgrep -af "$tmp/lxc"
	} 2>/dev/null >"$tmp/left"
	cat "$tmp/left"
	[ ! -s "$tmp/left" ]
}

# ended: by itself, and what runs at a stop did run
ended()
{
	same state STOPPED && same groups 0 && same mark "up down"
}

# healthy PROFILE NAME SAID...: in the box of our own, with the mapped ids of
# that profile; what it says, and that nothing is not as planned
healthy()
{
	local package=$tmp/$1/$2 least=0
	# where ids are mapped, LXC's own filter and profile remain unseen
	[ "$1" = equivalent ] || least=5
	shift 2
	timeout 300 "$rehost" verify -v --scratch "$tmp/scratch" "$package" \
		>"$tmp/verified"
	[ $? -eq "$least" ] || { cat "$tmp/verified"; return 1; }
	set -- 'start: up' 'stop: by itself' "$@"
	for said; do
		grep "^  + boot *$said\$" "$tmp/verified" ||
			{ cat "$tmp/verified"; return 1; }
	done
	! grep '^  X ' "$tmp/verified"
}

# test_verify PROFILE: rehost's own engine boots the same packages
test_verify()
{
	check "$1, sysvinit: healthy in the box" healthy "$1" "sysvinit-$tag" \
		'run level: 2'
	check "$1, systemd: healthy in the box" healthy "$1" "systemd-$tag" \
		'system state: running'
	check "$1, noinit: healthy in the box" healthy "$1" "noinit-$tag" \
		'start command: ended with 0'
	check "$1, busybox: healthy in the box" healthy "$1" "busybox-$tag"
	rm -rf "$tmp/scratch"
}

# named: the unit that failed, and nothing else is wrong
named()
{
	"$rehost" verify --scratch "$tmp/scratch" \
		"$tmp/equivalent/broken-$tag" >"$tmp/verified"
	[ $? -eq 4 ] || { cat "$tmp/verified"; return 1; }
	grep '^  X ' "$tmp/verified" | sed 's/  */ /g' | diff - /dev/fd/3 3<<-'END'
	 X boot system state: missing: planned running, seen degraded, to be accepted as INI044
	 X boot unit broken.service: missing: planned active, seen failed, to be accepted as INI044
	END
}

# accepted: the same, known to the operator, and still named
accepted()
{
	"$rehost" verify --scratch "$tmp/scratch" \
		--accept 'INI044=as ever' \
		"$tmp/equivalent/broken-$tag" >"$tmp/verified" ||
		{ cat "$tmp/verified"; return 1; }
	grep -e ' system state:' -e ' unit ' "$tmp/verified" | sed 's/  */ /g' | diff - /dev/fd/3 3<<-'END'
	 ~ boot system state: missing: was running, is degraded [INI044] accepted: as ever
	 ~ boot unit broken.service: missing: was active, is failed [INI044] accepted: as ever
	END
}

# test_guest PROFILE NAME LAST KIND INIT
test_guest()
{
	local what="$1, ${2%-"$tag"}:" ip=192.0.2.$3
	check "$what installs as README.txt says" install "$1" "$2" ||
		return
	if ! check "$what boots" boot "$1" "$2" "$4" "$ip"; then
		tail -n 30 "$tmp/lxc/$2.console" | sed 's/^/# /'
		return
	fi
	check "$what boot ends well" same boot running
	check "$what pid 1" same init "$5"
	check "$what user ids" same ids "$(ids "$1" "$2")"
	check "$what owners in its tree" same owner "$(owner "$1" "$2")"
	check "$what host name" same hostname "$2.example.org"
	check "$what address and prefix" same address "$ip/24"
	check "$what routes" same route "default via 192.0.2.1 dev eth0$(
		) 192.0.2.0/24 dev eth0 proto kernel scope link src $ip"
	check "$what answers its neighbour" same answers 1
	check "$what capabilities" same capbnd "$(keep_mask "$1" "$2")"
	check "$what devices open" same opened \
		"null zero full random urandom ptmx"
	[ "$1" != equivalent ] || check "$what another is refused" same nodes \
		"allowed Operation not permitted"
	check "$what none can be made" same made "Operation not permitted"
	check "$what /tmp is its own" same tmp tmpfs
	check "$what memory limit" same memory 268435456
	check "$what process limit" same pids 200
	check "$what stops cleanly, not killed, and once" ended ||
		tail -n 30 "$tmp/lxc/$2.console" | sed 's/^/# /'
	check "$what leaves nothing" nothing_left "$2"
}

test_equivalent()
{
	check "equivalent: converts" convert equivalent || return
	test_guest equivalent "sysvinit-$tag" 11 sysvinit init
	test_guest equivalent "systemd-$tag" 12 systemd systemd
	test_guest equivalent "noinit-$tag" 13 shim rehost-init
	test_guest equivalent "busybox-$tag" 14 busybox init
	test_guest equivalent "busybox-noinit-$tag" 15 shim rehost-init
	test_verify equivalent
	check "equivalent, broken: the unit that failed is named" named
	check "equivalent, broken: and can be accepted" accepted
}

# With ids that are mapped when the tree is mounted.
test_native()
{
	check "native: converts" convert native --profile native \
		--compress none "vserver:sysvinit-$tag" "vserver:systemd-$tag" \
		"vserver:noinit-$tag" "vserver:busybox-$tag" || return
	test_guest native "sysvinit-$tag" 11 sysvinit init
	test_guest native "systemd-$tag" 12 systemd systemd
	test_guest native "noinit-$tag" 13 shim rehost-init
	test_guest native "busybox-$tag" 14 busybox init
	test_verify native
}

# With ids that are mapped in the tree: where the file system cannot, or LXC.
test_shifted()
{
	check "shifted: converts" convert shifted --profile native --shift \
		--rootfs tree "vserver:noinit-$tag" || return
	test_guest shifted "noinit-$tag" 13 shim rehost-init
}

# --- all -----------------------------------------------------------------------

trees=$(bash tests/debian_trees.sh 2>"$tmp/trees.log")
made=$?
[ "$made" -ne 77 ] || skip_all "$trees"
if ! check "trees of Debian" [ "$made" -eq 0 ]; then
	tail -n 20 "$tmp/trees.log" | sed 's/^/# /'
elif check "an old host" make_host "sysvinit-$tag" "systemd-$tag" \
	"noinit-$tag" "busybox-$tag" "busybox-noinit-$tag"; then
	test_equivalent
	if [ ! -e /usr/share/lxc/config/userns.conf ]; then
		skip "native" "LXC's common configuration is not installed"
	else
		if [ "$(stat -f -c %T "$tmp")" = overlayfs ]; then
			skip "native" "an overlay cannot map owners"
		else
			test_native
		fi
		test_shifted
	fi
fi
tap_end
