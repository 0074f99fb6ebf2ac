#!/bin/sh
# capture.sh - record the facts of an old container host for rehost
#
#	sh capture.sh >rehost-capture.txt
#
# For hosts of 2005 to 2018 (Linux-VServer, OpenVZ) on which rehost itself does
# not run. Needs a POSIX shell and cat, head, tr, awk, sed, grep, ls, id, date;
# uses ip or ifconfig and route, iptables-save, nft, df, getconf, uname, gzip
# when they are there.
#
# It writes to standard output and nowhere else: no temporary files (hence no
# here-documents, for shells keep those in files), no name look-ups, no packet,
# no program that loads a module or changes anything. Nothing below the guests'
# configuration is executed or sourced. It ends with status 0 whatever could
# not be read; as an ordinary user it records less and says what it missed.
#
# REHOST_CAPTURE_ROOT=DIR is for tests: /proc, /sys, /etc, /boot, /usr/lib and
# /var/run are read beneath DIR, and the optional programs above are taken from
# DIR/bin or not at all.
#
# FORMAT, version 1 (a reader needs no more than this)
#
# The first line is "# rehost-capture 1". The first byte of a line says what the
# line is:
#
#	#	comment, to be ignored
#	[	"[NAME]" or "[NAME ARGUMENT]": a section begins. NAME is made of
#		lower case letters, digits and "-"; ARGUMENT is the rest up to
#		the closing bracket, which ends the line
#	-	"-- LABEL": the content below comes from this source (a path, a
#		command line, or a name; see the sections)
#	blank	content: the line without this one blank, otherwise as it was
#	!	"! WORD: TEXT": a remark of this script about the section
#
# Anything else is damage. Content never begins in the first column, so nothing
# that a file holds can look like a section, a label or a remark. Control bytes
# other than tab and newline (NUL, escape, carriage return, DEL) are shown as
# "?". Bytes above 127 are kept. A last line without newline gets one.
#
# WORD is one of
#	absent	TEXT, a path or a program, does not exist
#	denied	it exists, but this user may not read it
#	failed	reading it or running it failed; TEXT says how
#	skipped	deliberately not read; TEXT says why
#	partial	what is shown may not be all; TEXT says why
#	cut	lines or bytes beyond the bound were left out; TEXT says how many
#
# Bounds: 2000 lines a section (labels and remarks count), 1048576 bytes a file
# or command. A section always stands in the file, even with a remark only,
# unless it is marked "one each" below, which means once for each thing found.
#
# SECTIONS, in this order. "K=V" means content lines of that form, V being the
# rest of the line, a K left out when the host does not say. "label: path" means
# that each file read is headed by its absolute path.
#
#   [host]		K=V: hostname, domainname, date (UTC, ISO 8601), uname
#			(all of uname -a), release, machine, page_size (bytes),
#			clk_tck (USER_HZ, not HZ), cpus, mem_total_kb,
#			swap_total_kb, uid (of who ran this), vserver_info (path
#			of the program; it is not run), util_vserver (version)
#   [kernel-config]	lines CONFIG_x=y about HZ, VSERVER, TAGGING, VE, page
#			size and IPv6; label: path
#   [util-vserver]	the installation's variables, as text; label: path
#   [virtual]		label: path: /proc/virtual/info and status,
#			/proc/virtnet/info and status, and of /proc/self/status
#			the lines with the ids of the context this ran in
#   [addresses TOOL]	TOOL ip: "ip -o addr"; ifconfig: "ifconfig -a"; none.
#			label: command line, or path
#   [links]		label "ip -o -d link" or "ip -o link": its lines; label
#			"/sys/class/net": a line "name=N key=value..." a device,
#			keys: address mtu ifindex iflink type flags operstate
#			master kind (bridge bond tun wireless); label
#			/proc/net/vlan/config: that file
#   [routes TOOL]	TOOL ip: labels "ip route", "ip route table all", "ip
#			rule", "ip -6 route", "ip -6 rule"; route: label "route
#			-n"; none. Then files, label: path
#   [bridges]		a line "name=N key=value... ports=A,B" a bridge
#   [bonds]		label: name of the bond; /proc/net/bonding/NAME
#   [firewall iptables], [firewall ip6tables]
#			output of iptables-save and ip6tables-save, only when
#			tables are loaded already
#   [firewall nft]	output of nft list ruleset, likewise
#   [sysctl]		K=V, K being the path below /proc/sys, with slashes
#			(device names may hold dots)
#   [mounts]		/proc/mounts
#   [df]		labels "df -lkP" (KiB) and "df -liP" (inodes): local
#			file systems only
#   [vservers]		confdir=PATH, then label: name of a guest; K=V: context,
#			ncontext, tag, name, nodename, mark (first lines of the
#			files), vdir, run (link targets), disabled=yes,
#			legacy=yes (a NAME.conf of the oldest tools)
#   [context XID]	one each, running contexts; label: info, status, limit,
#			sched, cvirt, cacct, nsproxy, nsproxy1; the files of
#			/proc/virtual/XID. The host's /proc does not show
#			processes of guests, so this is all it knows of them
#   [virtnet NID]	one each; label: info, status; from /proc/virtnet/NID
#   [beancounters]	/proc/user_beancounters
#   [vzlist]		label: version, veinfo, vestat; from /proc/vz
#   [sockets]		label: path: /proc/net/tcp and tcp6, header and lines in
#			state 0A (listening); udp and udp6, all. Addresses and
#			ports are the kernel's hexadecimal
#   [lsm]		K=V: securityfs=present, lsm, selinux_enforce,
#			apparmor_enabled, apparmor_profiles (number)
#   [cgroups]		label: path: /proc/cgroups, and of /proc/mounts the
#			lines of type cgroup and cgroup2
#   [modules]		names of loaded modules
#   [runfiles]		label: name; the files of /var/run/vservers
#   [boot]		assignments in vservers-default; label: path
#   [end]		K=V: sections (number of sections before this one),
#			denied (names of sections that hold a "! denied",
#			separated by commas, with their arguments)
#
# A copy without [end], or with another number of sections, is incomplete.

