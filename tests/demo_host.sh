#!/bin/sh
# Makes the host tree of the demo: an old Linux-VServer host with three small
# guests whose root file systems are busybox. Sourced by demo.sh and by the
# tests that boot one of them.
#
#	demo_host DIR	(DIR must not exist)

demo_guest_root()	# ROOT HOSTNAME
{
	_bb=$(command -v busybox)
	mkdir -p "$1/bin" "$1/sbin" "$1/etc/init.d" "$1/proc" "$1/sys" \
		"$1/dev/pts" "$1/tmp" "$1/var/run" "$1/var/log" "$1/root"
	cp "$_bb" "$1/bin/busybox"
	for _p in sh ls cat echo hostname ip mount umount sleep grep head \
		ping ps kill uname id true; do
		ln -s busybox "$1/bin/$_p"
	done
	for _p in init halt reboot poweroff; do
		ln -s ../bin/busybox "$1/sbin/$_p"
	done
	printf 'root:x:0:0:root:/root:/bin/sh\n' >"$1/etc/passwd"
	printf 'root:x:0:\n' >"$1/etc/group"
	printf '%s\n' "$2" >"$1/etc/hostname"
	printf '3.18.4\n' >"$1/etc/alpine-release"
	printf '%s\n' '::sysinit:/etc/init.d/rcS' '::respawn:/bin/sleep 3600' \
		'::shutdown:/bin/true' >"$1/etc/inittab"
	printf '#!/bin/sh\necho up >/var/run/booted\n' >"$1/etc/init.d/rcS"
	chmod 755 "$1/etc/init.d/rcS"
	chmod 1777 "$1/tmp"
}

demo_value()	# FILE VALUE: a line in a file of the configuration
{
	mkdir -p "${1%/*}"
	printf '%s\n' "$2" >"$1"
}

demo_guest()	# HOSTROOT NAME XID ADDRESS
{
	_c=$1/etc/vservers/$2
	demo_guest_root "$1/vservers/$2" "$2"
	mkdir -p "$_c/apps/init" "$_c/uts" "$_c/interfaces/0" "$_c/cpuset"
	ln -s "/etc/vservers/.defaults/vdirbase/$2" "$_c/vdir"
	ln -s "/var/run/vservers/$2" "$_c/run"
	demo_value "$_c/name" "$2"
	demo_value "$_c/context" "$3"
	demo_value "$_c/uts/nodename" "$2.example.org"
	demo_value "$_c/apps/init/style" plain
	demo_value "$_c/apps/init/mark" default
	demo_value "$_c/interfaces/0/ip" "$4"
	demo_value "$_c/interfaces/0/prefix" 24
	demo_value "$_c/interfaces/0/dev" eth0
	printf '%s\n' 'none /proc proc defaults 0 0' \
		'none /tmp tmpfs size=16m,mode=1777 0 0' \
		'none /dev/pts devpts gid=5,mode=620 0 0' >"$_c/fstab"
}

demo_host()	# DIR
{
	mkdir -p "$1/etc/vservers/.defaults" "$1/vservers"
	printf 'vs1\n' >"$1/etc/hostname"
	ln -s /vservers "$1/etc/vservers/.defaults/vdirbase"
	demo_guest "$1" web01 40001 192.0.2.10
	demo_guest "$1" db01 40002 192.0.2.20
	demo_guest "$1" old 40003 192.0.2.30
	# web01: limits and one capability more; 16384 pages are 64 MiB
	demo_value "$1/etc/vservers/web01/rlimits/rss.hard" 16384
	demo_value "$1/etc/vservers/web01/rlimits/nproc.hard" 100
	demo_value "$1/etc/vservers/web01/bcapabilities" NET_RAW
	# db01: shared memory, a bind mount of the host
	mkdir -p "$1/srv/db01" "$1/vservers/db01/srv/data"
	printf '/srv/db01 /srv/data none bind 0 0\n' \
		>>"$1/etc/vservers/db01/fstab"
	demo_value "$1/etc/vservers/db01/bcapabilities" IPC_LOCK
	# old: a script that was sourced into the old tools
	demo_value "$1/etc/vservers/old/scripts/pre-start" '_IP=/bin/true'
	chmod 644 "$1/etc/vservers/old/scripts/pre-start"
}
