#!/bin/sh
# capture.sh - tests of src/cli/capture.sh on a made-up Linux-VServer host
#
# TAP on standard output. Every shell that is installed has to record the same
# bytes; nothing of the host's tree may change. Runs as any user.
#
# shellcheck disable=SC2016 # the "$" of awk programs and of fake programs

here=$(cd "$(dirname "$0")/.." && pwd) || exit 1
script=$here/src/cli/capture.sh
fixture=$here/fixtures/capture/vserver-host/rehost-capture.txt
work=$(mktemp -d "${TMPDIR:-/tmp}/capture.XXXXXX") || exit 1
trap 'chmod -R u+rwx "$work"; rm -rf "$work"' EXIT
trap 'exit 1' HUP INT TERM
# where any user can read it, wherever this checkout lies
cp "$script" "$work/capture.sh" || exit 1
script=$work/capture.sh
host=$work/host
out=$work/dash.txt
number=0
failed=0

ok() {
	number=$((number + 1))
	echo "ok $number - $1"
}

not_ok() {
	number=$((number + 1))
	failed=$((failed + 1))
	echo "not ok $number - $1"
}

# skip NAME REASON
skip() {
	number=$((number + 1))
	echo "ok $number - $1 # SKIP $2"
}

# check NAME COMMAND...
check() {
	check_name=$1
	shift
	if "$@" >"$work/check" 2>&1; then
		ok "$check_name"
	else
		not_ok "$check_name"
		sed 's/^/# /' "$work/check"
	fi
}

# file PATH LINE...: a file of the fake host
file() {
	mkdir -p "$host/$(dirname "$1")"
	file_path=$host/$1
	shift
	printf '%s\n' "$@" >"$file_path"
}

# program NAME LINE...: a fake program of the fake host
program() {
	program_name=$1
	shift
	file "bin/$program_name" '#!/bin/sh' "$@"
	chmod 755 "$host/bin/$program_name"
}