# shellcheck disable=SC2016,SC2317 # awk's "$"; functions are called by section
LC_ALL=C
export LC_ALL
IFS=' 	
'
NEWLINE='
'
ROOT=${REHOST_CAPTURE_ROOT%/}
MAX_LINES=2000
MAX_BYTES=1048576
COUNT=0
DENIED=
# sbin is not on an ordinary user's path; a test brings its own
[ -n "$ROOT" ] || PATH=$PATH:/usr/sbin:/sbin:/usr/bin:/bin:/usr/local/sbin
export PATH

# --- what every section is made of ---

say() {
	printf '%s\n' "$1"
}

# note WORD TEXT: a remark
note() {
	say "! $1: $2"
}

# clean: control bytes could drive the terminal of whoever looks at the file
clean() {
	tr '\000-\010\013-\037\177' '?'
}

# content: standard input as content lines, bounded in bytes
content() {
	head -c $((MAX_BYTES + 1)) | clean | awk -v max="$MAX_BYTES" '
	{ bytes += length($0) + 1; print " " $0 }
	END {
		if (bytes > max)
			print "! cut: more than " max " bytes, " \
				"the last line may be incomplete"
	}'
}

# run LABEL COMMAND...: the output of the command, headed by LABEL if not empty
run() {
	run_label=$1
	shift
	[ -z "$run_label" ] || say "-- $run_label"
	# the status of a command in a pipe takes the way over descriptor 3
	{
		run_status=$({ {
			"$@" </dev/null 2>/dev/null 3>&- 4>&-
			echo $? >&3
		} | content >&4 3>&-; } 3>&1)
	} 4>&1
	case $run_status in
	0 | 141) ;;	# 141: stopped by SIGPIPE, content said "cut"
	*) note failed "${run_label:-$1}: status $run_status" ;;
	esac
}

