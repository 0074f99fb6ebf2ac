#!/bin/bash
# rehost rehearse: the old guest's own tree under an overlay. The same is seen
# as of the converted guest; the source is as it was, to the access times; a
# guest that runs is refused; how large it is does not matter. TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-rehearse.XXXXXX) || exit 1
trap 'umount "$tmp/view" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# web01; mapped, whose ids are mapped; edited, of which something is changed,
# hidden, emptied and added: it has an old sysvinit's files and a lock.
make_host()
{
	local root=$tmp/host/vservers/edited
	demo_host "$tmp/host" &&
	demo_guest "$tmp/host" mapped 40004 192.0.2.40 &&
	demo_value "$tmp/host/etc/vservers/mapped/bcapabilities" SYS_ADMIN &&
	demo_guest "$tmp/host" edited 40005 192.0.2.50 &&
	printf '%s\n' '1:2345:respawn:/sbin/getty 38400 tty1' \
		>>"$root/etc/inittab" &&
	chown 3:4 "$root/etc/inittab" && chmod 640 "$root/etc/inittab" &&
	printf '/dev/hda1 / ext3 defaults 0 1\n' >"$root/etc/fstab" &&
	printf 'nothing\n' >"$root/etc/mtab" &&
	cat >"$tmp/site.conf" <<-END
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
}

# look ARGUMENT...: $status, $tmp/seen
look()
{
	timeout 200 "$rehost" rehearse -q --root "$tmp/host" \
		--site "$tmp/site.conf" --scratch "$tmp/s" "$@" \
		>"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
}

rehearsed()
{
	look "$@"
	[ "$status" -eq 0 ] &&
	grep -q ": announced, .* 0 not as planned" "$tmp/seen"
}

# Item by item what verify sees of the converted guest, but for the archive.
same_as_converted()
{
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" "vserver:$1" &&
	"$rehost" verify -q --scratch "$tmp/s" --format json "$tmp/out/$1" \
		>"$tmp/verified.json" || return 1
	look --format json "vserver:$1"
	[ "$status" -eq 0 ] &&
	python3 - "$tmp/verified.json" "$tmp/seen" <<-'END'
	import json, sys
	def items(name):
	    g = json.load(open(name))["guests"][0]
	    return g["verdict"], {(c["item"]): (c["observed"], c["relation"])
	            for c in g["checks"] if c["area"] != "data"}
	a, b = items(sys.argv[1]), items(sys.argv[2])
	for item in sorted(set(a[1]) | set(b[1])):
	    if a[1].get(item) != b[1].get(item):
	        print(item, a[1].get(item), b[1].get(item))
	assert a == b and len(a[1]) > 50
	END
}

# What the guest finds is what was packed: content, owner, mode.
edits_are_there()
{
	cat >"$tmp/show" <<-'END'
	#!/bin/sh
	echo up >/var/run/booted
	for f in /etc/inittab /etc/fstab /etc/mtab; do
		echo "SEEN $f $(ls -ln $f 2>&1 | cut -c1-10) \
	$(ls -ln $f 2>&1 | tr -s ' ' | cut -d' ' -f3,4) \
	$(cat $f 2>&1 | cksum) error"
	done >/dev/console
	END
	cp -p "$tmp/host/vservers/edited/etc/init.d/rcS" "$tmp/rcS" &&
	cat "$tmp/show" >"$tmp/host/vservers/edited/etc/init.d/rcS" &&
	for f in cut tr cksum; do
		ln -s busybox "$tmp/host/vservers/edited/bin/$f" || return 1
	done
	rm -rf "$tmp/out/edited"
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" vserver:edited || return 1
	grep '"action"' "$tmp/out/edited/report.json" || return 1
	"$rehost" verify -q --scratch "$tmp/s" "$tmp/out/edited" |
		sed -n 's/.*console: SEEN //p' >"$tmp/packed"
	look vserver:edited
	sed -n 's/.*console: SEEN //p' "$tmp/seen" >"$tmp/overlaid"
	[ "$(wc -l <"$tmp/packed")" -ge 2 ] &&
	diff "$tmp/packed" "$tmp/overlaid"
}