# is_section FILE SECTION EXPECTED-FILE: the section's lines are these
is_section() {
	awk -v want="[$2]" '
	/^\[/ { on = ($0 == want); next }
	on { print }' "$1" >"$work/section"
	diff "$3" "$work/section"
}

# section NAME LINE...: what the section has to hold, after dash
section() {
	section_name=$1
	shift
	printf '%s\n' "$@" >"$work/expected"
	check "[$section_name]" is_section "$out" "$section_name" \
		"$work/expected"
}

# no_line FILE REGEX
no_line() {
	! grep -n "$2" "$1"
}

# well_formed FILE: the grammar that the script's head promises
well_formed() {
	awk '
	function bad(what) { print FILENAME ":" NR ": " what; wrong = 1 }
	NR == 1 { if ($0 != "# rehost-capture 1") bad("head"); next }
	/[\001-\010\013-\037\177]/ { bad("control byte") }
	/^#/ { next }
	/^\[[a-z0-9-]+( [^ ].*)?\]$/ {
		if (seen[$0]++) bad("twice")
		sections++
		ended = ($0 == "[end]")
		next
	}
	!sections { bad("before the first section") }
	/^-- ./ || /^! (absent|denied|failed|skipped|partial|cut): ./ { next }
	/^ / {
		if (ended && sub(/^ sections=/, "") && $0 != sections - 1)
			bad("counts " $0 " sections, not " sections - 1)
		next
	}
	{ bad("not a line of the format: " $0) }
	END { if (!ended) bad("does not end"); exit wrong }' "$1"
}

section_names() {
	sed -n 's/^\[\(.*\)\]$/\1/p' "$1"
}

# --- the host ---

fake_kernel() {
	file proc/sys/kernel/hostname vs9
	file proc/sys/kernel/domainname '(none)'
	file proc/sys/kernel/osrelease 2.6.32-vs2.3
	file boot/config-2.6.32-vs2.3 '# CONFIG_HZ_100 is not set' \
		CONFIG_HZ=250 CONFIG_VSERVER=y CONFIG_TAGGING_ID24=y \
		CONFIG_VETH=m CONFIG_EXT4_FS=y
	file proc/stat 'cpu  1 2 3' 'cpu0 1 2 3' 'cpu1 1 2 3' 'intr 1'
	file proc/meminfo 'MemTotal:      1000 kB' 'SwapTotal:     200 kB'
	file proc/mounts '/dev/sda1 / ext3 rw 0 0' \
		'none /dev/cgroup cgroup rw,cpu 0 0'
	file proc/modules 'xt_tcpudp 2319 0 - Live 0x0' 'ext3 1 0 - Live 0x0'
	file proc/cgroups '#subsys_name	hierarchy' 'cpu	1'
	file proc/self/status 'Name:	awk' 'VxID:	0' 'NxID:	0' 'CapEff:	ff'
	file usr/lib/util-vserver/util-vserver-vars \
		"PACKAGE_VERSION='0.30.216-pre2'" "__CONFDIR='/etc/vservers'"
	file proc/sys/net/ipv4/ip_forward 1
	file proc/sys/net/ipv4/conf/eth0.7/proxy_arp 1
	file proc/sys/net/ipv6/conf/all/forwarding 0
	file proc/sys/kernel/sem '250	32000	32	128'
	mkdir -p "$host/sys/kernel/security"
	file selinux/enforce 0
	program uname 'echo "Linux vs9 2.6.32-vs2.3 x86_64"'
	program getconf 'case $1 in PAGESIZE) echo 4096 ;; *) echo 100 ;; esac'
	program vserver-info 'echo "must not run" >"$0.ran"'
	program df 'echo "df $*"'
}

fake_network() {
	program ip 'echo "ip $*"' 'exit 0'
	program iptables 'echo "iptables v1.4.8"'
	program iptables-save 'echo "*nat"' 'echo COMMIT'
	program ip6tables-save 'echo "must not run" >"$0.ran"'
	program nft 'echo "must not run" >"$0.ran"'
	file proc/net/ip_tables_names nat filter
	file proc/net/if_inet6 '00000000000000000000000000000001 01 80 10 80 lo'
	file proc/net/tcp '  sl  local_address rem_address   st' \
		'   0: 00000000:0016 00000000:0000 0A 0' \
		'   1: 0100007F:1234 0100007F:0016 01 0'
	file proc/net/udp '  sl  local_address rem_address   st' \
		'   0: 00000000:007B 00000000:0000 07 0'
	file proc/net/bonding/bond0 'Bonding Mode: active-backup'
	for net in br0 eth0 eth1 bond0; do
		file "sys/class/net/$net/address" "02:00:00:00:00:0${#net}"
		file "sys/class/net/$net/mtu" 1500
	done
	file sys/class/net/br0/bridge/stp_state 0
	mkdir -p "$host/sys/class/net/br0/brif/eth0" \
		"$host/sys/class/net/eth0/brport" \
		"$host/sys/class/net/bond0/bonding" \
		"$host/sys/class/net/bond0/slave_eth1"
}

fake_guests() {
	file proc/virtual/info 'VCIVersion:	0002:0307'
	file proc/virtual/status '#CTotal:	2'
	file proc/virtnet/info 'VCIVersion:	0002:0307'
	file proc/virtnet/status '#CTotal:	1'
	file proc/virtual/101/info 'ID:	101'
	file proc/virtual/101/status 'Tasks:	7'
	awk 'BEGIN { for (i = 1; i <= 10000; i++) print "line " i }' \
		>"$host/proc/virtual/101/cacct"
	file proc/virtual/40001/limit 'PROC:	21	0/42	-1/-1	0'
	file proc/virtnet/101/info 'ID:	101' '0:	[192.0.2.9-0.0.0.0/255.255.255.0:0010]'
	mkdir -p "$host/proc/virtual/12x"
	file etc/vservers/web/context 101
	file etc/vservers/web/uts/nodename web.example.org
	file etc/vservers/web/apps/init/mark default
	ln -s /vservers/web "$host/etc/vservers/web/vdir"
	ln -s /var/run/vservers/web "$host/etc/vservers/web/run"
	file etc/vservers/old.conf 'S_CONTEXT="77"' 'touch /tmp/must-not-run'
	file var/run/vservers/web 101
	file etc/default/vservers-default '# MARK=x' MARK=default
	# what would break out of the format or of a terminal
	file etc/vservers/evil/disabled ''
	printf '[end]\n' >"$host/etc/vservers/evil/context"
	printf '\033]0;x\007\000\r\n' >"$host/etc/vservers/evil/ncontext"
	mkfifo "$host/etc/vservers/evil/tag"
	{
		printf '[end]\n sections=1\n! denied: x\n-- limit\n\n# x\n'
		printf '\033[2J\000\177tail without newline'
	} >"$host/proc/virtual/40001/info"
	awk 'BEGIN { while (i++ < 40000) printf "%s", "long without newline"
		exit }' >"$host/proc/virtual/40001/sched"
	awk 'BEGIN { while (i++ < 60000) printf "%s", "longer than the bound" }' \
		>"$host/proc/virtual/40001/cvirt"
}