# readable PATH: or a remark why not. A FIFO or a device is never opened.
readable() {
	if [ ! -e "$ROOT$1" ]; then
		note absent "$1"
	elif [ ! -f "$ROOT$1" ]; then
		note skipped "$1: not a regular file"
	elif [ ! -r "$ROOT$1" ]; then
		note denied "$1"
	else
		return 0
	fi
	return 1
}

# listable DIR: or a remark why not
listable() {
	if [ ! -d "$ROOT$1" ]; then
		note absent "$1"
	elif [ ! -r "$ROOT$1" ] || [ ! -x "$ROOT$1" ]; then
		note denied "$1"
	else
		return 0
	fi
	return 1
}

# put PATH [LABEL]: a file
put() {
	if readable "$1"; then
		run "${2-$1}" cat "$ROOT$1"
	fi
}

# put_some PATH REGEX: the lines of a file that match
put_some() {
	if readable "$1"; then
		run "$1" sed -n "/$2/p" "$ROOT$1"
	fi
}

# have PROGRAM: TOOL is its path
have() {
	if [ -n "$ROOT" ]; then
		TOOL=$ROOT/bin/$1
		[ -f "$TOOL" ] && [ -x "$TOOL" ]
	else
		TOOL=$(command -v "$1" 2>/dev/null) && [ -n "$TOOL" ]
	fi
}

# first PATH: the first line of a small file, nothing if it cannot be read
first() {
	if [ -f "$ROOT$1" ] && [ -r "$ROOT$1" ]; then
		head -c 4096 "$ROOT$1" 2>/dev/null | clean | sed -n 1p
	fi
}

# assignment NAME PATH: the value in a file of shell variables, which is read as
# text and never sourced
assignment() {
	if [ -f "$ROOT$2" ] && [ -r "$ROOT$2" ]; then
		head -c 65536 "$ROOT$2" 2>/dev/null | clean |
			sed -n "s/^$1=[\"']*\\([^\"']*\\).*/\\1/p" |
			sed -n 1p
	fi
}

# pair KEY VALUE: K=V, unless the value is empty
pair() {
	[ -z "$2" ] || say " $1=$2"
}

# link_of PATH: where a symbolic link points; readlink(1) is not everywhere
link_of() {
	if [ -h "$ROOT$1" ]; then
		# shellcheck disable=SC2012 # one known file, not a listing
		ls -ld "$ROOT$1" 2>/dev/null | clean | sed -n '1s/^.* -> //p'
	fi
}

# section NAME FUNCTION [ARGUMENT...]
section() {
	section_name=$1
	shift
	COUNT=$((COUNT + 1))
	say "[$section_name]"
	"$@" | clean | awk -v max="$MAX_LINES" '
	NR <= max { print }
	/^! denied/ { denied = 1 }
	END {
		if (NR > max)
			print "! cut: " max " lines kept, " (NR - max) \
				" left out"
		exit denied
	}' || DENIED="$DENIED,$section_name"
}

# --- the machine ---

meminfo_kb() {
	[ ! -r "$ROOT/proc/meminfo" ] ||
		awk -v key="$1:" '$1 == key { print $2; exit }' \
			"$ROOT/proc/meminfo"
}

# every architecture lists its processors here, /proc/cpuinfo differs
count_cpus() {
	[ ! -r "$ROOT/proc/stat" ] ||
		awk '/^cpu[0-9]/ { n++ } END { if (n) print n }' \
			"$ROOT/proc/stat"
}

util_vserver_vars() {
	for vars in /usr/lib/util-vserver /usr/lib64/util-vserver \
		/usr/local/lib/util-vserver /usr/share/util-vserver; do
		if [ -f "$ROOT$vars/util-vserver-vars" ]; then
			say "$vars/util-vserver-vars"
			return
		fi
	done
}

variable() {
	assignment "$1" "$VARS"
}

