#!/bin/bash
# What verify says of a start: the goal of each kind of init, services that
# failed by name, ports, what was said on the console. Guests of busybox, with
# the files that the real inits leave. TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-health.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# script FILE: from standard input
script() { cat >"$1" && chmod 755 "$1"; }

# openrc NAME LAST FAILED: its marks as the real one leaves them
openrc()
{
	local root=$tmp/host/vservers/$1
	demo_guest "$tmp/host" "$1" $((40000 + $2)) "192.0.2.$2" || return 1
	printf '%s\n' '::sysinit:/sbin/openrc sysinit' \
		'::wait:/sbin/openrc default' '::respawn:/bin/sleep 3600' \
		>"$root/etc/inittab"
	script "$root/sbin/openrc" <<-EOF
	#!/bin/sh
	export PATH=/bin
	busybox mkdir -p /run/openrc/failed
	echo sysinit >/run/openrc/softlevel
	[ \$1 = default ] || exit 0
	busybox sleep 1
	[ -z "$3" ] || echo >/run/openrc/failed/$3
	echo default >/run/openrc/softlevel
	EOF
}

# shim NAME LAST STATUS: the scripts of style sysv
shim()
{
	local root=$tmp/host/vservers/$1
	demo_guest "$tmp/host" "$1" $((40000 + $2)) "192.0.2.$2" || return 1
	demo_value "$tmp/host/etc/vservers/$1/apps/init/style" sysv
	rm "$root/sbin/init"
	script "$root/etc/init.d/rc" <<-EOF
	#!/bin/sh
	[ \$1 != 6 ] || exit 0
	{ printf '\0cannot find my '; printf '\033[1mthing\033[0m\n'; } \
		>/dev/console
	/bin/busybox nc -l -p 8080 </dev/null >/dev/null 2>&1 &
	/bin/busybox sleep 0.5
	exit $3
	EOF
}

convert()
{
	mkdir -p "$tmp/host/etc/vservers/.defaults" "$tmp/host/vservers" &&
	echo vs1 >"$tmp/host/etc/hostname" &&
	ln -s /vservers "$tmp/host/etc/vservers/.defaults/vdirbase" &&
	openrc rc 11 '' && openrc rcbad 12 sshd &&
	shim ok 13 0 && shim bad 14 3 &&
	cat >"$tmp/site.conf" <<-EOF &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	EOF
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out"
}

# look NAME ARGUMENT...: $status, $tmp/seen
look()
{
	local name=$1
	shift
	timeout 200 "$rehost" verify -v --scratch "$tmp/s" "$@" \
		"$tmp/out/$name" >"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
}

said() { grep -q -- "$1" "$tmp/seen"; }
wrong() { grep '^  X ' "$tmp/seen"; }

openrc_up()
{
	look rc && [ "$status" -eq 0 ] && said '^  + boot *start: up' &&
	said '^  + boot *openrc level: default' && ! wrong || return 1
	# not before its last level was reached
	! said 'up in 0\.'
}

openrc_failed()
{
	look rcbad
	[ "$status" -eq 4 ] &&
	said '^  X boot *service sshd: .*planned started, seen failed,' &&
	[ "$(wrong | wc -l)" -eq 1 ]
}

openrc_accepted()
{
	local site=$tmp/accept.conf
	printf 'accept "INI044" { guests = {"vs1/vserver:%s"} %s }\n' \
		rcbad 'reason = "change 7"' >"$site"
	look rcbad --site "$site"
	[ "$status" -eq 0 ] && ! wrong &&
	said '^  ~ boot *service sshd: .*INI044. accepted: change 7' &&
	printf 'accept "INI044" { guests = {"vs1/vserver:%s"} %s }\n' \
		rc 'reason = "change 7"' >"$site" || return 1
	look rcbad --site "$site"
	[ "$status" -eq 4 ] &&
	said '^  X boot *service sshd: .*, to be accepted as INI044$'
}

shim_up()
{
	look ok --expect-ports tcp:8080
	[ "$status" -eq 0 ] && said '^  + boot *start command: ended with 0' &&
	said '^  + boot *port tcp:8080: listens' &&
	said '^  console: cannot find my thing$' && ! wrong
}

shim_failed()
{
	look bad
	[ "$status" -eq 4 ] && [ "$(wrong | wc -l)" -eq 1 ] && said \
	'^  X boot *start command: .*planned ended with 0, seen ended with 3'
}

no_port()
{
	look ok --expect-ports tcp:8080,udp:53
	[ "$status" -eq 4 ] && [ "$(wrong | wc -l)" -eq 1 ] &&
	said '^  X boot *port udp:53'
}

# captured PORT...: its package as if capture had seen it listen there
captured()
{
	local port n=0
	rm -rf "$tmp/out2"
	{
		printf '# rehost-capture 1\n[sockets]\n-- /proc/net/tcp\n'
		for port; do
			# 192.0.2.13, the address of ok
			printf '   %d: 0D0200C0:%04X 00000000:0000 0A 0\n' \
				$((n++)) "$port"
		done
	} >"$tmp/capture.txt"
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		--facts "$tmp/capture.txt" -o "$tmp/out2" vserver:ok &&
	grep -q "tcp:8080.* listened .* verify expects that .NET070" \
		"$tmp/out2/ok/report.txt"
}

captured_port()
{
	captured 8080 || return 1
	look ../out2/ok
	[ "$status" -eq 0 ] && said '^  + boot *port tcp:8080: listens' &&
	! wrong
}

captured_no_port()
{
	captured 8080 993 || return 1
	look ../out2/ok
	[ "$status" -eq 4 ] && [ "$(wrong | wc -l)" -eq 1 ] &&
	said '^  X boot *port tcp:993: missing: planned listens, seen -' &&
	said '^  + boot *port tcp:8080: listens' || return 1
	look ../out2/ok --expect-ports tcp:8080
	[ "$status" -eq 0 ] && said 'port tcp:8080: listens' &&
	! said 'port tcp:993' || return 1
	look ../out2/ok --expect-ports ''
	[ "$status" -eq 0 ] && ! said 'boot *port '
}

check "convert" convert
check "OpenRC: its level is reached, not before" openrc_up
check "OpenRC: a service that failed is named" openrc_failed
check "OpenRC: it is accepted where the site file says so" openrc_accepted
check "small init: its command, a port, words of the console" shim_up
check "small init: its command failed" shim_failed
check "a port where nobody listens" no_port
check "a port that capture saw listens again" captured_port
check "one that does not is told; another list, or none" captured_no_port
tap_end
