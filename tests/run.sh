#!/bin/sh
# Runs tests one after the other, shows what failed and what was skipped, and
# counts. A test is a program of Check ("100%: Checks: 12, Failures: 0, ...")
# or a script that prints TAP. The last line is the sum.
#
# usage: B=DIR run.sh TEST...      logs go to $B/log; V=1 shows all output

set -u
log=${B:-build}/log
seconds=${TEST_TIMEOUT:-600}
passed=0
failed=0
skipped=0
mkdir -p "$log" || exit 1

# run TEST: its output goes to $out, its exit status is ours
run()
{
	set -- timeout -k 10 "$seconds" "$1"
	[ -x "$5" ] || set -- timeout -k 10 "$seconds" sh "$5"
	"$@" </dev/null >"$out" 2>&1
}

# "PASSED FAILED SKIPPED" of the output in $out. What did not end well, or
# ran another number of tests than it planned, has failed at least once.
count()
{
	awk -v status="$1" '
	/^[0-9]+%: Checks: / {
		gsub(",", "")
		bad += $5 + $7; good += $3 - $5 - $7; seen++
	}
	/^ok .*# *[Ss][Kk][Ii][Pp]/ { skip++; seen++; n++; next }
	/^ok / { good++; seen++; n++ }
	/^not ok / { bad++; seen++; n++ }
	/^1\.\.0/ { skip++; seen++; next }
	/^1\.\.[0-9]+/ { plan = substr($1, 4) }
	END {
		if (!bad && (status || !seen || (plan && plan != n)))
			bad++
		print good + 0, bad + 0, skip + 0
	}' "$out"
}

show()
{
	if [ "${V:-0}" = 1 ]; then
		cat "$out"
	elif [ "$4" -gt 0 ]; then
		echo "$1: exit status $2"
		tail -n 200 "$out"
	else
		grep -E '^[0-9]+%: Checks: |# *[Ss][Kk][Ii][Pp]' "$out"
	fi
	echo "$1: $3 passed, $4 failed, $5 skipped"
}

skip()
{
	echo "ok - $1 # SKIP $2"
	skipped=$((skipped + 1))
}

for test; do
	name=$(basename "$test")
	out=$log/$name.txt
	case $test in
	*/root/*)
		[ -x "$test" ] || continue # a part of other tests
		if [ "$(id -u)" -ne 0 ]; then
			skip "$test" "needs root"
			continue
		fi ;;
	*.sh) ;;
	*)
		if [ ! -x "$test" ]; then
			skip "$test" "not built: the library Check is missing"
			continue
		fi ;;
	esac
	run "$test"
	status=$?
	# shellcheck disable=SC2046 # three numbers
	set -- $(count "$status")
	show "$name" "$status" "$@"
	passed=$((passed + $1))
	failed=$((failed + $2))
	skipped=$((skipped + $3))
done

echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
