#!/bin/bash
# Guests of OpenVZ in the lab, by the engine of our own and by lxc-start: memory
# of VSwap, a quota, and venet as a routed interface of one address, of both
# families and of many, with the source filter that the package has for the host.
# TAP; needs root.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
LC_ALL=C
export LC_ALL
tmp=$(mktemp -d /var/tmp/rehost-openvz.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
host=$tmp/host
dir=$tmp/out/101

# make_guest CTID ADDRESS...
make_guest()
{
	local id=$1
	shift
	demo_guest_root "$host/vz/private/$id" web &&
	cat >"$host/etc/vz/conf/$id.conf" <<-END
	ONBOOT="yes"
	PHYSPAGES="0:64M"
	SWAPPAGES="0:0"
	NUMPROC="100"
	CPUUNITS="1000"
	CPULIMIT="50"
	IP_ADDRESS="$*"
	VE_ROOT="/vz/root/\$VEID"
	VE_PRIVATE="/vz/private/\$VEID"
	HOSTNAME="web.example.org"
	END
}

make_host()
{
	mkdir -p "$host/etc/vz/conf" &&
	echo ovz >"$host/etc/hostname" &&
	echo 'target "lxc" { cgroup = "both" }' >"$tmp/site" &&
	make_guest 101 192.0.2.77 2001:db8::77 &&
	make_guest 102 192.0.2.78 &&
	make_guest 103 192.0.2.79 192.0.2.80 198.51.100.4 2001:db8::79 \
		2001:db8:1::80
}

convert()
{
	"$rehost" convert -q --site "$tmp/site" --root "$host" -t lxc \
		-o "$tmp/out" openvz:101 openvz:102 openvz:103
}

# verify [OPTION...]: into seen
verify()
{
	timeout 400 "$rehost" verify --scratch "$tmp/s" "$@" "$dir" \
		>"$tmp/seen" 2>&1
}

# The verdict, and that nothing differs unannounced.
verified()
{
	verify "$@" || { cat "$tmp/seen"; return 1; }
	grep ': announced, .* 0 not as planned' "$tmp/seen"
}

# Without the filter the guest's forgeries pass the host: they are seen.
unfiltered()
{
	local rc
	mv "$dir/lxc/source-filter.nft" "$tmp/filter" || return
	verify
	rc=$?
	mv "$tmp/filter" "$dir/lxc/source-filter.nft" || return
	cat "$tmp/seen"
	[ $rc -eq 4 ] &&
	grep 'nic.source-filter venet0: looser: planned yes, seen no' \
		"$tmp/seen" &&
	grep 'lets out IPv4 of a foreign address: looser' "$tmp/seen" &&
	grep 'lets out IPv6 of a foreign address: looser' "$tmp/seen"
}

# equal ENGINE ITEM: as it was on the old host, and as that engine shows it
equal()
{
	python3 - "$(find "$dir/verify" -name "*-$1-*.json")" "$2" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    checks = json.load(f)["guests"][0]["checks"]
hits = [c for c in checks if c["item"].startswith(sys.argv[2])]
print(hits)
sys.exit(not hits or any(c["relation"] != "equal" for c in hits))
END
}

# --- the same guest in a ploop image ------------------------------------------

# A disk with one partition from 1 MiB on, as ploop of vzctl has it.
make_disk()
{
	local sectors
	truncate -s 64M "$tmp/fs.raw" &&
	mke2fs -q -t ext4 -d "$host/vz/private/101" "$tmp/fs.raw" &&
	truncate -s 66M "$tmp/disk.raw" &&
	dd if="$tmp/fs.raw" of="$tmp/disk.raw" bs=1M seek=1 conv=notrunc \
		status=none &&
	# one entry of type 83, sectors 2048 to 133119, and the mark
	printf '\203\0\0\0\0\010\0\0\0\0\002\0' |
		dd of="$tmp/disk.raw" bs=1 seek=450 conv=notrunc status=none &&
	printf '\125\252' |
		dd of="$tmp/disk.raw" bs=1 seek=510 conv=notrunc status=none &&
	qemu-img convert -f raw -O parallels "$tmp/disk.raw" "$1/root.hds" &&
	sectors=$((66 * 2048)) &&
	cat >"$1/DiskDescriptor.xml" <<-END
	<?xml version="1.0"?>
	<Parallels_disk_image Version="1.0">
	  <Disk_Parameters><Disk_size>$sectors</Disk_size></Disk_Parameters>
	  <StorageData><Storage>
	    <Start>0</Start><End>$sectors</End><Blocksize>2048</Blocksize>
	    <Image>
	      <GUID>{5fbaabe3-6958-40ff-92a7-860e329aab41}</GUID>
	      <Type>Compressed</Type><File>root.hds</File>
	    </Image>
	  </Storage></StorageData>
	</Parallels_disk_image>
	END
}

make_ploop()
{
	mkdir -p "$tmp/ploop/vz/private/101/root.hdd" \
		"$tmp/ploop/etc/vz/conf" &&
	echo ovz >"$tmp/ploop/etc/hostname" &&
	make_disk "$tmp/ploop/vz/private/101/root.hdd" &&
	{
		cat "$host/etc/vz/conf/101.conf"
		echo 'VE_LAYOUT="ploop"'
	} >"$tmp/ploop/etc/vz/conf/101.conf"
}

convert_ploop()
{
	dir=$tmp/out.ploop/101
	"$rehost" convert -q --site "$tmp/site" --root "$tmp/ploop" -t lxc -o "$tmp/out.ploop" \
		openvz:101
}

# Modes, owners, sizes, seconds and names (mke2fs -d forgets their fractions);
# the file system has a lost+found, and only files keep their times in it.
same_files()
{
	local d
	for d in out out.ploop; do
		tar --zstd --numeric-owner --full-time \
			-tvf "$tmp/$d/101/rootfs.tar.zst" |
			sed -E '/lost\+found/d; s/\.[0-9]+ / /; s/ +/ /g
				/^[^-]/s/[0-9-]+ [0-9:]+ \./ ./' >"$tmp/$d.list" ||
			return
	done
	diff "$tmp/out.list" "$tmp/out.ploop.list"
}

# --- ids that vzctl mapped itself ---------------------------------------------

# The guest with an ACL, capabilities of its root and an owner of its own, as
# it is, and as a kernel without OpenVZ had it: from 100000 on.
make_shifted()
{
	local a=$tmp/plain/vz/private/7 b=$tmp/shifted/vz/private/7 f
	mkdir -p "$a" "$tmp/plain/etc/vz/conf" &&
	echo ovz >"$tmp/plain/etc/hostname" &&
	cp -a "$host/vz/private/101/." "$a" && mkdir -p "$a/srv/own" &&
	echo 1 >"$a/srv/own/file" && chown 12:34 "$a/srv/own/file" &&
	echo 2 >"$a/srv/program" && chmod 4755 "$a/srv/program" &&
	printf '%s\n' 'VE_PRIVATE="/vz/private/7"' 'HOSTNAME="web"' \
		>"$tmp/plain/etc/vz/conf/7.conf" &&
	cp -a "$tmp/plain" "$tmp/shifted" &&
	printf '%s\n' 'LOCAL_UID="100000"' 'LOCAL_GID="200000"' \
		>>"$tmp/shifted/etc/vz/conf/7.conf" &&
	find "$b" -printf '%U %G %p\n' | while read -r uid gid f; do
		chown -h "$((uid + 100000)):$((gid + 200000))" "$f" || exit
	done &&
	chmod 4755 "$b/srv/program" &&
	setfacl -m u:12:r,g:34:rw,d:u:56:rwx "$a/srv/own" &&
	setfacl -m u:100012:r,g:200034:rw,d:u:100056:rwx "$b/srv/own" &&
	# cap_net_raw=ep: of the host's root, and of root of the guest
	setfattr -n security.capability \
		-v 0x0100000200200000000000000000000000000000 \
		"$a/bin/busybox" &&
	setfattr -n security.capability \
		-v 0x0100000300200000000000000000000000000000a0860100 \
		"$b/bin/busybox" &&
	find "$tmp/plain" "$tmp/shifted" -exec touch -h -d @1000000000 {} +
}

convert_shifted()
{
	local h
	for h in plain shifted; do
		"$rehost" convert -q --root "$tmp/$h" -t lxc \
			-o "$tmp/out.$h" openvz:7 || return
	done
	grep 'lxc.idmap = u 0 100000 100000' "$tmp/out.shifted/7/lxc/config" &&
	grep 'lxc.idmap = g 0 200000 100000' "$tmp/out.shifted/7/lxc/config" &&
	! grep IDM004 "$tmp/out.shifted/7/report.txt"
}

same_archive()
{
	local h
	for h in plain shifted; do
		zstd -dcq "$tmp/out.$h/7/rootfs.tar.zst" >"$tmp/$h.tar" || return
	done
	tar --numeric-owner -tvf "$tmp/plain.tar" | grep -F 12/34 &&
	cmp "$tmp/plain.tar" "$tmp/shifted.tar"
}

# --shift: the tree stays as the host's side has it.
stays_shifted()
{
	"$rehost" convert -q --shift --root "$tmp/shifted" -t lxc \
		-o "$tmp/out.stays" openvz:7 &&
	zstd -dcq "$tmp/out.stays/7/rootfs.tar.zst" |
		tar --numeric-owner -tvf - | grep -F 100012/200034
}

# --- Debian, whose init mounts by itself ----------------------------------------

make_debian()	# TREES
{
	local kind id=301
	mkdir -p "$tmp/debian/etc/vz/conf" "$tmp/debian/vz/private" &&
	echo ovz >"$tmp/debian/etc/hostname" || return 1
	for kind in sysvinit systemd; do
		cp -a "$1/$kind" "$tmp/debian/vz/private/$id" &&
		sed "s/192.0.2.77.*\"/192.0.2.$((id - 200))\"/
			s/64M/256M/; s/NUMPROC=.*/NUMPROC=\"400\"/" \
			"$host/etc/vz/conf/101.conf" \
			>"$tmp/debian/etc/vz/conf/$id.conf" || return 1
		id=$((id + 1))
	done
	"$rehost" convert -q --compress none --site "$tmp/site" \
		--root "$tmp/debian" -t lxc -o "$tmp/out.debian"
}

# What the configuration mounts is no mount of the guest's own.
mounted()
{
	cp -a "$tmp/out.debian/302" "$tmp/out.debian/more" &&
	echo 'lxc.mount.entry = none srv tmpfs nosuid 0 0' \
		>>"$tmp/out.debian/more/lxc/config" || return 1
	dir=$tmp/out.debian/more
	verify
	[ $? -eq 4 ] && grep '^  X mounts *mount.target /srv: extra' "$tmp/seen"
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
nft --version >/dev/null 2>&1 || skip_all "there is no nft"
lxc=$(command -v lxc-start)
check "a host of OpenVZ" make_host
check "converted" convert
engines="builtin${lxc:+ lxc}"
for engine in $engines; do
	for id in 101 102 103; do
		dir=$tmp/out/$id
		check "$engine: $id: announced, nothing else" \
			verified --engine "$engine"
		check "$engine: $id: the source filter holds" \
			equal "$engine" 'nic.source-filter venet0'
	done
	dir=$tmp/out/101
	for item in 'addr.ip 192.0.2.77' 'addr.ip 2001:db8::77' \
		'addr.prefix 192.0.2.77' 'nic.name' 'limit.memory' \
		'limit.swap' 'limit.pids' 'limit.cpu-quota' 'cap.bounding' \
		'id.hostname' 'gateway 169.254.0.1 answers' \
		'gateway fe80::1 answers' \
		'venet0 lets out IPv4 of a foreign address' \
		'venet0 lets out IPv6 of a foreign address'; do
		check "$engine: equal: $item" equal "$engine" "$item"
	done
	dir=$tmp/out/103
	for ip in 192.0.2.79 192.0.2.80 198.51.100.4 2001:db8::79 \
		2001:db8:1::80; do
		check "$engine: equal: $ip" equal "$engine" "addr.ip $ip"
	done
done
[ -n "$lxc" ] || skip "the same by lxc-start" "there is no LXC"
dir=$tmp/out/101
check "without the filter: different" unfiltered
if command -v mke2fs >/dev/null && command -v qemu-img >/dev/null; then
	check "the same in a ploop image" make_ploop
	check "converted from the image" convert_ploop
	check "the archive has the same files" same_files
	check "that one verified" verified
else
	skip "the same in a ploop image" "there is no mke2fs or qemu-img"
fi
check "a guest of vzctl without its own kernel" make_shifted
check "converted with its map" convert_shifted
check "owners, access lists and capabilities are the guest's" same_archive
check "--shift leaves them as they are" stays_shifted
if ! trees=$(bash tests/debian_trees.sh 2>"$tmp/trees.log"); then
	skip "Debian" "$trees"
elif check "Debian with sysvinit and with systemd" make_debian "$trees"; then
	for engine in $engines; do
		for id in 301 302; do
			dir=$tmp/out.debian/$id
			check "$engine: $id: announced, nothing else" \
				verified --engine "$engine"
		done
	done
	check "a mount of the configuration is caught there" mounted
fi
tap_end
