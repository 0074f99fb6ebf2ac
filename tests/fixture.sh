#!/bin/sh
# Sets a case up as a host's tree: copies its in/ and then applies setup.tsv,
# which says what git cannot hold. Modes, times and, as far as the user may,
# owners do not depend on how the repository was checked out.
#
# usage: fixture.sh CASE DESTDIR    CASE: a directory, or its path beneath
#                                   fixtures/; DESTDIR: not there, or empty
#
# A line of setup.tsv is a word and its arguments, parted by tabs. PATH is
# relative to in/; PATH, TARGET and CONTENT may hold the escapes of printf %b.
#
#	dir PATH [MODE]             with its parents
#	fifo PATH
#	socket PATH                 skipped without perl
#	node PATH c|b MAJOR MINOR MODE    skipped by an ordinary user
#	owner PATH UID GID                skipped by an ordinary user
#	hardlink PATH TARGET        TARGET is relative to in/ too
#	symlink PATH TARGET
#	bytes PATH [CONTENT]
#	sparse PATH BYTES           grows what is there, or makes it
#	many PATH COUNT [CONTENT]   "%d" in both is 0 to COUNT - 1
#	ploop PATH MIB              an image, and in it the case's directory image/;
#	                            skipped without mke2fs
#	mode PATH MODE              done last, whatever the order

set -u
umask 022
LC_ALL=C
export LC_ALL
tab=$(printf '\t')
uid=$(id -u)

die()
{
	echo "fixture.sh: $*" >&2
	exit 1
}

skipped()
{
	echo "skipped: $*" >&2
}

# unescape TEXT: into $text; the x keeps newlines at its end
unescape()
{
	case $1 in
	*\\*)
		text=$(printf '%bx' "$1")
		text=${text%x} ;;
	*) text=$1 ;;
	esac
}

parents()
{
	case $1 in
	*/*) [ -d "${1%/*}" ] || mkdir -p "${1%/*}" ;;
	esac
}

make_socket()
{
	command -v perl >/dev/null || {
		skipped "socket $1: there is no perl"
		return 0
	}
	# the address of a socket is short, so it is named from where it is
	(cd "$(dirname "$1")" && perl -MSocket -e '
		socket(my $s, AF_UNIX, SOCK_STREAM, 0) or die $!;
		bind($s, sockaddr_un($ARGV[0])) or die $!;' "${1##*/}")
}

make_node()
{
	if [ "$uid" -ne 0 ]; then
		skipped "node $1: needs root"
	elif ! mknod "$1" "$2" "$3" "$4" 2>/dev/null; then
		skipped "node $1: mknod is not permitted"
	else
		chmod "$5" "$1"
	fi
}

make_owner()
{
	if [ "$uid" -ne 0 ]; then
		skipped "owner $1: needs root"
	else
		chown -h "$2:$3" "$1"
	fi
}

# bytes N COUNT: a number, little-endian
bytes()
{
	rest=$1
	count=$2
	while [ "$count" -gt 0 ]; do
		printf '%b' "\\0$(printf %03o $((rest % 256)))"
		rest=$((rest / 256))
		count=$((count - 1))
	done
}

# The header and the table of version 2 in the first cluster of 1 MiB, the
# disk's clusters behind it in their order (openvz.md 4.3).
ploop_head()
{
	printf WithouFreSpacExt &&
	bytes 2 4 && bytes 16 4 && bytes "$1" 4 && bytes 2048 4 &&
	bytes "$1" 4 && bytes $(($1 * 2048)) 8 && bytes 0 4 &&
	bytes 2048 4 && bytes 0 12 || return
	cluster=0
	while [ "$cluster" -lt "$1" ]; do
		cluster=$((cluster + 1))
		bytes "$cluster" 4
	done
}