put_host() {
	pair hostname "$(first /proc/sys/kernel/hostname)"
	pair domainname "$(first /proc/sys/kernel/domainname)"
	pair date "$(date -u '+%Y-%m-%dT%H:%M:%SZ' 2>/dev/null)"
	if have uname; then
		pair uname "$("$TOOL" -a 2>/dev/null)"
		pair machine "$("$TOOL" -m 2>/dev/null)"
	fi
	pair release "$(first /proc/sys/kernel/osrelease)"
	if have getconf; then
		pair page_size "$("$TOOL" PAGESIZE 2>/dev/null)"
		pair clk_tck "$("$TOOL" CLK_TCK 2>/dev/null)"
	fi
	pair cpus "$(count_cpus)"
	pair mem_total_kb "$(meminfo_kb MemTotal)"
	pair swap_total_kb "$(meminfo_kb SwapTotal)"
	pair uid "$(id -u 2>/dev/null)"
	if have vserver-info; then
		pair vserver_info "${TOOL#"$ROOT"}"
	fi
	pair util_vserver "$(variable PACKAGE_VERSION)"
}

put_kernel_config() {
	config=/boot/config-$(first /proc/sys/kernel/osrelease)
	words='^CONFIG_((VSERVER|TAGGING|VE|HZ)(_[A-Z0-9_]+)?|IPV6|.*PAGE_SIZE.*)='
	if [ -e "$ROOT$config" ]; then
		if readable "$config"; then
			run "$config" awk "/$words/" "$ROOT$config"
		fi
	elif readable /proc/config.gz && have gzip; then
		run /proc/config.gz config_gz "$TOOL" "$words"
	fi
}

config_gz() {
	"$1" -dc <"$ROOT/proc/config.gz" | awk "/$2/"
}

put_util_vserver() {
	put "${VARS:-/usr/lib/util-vserver/util-vserver-vars}"
}

put_virtual() {
	put /proc/virtual/info
	put /proc/virtual/status
	put /proc/virtnet/info
	put /proc/virtnet/status
	put_some /proc/self/status '^\(VxID\|NxID\|s_context\|ipv4root\|envID\|VEID\):'
}

# --- the network ---

put_addresses() {
	case $1 in
	ip) have ip && run 'ip -o addr' "$TOOL" -o addr show ;;
	ifconfig) have ifconfig && run 'ifconfig -a' "$TOOL" -a ;;
	*) note absent 'ip, ifconfig' ;;
	esac
	[ "$1" = ip ] || put /proc/net/if_inet6
}

# master_of DEVICE: its bridge or bond
master_of() {
	if [ -e "$ROOT/sys/class/net/$1/brport" ]; then
		for master in "$ROOT"/sys/class/net/*/brif/"$1"; do
			master=${master%/brif/*}
			say "${master##*/}"
			return
		done
	fi
	for master in "$ROOT"/sys/class/net/*/slave_"$1" \
		"$ROOT"/sys/class/net/*/lower_"$1"; do
		if [ -e "$master" ] && [ -d "${master%/*}/bonding" ]; then
			master=${master%/*}
			say "${master##*/}"
			return
		fi
	done
}

kind_of() {
	for kind in bridge:bridge bonding:bond tun_flags:tun wireless:wireless; do
		if [ -e "$ROOT/sys/class/net/$1/${kind%:*}" ]; then
			say "${kind#*:}"
			return
		fi
	done
}

# attributes DIR NAME...: reads lines "NAME key=value..." and appends the named
# files of /sys/class/net/NAME/DIR. awk, because old kernels give the rest of a
# file only to who reads it in one piece, and some shells read byte by byte.
attributes() {
	attributes_dir=$1
	shift
	awk -v base="$ROOT/sys/class/net/" -v dir="$attributes_dir" -v keys="$*" '
	BEGIN { n = split(keys, key, " ") }
	{
		line = "name=" $1
		for (i = 1; i <= n; i++) {
			file = base $1 "/" dir key[i]
			if ((getline text < file) > 0 && text != "")
				line = line " " key[i] "=" text
			close(file)
		}
		for (i = 2; i <= NF; i++)
			line = line " " $i
		print line
	}'
}

