#!/bin/bash
# A guest that runs in production, started by the real lxc-start from the
# config that was installed: verify --running finds it, sees it as the record
# of its verification has it, and names each thing that is changed while it
# runs, and nothing else. It changes nothing. TAP; needs root and lxc.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
LC_ALL=C
export LC_ALL rehost

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
for need in lxc-start ip python3 zstd; do
	command -v $need >/dev/null || skip_all "there is no $need"
done
cgroup=v2
[ ! -d /sys/fs/cgroup/memory ] || cgroup=v1
[ "$cgroup" = v1 ] ||
	grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null ||
	skip_all "no controller of memory here"
tmp=$(mktemp -d /var/tmp/rehost-running.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
guest=web-${tmp##*.}
export tmp guest

convert()
{
	mkdir -p "$tmp/host/etc/vservers/.defaults" "$tmp/host/vservers" &&
	echo vs1 >"$tmp/host/etc/hostname" &&
	ln -s /vservers "$tmp/host/etc/vservers/.defaults/vdirbase" &&
	demo_guest "$tmp/host" "$guest" 40011 192.0.2.11 &&
	mkdir -p "$tmp/data" "$tmp/host$tmp/data" \
		"$tmp/host/vservers/$guest/srv/data" &&
	echo "$tmp/data /srv/data none bind 0 0" \
		>>"$tmp/host/etc/vservers/$guest/fstab" &&
	demo_value "$tmp/host/etc/vservers/$guest/rlimits/rss.hard" 65536 &&
	demo_value "$tmp/host/etc/vservers/$guest/rlimits/nproc.hard" 200 &&
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { path = "$tmp/lxc"  version = "5.0"  cgroup = "$cgroup" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out"
}

# asked OPTION...: $status, $tmp/seen
asked()
{
	timeout 200 "$rehost" verify --running "$@" "$tmp/out/$guest" \
		>"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
}

# refused WORDS OPTION...
refused()
{
	local words=$1
	shift
	asked "$@"
	[ "$status" -eq 1 ] && grep -q "$words" "$tmp/seen"
}
stopped()
{
	asked
	[ "$status" -eq 1 ] &&
	grep -q "failed, .*: $guest in $tmp/lxc does not run: " "$tmp/seen"
}
nobodys()
{
	asked --engine builtin
	[ "$status" -eq 2 ] && grep -q 'nobody runs a guest' "$tmp/seen" ||
		return 1
	asked --probes safe
	[ "$status" -eq 2 ] && grep -q 'only looks' "$tmp/seen"
}

verified()
{
	timeout 200 "$rehost" verify --engine lxc --scratch "$tmp/s" \
		"$tmp/out/$guest"
}

# as README.txt says
install()
{
	mkdir -p "$tmp/lxc" && chmod 755 "$tmp" "$tmp/lxc" &&
	sed -n 's/^    //p' "$tmp/out/$guest/README.txt" |
		sed '/^lxc-start/,$d' >"$tmp/install" &&
	(umask 077 && cd "$tmp/out/$guest" && sh -e "$tmp/install")
}

# Inside the laboratory, which is the production host: each look with a name,
# its status, and what it said.
# shellcheck disable=SC2317 # called there
look()	# WHAT
{
	"$rehost" verify --running -v "$tmp/out/$guest" >"$tmp/look.$1" 2>&1
	echo $? >"$tmp/status.$1"
}
# shellcheck disable=SC2317
groups_of()	# CONTROLLER: the guest's group
{
	local list=/proc/$pid/cgroup
	if [ -d "/sys/fs/cgroup/$1" ]; then
		echo "/sys/fs/cgroup/$1$(sed -n "s/^[0-9]*:$1://p" "$list")"
	else
		echo "/sys/fs/cgroup$(sed -n 's/^0:://p' "$list")"
	fi
}
# shellcheck disable=SC2317
production()
{
	local memory=memory.max pids
	pid=$(pid1)
	[ ! -d /sys/fs/cgroup/memory ] || memory=memory.limit_in_bytes
	# its address comes with the start, its processes a little later
	for ((try = 0; try < 240; try++)); do
		[ -e "$tmp/lxc/$guest/rootfs/var/run/booted" ] && break
		sleep 0.5
	done
	state >"$tmp/state.before"
	look same
	state >"$tmp/state.after"
	pids=$(groups_of pids)/pids.max
	echo 100000000 >"$(groups_of memory)/$memory" || return 1
	echo 500 >"$pids" || return 1
	nsenter -t "$pid" -n ip addr add 198.51.100.7/24 dev eth0 &&
	nsenter -t "$pid" -n ip link set eth0 mtu 1400 &&
	nsenter -t "$pid" -u hostname changed || return 1
	look changed
	nsenter -t "$pid" -n ip addr del 198.51.100.7/24 dev eth0 &&
	nsenter -t "$pid" -n ip link set eth0 mtu 1500 &&
	nsenter -t "$pid" -u hostname "$guest.example.org" || return 1
	echo 268435456 >"$(groups_of memory)/$memory" && echo 200 >"$pids"
	look again
	ip link set "$(ls /sys/class/net/br0/brif)" nomaster || return 1
	look unplugged
}
# What a look could change.
# shellcheck disable=SC2317
state()
{
	grep -v '^0::' "/proc/$pid/cgroup"
	pgrep -P "$pid" | wc -l
	cat "/proc/$pid/mountinfo"
	nsenter -t "$pid" -n ip -o addr
	nsenter -t "$pid" -n cat /proc/net/dev | sed 's/ .*//'
	find "$tmp/lxc/$guest/rootfs" -printf '%p %s %T@ %C@\n'
	ip -o link
}
export -f look groups_of production state

run_it()
{
	local setup='ip link add br0 type bridge &&
		ip addr add 192.0.2.1/24 dev br0 && ip link set br0 up'
	LXC_LAB_START=$(sed -n 's/^    //p' "$tmp/out/$guest/README.txt" |
		grep '^lxc-start') &&
	export LXC_LAB_START &&
	timeout --foreground 400 bash tests/lxc_lab.sh "$tmp/lxc" "$guest" \
		"$setup" production
}

# status WHAT STATUS
said() { cat "$tmp/look.$1"; [ "$(cat "$tmp/status.$1")" = "$2" ]; }
wrong() { sed -n 's/^  X *//p' "$tmp/look.$1" | sed 's/  */ /g'; }
same() { said "$1" 0 && [ -z "$(wrong "$1")" ] &&
	grep -q ', 0 not as planned, 0 not as in verify/lxc-lxc-' "$tmp/look.$1"; }
# util-vserver gave it nodev, LXC does not.
bound()
{
	sed -n 's/^  [+~] *mounts *//p' "$tmp/look.same" | grep /srv/data: |
		sort | diff - /dev/fd/3 3<<-END
	mount.options /srv/data: missing: was bind nodev, is bind [MNT021]
	mount.source /srv/data: $tmp/data
	mount.target /srv/data: /srv/data
	mount.type /srv/data: none
	END
}

changed()
{
	said changed 4 >"$tmp/shown" && wrong changed | diff - /dev/fd/3 3<<-END
	network addr.ip 198.51.100.7: drift: planned -, seen 198.51.100.7
	network addr.prefix 198.51.100.7: drift: planned -, seen 24
	network nic.mtu eth0: drift: planned -, seen 1400
	limits limit.memory: drift: planned 268435456, seen 99999744
	limits limit.pids: drift: planned 200, seen 500
	identity id.hostname: drift: planned $guest.example.org, seen changed
	END
}

unplugged()
{
	said unplugged 4 && [ "$(wrong unplugged)" = \
		"network nic.attach eth0: drift: planned bridge:br0, seen routed" ]
}

records()
{
	"$rehost" status "$tmp/out" &&
	"$rehost" status "$tmp/out" |
		grep -q 'lxc/lxc announced, lxc/lxc running ' &&
	python3 - "$tmp/out/$guest"/verify/lxc-lxc-running-*.json <<-'END'
	import json, os, sys
	try:
	    import jsonschema
	except ImportError:
	    jsonschema = None
	schema = json.load(open("src/report/verify.schema.json"))
	for name in sys.argv[1:]:
	    doc = json.load(open(name))
	    jsonschema and jsonschema.validate(doc, schema)
	    with_ = doc["guests"][0]["compared_with"]
	    assert os.path.exists(os.path.dirname(name) + "/../" + with_), with_
	END
}

if check "convert" convert && check "install" install; then
	check "not yet verified: refused" refused \
		"out/$guest: there is no record of a verification for lxc"
	check "verified by the real engine" verified
	check "a verdict that no record has: refused" refused \
		"no record has the verdict equivalent" --require equivalent
	check "no engine of production, no tries: usage" nobodys
	check "it does not run: failed, and where it was looked for" stopped
	check "it runs in production" run_it
	check "as the record has it" same same
	check "a directory of the host, as LXC really binds it" bound
	check "looking changed nothing" diff "$tmp/state.before" "$tmp/state.after"
	check "what was changed is named, nothing else" changed
	check "changed back" same again
	check "taken off its bridge" unplugged
	check "records, and status" records
fi
tap_end
