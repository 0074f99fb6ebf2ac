#!/bin/bash
# The same guest, the same probes, started by real engines in the lab: as
# planned where it is, caught where its configuration is wrong; engines that
# are absent or too old are told; nothing is left behind. TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-engines.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# web01: limits. db01: a directory of the host. maps01: its ids are mapped.
convert()
{
	demo_host "$tmp/host" &&
	demo_guest "$tmp/host" maps01 40004 192.0.2.40 &&
	demo_value "$tmp/host/etc/vservers/maps01/bcapabilities" SYS_ADMIN &&
	sed -i "s,^/srv/db01 ,$tmp/host/srv/db01 ," \
		"$tmp/host/etc/vservers/db01/fstab" &&
	echo 'echo up >/srv/data/written' \
		>>"$tmp/host/vservers/db01/etc/init.d/rcS" &&
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" vserver:web01 vserver:db01 vserver:maps01
}

# look ARGUMENT...: $status, $tmp/seen
look()
{
	timeout 200 "$rehost" verify --engine "$engine" --scratch "$tmp/s" \
		"$@" >"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
}

as_planned()
{
	look "$tmp/out/$1"
	[ "$status" -eq 0 ] &&
	grep -q ": announced, .* 0 not as planned" "$tmp/seen"
}

# The guest writes into a copy of the host's directory, with the flags of the
# mount: that is said, and nothing is left to look at.
copied()
{
	local before
	before=$(find "$tmp/host/srv" -printf '%p %s %T@ %C@\n')
	as_planned db01 || return 1
	[ "$(find "$tmp/host/srv" -printf '%p %s %T@ %C@\n')" = "$before" ] &&
	look -v "$tmp/out/db01" >/dev/null &&
	grep -q 'mount.source /srv/data: unseen: withheld: a copy' "$tmp/seen" &&
	grep -q '+ mounts *mount.options /srv/data' "$tmp/seen"
}

recorded()
{
	local record
	record=$(ls "$tmp"/out/web01/verify/lxc-"$engine"-*.json) &&
	python3 - "$record" "$engine" <<-'END'
	import json, re, sys
	g = json.load(open(sys.argv[1]))["guests"][0]
	assert g["engine"] == sys.argv[2], g["engine"]
	assert re.match(r"\d+\.\d+", g["engine_version"]), g["engine_version"]
	END
}

# caught SED ITEM RELATION: nothing but the items that begin so is wrong
caught()
{
	rm -rf "$tmp/wrong"
	cp -a "$tmp/out/web01" "$tmp/wrong" &&
	sed -i "$1" "$tmp/wrong/lxc/config" &&
	! cmp -s "$tmp/out/web01/lxc/config" "$tmp/wrong/lxc/config" ||
		return 1
	look "$tmp/wrong"
	[ "$status" -eq 4 ] && grep -q "^  X [a-z]* *$2.*: $3: " "$tmp/seen" &&
	! grep '^  X ' "$tmp/seen" | grep -v "^  X [a-z]* *$2"
}

# The plan names the engine's command and what is not as emitted.
planned()
{
	look -n "$tmp/out/web01"
	[ "$status" -eq 0 ] && grep -q '^lab: make bridge br0$' "$tmp/seen" &&
	grep -q "^execute in the lab $1 " "$tmp/seen"
}

