#!/bin/bash
# How long scan and plan of a fleet take beside reading the same trees once:
# `find | xargs cat`. Rounds are paired, so that what else the machine does
# hits both; the medians of the ratios are printed, and the largest memory.
#
# usage: fleet.sh [GUESTS [ROUNDS]]      2000 and 5 by default

set -eu
cd "$(dirname "$0")/../.."
rehost=${REHOST:-build/rehost}
guests=${1:-2000}
rounds=${2:-5}
tmp=$(mktemp -d)
trap 'rm -rf "$tmp"' EXIT
sh tests/bench/mkfleet.sh "$guests" "$tmp/fleet"
roots=()
for host in "$tmp"/fleet/host*; do
	roots+=(--root "$host")
done

# seconds COMMAND...: of the wall clock, with what it prints thrown away
seconds()
{
	local TIMEFORMAT=%R
	{ time "$@" >/dev/null 2>&1; } 2>&1
}

# shellcheck disable=SC2317 # called through seconds
read_all() { find "$tmp/fleet" -type f -print0 | xargs -0 cat; }

# memory COMMAND...: KiB of the largest process
memory()
{
	if [ -x /usr/bin/time ]; then
		/usr/bin/time -f %M -o "$tmp/memory" "$@" >/dev/null 2>&1 || true
		tail -n 1 "$tmp/memory"
	else
		echo "-"
	fi
}

median() { sort -n | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

read_all >/dev/null # all of it in the page cache
printf '%s guests, %s files, %s rounds, %s processors\n\n' "$guests" \
	"$(find "$tmp/fleet" -type f | wc -l)" "$rounds" "$(nproc)"
printf '%-20s %9s %9s %7s %12s\n' what seconds "find|cat" ratio "KiB at most"
for what in "scan" "scan --size" "plan" "plan --format json" \
	"plan -j 1"; do
	: >"$tmp/times"
	for ((i = 0; i < rounds; i++)); do
		base=$(seconds read_all)
		# shellcheck disable=SC2086 # a command and its options
		took=$(seconds "$rehost" $what "${roots[@]}")
		echo "$took $base" >>"$tmp/times"
	done
	# shellcheck disable=SC2086
	printf '%-20s %9s %9s %7s %12s\n' "$what" \
		"$(cut -d' ' -f1 "$tmp/times" | median)" \
		"$(cut -d' ' -f2 "$tmp/times" | median)" \
		"$(awk '{ printf "%.2f\n", $1 / $2 }' "$tmp/times" | median)" \
		"$(memory "$rehost" $what "${roots[@]}")"
done
