#!/bin/sh
# Names and state, as nm sees them: an external symbol starts with the name of
# its file or folder, and no variable can be written to.
#
# usage: exports.sh OBJECTDIR

set -u
export LC_ALL=C
# what may be otherwise: object, symbol (or its first word), why
except='
src/batch.o interrupted	set by the handler of SIGINT
src/batch.o asked	set by the handler of SIGUSR1
src/base/str.o slice	what strings are cut into
src/base/str.o strv	lists of strings
'

objects=$(find "$1" -path "$1/tests" -prune -o -name '*.o' -print | sort)
[ -n "$objects" ] || { echo "no objects in $1"; exit 1; }

# shellcheck disable=SC2086 # a list of files
nm -A -f sysv --defined-only $objects | awk -v top="$1/" -v list="$except" '
function starts(name, with)
{
	return name == with || index(name, with "_") == 1
}

# src/tree/dir_walk.c may call its symbols dir_walk_, dir_ and tree_
function named(symbol, file,    n, folder)
{
	sub(/\.o$/, "", file)
	n = split(file, path, "/")
	folder = path[n - 1]
	file = path[n]
	if (folder != "src" && starts(symbol, folder))
		return 1
	do {
		if (starts(symbol, file))
			return 1
	} while (sub(/_[^_]*$/, "", file))
	return 0
}

BEGIN {
	n = split(list, lines, "\n")
	for (i = 1; i <= n; i++) {
		split(lines[i], word, "[ \t]")
		excepted[word[1], word[2]] = 1
	}
	FS = "|"
}

NF >= 7 {
	split($1, at, ":")
	object = substr(at[1], length(top) + 1)
	symbol = at[2]
	gsub(/ /, "", symbol)
	gsub(/ /, "", $3)
	if (!(object in seen)) {
		seen[object] = 1
		n_objects++
	}
	first = symbol
	sub(/_.*/, "", first)
	n_external += $3 ~ /^[A-Z]$/
	if ((object, symbol) in excepted || (object, first) in excepted)
		next
	if ($3 ~ /^[A-Z]$/ && !named(symbol, object)) {
		print object ": " symbol " does not start with the name of its file"
		bad++
	}
	if (($3 == "C" || $7 ~ /^\.(data|bss|tdata|tbss)/) &&
	    $7 !~ /^\.data\.rel\.ro/) {
		print object ": " symbol " is a variable that can be written"
		bad++
	}
}

END {
	print n_external + 0 " external symbols in " n_objects + 0 " objects"
	exit bad > 0
}'