# Everything that stat shows, without an effect of looking. Nobody can follow
# a link without that its access time is set.
state_of()
{
	find "$tmp/view" -printf '%p %y %m %U %G %s %n %i %T@ %C@ %l' \
		\( -type l -o -printf ' %A@' \) -printf '\n' | sort
}

untouched()
{
	mkdir "$tmp/view" && mount --bind "$tmp/host" "$tmp/view" &&
	mount -o remount,bind,noatime "$tmp/view" || return 1
	find "$tmp/view" -exec touch -ha -d 2001-01-01 {} + &&
	state_of >"$tmp/state" && sleep 1.1 || return 1
	rehearsed vserver:web01 && rehearsed vserver:mapped || return 1
	state_of | diff "$tmp/state" - || return 1
	rehearsed --engine builtin vserver:edited || return 1
	state_of | diff "$tmp/state" - && umount "$tmp/view"
}

# A context with its number has processes: capture has seen it.
runs()
{
	local facts=fixtures/vserver/22-capture/in/rehost-capture.txt
	look --facts "$facts" vserver:web01
	[ "$status" -eq 1 ] && grep -q 'SRC001' "$tmp/seen" &&
	! grep -q 'lxc on builtin' "$tmp/seen" || return 1
	rehearsed --facts "$facts" --live --expect-ports '' vserver:web01
}

seconds_of()
{
	local from
	from=$(date +%s%N)
	rehearsed "vserver:$1" >/dev/null || return 1
	echo $((($(date +%s%N) - from) / 1000000))
}

# 20,000 files and 40 GB, of holes: nobody looks at them.
any_size()
{
	local root=$tmp/host/vservers/old small large
	rm -rf "$tmp/host/etc/vservers/old/scripts"
	small=$(seconds_of old) || return 1
	mkdir -p "$root/srv/many" && truncate -s 40G "$root/srv/large" &&
	(cd "$root/srv/many" && seq 20000 | xargs touch) || return 1
	large=$(seconds_of old) || return 1
	rm -r "$root/srv"
	echo "$small ms, and large $large ms"
	[ "$large" -lt $((small * 2 + 2000)) ]
}

several()
{
	look vserver:web01 vserver:edited
	[ "$status" -eq 0 ] &&
	[ "$(grep -c '^vs1/vserver:.*: announced' "$tmp/seen")" -eq 2 ]
}

blocked()
{
	demo_value "$tmp/host/etc/vservers/db01/bcapabilities" a
	look vserver:db01 vserver:web01
	[ "$status" -eq 1 ] && grep -q 'db01: blocked: [A-Z]*[0-9]* (' \
		"$tmp/seen" && grep -q 'web01: lxc on builtin' "$tmp/seen"
}

nothing_named() { look; [ "$status" -eq 2 ]; }

dry_run()
{
	rm -rf "$tmp/s"
	look -n vserver:web01
	[ "$status" -eq 0 ] &&
	grep -q "^mount overlay $tmp/host/vservers/web01 " "$tmp/seen"
}

what_is_left()
{
	find /sys/fs/cgroup -name 'rehost.*.*' | while read -r group; do
		[ -d "/proc/${group##*.}" ] || echo "$group"
	done
	find "$tmp/s" -mindepth 1 2>/dev/null
	grep "$tmp" /proc/self/mountinfo
	ls /sys/class/net
}

nothing_left()
{
	what_is_left >"$tmp/after"
	! grep -vxFf "$tmp/before" "$tmp/after"
}

what_is_left >"$tmp/before"
check "make a host" make_host
check "a guest is rehearsed" rehearsed vserver:web01
check "nothing is left behind" nothing_left
check "a guest whose ids are mapped" rehearsed vserver:mapped
check "several" several
check "the same is seen as of the converted one" same_as_converted web01
check "with mapped ids too" same_as_converted mapped
check "the edits are there as they are packed" edits_are_there
check "the source is untouched, to the access times" untouched
check "a guest that runs is refused, but for --live" runs
check "a guest that is blocked is refused, no other" blocked
check "its size does not matter" any_size
if command -v lxc-start >/dev/null; then
	check "under lxc" rehearsed --engine lxc vserver:mapped
fi
check "status 2: nothing named" nothing_named
check "-n" dry_run
tap_end
