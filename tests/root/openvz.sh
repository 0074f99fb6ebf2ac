#!/bin/bash
# A guest of OpenVZ in the lab: memory of VSwap, a quota, a node, and venet as
# a routed interface of both families, each as the configuration says.
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

make_host()
{
	mkdir -p "$host/etc/vz/conf" &&
	echo ovz >"$host/etc/hostname" &&
	demo_guest_root "$host/vz/private/101" web &&
	cat >"$host/etc/vz/conf/101.conf" <<-'END'
	ONBOOT="yes"
	PHYSPAGES="0:64M"
	SWAPPAGES="0:0"
	NUMPROC="100"
	CPUUNITS="1000"
	CPULIMIT="50"
	IP_ADDRESS="192.0.2.77 2001:db8::77"
	VE_ROOT="/vz/root/$VEID"
	VE_PRIVATE="/vz/private/$VEID"
	HOSTNAME="web.example.org"
	END
}

convert()
{
	"$rehost" convert -q --root "$host" -t lxc -o "$tmp/out" openvz:101
}

# The verdict, and that nothing differs unannounced.
verified()
{
	timeout 200 "$rehost" verify --scratch "$tmp/s" "$dir" \
		>"$tmp/seen" 2>&1 || { cat "$tmp/seen"; return 1; }
	grep ': announced, .* 0 not as planned' "$tmp/seen"
}

# equal ITEM: as it was on the old host
equal()
{
	python3 - "$dir"/verify/*.json "$1" <<'END'
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
	"$rehost" convert -q --root "$tmp/ploop" -t lxc -o "$tmp/out.ploop" \
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

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
check "a host of OpenVZ" make_host
check "converted" convert
check "verified: announced, nothing else" verified
for item in 'addr.ip 192.0.2.77' 'addr.ip 2001:db8::77' \
	'addr.prefix 192.0.2.77' 'nic.name' 'limit.memory' 'limit.pids' \
	'limit.cpu-quota' 'cap.bounding' 'id.hostname'; do
	check "equal: $item" equal "$item"
done
if command -v mke2fs >/dev/null && command -v qemu-img >/dev/null; then
	check "the same in a ploop image" make_ploop
	check "converted from the image" convert_ploop
	check "the archive has the same files" same_files
	check "that one verified" verified
else
	skip "the same in a ploop image" "there is no mke2fs or qemu-img"
fi
tap_end
