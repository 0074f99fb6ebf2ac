#!/bin/bash
# A converted guest in the lab: boot and its status, the verdict, the record;
# and wrong configurations, each caught on exactly the item that is wrong.
# TAP; needs root.

set -u
cd "$(dirname "$0")/../.." || exit 1
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
LC_ALL=C
export LC_ALL
python=/usr/bin/python3
n=0
bad=0
tmp=$(mktemp -d /var/tmp/rehost-verify.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

check()
{
	local what=$1
	shift
	n=$((n + 1))
	if "$@" >"$tmp/why" 2>&1; then
		echo "ok $n - $what"
	else
		bad=$((bad + 1))
		echo "not ok $n - $what"
		head -n 20 "$tmp/why" | sed 's/^/# /'
	fi
}

convert()
{
	demo_host "$tmp/host" &&
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" vserver:web01
}

command_status()
{
	[ "$("$rehost" boot --scratch "$tmp/s" "$dir" -- /bin/hostname)" = \
		web01.example.org ] || return 1
	"$rehost" boot --scratch "$tmp/s" "$dir" -- /bin/sh -c 'exit 7'
	[ $? -eq 7 ]
}

# look ARGUMENT...: $status, $tmp/seen
look()
{
	timeout 100 "$rehost" verify --scratch "$tmp/s" "$@" >"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
}

untouched()
{
	look "$dir"
	[ "$status" -eq 0 ] && grep -q ': announced, .* 0 not as planned' \
		"$tmp/seen" && [ -n "$(ls "$dir/verify")" ]
}

too_little()
{
	look --require accepted "$dir"
	[ "$status" -eq 4 ]
}

# caught SED ITEM RELATION: nothing but the items that begin so is wrong
caught()
{
	rm -rf "$tmp/wrong"
	cp -a "$dir" "$tmp/wrong" && sed -i "$1" "$tmp/wrong/lxc/config" &&
	! cmp -s "$dir/lxc/config" "$tmp/wrong/lxc/config" || return 1
	look "$tmp/wrong"
	[ "$status" -eq 4 ] && grep -q "^  X [a-z]* *$2.*: $3: " "$tmp/seen" &&
	! grep '^  X ' "$tmp/seen" | grep -v "^  X [a-z]* *$2"
}

# record: what was written is what the schema says
record()
{
	"$python" - "$dir"/verify/*.json <<-'END'
	import json, sys
	try:
	    import jsonschema
	except ImportError:
	    sys.exit(0)
	schema = json.load(open("src/report/verify.schema.json"))
	for name in sys.argv[1:]:
	    jsonschema.validate(json.load(open(name)), schema)
	    print(name)
	END
}

what_is_left()
{
	find /sys/fs/cgroup -name 'rehost.web01*' -o -name 'rehost.wrong*'
	grep "$tmp" /proc/self/mountinfo
	ls /sys/class/net
}

left=$(what_is_left)
dir=$tmp/out/web01
check "convert" convert
check "boot: output and status of a command" command_status
check "the untouched guest is as planned, and recorded" untouched
check "the records follow their schema" record
check "a verdict below --require is status 4" too_little

while IFS='|' read -r sed item relation; do
	[ -n "$sed" ] || continue
	check "$item: $relation" caught "$sed" "$item" "$relation"
done <<'END'
s/^lxc.cap.keep = /&sys_admin /|cap.bounding sys_admin|looser
s/^lxc.cap.keep = /&mknod /|cap.bounding mknod|looser
s/ net_raw / /|cap.bounding net_raw|stricter
s/^lxc.cap.keep = chown /lxc.cap.keep = /|cap.bounding chown|stricter
s/^\(lxc.cgroup2\?.devices.allow = c 1:3\) rw$/\1 r/|device.access c 1:3|stricter
s/^\(lxc.cgroup2\?.devices.allow = c 1:5\) rw$/\1 rwm/|device.access c 1:5|looser
s/^\(lxc.cgroup2\?.memory[a-z_.]* =\) 67108864$/\1 134217728/|limit.memory|looser
s/^\(lxc.cgroup2\?.memory[a-z_.]* =\) 67108864$/\1 33554432/|limit.memory|stricter
s/^\(lxc.cgroup2\?.pids.max =\) 100$/\1 101/|limit.pids|looser
/^lxc.cgroup2\?.pids.max/d|limit.pids|looser
s/^lxc.uts.name = .*/lxc.uts.name = other/|id.hostname|missing
s/^\(lxc.net.0.ipv4.address = 192.0.2.10\)[^ ]*/\1\/25/|addr.prefix 192.0.2.10|missing
s/^lxc.net.0.ipv4.gateway = .*/lxc.net.0.ipv4.gateway = 192.0.2.2/|nic.gateway4 eth0|missing
s/proc:mixed/proc:rw/|kernel.proc|missing
s/size=16m/size=32m/|mount.options /tmp|missing
s/nodev,size=16m/size=16m/|mount.options /tmp|missing
$a lxc.environment = EXTRA=1|env.value EXTRA|extra
/^lxc.environment/s/:\/usr\/sbin//|env.value PATH|missing
$a lxc.mount.entry = none opt tmpfs nodev,create=dir 0 0|mount.[a-z]* /opt|extra
END

# What the lab withholds is required: the verdict has to say so.
withheld()
{
	rm -rf "$tmp/wrong"
	cp -a "$dir" "$tmp/wrong" &&
	echo 'lxc.namespace.keep = ipc' >>"$tmp/wrong/lxc/config" || return 1
	look "$tmp/wrong"
	[ "$status" -eq 5 ] && grep -q ': incomplete, ' "$tmp/seen" &&
	grep -q '^  ? namespaces *ns.ipc: required, unseen: ' "$tmp/seen"
}
check "the host's IPC is withheld: incomplete" withheld

nothing_left() { [ "$(what_is_left)" = "$left" ]; }
check "nothing is left behind" nothing_left
echo "1..$n"
[ "$bad" -eq 0 ]
