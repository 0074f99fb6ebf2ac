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
tap_end
