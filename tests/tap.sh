#!/bin/sh
# The Test Anything Protocol for the scripts that source this: what is checked
# gets a number and a line, the end a plan. $tmp is the script's directory.

n=0
bad=0

# ok STATUS WHAT [FILE]: FILE tells why not
ok()
{
	n=$((n + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $n - $2"
		return 0
	fi
	bad=$((bad + 1))
	echo "not ok $n - $2"
	[ -z "${3-}" ] || head -n 60 "$3" | sed 's/^/# /'
	return 1
}

# What is shown of a check that failed; a script may have more to say.
tap_explain()
{
	head -n 40 "${tmp:?}/why"
}

# check WHAT COMMAND...
check()
{
	tap_what=$1
	shift
	"$@" >"$tmp/why" 2>&1
	tap_status=$?
	ok "$tap_status" "$tap_what" && return
	tap_explain | sed 's/^/# /'
	return 1
}

# skip WHAT WHY
skip()
{
	n=$((n + 1))
	echo "ok $n - $1 # SKIP $2"
}

# skip_all WHY: before the first check
skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

tap_end()
{
	echo "1..$n"
	[ "$bad" -eq 0 ]
}