list_devices() {
	for device in "$ROOT"/sys/class/net/*; do
		[ -d "$device" ] || continue
		device=${device##*/}
		master=$(master_of "$device")
		kind=$(kind_of "$device")
		say "$device ${master:+master=$master} ${kind:+kind=$kind}"
	done
}

link_attributes() {
	list_devices | attributes '' address mtu ifindex iflink type flags operstate
}

put_links() {
	if ! have ip; then
		note absent ip
	elif "$TOOL" -o -d link show >/dev/null 2>&1; then
		run 'ip -o -d link' "$TOOL" -o -d link show
	else
		# iproute before 2007 knows no -d
		run 'ip -o link' "$TOOL" -o link show
	fi
	if listable /sys/class/net; then
		run /sys/class/net link_attributes
	fi
	put /proc/net/vlan/config
}

put_routes() {
	case $1 in
	ip)
		have ip || return
		run 'ip route' "$TOOL" route show
		run 'ip route table all' "$TOOL" route show table all
		run 'ip rule' "$TOOL" rule show
		# asked only where IPv6 is there already
		if [ -e "$ROOT/proc/net/if_inet6" ]; then
			run 'ip -6 route' "$TOOL" -6 route show
			run 'ip -6 rule' "$TOOL" -6 rule show
		else
			note absent /proc/net/if_inet6
		fi
		return
		;;
	route) have route && run 'route -n' "$TOOL" -n ;;
	*) put /proc/net/route ;;
	esac
	put /proc/net/ipv6_route
}

list_bridges() {
	for bridge in "$ROOT"/sys/class/net/*/bridge; do
		[ -d "$bridge" ] || continue
		bridge=${bridge%/bridge}
		ports=
		for port in "$bridge"/brif/*; do
			[ ! -e "$port" ] || ports=$ports,${port##*/}
		done
		say "${bridge##*/} ports=${ports#,}"
	done
}

bridge_attributes() {
	list_bridges | attributes bridge/ bridge_id stp_state forward_delay \
		ageing_time vlan_filtering
}

put_bridges() {
	if listable /sys/class/net; then
		run '' bridge_attributes
	fi
}

put_bonds() {
	if listable /proc/net/bonding; then
		for bond in "$ROOT"/proc/net/bonding/*; do
			[ ! -e "$bond" ] ||
				put "${bond#"$ROOT"}" "${bond##*/}"
		done
	fi
}

may_ask_kernel() {
	if [ -n "$ROOT" ] || [ "$(id -u 2>/dev/null)" = 0 ]; then
		return 0
	fi
	note denied "$1: needs root"
	return 1
}

# put_iptables PREFIX TABLES: PREFIX-save would load modules where no table is
# in use, which changes the host; so it is run only where one is.
put_iptables() {
	save=$1-save
	if have "$1" && "$TOOL" -V 2>/dev/null | grep nf_tables >/dev/null; then
		save=$1-legacy-save
	fi
	if ! have "$save"; then
		note absent "$save"
	elif readable "$2"; then
		if [ -z "$(first "$2")" ]; then
			note skipped "$save: no table is loaded"
		elif may_ask_kernel "$save"; then
			run '' "$TOOL"
		fi
	fi
}

put_nft() {
	if ! have nft; then
		note absent nft
	elif [ ! -e "$ROOT/sys/module/nf_tables" ]; then
		note skipped 'nft: nf_tables is not loaded'
	elif may_ask_kernel nft; then
		# -nn: old versions would look up names
		run '' "$TOOL" -nn list ruleset
	fi
}

# --- the kernel's settings ---