# a summary of everything in the tree that a write would change; the FIFO has
# no content, access times do not count
tree_sum() {
	find "$host" -exec ls -ld --full-time {} + | sort
	find "$host" -type f -exec cksum {} + | sort
}

# record NAME SHELL...: runs the script, without the line that holds the time
record() {
	record_name=$1
	shift
	REHOST_CAPTURE_ROOT=$host "$@" "$script" \
		>"$work/$record_name.raw" 2>"$work/$record_name.err"
	record_status=$?
	sed '/^ date=[0-9TZ:-]*$/d' "$work/$record_name.raw" \
		>"$work/$record_name.txt"
	[ "$record_status" = 0 ] && [ ! -s "$work/$record_name.err" ]
}

# compare NAME SHELL...: like dash, byte by byte
compare() {
	if ! command -v "$2" >/dev/null; then
		skip "$1 records the same" "$2 is not installed"
		return
	fi
	compare_name=$1
	check "$1 ends well and is silent" record "$@"
	check "$compare_name records the same" \
		cmp "$out" "$work/$compare_name.txt"
}

# only busybox: no other program is on the path
compare_busybox() {
	if ! command -v busybox >/dev/null; then
		skip 'busybox records the same' 'busybox is not installed'
		return
	fi
	mkdir "$work/applets"
	for applet in sh cat head tr awk sed grep ls id date; do
		ln -s "$(command -v busybox)" "$work/applets/$applet"
	done
	check 'busybox ends well and is silent' record busybox \
		env PATH="$work/applets" "$work/applets/sh"
	check 'busybox records the same' cmp "$out" "$work/busybox.txt"
}

fake_kernel
fake_network
fake_guests
tree_sum >"$work/before"

# --- the same bytes everywhere ---

if command -v dash >/dev/null; then
	check 'dash ends well and is silent' record dash dash
else
	check 'sh ends well and is silent' record dash sh
fi
compare bash bash
compare posix bash --posix
compare ksh ksh
compare_busybox
tree_sum >"$work/after"
check 'the host was not changed' diff "$work/before" "$work/after"
check 'no program ran that must not' test -z "$(find "$host" -name '*.ran')"

# --- the format ---

check 'the output is well formed' well_formed "$work/dash.raw"
check 'the fixture is well formed' well_formed "$fixture"
sed '$d' "$work/dash.raw" | grep -v '^\[end\]' >"$work/short"
check 'a copy without its end is noticed' eval '! well_formed "$work/short"'
sed '/^\[df\]/d' "$work/dash.raw" >"$work/short"
check 'a copy without its middle is noticed' eval '! well_formed "$work/short"'
printf '%s\n' host kernel-config util-vserver virtual 'addresses ip' links \
	'routes ip' bridges bonds 'firewall iptables' 'firewall ip6tables' \
	'firewall nft' sysctl mounts df vservers 'context 101' 'context 40001' \
	'virtnet 101' beancounters vzlist sockets lsm cgroups modules runfiles \
	boot end >"$work/names"
section_names "$out" >"$work/names.dash"
check 'the sections' diff "$work/names" "$work/names.dash"
grep -v '^[cv][oi][nr]t' "$work/names" >"$work/names.always"
section_names "$fixture" | grep -v '^[cv][oi][nr]t' >"$work/names.fixture"
check 'the fixture has them too' diff "$work/names.always" "$work/names.fixture"
check 'the date is UTC' grep -q \
	'^ date=2[0-9]*-[01][0-9]-[0-3][0-9]T[0-9:]*Z$' "$work/dash.raw"

