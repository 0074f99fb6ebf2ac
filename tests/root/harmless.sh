#!/bin/bash
# A guest that could do harm is verified, heavy probes and all, and the host
# is as before: the directory that it binds, the clock, free memory, process
# ids; no node with an effect was opened. TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-harmless.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# Its own start does what it can: writes, sets the clock, opens every node.
prepare()
{
	local c=$tmp/host/etc/vservers/risky root=$tmp/host/vservers/risky
	local kib
	kib=$(sed -n 's/^MemTotal: *\([0-9]*\) kB/\1/p' /proc/meminfo)
	demo_host "$tmp/host" &&
	demo_guest "$tmp/host" risky 40301 192.0.2.31 &&
	demo_value "$c/bcapabilities" SYS_TIME &&
	demo_value "$c/rlimits/rss.hard" $((kib / 2)) &&
	demo_value "$c/rlimits/nproc.hard" 1000000 &&
	printf '%s\n' "$tmp/host/srv/risky /srv/data none bind,rw 0 0" \
		"$tmp/host/srv/risky/sub/file /etc/bound none bind 0 0" \
		'server.example.org:/export /mnt/nfs nfs defaults 0 0' \
		>>"$c/fstab" &&
	echo own >"$root/etc/bound" &&
	mkdir -p "$root/srv/data" "$root/mnt/nfs" "$tmp/host/srv/risky/sub" &&
	echo precious >"$tmp/host/srv/risky/sub/file" &&
	mknod "$root/dev/watchdog" c 10 130 && mknod "$root/dev/st0" c 9 0 &&
	mknod "$root/dev/ttyS0" c 4 64 && mknod "$root/dev/null" c 1 3 &&
	ln -s busybox "$root/bin/date" &&
	cat >>"$root/etc/init.d/rcS" <<-'END' &&
	echo harm >/srv/data/written
	echo harm >>/srv/data/sub/file
	echo harm >>/etc/bound
	/bin/date -s 2001-01-01
	for node in watchdog st0 ttyS0; do : </dev/$node; done
	END
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		--set risky:ns.user=host -o "$tmp/out" vserver:risky &&
	asks_for_all
}

# The emitted configuration does ask for what could do harm.
asks_for_all()
{
	local config=$tmp/out/risky/lxc/config word
	cat "$config"
	for word in sys_time 'pids.max = 1000000' 'allow = c 10:130' \
		'allow = c 9:0' 'allow = c 4:64' "entry = $tmp/host/srv/risky" \
		':/export'; do
		grep -q -- "$word" "$config" || return 1
	done
}

directory()
{
	(cd "$tmp/host/srv/risky" && find . -printf '%p %y %m %s %T@ %C@\n' &&
		find . -type f -exec sha256sum {} +) | sort
}

# What the realtime clock is ahead of the one that nobody sets, in ms.
clock()
{
	python3 -c 'import time
print(int((time.time() - time.monotonic()) * 1000))'
}

free_mib()
{
	sed -n 's/^MemAvailable: *\([0-9]*\)[0-9][0-9][0-9] kB/\1/p' \
		/proc/meminfo
}

processes() { find /proc -maxdepth 1 -name '[0-9]*' | wc -l; }

judged()
{
	timeout 300 strace -f -qq -yy -e trace=open,openat,openat2 \
		-o "$tmp/opened" "$rehost" verify -v --probes heavy \
		--scratch "$tmp/s" "$tmp/out/risky" >"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
	# incomplete: what is withheld is required
	[ "$status" -eq 5 ] && grep -q ' 0 not as planned' "$tmp/seen"
}

is_withheld()
{
	local item
	cat "$tmp/seen"
	for item in 'cap.bounding sys_time' 'device.path c 10:130' \
		'device.path c 9:0' 'device.path c 4:64' \
		'mount.type /mnt/nfs'; do
		grep -q "? [a-z]* *$item: required, unseen: withheld" \
			"$tmp/seen" || { echo "$item"; return 1; }
	done
	# nothing is left to see of what a copy stands in for
	for item in /mnt/nfs /srv/data; do
		grep -q "? mounts *mount.source $item: unseen: withheld" \
			"$tmp/seen" || { echo "$item"; return 1; }
	done
	grep -q 'limit of memory holds: unseen: not tried: above' "$tmp/seen" &&
	grep -q 'limit of processes holds: unseen: not tried: above' "$tmp/seen"
}

# O_PATH opens no device; a device that was opened shows its numbers. The
# guest's own /dev/null is the control.
not_opened()
{
	! grep -v O_PATH "$tmp/opened" |
		grep -E '<char (10:130|9:0|4:6[4-9])>' &&
	grep -q '= [0-9]*</.*<char 1:3>>' "$tmp/opened"
}

# near NAME BEFORE AFTER BOUND
near()
{
	local d=$(($3 - $2))
	echo "$1: before $2, after $3"
	[ "${d#-}" -le "$4" ]
}

check "convert" prepare
if ! command -v strace >/dev/null; then
	skip "it is verified" "strace is not installed"
	echo "1..$n"
	exit "$bad"
fi
dir_before=$(directory)
clock_before=$(clock)
free_before=$(free_mib)
processes_before=$(processes)
check "it is verified: incomplete, and as planned where it is seen" judged
check "what could do harm was withheld, by name" is_withheld
check "watchdog, tape and terminal line were not opened" not_opened
check "the bound directory is as before" [ "$(directory)" = "$dir_before" ]
check "the clock is as before, to 0.5 s" \
	near clock "$clock_before" "$(clock)" 500
check "free memory is as before, to 1 GiB" \
	near memory "$free_before" "$(free_mib)" 1000
check "there are as many processes as before, to 300" \
	near processes "$processes_before" "$(processes)" 300
tap_end