list_sysctls() {
	for key in net/ipv4/ip_forward net/ipv4/ip_nonlocal_bind \
		net/ipv4/ip_local_port_range \
		net/core/somaxconn net/netfilter/nf_conntrack_max \
		net/ipv4/ip_conntrack_max net/ipv4/netfilter/ip_conntrack_max \
		net/bridge/bridge-nf-call-iptables \
		kernel/pid_max kernel/threads-max kernel/vshelper \
		kernel/shmmax kernel/shmall kernel/shmmni \
		kernel/msgmax kernel/msgmnb kernel/msgmni kernel/sem \
		kernel/core_pattern kernel/randomize_va_space \
		vm/overcommit_memory vm/overcommit_ratio vm/swappiness \
		vm/max_map_count fs/file-max fs/nr_open; do
		say "$key"
	done
	list_conf ipv4 forwarding proxy_arp rp_filter arp_ignore arp_announce \
		send_redirects
	list_conf ipv6 forwarding proxy_ndp accept_ra autoconf disable_ipv6
}

list_conf() {
	family=$1
	shift
	for conf in "$ROOT/proc/sys/net/$family/conf"/*; do
		for key in "$@"; do
			say "net/$family/conf/${conf##*/}/$key"
		done
	done
}

put_sysctl() {
	listable /proc/sys || return
	list_sysctls | while IFS= read -r key; do
		if [ ! -e "$ROOT/proc/sys/$key" ]; then
			continue
		elif [ -r "$ROOT/proc/sys/$key" ]; then
			say "$key"
		else
			note denied "/proc/sys/$key"
		fi
	done | awk -v base="$ROOT/proc/sys/" '
	/^!/ { print; next }
	{
		file = base $0
		if ((getline text < file) > 0)
			print " " $0 "=" text
		else
			print "! failed: /proc/sys/" $0
		close(file)
	}'
}

put_lsm() {
	[ ! -d "$ROOT/sys/kernel/security" ] || say ' securityfs=present'
	pair lsm "$(first /sys/kernel/security/lsm)"
	pair selinux_enforce "$(first /selinux/enforce)$(
		first /sys/fs/selinux/enforce)"
	pair apparmor_enabled "$(first /sys/module/apparmor/parameters/enabled)"
	profiles=/sys/kernel/security/apparmor/profiles
	if [ -e "$ROOT$profiles" ] && readable "$profiles"; then
		pair apparmor_profiles "$(
			awk 'END { print NR }' "$ROOT$profiles" 2>/dev/null)"
	fi
}

put_cgroups() {
	put /proc/cgroups
	if readable /proc/mounts; then
		run /proc/mounts awk '$3 == "cgroup" || $3 == "cgroup2"' \
			"$ROOT/proc/mounts"
	fi
}

put_modules() {
	if readable /proc/modules; then
		run '' awk '{ print $1 }' "$ROOT/proc/modules"
	fi
}

# --- disks, sockets ---

# -l, for a dead NFS server would make df wait for ever; busybox has no -l, and
# then there is nothing to show
put_df() {
	if have df; then
		run 'df -lkP' "$TOOL" -lkP
		run 'df -liP' "$TOOL" -liP
	else
		note absent df
	fi
}

put_sockets() {
	[ ! -d "$ROOT/proc/virtual" ] ||
		note partial 'sockets of guests may not be visible to the host context'
	for file in /proc/net/tcp /proc/net/tcp6; do
		if readable "$file"; then
			run "$file" awk 'NR == 1 || $4 == "0A"' "$ROOT$file"
		fi
	done
	put /proc/net/udp
	put /proc/net/udp6
}

# --- guests ---

find_confdir() {
	for confdir in "$(variable __CONFDIR)" /etc/vservers \
		/usr/local/etc/vservers; do
		if [ -n "$confdir" ] && [ -d "$ROOT$confdir" ]; then
			say "$confdir"
			return
		fi
	done
}

# the first lines and links of one guest's directory
put_guest() {
	say "-- ${1##*/}"
	if [ ! -x "$ROOT$1" ]; then
		note denied "$1"
		return
	fi
	for key in context ncontext tag name uts/nodename apps/init/mark; do
		if [ -f "$ROOT$1/$key" ] && readable "$1/$key"; then
			pair "${key##*/}" "$(first "$1/$key")"
		fi
	done
	pair vdir "$(link_of "$1/vdir")"
	pair run "$(link_of "$1/run")"
	[ ! -e "$ROOT$1/disabled" ] || say ' disabled=yes'
}

