#!/bin/sh
# Runs tests, shows what failed and what was skipped, and counts. A test is a
# program of Check ("100%: Checks: 12, Failures: 0, ...") or a script that
# prints TAP. Two run at a time where there are two processors, but never two
# that need root: those look at what the whole host has. The last line is the
# sum.
#
# usage: B=DIR run.sh TEST...      logs go to $B/log; V=1 shows all output
#        TEST_JOBS=N at a time, TEST_TIMEOUT=SECONDS each
#        TEST_AGAIN=1: what failed is run once more, and named as unstable when
#        it passes then

set -u
log=${B:-build}/log
seconds=${TEST_TIMEOUT:-600}
jobs=${TEST_JOBS:-$(nproc 2>/dev/null || echo 1)}
rm -rf "$log"
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

once()
{
	run "$1"
	status=$?
	count "$status" >"$log/$name.sum"
	# shellcheck disable=SC2046 # three numbers
	show "$name" "$status" $(cat "$log/$name.sum")
	# shellcheck disable=SC2034 # two of three
	read -r passed failed skipped <"$log/$name.sum"
}

# one TEST: what is to be seen of it; its sum goes to $log/NAME.sum
one()
{
	name=$(basename "$1")
	out=$log/$name.txt
	case $1 in
	*/root/*)
		if [ "$(id -u)" -ne 0 ]; then
			echo "ok - $1 # SKIP needs root"
			echo 0 0 1 >"$log/$name.sum"
			return
		fi ;;
	*.sh) ;;
	*)
		if [ ! -x "$1" ]; then
			echo "ok - $1 # SKIP not built: Check is missing"
			echo 0 0 1 >"$log/$name.sum"
			return
		fi ;;
	esac
	once "$1"
	[ "$failed" -gt 0 ] && [ "${TEST_AGAIN:-0}" = 1 ] || return
	mv "$out" "$log/$name.first.txt"
	once "$1"
	[ "$failed" -gt 0 ] || echo "$name" >>"$log/unstable"
}

# lane TEST...: those that no other lane has taken
lane()
{
	for test; do
		claim=$log/.$(basename "$test")
		mkdir "$claim" 2>/dev/null || continue
		one "$test" >"$claim/shown"
		# whole, whatever another lane has to say
		(flock 9 && cat "$claim/shown") 9>"$log/.lock"
	done
}

root=
other=
for test; do
	case $test in
	*/root/*)
		[ -x "$test" ] && root="$root $test" ;; # or a part of others
	*)
		other="$other $test" ;;
	esac
done

# shellcheck disable=SC2086 # names without blanks
{
	lane $root $other &
	while [ "$jobs" -gt 1 ]; do
		lane $other &
		jobs=$((jobs - 1))
	done
	wait
}
[ ! -e "$log/unstable" ] || sed 's/^/unstable: /;
	s/$/ failed, and passed when it was run again/' "$log/unstable"
# shellcheck disable=SC2086
set -- $root $other
cat "$log"/*.sum | awk -v want=$# '{ p += $1; f += $2; s += $3 }
	END {
		if (NR < want) # one was broken off, or its name is not its own
			f += want - NR
		print p + 0 " passed, " f + 0 " failed, " s + 0 " skipped"
		exit f > 0
	}'