# --- content ---

section host ' hostname=vs9' ' domainname=(none)' \
	' uname=Linux vs9 2.6.32-vs2.3 x86_64' \
	' machine=Linux vs9 2.6.32-vs2.3 x86_64' ' release=2.6.32-vs2.3' \
	' page_size=4096' ' clk_tck=100' ' cpus=2' ' mem_total_kb=1000' \
	' swap_total_kb=200' " uid=$(id -u)" ' vserver_info=/bin/vserver-info' \
	' util_vserver=0.30.216-pre2'
section kernel-config '-- /boot/config-2.6.32-vs2.3' ' CONFIG_HZ=250' \
	' CONFIG_VSERVER=y' ' CONFIG_TAGGING_ID24=y'
section virtual '-- /proc/virtual/info' ' VCIVersion:	0002:0307' \
	'-- /proc/virtual/status' ' #CTotal:	2' '-- /proc/virtnet/info' \
	' VCIVersion:	0002:0307' '-- /proc/virtnet/status' ' #CTotal:	1' \
	'-- /proc/self/status' ' VxID:	0' ' NxID:	0'
section 'addresses ip' '-- ip -o addr' ' ip -o addr show'
section links '-- ip -o -d link' ' ip -o -d link show' '-- /sys/class/net' \
	' name=bond0 address=02:00:00:00:00:05 mtu=1500 kind=bond' \
	' name=br0 address=02:00:00:00:00:03 mtu=1500 kind=bridge' \
	' name=eth0 address=02:00:00:00:00:04 mtu=1500 master=br0' \
	' name=eth1 address=02:00:00:00:00:04 mtu=1500 master=bond0' \
	'! absent: /proc/net/vlan/config'
section 'routes ip' '-- ip route' ' ip route show' '-- ip route table all' \
	' ip route show table all' '-- ip rule' ' ip rule show' \
	'-- ip -6 route' ' ip -6 route show' '-- ip -6 rule' ' ip -6 rule show'
section bridges ' name=br0 stp_state=0 ports=eth0'
section bonds '-- bond0' ' Bonding Mode: active-backup'
section 'firewall iptables' ' *nat' ' COMMIT'
section 'firewall ip6tables' '! absent: /proc/net/ip6_tables_names'
section 'firewall nft' '! skipped: nft: nf_tables is not loaded'
section sysctl ' net/ipv4/ip_forward=1' ' kernel/sem=250	32000	32	128' \
	' net/ipv4/conf/eth0.7/proxy_arp=1' ' net/ipv6/conf/all/forwarding=0'
section df '-- df -lkP' ' df -lkP' '-- df -liP' ' df -liP'
section vservers ' confdir=/etc/vservers' '-- evil' ' context=[end]' \
	' ncontext=?]0;x???' \
	' disabled=yes' '-- old' ' legacy=yes' ' context=77' '-- web' \
	' context=101' ' nodename=web.example.org' ' mark=default' \
	' vdir=/vservers/web' ' run=/var/run/vservers/web'
section 'virtnet 101' '-- info' ' ID:	101' \
	' 0:	[192.0.2.9-0.0.0.0/255.255.255.0:0010]' \
	'! absent: /proc/virtnet/101/status'
section sockets \
	'! partial: sockets of guests may not be visible to the host context' \
	'-- /proc/net/tcp' '   sl  local_address rem_address   st' \
	'    0: 00000000:0016 00000000:0000 0A 0' '! absent: /proc/net/tcp6' \
	'-- /proc/net/udp' '   sl  local_address rem_address   st' \
	'    0: 00000000:007B 00000000:0000 07 0' '! absent: /proc/net/udp6'
section lsm ' securityfs=present' ' selinux_enforce=0'
section modules ' xt_tcpudp' ' ext3'
section cgroups '-- /proc/cgroups' ' #subsys_name	hierarchy' ' cpu	1' \
	'-- /proc/mounts' ' none /dev/cgroup cgroup rw,cpu 0 0'
section runfiles '-- web' ' 101'
section boot '-- /etc/default/vservers-default' ' MARK=default' \
	'! absent: /etc/sysconfig/vservers-default'

