#!/bin/bash
# Hostile guests: what they try against the host is refused, and what they
# have put into their trees does no harm. TAP; needs root.

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
victim=
status=0
listener=
tmp=$(mktemp -d /var/tmp/rehost-hostile.XXXXXX) || exit 1
finish()
{
	# it may have been stopped by who traced it
	[ -z "$victim" ] || kill -KILL "$victim" 2>/dev/null
	[ -z "$listener" ] || kill "$listener" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# shut: the rights of an old guest; maps: ids of its own and SYS_ADMIN;
# etc: a tree that wants to be read where it must not be
prepare()
{
	local root=$tmp/host/vservers/etc
	cc -std=gnu11 -D_GNU_SOURCE -static -O -o "$tmp/hostile" tests/root/hostile.c &&
	demo_host "$tmp/host" &&
	demo_guest "$tmp/host" shut 40201 192.0.2.201 &&
	demo_guest "$tmp/host" maps 40202 192.0.2.202 &&
	demo_guest "$tmp/host" etc 40203 192.0.2.203 &&
	demo_value "$tmp/host/etc/vservers/maps/bcapabilities" SYS_ADMIN &&
	cp "$tmp/hostile" "$tmp/host/vservers/shut/bin/hostile" &&
	cp "$tmp/hostile" "$tmp/host/vservers/maps/bin/hostile" &&
	rm "$root/etc/hostname" "$root/etc/group" &&
	mkfifo "$root/etc/resolv.conf" "$root/var/run/utmp" \
		"$root/etc/hostname" &&
	ln -s /proc/self/mem "$root/etc/os-release" &&
	ln -s ../../../../../../etc/shadow "$root/etc/group" &&
	ln -s / "$root/etc/mtab" && mkdir "$root/etc/fstab" &&
	ln -s loop "$root/etc/loop" &&
	head -c 300000 /dev/zero | tr '\0' 'x' >"$root/etc/hosts" &&
	mkdir "$root/etc/$(printf 'a\nb\tc')" &&
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" vserver:shut vserver:maps vserver:etc
}

# attack GUEST: nothing is done, and the victim lives
attack()
{
	local dev
	dev=$(stat -c %d /)
	timeout 100 "$tmp/hostile" key "$rehost" boot --scratch "$tmp/s" \
		"$tmp/out/$1" -- \
		/bin/hostile "$victim" $((dev >> 8 & 0xfff)) $((dev & 0xff)) \
		>"$tmp/said" 2>&1
	cat "$tmp/said"
	[ "$(grep -c '^refused ' "$tmp/said")" -eq 18 ] &&
	! grep '^DONE' "$tmp/said" && kill -0 "$victim"
}

# The same program where nothing holds it: what it says can be believed.
control()
{
	"$tmp/hostile" key "$tmp/hostile" "$victim" 0 0 \
		"a key of the host's session" "tracing a process of the host" \
		"joining the host's network" "a socket of the host" \
		>"$tmp/said"
	cat "$tmp/said"
	[ "$(grep -c '^DONE ' "$tmp/said")" -eq 4 ]
}

unharmed()
{
	timeout 100 "$rehost" verify --scratch "$tmp/s" "$tmp/out/etc" \
		>"$tmp/said" 2>&1 || { cat "$tmp/said"; return 1; }
	grep -q ' 0 not as planned' "$tmp/said" &&
	! grep 'root:.*:0:' "$tmp/said"
}

# init TEXT: a guest of which that is the first process
init()
{
	rm -rf "$tmp/tree"
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		--rootfs tree -o "$tmp/tree" vserver:shut &&
	rm -f "$tmp/tree/shut/rootfs/sbin/init" || return 1
	[ -z "$1" ] || printf '#!/bin/sh\n%s\n' "$1" \
		>"$tmp/tree/shut/rootfs/sbin/init"
	[ -z "$1" ] || chmod 755 "$tmp/tree/shut/rootfs/sbin/init"
	timeout 250 "$rehost" verify --scratch "$tmp/s" "$tmp/tree/shut" \
		>"$tmp/said" 2>&1
	status=$?
	cat "$tmp/said"
}

failed()
{
	init "$1"
	[ "$status" -eq 1 ] && grep -q ': failed, .*'"$2" "$tmp/said"
}

# It forks without end until it is asked to stop: the limit of processes holds.
forks()
{
	init "trap 'exit 0' USR2
while :; do (sleep 100 &) 2>/dev/null; done"
	[ "$status" -ne 0 ] && grep -q 'lxc on builtin: ' "$tmp/said"
}

fills()
{
	init "trap 'exit 0' USR2
sleep 1000 &
i=0; while [ \$i -lt 20000 ]; do echo error \$i xxxxxxxxxxxxxxxxxxxx; i=\$((i + 1)); done
while :; do wait; done"
	grep -q 'lxc on builtin: .*up in' "$tmp/said" &&
	[ "$(grep -c 'console:' "$tmp/said")" -le 25 ] &&
	[ "$(du -sk "$tmp/s" | cut -f1)" -lt 100000 ]
}

groups()
{
	find /sys/fs/cgroup -name 'rehost.shut.*' -o -name 'rehost.maps.*' \
		-o -name 'rehost.etc.*' | while read -r group; do
		[ -d "/proc/${group##*.}" ] || echo "$group"
	done
}
nothing_left()
{
	[ -z "$(groups)" ] && ! grep "$tmp" /proc/self/mountinfo
}

sleep 10000 >"$tmp/victim" 2>&1 &
victim=$!
python3 -c 'import socket, time
s = socket.socket(socket.AF_UNIX)
s.bind("\0rehost-hostile")
s.listen()
time.sleep(1000)' >"$tmp/listener" 2>&1 &
listener=$!
check "convert" prepare
check "on the host the same program gets through" control
check "a guest with its old rights gets nowhere" attack shut
check "a guest with ids of its own gets nowhere" attack maps
check "fifos, loops and links out of /etc harm nobody" unharmed
check "no init: failed" failed "" "init"
check "init exits: failed" failed "exit 3" "ended"
check "init forks without end: it is judged" forks
check "init fills its console: it is judged" fills
check "nothing is left behind" nothing_left
tap_end