put_legacy_guest() {
	name=${1##*/}
	say "-- ${name%.conf}"
	say ' legacy=yes'
	if readable "$1"; then
		pair context "$(assignment S_CONTEXT "$1")"
	fi
}

put_vservers() {
	confdir=$(find_confdir)
	if [ -z "$confdir" ]; then
		note absent /etc/vservers
		return
	fi
	say " confdir=$confdir"
	listable "$confdir" || return
	for entry in "$ROOT$confdir"/*; do
		entry=${entry#"$ROOT"}
		case $entry in
		*"$NEWLINE"*)
			note skipped "$confdir: a name with a newline in it" ;;
		*.conf)
			[ ! -f "$ROOT$entry" ] || put_legacy_guest "$entry" ;;
		*)
			[ ! -d "$ROOT$entry" ] || put_guest "$entry" ;;
		esac
	done
}

# put_each DIR NAME...: files, labelled by name
put_each() {
	each_dir=$1
	shift
	for each in "$@"; do
		put "$each_dir/$each" "$each"
	done
}

# sections_of NAME DIR FILE...: a section for each number below DIR
sections_of() {
	of_name=$1
	of_dir=$2
	shift 2
	for of_each in "$ROOT$of_dir"/[0-9]*; do
		[ -d "$of_each" ] || continue
		of_each=${of_each##*/}
		case $of_each in
		*[!0-9]*) continue ;;
		esac
		section "$of_name $of_each" put_each "$of_dir/$of_each" "$@"
	done
}

put_runfiles() {
	listable /var/run/vservers || return
	for entry in "$ROOT"/var/run/vservers/*; do
		case $entry in
		*"$NEWLINE"*)
			note skipped 'a name with a newline in it' ;;
		*)
			[ ! -f "$entry" ] ||
				put "${entry#"$ROOT"}" "${entry##*/}" ;;
		esac
	done
}

put_boot() {
	put_some /etc/default/vservers-default '^[A-Z_]*='
	put_some /etc/sysconfig/vservers-default '^[A-Z_]*='
}

# --- all of it ---

# which PROGRAM...: the first of them that is there, or none
which_of() {
	for program in "$@"; do
		if have "$program"; then
			say "$program"
			return
		fi
	done
	say none
}

capture() {
	say '# rehost-capture 1'
	say '# Facts of this host, recorded without changing it. The first byte of'
	say '# a line tells: "[NAME ARGUMENT]" a section, "-- LABEL" where the lines'
	say '# below come from, a blank before each line of content, "! WORD: TEXT" a'
	say '# remark. Control bytes are shown as "?". Complete if it ends with [end].'
	section host put_host
	section kernel-config put_kernel_config
	section util-vserver put_util_vserver
	section virtual put_virtual
	tool=$(which_of ip ifconfig)
	section "addresses $tool" put_addresses "$tool"
	section links put_links
	tool=$(which_of ip route)
	section "routes $tool" put_routes "$tool"
	section bridges put_bridges
	section bonds put_bonds
	section 'firewall iptables' put_iptables iptables \
		/proc/net/ip_tables_names
	section 'firewall ip6tables' put_iptables ip6tables \
		/proc/net/ip6_tables_names
	section 'firewall nft' put_nft
	section sysctl put_sysctl
	section mounts put /proc/mounts ''
	section df put_df
	section vservers put_vservers
	sections_of context /proc/virtual \
		info status limit sched cvirt cacct nsproxy nsproxy1
	sections_of virtnet /proc/virtnet info status
	section beancounters put /proc/user_beancounters ''
	section vzlist put_each /proc/vz version veinfo vestat
	section sockets put_sockets
	section lsm put_lsm
	section cgroups put_cgroups
	section modules put_modules
	section runfiles put_runfiles
	section boot put_boot
	say '[end]'
	say " sections=$COUNT"
	pair denied "${DENIED#,}"
}

# the only commands that run at once: half a copy of this script does nothing
VARS=$(util_vserver_vars)
capture
exit 0
