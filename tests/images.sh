#!/bin/sh
# Guests in disk images, from the command line: which partition is read, what
# is said of a crash, what is refused. TAP; runs as any user.
#
# shellcheck disable=SC2317 # functions are called through check

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
# shellcheck source=tests/image_host.sh
. tests/image_host.sh
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
tmp=$(mktemp -d) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
LC_ALL=C
export LC_ALL
PATH=$PATH:/usr/sbin:/sbin

tap_explain()
{
	head -n 20 "$tmp/why"
	echo "--- status $status"
	head -n 20 "$tmp/said"
}

# run COMMAND [OPTION...]: of the guest; $status, $tmp/said
run()
{
	command=$1
	shift
	"$rehost" "$command" --root "$tmp/host" -v "$@" openvz:101 \
		>"$tmp/said" 2>&1 </dev/null
	status=$?
}

is() { [ "$status" -eq "$1" ]; }
said() { grep -q -e "$1" "$tmp/said"; }
status=0

make_roots()
{
	mkdir -p "$tmp/boot" "$tmp/one/etc" "$tmp/one/sbin" "$tmp/one/srv" &&
	: >"$tmp/boot/vmlinuz" &&
	echo one >"$tmp/one/srv/data" &&
	cp -R "$tmp/one" "$tmp/two" &&
	echo two >"$tmp/two/srv/data"
}

# disk DIR...: $tmp/disk, a partition of 8 MiB for each
disk()
{
	rm -f "$tmp/disk"
	dd of="$tmp/disk" bs=1M count=0 seek=30 2>/dev/null </dev/null &&
	image_table "$tmp/disk" || return
	number=0
	for dir; do
		rm -f "$tmp/fs"
		mke2fs -q -t ext4 -d "$tmp/$dir" "$tmp/fs" 8M &&
		dd if="$tmp/fs" of="$tmp/disk" bs=1M conv=notrunc \
			seek=$((1 + number * 9)) 2>/dev/null || return
		number=$((number + 1))
		image_entry "$tmp/disk" "$number" 131 \
			$((2048 + (number - 1) * 9 * 2048)) 16384 || return
	done
	image_host "$tmp/host" "$tmp/disk"
}

only_root()
{
	run plan
	[ "$status" -ne 3 ] && said 'DSK018' &&
	said 'partition 2 is read, others are not: 1: 8 MiB at byte 1048576'
}

several_roots()
{
	run plan
	said 'several partitions hold the root of a guest.* --partition' &&
	said 'DSK001'
}

chosen()
{
	run convert -q -t lxc -o "$tmp/out" --partition=3
	is 0 && zstd -dcq "$tmp/out/101/rootfs.tar.zst" |
		tar -xOf - ./srv/data >"$tmp/said" && said two
}

not_there()
{
	run plan --partition 9
	said 'it has no partition 9: 1: 8 MiB at byte 1048576, ext2/3/4; 2:'
}

usage()
{
	for value in 0 -1 129 1x ''; do
		run plan --partition="$value"
		is 2 && said "partition=$value: not a number from 1 to 128" || return
	done
}

# A journal that is not empty: the file is on the disk, its name is not yet.
crash()
{
	rm -f "$tmp/fs" "$tmp/after"
	mke2fs -q -t ext4 -b 1024 -d "$tmp/one" "$tmp/fs" 16M &&
	cp "$tmp/fs" "$tmp/after" &&
	echo 'ln /srv/data /srv/late' | debugfs -w -f - "$tmp/after" >/dev/null 2>&1
	block=$(cmp -l "$tmp/fs" "$tmp/after" |
		awk '{ print int(($1 - 1) / 1024); exit }') &&
	dd if="$tmp/after" of="$tmp/block" bs=1024 skip="$block" count=1 \
		2>/dev/null &&
	printf 'jo -c -v 3\njw -b %s %s\njc\n' "$block" "$tmp/block" |
		debugfs -w -f - "$tmp/fs" >/dev/null 2>&1 &&
	image_host "$tmp/host" "$tmp/fs"
}

replayed()
{
	rm -rf "$tmp/out"
	run convert -t lxc -o "$tmp/out"
	is 0 && grep -q 'replayed in memory, 1 transactions with 1 blocks.*DSK018' \
		"$tmp/out/101/report.txt" &&
	grep -q '"consistency": "crash"' "$tmp/out/101/manifest.json" &&
	zstd -dcq "$tmp/out/101/files.zst" | grep -q srv/late &&
	cmp "$tmp/fs" "$tmp/host/vz/private/101/root.hdd/root.hds"
}

for tool in mke2fs debugfs zstd; do
	command -v "$tool" >/dev/null || skip_all "there is no $tool"
done
check "roots" make_roots
check "a disk with /boot and a root" disk boot one
check "the only root is read, the others are named" only_root
check "a disk with two roots" disk boot one two
check "two roots are refused, and listed" several_roots
check "--partition takes one" chosen
check "--partition of none lists them" not_there
check "--partition: a number" usage
check "an image that was not unmounted" crash
check "it is converted and said to be" replayed
tap_end
