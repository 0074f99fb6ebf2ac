#!/bin/sh
# docs.sh - what the documents hold is what the program prints: the tables of
# MIGRATION.md, the options of rehost(1), the words of rehost-report(5), and the
# fuzzer's dictionary of keys
#
# usage: docs.sh [--write]      --write puts it there (make docs)
#
# TAP on standard output. A region of MIGRATION.md is what stands between the
# lines "<!-- rules FROM TARGET -->" (or "<!-- probes -->") and "<!-- end -->"; that of the manual
# between the comments "options" and "end options".

here=$(cd "$(dirname "$0")/.." && pwd) || exit 1
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
rehost=${REHOST:-$here/build/rehost}
tmp=$(mktemp -d "${TMPDIR:-/tmp}/docs.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# splice_rules FILE: the file with each region as the program prints it
splice_rules()
{
	awk -v rehost="$rehost" '
	/^<!-- rules [a-z]+ [a-z]+ -->$/ {
		print
		print ""
		command = "\"" rehost "\" rules --from " $3 " -t " $4 \
			" --format md"
		while ((command | getline line) > 0)
			print line
		if (close(command) != 0)
			wrong = 1
		print ""
		inside = 1
		regions++
		next
	}
	/^<!-- probes -->$/ {
		print
		print ""
		command = "\"" rehost "\" explain probes"
		while ((command | getline line) > 0)
			print line
		if (close(command) != 0)
			wrong = 1
		print ""
		inside = 1
		regions++
		next
	}
	/^<!-- end -->$/ { ends += inside; inside = 0 }
	!inside { print }
	END { exit wrong || inside || !regions || ends != regions }' "$1"
}

# splice_options FILE
splice_options()
{
	awk -v rehost="$rehost" '
	/^\.\\" options$/ {
		print
		command = "\"" rehost "\" --manual-options"
		while ((command | getline line) > 0)
			print line
		if (close(command) != 0)
			wrong = 1
		inside = 1
		regions++
		next
	}
	/^\.\\" end options$/ { ends += inside; inside = 0 }
	!inside { print }
	END { exit wrong || regions != 1 || ends != 1 }' "$1"
}

# dictionary FILE: words of LXC configs, for the fuzzer
dictionary()
{
	echo "# printed from the importer's rows by make docs"
	# shellcheck disable=SC2016 # the backquotes of Markdown
	"$rehost" rules --from lxc -t lxc --format md |
	sed -nE 's/^\| `(lxc\.[^`]*)` \|.*/\1/p' |
	sed 's/\.N\./.0./; s/\*$//; s/.*/"&"/' | LC_ALL=C sort -u
	grep -oE '^"[^"]*"' "$1" | grep -v '^"lxc\.'
}

# put FUNCTION FILE: splices in place; a splice that failed changes nothing
put()
{
	"$1" "$2" >"$tmp/new" || {
		echo "docs.sh: $2: regions or program are not right" >&2
		return 1
	}
	cmp -s "$tmp/new" "$2" || cat "$tmp/new" >"$2"
}

# equal FUNCTION FILE
equal()
{
	"$1" "$2" >"$tmp/new" || {
		echo "regions or program are not right"
		return 1
	}
	diff "$2" "$tmp/new" && return 0
	echo "make docs writes it anew"
	return 1
}

# says WORD...: rehost-report(5) has an item or a mark for each
says()
{
	missing=0
	for word in "$@"; do
		grep -qE "^\.(It )?Cm (.* )?$word( |$)" \
			"$here/src/man/rehost-report.5" && continue
		echo "rehost-report(5) does not name $word"
		missing=1
	done
	return "$missing"
}

# members FILE: the names of all members that a schema requires
members()
{
	awk '/"required"/ { on = 1 }
	on {
		line = $0
		sub(/.*"required": *\[/, "", line)
		while (match(line, /"[a-z_]+"/)) {
			print substr(line, RSTART + 1, RLENGTH - 2)
			line = substr(line, RSTART + RLENGTH)
		}
	}
	on && /\]/ { on = 0 }' "$1" | sort -u
}

# benches: each script of make bench can be called without an argument
benches()
{
	list=$(make -n -C "$here" bench B="${B:-build}" 2>/dev/null |
		grep -oE 'tests/bench/[a-z]+\.sh' | sort -u)
	[ -n "$list" ] || return
	missing=0
	for script in $list; do
		grep -qE '^# usage: [a-z]+\.sh( +\[.*)?$' "$here/$script" && continue
		echo "$script wants arguments"
		missing=1
	done
	return "$missing"
}

if [ "${1-}" = --write ]; then
	put splice_rules "$here/MIGRATION.md" &&
		put splice_options "$here/src/man/rehost.1" &&
		put dictionary "$here/tests/fuzz/fuzz_lxc.dict"
	exit
fi

check "MIGRATION.md holds the rules" equal splice_rules "$here/MIGRATION.md"
check "rehost(1) holds the options" equal splice_options \
	"$here/src/man/rehost.1"
check "the dictionary of fuzz_lxc holds the keys" equal dictionary \
	"$here/tests/fuzz/fuzz_lxc.dict"
for schema in plan scan policy; do
	# shellcheck disable=SC2046 # a word each
	check "rehost-report(5) names the members of $schema.schema.json" \
		says $(members "$here/src/report/$schema.schema.json")
done
# shellcheck disable=SC2046 # a word each
check "rehost-report(5) names the areas of the codes" \
	says $(sed -n 's/^FINDING([A-Z0-9_]*, "\([A-Z]*\)[0-9]*".*/\1/p' \
		"$here/src/model/findings.def" | sort -u)
check "rehost-report(5) names bins, severities and verdicts" \
	says carried approximated overridden dropped hostside inert invalid \
	unknown unreadable note change loss blocker same stricter weaker none \
	site host guest application ready review blocked failed

# a code that nothing finds is a promise that nobody keeps
found()
{
	sed -n 's/^FINDING(\([A-Z0-9_]*\),.*/\1/p' \
		"$here/src/model/findings.def" |
	while read -r name; do
		grep -rqw "FIND_$name" "$here/src" "$here/importers" \
			"$here/runtime" && continue
		# a row of an importer's table names it without the prefix
		grep -rqw --include='*.def' "$name" "$here/importers" &&
			continue
		case $name in
		EDT_*) # edits.def names them without the prefix
			grep -qw "${name#EDT_}" "$here/src/plan/edits.def" &&
				continue ;;
		esac
		echo "$name"
	done >"$tmp/unfound"
	[ ! -s "$tmp/unfound" ] || { cat "$tmp/unfound" >&2; return 1; }
}
check "every code of findings.def is found somewhere" found

check "make bench calls no script that wants arguments" benches

# a document that differs is found, one without a region too
# shellcheck disable=SC2016 # the backquotes of Markdown
sed 's/^| `vdir` .*/| changed |/' "$here/MIGRATION.md" >"$tmp/changed.md"
grep -v '^<!-- ' "$here/MIGRATION.md" >"$tmp/bare.md"
differs()
{
	! equal "$@"
}
check "a changed table is found" differs splice_rules "$tmp/changed.md"
check "a document without a region is found" differs splice_rules \
	"$tmp/bare.md"

tap_end
