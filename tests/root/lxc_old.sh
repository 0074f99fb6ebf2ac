#!/bin/bash
# A guest of LXC 1 in the lab: interfaces of lxc.network, limits of cgroup v1,
# a list of devices, a mount table, what common.conf says, each as on the old
# host; and one of an ordinary user, whose tree has the owners of its map.
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
tmp=$(mktemp -d /var/tmp/rehost-lxc_old.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
host=$tmp/host
dir=$tmp/out/web

make_host()
{
	mkdir -p "$host/etc" "$host/srv/data" &&
	echo old >"$host/etc/hostname" &&
	demo_guest_root "$host/var/lib/lxc/web/rootfs" web &&
	echo 'tmpfs /var/lib/lxc/web/rootfs/mnt tmpfs size=1m 0 0' \
		>"$host/var/lib/lxc/web/fstab" &&
	cat >"$host/var/lib/lxc/web/config" <<-'END'
	lxc.include = /usr/share/lxc/config/debian.common.conf
	lxc.rootfs = /var/lib/lxc/web/rootfs
	lxc.rootfs.backend = dir
	lxc.utsname = web.example.org
	lxc.mount = /var/lib/lxc/web/fstab
	lxc.network.type = veth
	lxc.network.flags = up
	lxc.network.link = br0
	lxc.network.hwaddr = 00:16:3e:00:00:77
	lxc.network.ipv4 = 192.0.2.77/24
	lxc.network.ipv4.gateway = 192.0.2.1
	lxc.network.type = macvlan
	lxc.network.flags = up
	lxc.network.link = eth1
	lxc.network.name = lan
	lxc.network.ipv4 = 198.51.100.7/24
	lxc.cgroup.memory.limit_in_bytes = 64M
	lxc.cgroup.memory.memsw.limit_in_bytes = 64M
	lxc.cgroup.cpu.shares = 512
	lxc.cgroup.cpu.cfs_quota_us = 50000
	lxc.cgroup.cpu.cfs_period_us = 100000
	lxc.cgroup.devices.allow = c 10:200 rwm
	lxc.cap.drop = sys_pacct sys_resource
	lxc.limit.nofile = 256:512
	lxc.environment = PLACE=old
	lxc.start.auto = 1
	END
}

# The owners of the map, as lxc-create of an ordinary user leaves them.
make_mapped()
{
	local d=$host/home/ann/.local/share/lxc/mine
	mkdir -p "$d" &&
	demo_guest_root "$d/rootfs" mine &&
	chown -hR 100000:100000 "$d/rootfs" &&
	cat >"$d/config" <<-END
	lxc.include = /usr/share/lxc/config/debian.common.conf
	lxc.cap.drop = sys_resource
	lxc.rootfs = /home/ann/.local/share/lxc/mine/rootfs
	lxc.utsname = mine
	lxc.id_map = u 0 100000 65536
	lxc.id_map = g 0 100000 65536
	lxc.network.type = empty
	END
}

convert()
{
	"$rehost" convert -q --root "$host" -t lxc -o "$tmp/out" "lxc:$1"
}

# The verdict, and that nothing differs unannounced.
verified()
{
	timeout 240 "$rehost" verify --scratch "$tmp/s" "$1" \
		>"$tmp/seen" 2>&1 || { cat "$tmp/seen"; return 1; }
	grep -E ': (announced|equivalent), .* 0 not as planned' "$tmp/seen"
}

# equal ITEM: as it was on the old host
equal()
{
	python3 - "$dir"/verify/*.json "$1" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    checks = json.load(f)["guests"][0]["checks"]
hits = [c for c in checks if c["item"].startswith(sys.argv[2])]
wrong = [c for c in hits if c["relation"] != "equal"]
print(wrong)
sys.exit(not hits or bool(wrong))
END
}

# The archive holds the guest's own ids.
owned_by_root()
{
	tar --zstd --numeric-owner -tvf "$tmp/out/mine/rootfs.tar.zst" \
		>"$tmp/list" || return
	awk '$2 != "0/0" { print; bad = 1 } END { exit bad || !NR }' "$tmp/list"
}

# Without a copy: the tree as it lies on the old host.
rehearsed()
{
	timeout 240 "$rehost" rehearse --root "$host" --scratch "$tmp/s" \
		lxc:web >"$tmp/seen" 2>&1 || { cat "$tmp/seen"; return 1; }
	grep -E ': (announced|equivalent), .* 0 not as planned' "$tmp/seen"
}

refused()
{
	timeout 240 "$rehost" rehearse --root "$host" --scratch "$tmp/s" \
		lxc:mine >"$tmp/seen" 2>&1 && return 1
	grep 'mapped twice' "$tmp/seen"
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
check "a host of LXC 1" make_host
check "converted" convert web
check "verified: nothing unannounced" verified "$dir"
for item in 'addr.ip 192.0.2.77' 'addr.prefix 192.0.2.77' \
	'addr.ip 198.51.100.7' 'nic.mac eth0' 'nic.name lan' \
	'nic.gateway4 eth0' 'limit.memory' 'limit.cpu-quota' \
	'rlimit.soft nofile' 'cap.bounding' 'id.hostname' 'mount.target /mnt' \
	'seccomp.profile' 'ns.user' 'env.value PLACE' 'boot.init'; do
	check "equal: $item" equal "$item"
done
check "a guest of an ordinary user" make_mapped
check "that one converted" convert mine
check "the archive has its own owners" owned_by_root
check "that one verified" verified "$tmp/out/mine"
check "the old tree of the first one rehearsed" rehearsed
check "that of the second is refused: it would be mapped twice" refused
tap_end
