#!/bin/bash
# Guests in disk images that a kernel wrote: one whose host crashed while it
# ran is converted as a mount would have left it, and XFS and btrfs are read
# through a mount of which nothing is left. TAP; needs root.
#
# shellcheck disable=SC2317 # functions are called through check

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
# shellcheck source=tests/image_host.sh
. tests/image_host.sh
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d /var/tmp/rehost-image.XXXXXX) || exit 1
finish_mount() { mountpoint -q "$tmp/mnt" && umount "$tmp/mnt"; }
finish()
{
	finish_mount
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# convert OUT [OPTION...]: into $tmp/out.OUT
convert()
{
	local out=$tmp/out.$1
	shift
	rm -rf "$out"
	"$rehost" convert "$@" --root "$tmp/host" -t lxc -o "$out" \
		openvz:101 >"$tmp/said" 2>&1
}

# What the archive of OUT holds, digests too
listing()
{
	zstd -dcq "$tmp/out.$1/101/files.zst" | sort
}

# --- a journal that was not replayed ------------------------------------------

# The image is copied while it is mounted, after the guest's last fsync: what
# is in the journal then is nowhere else.
crash()
{
	local i
	rm -rf "$tmp/root" "$tmp/disk" &&
	truncate -s 96M "$tmp/disk" && mkdir -p "$tmp/mnt" &&
	demo_guest_root "$tmp/root" web &&
	mke2fs -q -F -t "$1" -d "$tmp/root" "$tmp/disk" &&
	mount -o loop "$tmp/disk" "$tmp/mnt" &&
	mkdir -p "$tmp/mnt/srv/data" &&
	for i in $(seq 200); do
		echo "record $i" >"$tmp/mnt/srv/data/$i" || return
	done &&
	sync -f "$tmp/mnt" &&
	rm "$tmp"/mnt/srv/data/1* &&
	mv "$tmp/mnt/srv/data" "$tmp/mnt/srv/kept" &&
	ln "$tmp/mnt/srv/kept/2" "$tmp/mnt/srv/linked" &&
	setfattr -n user.late -v yes "$tmp/mnt/srv/kept/3" &&
	chown 12:34 "$tmp/mnt/srv/kept/4" &&
	truncate -s 5 "$tmp/mnt/srv/kept/5" &&
	sync "$tmp/mnt/srv/kept/5" &&
	cp --sparse=always "$tmp/disk" "$tmp/crashed" &&
	umount "$tmp/mnt" &&
	dumpe2fs -h "$tmp/crashed" 2>/dev/null | grep needs_recovery
}

# As e2fsck leaves it; 1: it repaired something.
repair()
{
	cp --sparse=always "$tmp/crashed" "$tmp/fixed" &&
	{ e2fsck -fy "$tmp/fixed" || [ $? -le 2 ]; }
}

convert_crashed()
{
	image_host "$tmp/host" "$tmp/crashed" || return
	convert crashed -v || { cat "$tmp/said"; return 1; }
	cmp "$tmp/crashed" "$tmp/host/vz/private/101/root.hdd/root.hds"
}

convert_fixed()
{
	image_host "$tmp/host" "$tmp/fixed" || return
	convert fixed || { cat "$tmp/said"; return 1; }
}

said_so()
{
	grep 'journal was replayed in memory, [1-9][0-9]* transactions' \
		"$tmp/out.crashed/101/report.txt" &&
	grep '"consistency": "crash"' "$tmp/out.crashed/101/manifest.json"
}

same()
{
	listing crashed >"$tmp/1" && listing fixed >"$tmp/2" &&
	grep srv/linked "$tmp/1" && ! grep srv/kept/1 "$tmp/1" &&
	diff "$tmp/1" "$tmp/2"
}

# A number in the superblock of the journal is another, its checksum is not.
damage()
{
	local at
	at=$(LC_ALL=C grep -abo -P '\xc0\x3b\x39\x98\x00\x00\x00\x04' \
		"$tmp/crashed" | head -n 1 | cut -d : -f 1) &&
	cp --sparse=always "$tmp/crashed" "$tmp/damaged" &&
	printf 'no' | dd of="$tmp/damaged" bs=1 seek=$((at + 24)) \
		conv=notrunc status=none &&
	image_host "$tmp/host" "$tmp/damaged" || return
	convert refused
	[ $? -eq 3 ] || { cat "$tmp/said"; return 1; }
	[ ! -e "$tmp/out.refused/101" ] || return
	"$rehost" plan --root "$tmp/host" openvz:101 >"$tmp/said" 2>&1
	grep 'journal is damaged.* let e2fsck repair a copy' "$tmp/said" ||
		{ cat "$tmp/said"; return 1; }
}

# --- file systems that only the kernel reads ----------------------------------

# fs TYPE: $tmp/TYPE, a disk with the guest in a partition
fs()
{
	truncate -s 320M "$tmp/fs" && "mkfs.$1" -q "$tmp/fs" &&
	mount -o loop "$tmp/fs" "$tmp/mnt" &&
	cp -a "$tmp/root/." "$tmp/mnt" &&
	mkdir -p "$tmp/mnt/srv" &&
	ln "$tmp/mnt/etc/hostname" "$tmp/mnt/srv/linked" &&
	setfattr -n user.kept -v yes "$tmp/mnt/srv/linked" &&
	mknod "$tmp/mnt/srv/node" c 1 3 && chmod 4755 "$tmp/mnt/bin/busybox" &&
	sync "$tmp/mnt/srv/linked" && cp -a "$tmp/mnt/." "$tmp/tree.$1" &&
	umount "$tmp/mnt" &&
	truncate -s 322M "$tmp/$1" && image_table "$tmp/$1" &&
	image_entry "$tmp/$1" 2 131 2048 $((320 * 2048)) &&
	dd if="$tmp/fs" of="$tmp/$1" bs=1M seek=1 conv=notrunc,sparse \
		status=none && rm "$tmp/fs" &&
	image_host "$tmp/host" "$tmp/$1"
}

refused()
{
	convert refused
	[ $? -eq 3 ] || { cat "$tmp/said"; return 1; }
	"$rehost" plan --root "$tmp/host" openvz:101 >"$tmp/said" 2>&1
	grep -i "$1.*--mount reads it as root" "$tmp/said" ||
		{ cat "$tmp/said"; return 1; }
}

convert_mounted()
{
	loops >"$tmp/loops"
	convert mounted --mount || { cat "$tmp/said"; return 1; }
	cmp "$tmp/$1" "$tmp/host/vz/private/101/root.hdd/root.hds" &&
	grep "its $1 is read through a mount" "$tmp/out.mounted/101/report.txt"
}

# The same guest in a directory.
same_tree()
{
	rm -rf "$tmp/host/vz/private/101" &&
	cp -a "$tmp/tree.$1" "$tmp/host/vz/private/101" &&
	sed -i /VE_LAYOUT/d "$tmp/host/etc/vz/conf/101.conf" || return
	convert plain || { cat "$tmp/said"; return 1; }
	# a directory's size and time are those of its copy
	for i in mounted plain; do
		zstd -dcq "$tmp/out.$i/101/rootfs.tar.zst" |
			tar --numeric-owner --xattrs --full-time -tvvf - |
			sed -E '/^d/s/[0-9-]+ [0-9:.]+ \./ ./' |
			sort >"$tmp/$i" || return
	done
	grep srv/linked "$tmp/plain" && diff "$tmp/plain" "$tmp/mounted"
}

loops() { losetup -n -l -O BACK-FILE | grep "$tmp" || :; }
mounts() { grep "$tmp" /proc/[0-9]*/mountinfo 2>/dev/null; }

# Killed while it packs: the loop device goes with the last descriptor.
killed()
{
	local pid i
	image_host "$tmp/host" "$tmp/$1" &&
	rm -rf "$tmp/out.killed" || return
	setsid "$rehost" convert -q --mount --compress zstd:19 -j 1 \
		--root "$tmp/host" -t lxc -o "$tmp/out.killed" openvz:101 &
	pid=$!
	for i in $(seq 1200); do
		[ -z "$(loops)" ] || break
		sleep 0.1
	done
	[ -n "$(loops)" ] || echo "it ended before it was seen"
	! mounts || return
	kill -KILL -- "-$pid"
	wait "$pid" 2>/dev/null
	for i in $(seq 1200); do
		[ -n "$(loops)" ] || return 0
		sleep 0.1
	done
	loops
	return 1
}

mounted()
{
	if ! command -v "mkfs.$1" >/dev/null || ! grep -qw "$1" /proc/filesystems
	then
		skip "a guest in $1" "mkfs.$1 or the kernel's $1 is not there"
		return
	fi
	check "a guest in $1" fs "$1" || { finish_mount; return; }
	check "$1: refused, with advice" refused "$1"
	check "$1: --mount converts it, the image is as it was" \
		convert_mounted "$1"
	check "$1: the same files as of a directory" same_tree "$1"
	check "$1: no loop device is left" test -z "$(loops)"
	check "$1: none is left after kill -9" killed "$1"
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
truncate -s 1M "$tmp/probe"
if ! probe=$(losetup -f --show "$tmp/probe" 2>&1); then
	skip_all "there are no loop devices: $probe"
fi
losetup -d "$probe"
for type in ext3 ext4; do
	what="a guest whose host crashed, $type"
	if ! grep -qw "$type" /proc/filesystems; then
		skip "$what" "the kernel has no $type"
		continue
	fi
	check "$what" crash "$type" || { finish_mount; continue; }
	check "$type: e2fsck repairs a copy" repair
	check "$type: converted, the image is as it was" convert_crashed
	check "$type: the report and the manifest say so" said_so
	check "$type: the copy converted" convert_fixed
	check "$type: the same files" same
done
if [ -e "$tmp/crashed" ]; then
	check "a journal that is damaged is refused" damage
fi
for type in xfs btrfs; do
	mounted "$type"
done
tap_end
