#!/bin/bash
# Wrong policies, each caught on exactly the item that is wrong, while the
# untouched guest is as planned there: the rows of sabotage.tbl, or of those
# that SABOTAGE_ROWS in the environment (an expression of grep -E) fits. TAP;
# needs root.
#
# usage: sabotage.sh [ENGINE]

set -u
cd "$(dirname "$0")/../.." || exit 1
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
# shellcheck source=tests/root/sabotage_guests.sh
. tests/root/sabotage_guests.sh
LC_ALL=C
export LC_ALL
engine=${1:-builtin}
tmp=$(mktemp -d /var/tmp/rehost-sabotage.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# wrong NUMBER GUEST SED: a copy that differs in its configuration, or tree
wrong()
{
	local to=$tmp/wrong/$1
	mkdir -p "$to"
	case $3 in
	sh:*)
		cp -a "$tmp/out/$2/." "$to" && cd "$to/rootfs" &&
		sh -c "${3#sh:}" && cd "$OLDPWD" && echo "$to"
		return ;;
	esac
	cp -al "$tmp/out/$2/." "$to" &&
	rm "$to/lxc/config" &&
	sed "$3" "$tmp/out/$2/lxc/config" >"$to/lxc/config" &&
	! cmp -s "$tmp/out/$2/lxc/config" "$to/lxc/config" &&
	echo "$to" || echo "row $1 alters nothing" >&2
}

# look NAME DIR...: $tmp/NAME.json; it ends with the worst status of its guests
look()
{
	local name=$1
	shift
	timeout 500 "$rehost" verify --engine "$engine" \
		--scratch "$tmp/s" --format json "$@" \
		>"$tmp/$name.json" 2>"$tmp/$name.err"
}

rows=$tmp/rows.tbl
sed -e '/^#/d' -e "s/^\([a-z]*\)@$engine|/\1|/" -e '/^[a-z]*@/d' \
	tests/root/sabotage.tbl | grep -E -e "${SABOTAGE_ROWS:-.}" >"$rows"

if ! sabotage_convert "$tmp" >/dev/null; then
	echo "1..0 # convert failed"
	exit 1
fi
look twins "$tmp/out/rich" "$tmp/out/mapped" "$tmp/out/tree"
n=0
while IFS='|' read -r guest _ _ _ _ sed; do
	case $guest in '#'* | '') continue ;; esac
	n=$((n + 1))
	wrong "$n" "$guest" "$sed" >>"$tmp/list.$((n % 2))"
done <"$rows"
# shellcheck disable=SC2046 # names without blanks
look wrong0 $(cat "$tmp/list.0") &
# shellcheck disable=SC2046
look wrong1 $(cat "$tmp/list.1")
wait $!
python3 tests/root/sabotage.py "$rows" "$tmp"
