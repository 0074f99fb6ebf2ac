#!/bin/sh
# Packing against GNU tar | zstd -3 -T0 and bsdtar zstd threads=2, side by
# side: each round runs every packer once, in turning order; what counts is the
# median over the rounds of the ratio to the first. Prints for each corpus and
# packer: wall time and its ratio, CPU time and its ratio, size and its ratio,
# peak memory; and after each corpus how many cores others kept busy meanwhile.
#
# usage: pack.sh [CHECK_PACK [CORPUS...]]     of hard acl many sparse rootfs
#
# ROUNDS (5, of rootfs 3); PACKERS: which ones, the first is the
# reference; ROOTFS: a tree to take as it is, else about 1 GB of this system's;
# BENCH_DIR: where trees are made, and archives unless there is a /dev/shm;
# CORPORA: a directory where trees are made once and kept. The peers do not sync
# what they write. As root ACLs and capabilities of the system count.

set -u

tool=${1:-$(find "${B:-build}" -name check_pack -type f 2>/dev/null | head -n 1)}
[ -n "$tool" ] || { echo "check_pack is not built"; exit 1; }
case $tool in
/*) ;;
*) tool=$PWD/$tool ;;
esac
[ $# -eq 0 ] || shift
[ $# -gt 0 ] || set -- hard acl many sparse rootfs
for word in bsdtar zstd setfacl setfattr split; do
	command -v "$word" >/dev/null || { echo "needs $word"; exit 1; }
done

dir=$(mktemp -d "${BENCH_DIR:-/tmp}/bench.XXXXXX") || exit 1
trees=${CORPORA:-$dir}
out=$dir/out
[ ! -w /dev/shm ] || out=$(mktemp -d /dev/shm/bench.XXXXXX)
mkdir -p "$out" "$trees"
trap 'rm -rf "$dir" "$out"' EXIT
trap 'exit 130' INT TERM

# --- corpora: make_NAME makes ./NAME -----------------------------------------

make_rootfs()
{
	if [ -n "${ROOTFS:-}" ]; then
		ln -s "$ROOTFS" rootfs
		return
	fi
	mkdir rootfs
	for part in /etc /usr/bin /usr/sbin /usr/libexec /usr/include \
		/usr/lib/gcc /usr/lib/python3 /usr/lib/systemd /usr/lib/udev \
		/usr/share/doc /usr/share/man /usr/share/perl /usr/share/icons; do
		[ ! -e $part ] || cp -a --parents $part rootfs
	done
}

# files NAME N SIZE: N files of SIZE bytes in directories of 100
files()
{
	mkdir "$1"
	od -An -vtx4 -w4 -N $(($2 * $3 * 4 / 9)) /dev/urandom |
		(cd "$1" && split -a 4 -b "$3" - f)
	(cd "$1" && for f in f??aa; do
		d=d${f#f} && d=${d%aa} && mkdir "$d" &&
		find . -maxdepth 1 -name "${f%aa}??" -exec mv -t "$d" {} +
	done)
}

make_many() { files many 30000 1400; }

make_acl()
{
	files acl 6000 2000
	find acl -type f -exec setfacl -m \
		u:12345:rwx,u:12346:r--,g:54321:r-x,g:54322:r-- {} +
	find acl -type d -exec setfacl -d -m u:12345:rwx,g:54321:r-x {} +
	find acl -type f -exec setfattr -n user.comment -v 'what it is for' {} +
	[ "$(id -u)" -ne 0 ] || {
		find acl -type f -name '*a' -exec chown 70000:70001 {} +
		find acl -type f -name '*b' -exec setcap cap_net_raw+ep {} \;
	}
}

make_hard()
{
	files hard 1000 17000
	mv hard hard0
	mkdir hard
	for i in $(seq 1 20); do
		cp -al hard0 "hard/$i"
	done
}

make_sparse()
{
	mkdir sparse
	truncate -s 4G sparse/disk
	for i in $(seq 0 1000); do
		head -c 16384 /dev/urandom
	done >data
	for i in $(seq 0 1000); do
		dd if=data of=sparse/disk bs=16k count=1 skip="$i" \
			seek=$((i * 260)) conv=notrunc status=none
	done
	rm data
}

# --- packers: the command that packs DIR into FILE ---------------------------

gnu() { echo "tar --numeric-owner --xattrs --xattrs-include='*' --acls ${3:-} \
	-cf - -C $1 . 2>/dev/null | zstd -3 -T0 -q >$2"; }
bsd() { echo "bsdtar --acls --xattrs --numeric-owner --zstd --options \
	zstd:compression-level=3,zstd:threads=2 -cf $2 -C $1 . 2>/dev/null"; }
own() { echo "$tool pack -j 2 $1 $2 >/dev/null"; }
own_list() { echo "$tool pack -j 2 -l $(basename "$2").list $1 $2 >/dev/null"; }
own_tree() { echo "$tool pack -t $1 $2 >/dev/null"; }
own_fast() { echo "$tool pack -f zstd:1 -j 2 $1 $2 >/dev/null"; }
gnu_plain() { echo "tar --numeric-owner --xattrs --xattrs-include='*' --acls \
	${3:-} -cf $2 -C $1 . 2>/dev/null"; }
own_plain() { echo "$tool pack -f none $1 $2 >/dev/null"; }

# busy: hundredths of a second that all processors were busy since the start
busy() { awk '/^cpu / { print $2 + $3 + $4 + $7 + $8 + $9; exit }' /proc/stat; }

# bench CORPUS GNU_OPTION PACKER...
bench()
{
	corpus=$1
	option=$2
	shift 2
	ref=$1
	rounds=${ROUNDS:-5}
	[ "$corpus" != rootfs ] || rounds=${ROUNDS:-3}
	: >"$dir/times"
	since=$(date +%s.%N)
	before=$(busy)
	for round in $(seq 0 "$rounds"); do # the first warms up
		for packer; do
			file=$out/$packer
			rm -rf "$file"
			t=$("$tool" time sh -c "$("$packer" "$trees/$corpus" "$file" "$option")")
			echo "$round $packer $t $(stat -Lc %s "$file")" >>"$dir/times"
		done
		first=$1
		shift
		set -- "$@" "$first"
	done
	awk -v corpus="$corpus" -v ref="$ref" -v busy=$(($(busy) - before)) \
		-v since="$since" -v now="$(date +%s.%N)" '
	function median(list,    v, n, i, j, t) {
		n = split(list, v)
		for (i = 1; i <= n; i++)
			for (j = i + 1; j <= n; j++)
				if (v[j] + 0 < v[i] + 0) { t = v[i]; v[i] = v[j]; v[j] = t }
		return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
	}
	{ wall[$1, $2] = $3; cpu[$1, $2] = $4; if ($5 > peak[$2]) peak[$2] = $5
	  size[$2] = $6; if (!($2 in seen)) { seen[$2]; order[++n] = $2 }
	  if ($1 > last) last = $1; ours += $4 }
	END {
		for (i = 1; i <= n; i++) {
			p = order[i]; w = c = s = u = ""
			for (r = 1; r <= last; r++) {
				w = w " " wall[r, p] / wall[r, ref]
				c = c " " cpu[r, p] / cpu[r, ref]
				s = s " " wall[r, p]; u = u " " cpu[r, p]
			}
			printf "%-7s %-10s %8.3f %6.2f %8.3f %6.2f %9.1f %6.3f %6.0f\n", \
				corpus, p, median(s), median(w), median(u), median(c), \
				size[p] / 1e6, size[p] / size[ref], peak[p] / 1024
		}
		printf "%-7s (others kept %.2f cores busy, %d rounds)\n", corpus, \
			(busy / 100 - ours) / (now - since), last
	}' "$dir/times"
}

cd "$trees" || exit 1
printf '%-7s %-10s %8s %6s %8s %6s %9s %6s %6s\n' corpus packer wall ratio cpu ratio MB ratio peakMiB
for corpus; do
	[ -e "$corpus" ] || "make_$corpus"
	option=
	[ "$corpus" != sparse ] || option=--sparse
	# shellcheck disable=SC2086
	bench "$corpus" "$option" ${PACKERS:-gnu bsd own own_list own_fast}
	[ "$corpus" = rootfs ] || [ -n "${PACKERS:-}" ] ||
		bench "$corpus" "$option" gnu_plain own_plain
	[ -n "${CORPORA:-}" ] || rm -rf "${dir:?}/$corpus" "$dir/${corpus}0"
done
