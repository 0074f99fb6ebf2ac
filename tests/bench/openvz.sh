#!/bin/bash
# How long plan of a host of OpenVZ takes, with its report, beside one bash that
# does nothing but source the same configurations. Rounds are paired, so that
# what else the machine does hits both; the medians are printed.
#
# usage: openvz.sh [GUESTS [ROUNDS]]      10000 and 5 by default

set -eu
cd "$(dirname "$0")/../.."
rehost=${REHOST:-build/rehost}
guests=${1:-10000}
rounds=${2:-5}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
host=$tmp/host

# Every third is of the old beancounters, the others are of VSwap.
make_host()
{
	mkdir -p "$host/etc/vz/conf" "$host/vz/private"
	echo ovz >"$host/etc/hostname"
	# %s and $VEID are for awk and for the old tools
	# shellcheck disable=SC2016
	awk -v n="$guests" -v dir="$host/etc/vz/conf" -v q='"' '
	function put(key, value) { printf "%s=%s%s%s\n", key, q, value, q >file }
	BEGIN { for (i = 0; i < n; i++) {
		file = dir "/" (1000 + i) ".conf"
		put("ONBOOT", i % 2 ? "yes" : "no")
		if (i % 3 == 0) {
			put("KMEMSIZE", "14372700:14790164")
			put("PRIVVMPAGES", "131072:139264")
			put("SHMPAGES", "21504:21504")
			put("PHYSPAGES", "0:2147483647")
			put("VMGUARPAGES", "33792:2147483647")
			put("OOMGUARPAGES", "26112:2147483647")
			put("NUMTCPSOCK", "360:360")
			put("NUMFLOCK", "188:206")
			put("NUMPTY", "16:16")
			put("TCPSNDBUF", "1720320:2703360")
			put("TCPRCVBUF", "1720320:2703360")
			put("NUMFILE", "9312:9312")
		} else {
			put("PHYSPAGES", "0:" 128 + i % 512 "M")
			put("SWAPPAGES", "0:512M")
		}
		put("NUMPROC", "240:240")
		put("DISKSPACE", "2G:2.2G")
		put("DISKINODES", "131072:144179")
		put("QUOTATIME", "0")
		put("CPUUNITS", 500 + i % 1000)
		put("CPULIMIT", 100 * (1 + i % 4))
		put("IP_ADDRESS", "10." int(i / 65536) "." int(i / 256) % 256 \
			"." i % 256 " 2001:db8::" sprintf("%x", i + 1))
		put("NAMESERVER", "192.0.2.53")
		put("HOSTNAME", "ct" i ".example.org")
		put("OSTEMPLATE", "debian-7.0-x86_64")
		put("ORIGIN_SAMPLE", "vswap-256m")
		put("VE_ROOT", "/vz/root/$VEID")
		put("VE_PRIVATE", "/vz/private/$VEID")
		close(file)
	} }' &&
	(cd "$host/vz/private" && seq -f '%.0f/etc' 1000 $((999 + guests)) |
		xargs mkdir -p)
}

# seconds COMMAND...: of the wall clock, with what it prints thrown away
seconds()
{
	local TIMEFORMAT=%R
	{ time "$@" >/dev/null 2>&1; } 2>&1
}

# shellcheck disable=SC2317,SC2016 # called through seconds; the inner bash's
source_all()
{
	bash -c 'for f in "$1"/*.conf; do . "$f"; done' bash "$host/etc/vz/conf"
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

make_host
source_all >/dev/null # all of it in the page cache
printf '%s guests, %s rounds, %s processors\n\n' "$guests" "$rounds" "$(nproc)"
printf '%-20s %9s %9s %7s\n' what seconds bash ratio
for what in "plan" "plan -j 1" "plan --format json"; do
	: >"$tmp/times"
	for ((i = 0; i < rounds; i++)); do
		base=$(seconds source_all)
		# shellcheck disable=SC2086 # a command and its options
		took=$(seconds "$rehost" $what --root "$host")
		echo "$took $base" >>"$tmp/times"
	done
	printf '%-20s %9s %9s %7s\n' "$what" \
		"$(cut -d' ' -f1 "$tmp/times" | median)" \
		"$(cut -d' ' -f2 "$tmp/times" | median)" \
		"$(awk '{ printf "%.2f\n", $1 / $2 }' "$tmp/times" | median)"
done
