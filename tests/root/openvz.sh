#!/bin/bash
# A guest of OpenVZ in the lab: memory of VSwap, a quota, a node, and venet as
# a routed interface of both families, each as the configuration says.
# TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-openvz.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
host=$tmp/host
dir=$tmp/out/101

make_host()
{
	mkdir -p "$host/etc/vz/conf" &&
	echo ovz >"$host/etc/hostname" &&
	demo_guest_root "$host/vz/private/101" web &&
	cat >"$host/etc/vz/conf/101.conf" <<-'END'
	ONBOOT="yes"
	PHYSPAGES="0:64M"
	SWAPPAGES="0:0"
	NUMPROC="100"
	CPUUNITS="1000"
	CPULIMIT="50"
	IP_ADDRESS="192.0.2.77 2001:db8::77"
	VE_ROOT="/vz/root/$VEID"
	VE_PRIVATE="/vz/private/$VEID"
	HOSTNAME="web.example.org"
	END
}

convert()
{
	"$rehost" convert -q --root "$host" -t lxc -o "$tmp/out" openvz:101
}

# The verdict, and that nothing differs unannounced.
verified()
{
	timeout 200 "$rehost" verify --scratch "$tmp/s" "$dir" \
		>"$tmp/seen" 2>&1 || { cat "$tmp/seen"; return 1; }
	grep ': announced, .* 0 not as planned' "$tmp/seen"
}

# equal ITEM: as it was on the old host
equal()
{
	python3 - "$dir"/verify/*.json "$1" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    checks = json.load(f)["guests"][0]["checks"]
hits = [c for c in checks if c["item"].startswith(sys.argv[2])]
print(hits)
sys.exit(not hits or any(c["relation"] != "equal" for c in hits))
END
}

[ "$(id -u)" -eq 0 ] || {
	echo "1..0 # SKIP needs root"
	exit 0
}
check "a host of OpenVZ" make_host
check "converted" convert
check "verified: announced, nothing else" verified
for item in 'addr.ip 192.0.2.77' 'addr.ip 2001:db8::77' \
	'addr.prefix 192.0.2.77' 'nic.name' 'limit.memory' 'limit.pids' \
	'limit.cpu-quota' 'cap.bounding' 'id.hostname'; do
	check "equal: $item" equal "$item"
done
tap_end