# --- hostile and huge ---

awk 'NR < 2 { next } /^\[context 40001/ { on = 1; next } /^\[/ { on = 0 }
	on' "$out" | cut -c1-40 >"$work/evil"
printf '%s\n' '-- info' ' [end]' '  sections=1' ' ! denied: x' ' -- limit' ' ' \
	' # x' ' ?[2J??tail without newline' \
	'! absent: /proc/virtual/40001/status' '-- limit' \
	' PROC:	21	0/42	-1/-1	0' '-- sched' >"$work/expected"
sed -n "1,$(wc -l <"$work/expected")p" "$work/evil" >"$work/evil.head"
check 'content cannot leave its section' diff "$work/expected" "$work/evil.head"
check 'a long line is kept whole' eval \
	'awk "length(\$0) == 800001" "$out" | grep -q "^ long without"'
check 'a longer one is cut' eval \
	'awk "length(\$0) == 1048578" "$out" | grep -q "^ longer than"'
check 'and that is said' grep -q '^! cut: more than 1048576 bytes' "$out"
awk '/^\[/ { on = ($0 == "[context 101]"); next } on' "$out" >"$work/many"
check 'a section ends after 2000 lines' test "$(wc -l <"$work/many")" = 2001
check 'and says what it left out' grep -q \
	'^! cut: 2000 lines kept, 8010 left out$' "$work/many"
check 'nothing was denied' no_line "$out" '^ denied='

# --- fewer rights, other tools, nothing at all ---

# as_user COMMAND...: without the right to read everything
as_user() {
	if [ "$(id -u)" != 0 ]; then
		"$@"
	else
		setpriv --reuid=65534 --regid=65534 --clear-groups "$@"
	fi
}

if [ "$(id -u)" = 0 ] && ! as_user true 2>/dev/null; then
	skip 'an ordinary user is told what is missing' 'needs setpriv'
else
	chmod 755 "$work"
	chmod 000 "$host/proc/net/ip_tables_names" "$host/etc/vservers/web/context" \
		"$host/proc/virtual/101/cacct" "$host/etc/vservers/evil"
	record user as_user sh
	check 'an ordinary user is told what is missing' grep -q \
		'^ denied=firewall iptables,vservers,context 101$' "$work/user.txt"
	check 'a denied file' grep -q \
		'^! denied: /etc/vservers/web/context$' "$work/user.txt"
	check 'a denied directory' grep -q \
		'^! denied: /etc/vservers/evil$' "$work/user.txt"
	check 'the rest is well formed' well_formed "$work/user.raw"
fi

rm "$host/bin/ip"
program ifconfig 'echo "ifconfig $*"'
program route 'echo "route $*"'
program df 'exit 1'
program iptables 'echo "iptables v1.8.2 (nf_tables)"'
mkdir -p "$host/sys/module/nf_tables"
program nft 'echo "nft $*"'
chmod 644 "$host/proc/net/ip_tables_names"
file proc/net/ip6_tables_names ''
record other sh
out=$work/other.txt
section 'addresses ifconfig' '-- ifconfig -a' ' ifconfig -a' \
	'-- /proc/net/if_inet6' \
	' 00000000000000000000000000000001 01 80 10 80 lo'
section 'routes route' '-- route -n' ' route -n' '! absent: /proc/net/ipv6_route'
section df '-- df -lkP' '! failed: df -lkP: status 1' '-- df -liP' \
	'! failed: df -liP: status 1'
section 'firewall iptables' '! absent: iptables-legacy-save'
section 'firewall ip6tables' '! skipped: ip6tables-save: no table is loaded'
section 'firewall nft' ' nft -nn list ruleset'

host=$work/nothing
mkdir "$host"
check 'an empty host ends well' record empty sh
check 'and is well formed' well_formed "$work/empty.raw"

# this very machine: whatever it is, the script must not stumble
unset REHOST_CAPTURE_ROOT
check 'this machine ends well' eval \
	'sh "$script" >"$work/real.txt" 2>"$work/real.err" && [ ! -s "$work/real.err" ]'
check 'and is well formed' well_formed "$work/real.txt"

echo "1..$number"
[ "$failed" = 0 ]
