#!/bin/bash
# Guests of libvirt in the lab, by the engine of our own: a container with what
# libvirt_lxc gave it, one whose ids its description maps, and a machine of KVM
# whose disk is a plain image. TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-libvirt.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
host=$tmp/host

# domain NAME ADDRESS EXTRA: a container's description
domain()
{
	cat >"$host/etc/libvirt/lxc/$1.xml" <<-END
	<domain type='lxc'>
	  <name>$1</name>
	  <uuid>6f0c2b8e-5b0a-4c3e-9d43-1f1f0a7e2c11</uuid>
	  <memory unit='MiB'>64</memory>
	  <vcpu placement='static'>2</vcpu>
	  <cputune><shares>512</shares><quota>50000</quota></cputune>
	  <os>
	    <type arch='x86_64'>exe</type>
	    <init>/sbin/init</init>
	    <initenv name='SITE'>a &amp; b</initenv>
	  </os>
	  $3
	  <devices>
	    <filesystem type='mount'>
	      <source dir='/srv/lxc/$1'/>
	      <target dir='/'/>
	    </filesystem>
	    <filesystem type='ram'>
	      <source usage='4' units='MiB'/>
	      <target dir='/tmp'/>
	    </filesystem>
	    <interface type='bridge'>
	      <mac address='52:54:00:00:07:01'/>
	      <source bridge='br0'/>
	      <ip address='$2' family='ipv4' prefix='24'/>
	      <route family='ipv4' address='0.0.0.0' gateway='192.0.2.1'/>
	    </interface>
	    <console type='pty'/>
	  </devices>
	</domain>
	END
}

machine()
{
	cat >"$host/etc/libvirt/qemu/erp.xml" <<-END
	<domain type='kvm'>
	  <name>erp</name>
	  <memory unit='MiB'>64</memory>
	  <vcpu>2</vcpu>
	  <os><type arch='x86_64' machine='pc'>hvm</type></os>
	  <devices>
	    <disk type='file' device='disk'>
	      <driver name='qemu' type='raw'/>
	      <source file='/srv/erp.img'/>
	      <target dev='vda' bus='virtio'/>
	    </disk>
	    <interface type='bridge'>
	      <mac address='52:54:00:aa:00:01'/>
	      <source bridge='br0'/>
	    </interface>
	    <graphics type='vnc' passwd='hidden-word'/>
	  </devices>
	</domain>
	END
}

ids="<idmap><uid start='0' target='100000' count='65536'/>
<gid start='0' target='100000' count='65536'/></idmap>"

# A disk with one partition from 1 MiB on.
make_disk()
{
	demo_guest_root "$tmp/erp" erp &&
	truncate -s 64M "$tmp/fs.raw" &&
	mke2fs -q -t ext4 -d "$tmp/erp" "$tmp/fs.raw" &&
	truncate -s 66M "$host/srv/erp.img" &&
	dd if="$tmp/fs.raw" of="$host/srv/erp.img" bs=1M seek=1 conv=notrunc \
		status=none &&
	# one entry of type 83, sectors 2048 to 133119, and the mark
	printf '\203\0\0\0\0\010\0\0\0\0\002\0' |
		dd of="$host/srv/erp.img" bs=1 seek=450 conv=notrunc \
			status=none &&
	printf '\125\252' |
		dd of="$host/srv/erp.img" bs=1 seek=510 conv=notrunc \
			status=none
}

make_host()
{
	mkdir -p "$host/etc/libvirt/lxc/autostart" "$host/etc/libvirt/qemu" \
		"$host/srv/lxc" &&
	echo lv >"$host/etc/hostname" &&
	echo 'target "lxc" { cgroup = "both" }' >"$tmp/site" &&
	domain web 192.0.2.71 '' &&
	ln -s /etc/libvirt/lxc/web.xml "$host/etc/libvirt/lxc/autostart/" &&
	domain db 192.0.2.72 "$ids" &&
	demo_guest_root "$host/srv/lxc/web" web &&
	demo_guest_root "$host/srv/lxc/db" db &&
	# libvirt shifts nothing: the owners on the disk are the host's
	chown -hR 100000:100000 "$host/srv/lxc/db" &&
	machine
}

# convert GUEST...
convert()
{
	"$rehost" convert -q --site "$tmp/site" --root "$host" -t lxc \
		-o "$tmp/out" "$@"
}

# verified GUEST: nothing differs that is not announced; what the lab withholds
# from a guest whose ids are not mapped (sys_rawio) is not seen
verified()
{
	local rc
	timeout 400 "$rehost" verify --require incomplete --scratch "$tmp/s" \
		"$tmp/out/$1" >"$tmp/seen" 2>&1
	rc=$?
	cat "$tmp/seen"
	# 5: something required was not seen
	{ [ $rc -eq 0 ] || [ $rc -eq 5 ]; } &&
	grep -qE ': (announced|incomplete), .* 0 not as planned' "$tmp/seen"
}

# equal GUEST ITEM: as it was on the old host
equal()
{
	python3 - "$(find "$tmp/out/$1/verify" -name '*.json' | head -n 1)" \
		"$2" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    checks = json.load(f)["guests"][0]["checks"]
hits = [c for c in checks if c["item"].startswith(sys.argv[2])]
print(hits)
sys.exit(not hits or any(c["relation"] != "equal" for c in hits))
END
}

# owners of the archive of a guest
owned_by()
{
	tar --zstd --numeric-owner -tvf "$tmp/out/$1/rootfs.tar.zst" |
		awk -v want="$2" '$2 != want { print; bad = 1 } END { exit bad }'
}

hidden()
{
	! grep -r hidden-word "$tmp/out/erp" --include='*.json' \
		--include='*.txt' --include='*.html'
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
check "a host of libvirt" make_host
check "containers converted" convert libvirt:web libvirt:db
for guest in web db; do
	check "$guest: announced, nothing else" verified "$guest"
	for item in 'addr.ip 192.0.2.7' 'addr.prefix' 'nic.name' 'nic.mac' \
		'limit.memory' 'limit.cpu-quota' 'id.hostname' \
		'env.value SITE' 'ns.net' 'ns.user' 'mount.type /tmp'; do
		check "$guest: equal: $item" equal "$guest" "$item"
	done
done
check "db: the archive has the guest's own ids" owned_by db 0/0
if command -v mke2fs >/dev/null; then
	check "a machine's disk" make_disk
	check "the machine converted" convert libvirt:erp
	check "the machine's password is not told" hidden
	check "the machine: announced, nothing else" verified erp
	check "the machine: equal: nic.mac" equal erp nic.mac
else
	skip "a machine's disk" "there is no mke2fs"
fi
tap_end
