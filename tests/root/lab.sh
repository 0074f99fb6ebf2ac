#!/bin/bash
# The lab's network: every way to be attached, who answers there, what a
# neighbour hears, and that nothing is heard outside. TAP; needs root.

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
listener=
tmp=$(mktemp -d /var/tmp/rehost-lab.XXXXXX) || exit 1
finish()
{
	[ -z "$listener" ] || kill "$listener" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# guest NAME NUMBER DEVICE [RESOLV.CONF]
guest()
{
	demo_guest "$tmp/host" "$1" "4040$2" "192.0.2.4$2" &&
	demo_value "$tmp/host/etc/vservers/$1/interfaces/0/dev" "$3" &&
	demo_value "$tmp/host/etc/vservers/$1/bcapabilities" NET_RAW &&
	demo_value "$tmp/host/etc/vservers/$1/interfaces/1/ip" \
		"2001:db8::4$2" &&
	demo_value "$tmp/host/etc/vservers/$1/interfaces/1/prefix" 64 &&
	demo_value "$tmp/host/etc/vservers/$1/interfaces/1/dev" "$3" &&
	ln -s busybox "$tmp/host/vservers/$1/bin/ping6"
}

prepare()
{
	demo_host "$tmp/host" &&
	guest bridged 1 eth0 && guest routed 2 eth1 && guest parent 3 eth2 &&
	guest tagged 4 eth3.2003 && guest ip 5 eth4 && guest pair 6 eth5 &&
	guest vlan 7 eth6 &&
	printf 'nameserver %s\n' 192.0.2.53 203.0.113.53 127.0.0.1 \
		2001:db8::53 192.0.2.54 nonsense >"$tmp/host/vservers/bridged/etc/resolv.conf"
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1"  gateway6 = "2001:db8::1" }
	device "eth1" { attach = "routed:br1" }
	device "eth2" { attach = "macvlan:eth2"  gateway4 = "192.0.2.1" }
	device "eth3.2003" { attach = "macvlan:eth3"  vlan = 2003  gateway4 = "192.0.2.1" }
	device "eth4" { attach = "ipvlan:eth4"  gateway4 = "192.0.2.1" }
	device "eth5" { attach = "p2p" }
	device "eth6" { attach = "bridge:br0"  vlan = 7  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" vserver:bridged vserver:routed vserver:parent \
		vserver:tagged vserver:ip vserver:pair vserver:vlan
}

# seen GUEST PATTERN...: verify shows each, and nothing that is not planned
seen()
{
	local guest=$1 pattern
	shift
	timeout 100 "$rehost" verify -v --scratch "$tmp/s" "$tmp/out/$guest" \
		>"$tmp/seen" 2>&1
	grep -E "^vs1| network " "$tmp/seen"
	grep -q ' 0 not as planned' "$tmp/seen" || return 1
	for pattern; do
		grep -Eq "^  [^ ] network *$pattern" "$tmp/seen" ||
			{ echo "missing: $pattern"; return 1; }
	done
}

inside()	# GUEST COMMAND...
{
	local guest=$1
	shift
	timeout 100 "$rehost" boot --scratch "$tmp/s" "$tmp/out/$guest" -- "$@"
}

# A kernel without ipvlan says so; one that has it shows it.
ipvlan()
{
	if ip link add rehost-asks type ipvlan 2>&1 | grep -q Unknown; then
		seen ip 'nic.attach eth0: required, unseen: this host.s kernel has no ipvlan'
	else
		seen ip 'nic.attach eth0: .*ipvlan:eth4'
	fi
}

# A kernel whose bridges do not keep VLANs apart says so, and beforehand.
vlan()
{
	local why="bridges of this host's kernel do not filter VLANs"
	if unshare --net sh -c 'ip link add b0 type bridge
		ip -d link show b0' | grep -q vlan_protocol; then
		seen vlan 'nic.vlan eth0: .*7' 'gateway 192.0.2.1 answers: yes'
	else
		seen vlan "nic.vlan eth0: required, unseen: $why" &&
		"$rehost" verify -n "$tmp/out/vlan" >"$tmp/plan" 2>&1 &&
		grep "^withhold nic.vlan eth0: $why" "$tmp/plan"
	fi
}

# Whatever reaches an interface of the host, with the lab's own words in it.
listen()
{
	python3 - "$tmp/heard" <<-'END' &
	import socket, sys, time
	s = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(3))
	s.settimeout(0.2)
	end = time.monotonic() + 500
	open(sys.argv[1], "w").close()
	while time.monotonic() < end:
	    try:
	        data = s.recv(65536)
	    except socket.timeout:
	        continue
	    if b"rehost-forged" in data or b"rehost-control" in data:
	        with open(sys.argv[1], "ab") as f:
	            f.write(data + b"\n")
	END
	listener=$!
	for _ in 1 2 3 4 5 6 7 8 9 10; do
		[ -e "$tmp/heard" ] && return
		sleep 0.5
	done
	return 1
}

silent()
{
	seen bridged 'eth0 lets out IPv4 of a foreign address: yes' || return 1
	sleep 1
	[ ! -s "$tmp/heard" ] || return 1
	# it does listen: a datagram of the host's own loopback is heard
	python3 -c 'import socket
socket.socket(socket.AF_INET, socket.SOCK_DGRAM).sendto(
    b"rehost-control", ("127.0.0.1", 9))'
	sleep 2
	grep -q rehost-control "$tmp/heard"
}

links() { ls /sys/class/net; }

before=$(links)
check "convert" prepare
check "bridge: gateways and name servers answer" seen bridged \
	'nic.attach eth0: .*bridge:br0' 'gateway 192.0.2.1 answers: yes' \
	'gateway 2001:db8::1 answers: yes' \
	'name server 192.0.2.53 answers: yes' \
	'name server 203.0.113.53 answers: yes' \
	'name server 2001:db8::53 answers: yes'
check "bridge: the gateway echoes" inside bridged ping -c 1 -W 5 192.0.2.1
check "bridge: and over IPv6" inside bridged ping6 -c 1 -W 5 2001:db8::1
check "bridge: nobody else does" \
	eval '! inside bridged ping -c 1 -W 1 192.0.2.77'
check "routed: a wire of its own, the router at its end" seen routed \
	'nic.attach eth0: .*routed:br1' 'gateway .* answers: yes'
check "macvlan: its parent, and the gateway beyond" seen parent \
	'nic.attach eth0: .*macvlan:eth2' 'nic.mode eth0: ' \
	'gateway 192.0.2.1 answers: yes' \
	'eth0 lets out a foreign hardware address: yes'
check "macvlan on a VLAN: its parent, and the gateway beyond" seen tagged \
	'nic.attach .*macvlan:eth3.2003' 'gateway 192.0.2.1 answers: yes'
check "ipvlan: seen, or why not" ipvlan
check "VLAN of a bridge: seen, or why not" vlan
check "p2p: no bridge" seen pair 'nic.attach eth0: .*p2p'
check "a listener outside" listen
check "what the guest sends is heard in the lab, not outside" silent
check "no link is left behind" [ "$(links)" = "$before" ]
tap_end