# without PROGRAM: a PATH that lacks it
without()
{
	mkdir -p "$tmp/bin"
	rm -f "$tmp/bin"/*
	ln -s /bin/* /usr/bin/* /sbin/* /usr/sbin/* "$tmp/bin/" 2>/dev/null
	rm -f "$tmp/bin/$1"
	PATH=$tmp/bin look "$tmp/out/web01"
	[ "$status" -eq 1 ] && grep -q "$1" "$tmp/seen"
}

# too_old PROGRAM OUTPUT
too_old()
{
	rm -rf "${tmp:?}/bin"
	mkdir -p "$tmp/bin"
	printf '#!/bin/sh\necho "%s"\n' "$2" >"$tmp/bin/$1"
	chmod 755 "$tmp/bin/$1"
	PATH=$tmp/bin:$PATH look "$tmp/out/web01"
	[ "$status" -eq 1 ] && grep -q 'too old' "$tmp/seen"
}

dies()
{
	rm -rf "$tmp/dead"
	cp -a "$tmp/out/web01" "$tmp/dead" &&
	sed -i 's,^lxc.init.cmd.*,,; $a lxc.init.cmd = /bin/false' \
		"$tmp/dead/lxc/config" || return 1
	look "$tmp/dead"
	[ "$status" -eq 1 ] && grep -q ': failed, ' "$tmp/seen"
}

# What a killed run left goes with the next one.
killed()
{
	local pid
	"$rehost" verify --engine "$engine" --scratch "$tmp/s" \
		"$tmp/out/web01" >/dev/null 2>&1 &
	pid=$!
	for _ in $(seq 200); do
		[ -e "$(echo "$tmp/s/rehost.web01.$pid"/engine/*)" ] && break
		sleep 0.05
	done
	sleep 0.3
	kill -9 $pid
	wait $pid
	[ -n "$(what_is_left)" ] || return 1
	as_planned maps01
}

# Groups whose maker, named by the last part, is no more.
groups_left()
{
	find /sys/fs/cgroup -name 'rehost.*.*' | while read -r group; do
		[ -d "/proc/${group##*.}" ] || echo "$group"
	done
}

what_is_left()
{
	groups_left
	find "$tmp/s" -maxdepth 1 \( -name 'rehost.*' -o -name 'console-*' \) \
		2>/dev/null
	grep "$tmp" /proc/self/mountinfo
	ls /sys/class/net
	# shellcheck disable=SC2009 # a name in the whole command line
	ps -eo args= | grep -F "$tmp/s" | grep -v grep
}

nothing_left()
{
	what_is_left >"$tmp/after"
	! grep -vxFf "$tmp/before" "$tmp/after"
}

# A real one, on its own tree: nothing of it is copied.
debian()
{
	timeout 200 "$rehost" rehearse -q --engine "$engine" \
		--root "$tmp/host" --site "$tmp/site.conf" \
		--scratch "$tmp/s" vserver:debian >"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
	[ "$status" -eq 0 ] &&
	grep -q ": announced, .* 0 not as planned" "$tmp/seen"
}

same_probes()
{
	for g in web01 db01 maps01; do
		check "$engine: $g is as planned" "$([ $g = db01 ] &&
			echo copied || echo as_planned)" $g
	done
	check "$engine: the record names it and its version" recorded
	while IFS='|' read -r sed item relation; do
		[ -n "$sed" ] || continue
		check "$engine: $item: $relation" \
			caught "$sed" "$item" "$relation"
	done <<-'END'
	s/^lxc.cap.keep = /&sys_pacct /|cap.bounding sys_pacct|looser
	s/^\(lxc.cgroup2\?.devices.allow = \)c 1:5 rw$/&\n\1c 10:229 rwm/|[a-z. ]*c 10:229|looser
	s/^\(lxc.cgroup2\?.memory[a-z_.]* =\) 67108864$/\1 134217728/|limit.memory|looser
	s/^lxc.uts.name = .*/lxc.uts.name = other/|id.hostname|missing
	s/^\(lxc.net.0.ipv4.address = 192.0.2.10\)[^ ]*/\1\/25/|addr.prefix 192.0.2.10|missing
	s/nodev,size=16m/size=16m/|mount.options /tmp|missing
	END
	check "$engine: init that ends at once is failed" dies
	check "$engine: killed, and the next run cleans up" killed
}

# engine NAME PROGRAM OLD: all of one engine, when it is here
engine()
{
	engine=$1
	command -v "$2" >/dev/null || {
		skip "$engine" "there is no $2"
		return
	}
	check "$engine: what it would do" planned "$2"
	check "$engine: absent" without "$2"
	check "$engine: too old" too_old "$2" "$3"
	same_probes
	if [ -d "$tmp/host/vservers/debian/sbin" ]; then
		check "$engine: a Debian with sysvinit" debian
	else
		skip "$engine: a Debian with sysvinit" "it cannot be made here"
	fi
	check "$engine: nothing is left behind" nothing_left
}

what_is_left >"$tmp/before"
check "convert" convert
if trees=$(bash tests/debian_trees.sh 2>/dev/null); then
	demo_guest "$tmp/host" debian 40005 192.0.2.50
	rm -rf "$tmp/host/vservers/debian"
	cp -a "$trees/sysvinit" "$tmp/host/vservers/debian"
fi
engine lxc lxc-start 3.0.3
engine runc runc 1.0.3
tap_end
