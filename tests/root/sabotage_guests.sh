#!/bin/bash
# Guests of the sabotage suite: rich has something of every area; mapped has
# ids of its own; plain has its addresses on a parent. Sourced.

# An init that ends as soon as it is asked to: dozens of guests are stopped.
sabotage_init()	# ROOT
{
	rm "$1/sbin/init"
	cat >"$1/sbin/init" <<-'END'
	#!/bin/busybox sh
	trap 'exit 0' USR2 TERM PWR INT
	mkdir -p /var/run
	echo up >/var/run/booted
	while :; do
		/bin/busybox sleep 1000 &
		wait $!
	done
	END
	chmod 755 "$1/sbin/init"
}

sabotage_sysctl()	# CONF NUMBER NAME VALUE
{
	demo_value "$1/sysctl/$2/setting" "$3"
	demo_value "$1/sysctl/$2/value" "$4"
}

sabotage_rich()	# HOST
{
	local c=$1/etc/vservers/rich r=$1/vservers/rich
	demo_guest "$1" rich 40101 192.0.2.101
	sabotage_init "$r"
	demo_value "$c/rlimits/rss.hard" 16384
	demo_value "$c/rlimits/nproc.hard" 100
	demo_value "$c/ulimits/nofile.soft" 200
	demo_value "$c/ulimits/nofile.hard" 300
	demo_value "$c/ulimits/core" 0
	demo_value "$c/ulimits/nproc" 90
	demo_value "$c/ulimits/memlock" 65536
	demo_value "$c/bcapabilities" NET_RAW
	demo_value "$c/uts/domainname" nis.example.org
	demo_value "$c/nice" 5
	sabotage_sysctl "$c" 0 net.ipv4.ip_forward 0
	sabotage_sysctl "$c" 1 kernel.shmmax 1000000
	sabotage_sysctl "$c" 2 kernel.msgmax 4096
	demo_value "$c/interfaces/1/ip" 2001:db8::101
	demo_value "$c/interfaces/1/prefix" 64
	demo_value "$c/interfaces/1/dev" eth0
	demo_value "$c/interfaces/2/ip" 198.51.100.101
	demo_value "$c/interfaces/2/prefix" 24
	demo_value "$c/interfaces/2/dev" eth1
	echo 'none /opt tmpfs ro,nosuid,noexec,size=4m 0 0' >>"$c/fstab"
	printf '%s %s none %s 0 0\n' "$1/srv/ro" /srv/ro bind,ro,nosuid,noatime \
		"$1/srv/rw" /srv/rw bind "$1/srv/file" /etc/file bind,ro,nosuid \
		>>"$c/fstab"
	mkdir -p "$r/opt" "$r/srv/ro" "$r/srv/rw" "$1/srv/ro" "$1/srv/rw"
	echo host >"$1/srv/file"
	echo guest >"$r/etc/file"
}

sabotage_host()	# HOST
{
	demo_host "$1"
	sabotage_rich "$1"
	demo_guest "$1" tree 40103 192.0.2.103
	sabotage_init "$1/vservers/tree"
	demo_guest "$1" mapped 40102 192.0.2.102
	sabotage_init "$1/vservers/mapped"
	demo_value "$1/etc/vservers/mapped/bcapabilities" SYS_ADMIN
}

# shellcheck disable=SC2154 # rehost: set by who sources this
sabotage_convert()	# DIR
{
	sabotage_host "$1/host" &&
	cat >"$1/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1"  gateway6 = "2001:db8::1" }
	device "eth1" { attach = "macvlan:eth1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$1/host" --site "$1/site.conf" \
		--set rich:seccomp.profile=/usr/share/lxc/config/common.seccomp \
		--set rich:kernel.no-new-privs=yes \
		--set rich:limit.cpu-quota=50000 \
		--set rich:limit.cpu-weight=200 --set rich:limit.cpus=0 \
		--set rich:boot.oom-score=100 \
		-o "$1/out" vserver:rich vserver:mapped &&
	"$rehost" convert -q --root "$1/host" --site "$1/site.conf" \
		--rootfs tree -o "$1/out" vserver:tree
}
