#!/bin/sh
# Every case of fixtures/ that has a setup.tsv or a tree in in/ is set up twice,
# and both times the same comes of it; its README says what it shows. TAP.

set -u
LC_ALL=C
export LC_ALL
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
tmp=$(mktemp -d) || exit 1
uid=$(id -u)

# directories of mode 000 stop an ordinary user's rm
forget()
{
	find "$1" -type d ! -perm -700 -exec chmod u+rwx {} \; 2>/dev/null
	rm -rf "$1"
}
trap 'forget "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# listing DIR: what a walk sees, and the sums of what is not large
listing()
{
	(cd "$1" || exit
	find . -printf '%p\0%y %m %n %s %l %TY-%Tm-%Td %TT\0\n' 2>/dev/null |
	sort
	find . -type f -size -2048k -exec cksum {} + 2>/dev/null | sort)
}

# same A B: the listings, which must not be empty
same()
{
	listing "$1" >"$tmp/a" && listing "$2" >"$tmp/b" &&
	[ -s "$tmp/a" ] && cmp "$tmp/a" "$tmp/b"
}

# applied CASE DIR: what needs neither root nor luck is there
applied()
{
	[ -f "$1/setup.tsv" ] || return 0
	[ -n "$(tail -c 1 "$1/setup.tsv" | tr -d '\n')" ] && return 1
	tab=$(printf '\t')
	while IFS=$tab read -r word path rest; do
		case $path$rest in
		*\\*) continue ;; # escapes
		esac
		# not to be seen by an ordinary user: a directory of mode 000
		[ "$uid" -eq 0 ] || [ -x "$2/${path%/*}" ] || continue
		case $word in
		dir) test -d "$2/$path" ;;
		fifo) test -p "$2/$path" ;;
		sparse) test "$(wc -c <"$2/$path")" -eq "$rest" ;;
		hardlink) test "$2/$path" -ef "$2/$rest" ;;
		symlink) test -L "$2/$path" ;;
		bytes) test -f "$2/$path" ;;
		mode) test "$(stat -c %a "$2/$path")" -eq "$rest" ;;
		esac || echo "$word $path" >>"$2.missing"
	done <"$1/setup.tsv"
	[ ! -s "$2.missing" ] || { sed 's/^/# /' "$2.missing"; return 1; }
}

check_case()
{
	name=${1#fixtures/}
	name=${name%/}
	awk 'NR == 1 && /[.:]$/ && length($0) > 20 { first = 1 }
	     /^- / { n++ } END { exit !(first && n) }' "$1/README"
	ok $? "$name: README"
	sh tests/fixture.sh "$name" "$tmp/1" 2>"$tmp/1.err" &&
	sh tests/fixture.sh "$1" "$tmp/2" 2>"$tmp/2.err"
	status=$?
	grep -v '^skipped: ' "$tmp/1.err" "$tmp/2.err" | sed 's/^/# /'
	ok $status "$name: set up twice"
	same "$tmp/1" "$tmp/2"
	ok $? "$name: the same both times"
	applied "$1" "$tmp/1"
	ok $? "$name: what setup.tsv says is there"
	rm -f "$tmp"/*.err "$tmp"/*.missing
	forget "$tmp/1"
	forget "$tmp/2"
}

for dir in fixtures/vserver/*/ fixtures/openvz/*/ fixtures/libvirt/*/; do
	check_case "$dir"
done

mkdir -p "$tmp/full/x"
! sh tests/fixture.sh vserver/01-minimal "$tmp/full" 2>/dev/null
ok $? "a directory that is not empty is refused"
! sh tests/fixture.sh vserver/no-such-case "$tmp/none" 2>/dev/null
ok $? "a case that is not there is refused"
mkdir -p "$tmp/own/in" && printf 'what\tx\n' >"$tmp/own/setup.tsv"
! sh tests/fixture.sh "$tmp/own" "$tmp/none" 2>/dev/null
ok $? "a word that is not known is refused"
cmp fixtures/capture/vserver-host/rehost-capture.txt \
	fixtures/vserver/22-capture/in/rehost-capture.txt
ok $? "the copy of the capture is the capture"

tap_end