# owners are those of the user, whoever that is
make_ploop()
{
	command -v mke2fs >/dev/null || PATH=$PATH:/usr/sbin:/sbin
	command -v mke2fs >/dev/null || {
		skipped "ploop $1: there is no mke2fs"
		return 0
	}
	mke2fs -q -t ext4 -b 4096 -O ^has_journal -d "$image" \
		-E "root_owner=$uid:$(id -g)" "$1.fs" "$2M" >/dev/null &&
	ploop_head "$2" >"$1" &&
	dd if="$1.fs" of="$1" bs=1048576 seek=1 conv=notrunc 2>/dev/null &&
	rm "$1.fs"
}

# number TEXT N: TEXT with N for its first "%d", into $numbered
number()
{
	case $1 in
	*%d*) numbered=${1%%"%d"*}$2${1#*"%d"} ;;
	*) numbered=$1 ;;
	esac
}

# one mkdir for all directories; the files are written by the shell itself
make_many()
{
	n=0
	while [ "$n" -lt "$2" ]; do
		number "$1" "$n"
		echo "${numbered%/*}"
		n=$((n + 1))
	done | xargs mkdir -p || return
	n=0
	unescape "${3-}"
	while [ "$n" -lt "$2" ]; do
		number "$text" "$n"
		content=$numbered
		number "$1" "$n"
		printf '%s' "$content" >"$numbered" || return
		n=$((n + 1))
	done
}

# apply WORD PATH ARGUMENT...: one line, but for modes
apply()
{
	word=$1
	shift
	unescape "$1"
	path=$text
	shift
	parents "$path" || return
	case $word:$# in
	dir:0) mkdir -p "$path" ;;
	dir:1) mkdir -p "$path" ;;
	fifo:0) mkfifo "$path" ;;
	socket:0) make_socket "$path" ;;
	node:4) make_node "$path" "$@" ;;
	owner:2) make_owner "$path" "$@" ;;
	hardlink:1)
		unescape "$1"
		rm -f "$path" && ln -P "$text" "$path" ;;
	symlink:1)
		unescape "$1"
		ln -s "$text" "$path" ;;
	bytes:[01]) printf '%b' "${1-}" >"$path" ;;
	sparse:1) dd of="$path" bs=1 count=0 seek="$1" </dev/null 2>/dev/null ;;
	many:[12]) make_many "$path" "$@" ;;
	ploop:1) make_ploop "$path" "$1" ;;
	mode:1) ;;
	*) die "$setup: $word: not known, or not with $# arguments" ;;
	esac
}

# lines FUNCTION: calls it with the fields of each line
lines()
{
	while IFS= read -r line || [ -n "$line" ]; do
		[ -n "$line" ] || continue
		old=$IFS
		IFS=$tab
		set -f
		# shellcheck disable=SC2086 # split at the tabs
		set -- "$1" $line
		set +f
		IFS=$old
		function=$1
		shift
		"$function" "$@" || die "$setup: $line"
		set -- "$function"
	done <"$setup"
}

# modes WORD PATH ARGUMENT...: those of "mode" and "dir PATH MODE"
modes()
{
	case $1:$# in
	mode:3 | dir:3)
		unescape "$2"
		chmod "$3" "$text" ;;
	esac
}

[ $# -eq 2 ] || die "usage: fixture.sh CASE DESTDIR"
case=$1
[ -d "$case/in" ] || case=$(dirname "$0")/../fixtures/$1
[ -d "$case/in" ] || die "$1: there is no such case"
setup=$(cd "$case" && pwd)/setup.tsv || exit 1
image=${setup%/*}/image

mkdir -p "$2" || exit 1
[ -z "$(ls -A "$2")" ] || die "$2: is not empty"
cp -RP "$case/in/." "$2" || exit 1
cd "$2" || exit 1
chmod -R u=rwX,go=rX . || exit 1
[ ! -e "$setup" ] || lines apply

# a fixed time, before the modes forbid it
TZ=UTC0 find . -depth -exec touch -h -t 201405130000 {} + || exit 1
[ ! -e "$setup" ] || lines modes
