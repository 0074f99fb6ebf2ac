#!/bin/bash
# From the command to the guest's init: rehost's own box, lxc-start and runc
# with the same guest, in rounds that are paired, so that what else the machine
# does hits all. Init tells the time and ends. Medians, and the ratios of the
# rounds; then how long verify takes, first with unpacking. Needs root, lxc,
# runc and gcc.
#
# usage: boot.sh [ROUNDS]      15 by default

set -eu
cd "$(dirname "$0")/../.."
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
rounds=${1:-15}

# A network, and mounts where /sys shows it: what lxc-start and runc need.
if [ "${BENCH_INSIDE:-}" != yes ]; then
	for need in lxc-start runc gcc python3 busybox; do
		command -v $need >/dev/null || {
			echo "there is no $need"
			exit 0
		}
	done
	BENCH_INSIDE=yes exec unshare --net --mount --propagation private \
		bash "$0" "$@"
fi
tmp=$(mktemp -d /var/tmp/rehost-bench.XXXXXX)
# lxc-start leaves its group for attached processes
before=$(find /sys/fs/cgroup -type d -name lxc.pivot 2>/dev/null)
# shellcheck disable=SC2317 # called by the trap
clean()
{
	find /sys/fs/cgroup -type d -name lxc.pivot 2>/dev/null |
	while read -r group; do
		case $before in *"$group"*) ;; *) rmdir "$group" ;; esac
	done
	rm -rf "$tmp"
}
trap clean EXIT
mkdir "$tmp/cgroup"
mount --rbind /sys/fs/cgroup "$tmp/cgroup"
mount -t sysfs sysfs /sys
mount --rbind "$tmp/cgroup" /sys/fs/cgroup
umount -l "$tmp/cgroup"
ip link set lo up
ip link add br0 type bridge
ip addr add 192.0.2.1/24 dev br0
ip link set br0 up
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh

# --- the guest, and what starts it -------------------------------------------

demo_host "$tmp/host"
cat >"$tmp/init.c" <<-'END'
	#include <stdio.h>
	#include <time.h>
	#include <unistd.h>
	int main(void)
	{
		struct timespec t;
		clock_gettime(CLOCK_REALTIME, &t);
		printf("INIT %lld\n", t.tv_sec * 1000000LL + t.tv_nsec / 1000);
		fflush(stdout);
		usleep(50000); /* the console is read */
		return 0;
	}
END
gcc -static -O2 -o "$tmp/init" "$tmp/init.c"
cat >"$tmp/site.conf" <<-END
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { path = "$tmp/lxc"  version = "5.0"  cgroup = "both" }
END
"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
	-o "$tmp/whole" vserver:web01 >/dev/null
rm "$tmp/host/vservers/web01/sbin/init"
cp "$tmp/init" "$tmp/host/vservers/web01/sbin/init"
"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
	-o "$tmp/out" vserver:web01 >/dev/null
mkdir -p "$tmp/lxc/web01" "$tmp/bundle"
cp -a "$tmp/host/vservers/web01" "$tmp/lxc/web01/rootfs"
cp "$tmp/out/web01/lxc/config" "$tmp/lxc/web01/config"
chmod 755 "$tmp" "$tmp/lxc"
"$rehost" verify -n --engine runc --scratch "$tmp/s" "$tmp/out/web01" |
	python3 -c '
import json, sys
text = sys.stdin.read()
c, _ = json.JSONDecoder().raw_decode(text[text.index("{"):])
c["root"]["path"] = sys.argv[1] + "/lxc/web01/rootfs"
c["linux"]["cgroupsPath"] = "/rehost-bench"
json.dump(c, open(sys.argv[1] + "/bundle/config.json", "w"))' "$tmp"

# shellcheck disable=SC2317 # these are called by name
builtin() { "$rehost" boot --scratch "$tmp/s" "$tmp/out/web01" </dev/null; }
# shellcheck disable=SC2317
lxc()
{
	rm -f "$tmp/console"
	lxc-start -F -P "$tmp/lxc" -n web01 -L "$tmp/console" </dev/null
	cat "$tmp/console"
}
# shellcheck disable=SC2317
runc_run() { runc --root "$tmp/state" run --bundle "$tmp/bundle" bench </dev/null; }

# milliseconds COMMAND: until init told the time
milliseconds()
{
	local from init
	from=$(($(date +%s%N) / 1000))
	"$1" >"$tmp/seen" 2>&1 || true
	init=$(tr -d '\r' <"$tmp/seen" | sed -n 's/.*INIT \([0-9]*\)$/\1/p')
	[ -n "$init" ] || {
		echo "$1 did not start it:" >&2
		cat "$tmp/seen" >&2
		exit 1
	}
	echo "$from $init" | awk '{ printf "%.1f\n", ($2 - $1) / 1000 }'
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# --- measure ------------------------------------------------------------------

builtin >/dev/null 2>&1 # unpacked
for ((i = 0; i < rounds; i++)); do
	b=$(milliseconds builtin)
	l=$(milliseconds lxc)
	r=$(milliseconds runc_run)
	echo "$b $l $r" >>"$tmp/times"
done
printf '%s rounds, %s processors\n\n' "$rounds" "$(nproc)"
printf '%-10s %9s %9s\n' start ms 'builtin/it'
printf '%-10s %9s\n' builtin "$(cut -d' ' -f1 "$tmp/times" | median)"
printf '%-10s %9s %9s\n' lxc-start "$(cut -d' ' -f2 "$tmp/times" | median)" \
	"$(awk '{ printf "%.2f\n", $1 / $2 }' "$tmp/times" | median)"
printf '%-10s %9s %9s\n\n' runc "$(cut -d' ' -f3 "$tmp/times" | median)" \
	"$(awk '{ printf "%.2f\n", $1 / $3 }' "$tmp/times" | median)"

# seconds WHAT: of a verification
seconds()
{
	local TIMEFORMAT=%R
	{ time "$rehost" verify --scratch "$tmp/v" "$tmp/whole/web01" \
		>/dev/null 2>&1; } 2>&1
}
printf '%-24s %9s\n' verify seconds
printf '%-24s %9s\n' "with unpacking" "$(seconds)"
for _ in 1 2 3 4 5; do seconds; done >"$tmp/verify"
printf '%-24s %9s\n' "unpacked" "$(median <"$tmp/verify")"
