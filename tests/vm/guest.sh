#!/bin/bash
# What runs in the virtual machine, from its payload. Prints TAP: what needs
# cgroup v2 alone, the kernel's own device programs, VLANs and ipvlan, and the
# real guests there. A part is run when its name fits the pattern.

set -u
cd /payload || exit 1
export PATH=/usr/sbin:/usr/bin:/sbin:/bin LC_ALL=C
export B=/payload/build REHOST=/payload/build/rehost
export LD_LIBRARY_PATH=/payload/lib TMPDIR=/var/tmp
# shellcheck source=tests/vm/part.sh
. tests/vm/part.sh
# shellcheck disable=SC2034 # of part.sh
pattern=$(cat pattern)
tree=/sys/fs/cgroup
tmp=/var/tmp/check
mkdir -p $tmp
n=0

check()
{
	local what=$1 start=$SECONDS
	shift
	n=$((n + 1))
	if "$@" >"$tmp/why" 2>&1 </dev/null; then
		echo "ok $n - $what ($((SECONDS - start)) s)"
	else
		echo "not ok $n - $what ($((SECONDS - start)) s)"
		tail -n 25 "$tmp/why" | sed 's/^/# /'
	fi
}

# Lines of TAP of a script of the suite, numbered on.
script()
{
	local what=$1 start=$SECONDS line
	shift
	while read -r line; do
		case $line in
		'ok '* | 'not ok '*)
			n=$((n + 1))
			echo "${line%%ok *}ok $n - ${line#*ok * - }" ;;
		'#'*) echo "$line" ;;
		esac
	done < <("$@" 2>&1 </dev/null)
	echo "# $what: $((SECONDS - start)) s"
}

# What runs make outside of themselves.
state()
{
	cat $tree/cgroup.subtree_control
	find $tree -maxdepth 1 -name 'rehost.*'
	grep -c . /proc/self/mountinfo
	ls /sys/class/net
	pgrep -c . >/dev/null
}

# --- the host ------------------------------------------------------------------

pure_v2()
{
	[ "$(stat -f -c %T $tree)" = cgroup2fs ] &&
	! awk '$3 == "cgroup"' /proc/mounts | grep .
}

unit() { CK_FORK=yes CK_DEFAULT_TIMEOUT=100 "$B/check_$1"; }

# --- limits and devices: one guest, and wrong ones -----------------------------

# look DIR: $status, $tmp/seen
look()
{
	timeout 200 "$REHOST" verify -v --scratch $tmp/s "$@" >$tmp/seen 2>&1
	status=$?
	echo "status $status"
	grep -e '^[^ ]' -e '^  X ' -e 'required, unseen' $tmp/seen
}

seen() { grep -q "^  $1 .* $2" $tmp/seen; }

# The files of the group, while a command runs in the guest, which ends with its
# input.
files()
{
	local dir pid
	rm -f $tmp/input && mkfifo $tmp/input && exec 7<>$tmp/input || return 1
	"$REHOST" boot --scratch $tmp/s guests/equivalent/busybox -- \
		/bin/cat <$tmp/input 7>&- &
	pid=$!
	dir=$tree/rehost.busybox.$pid
	for _ in $(seq 1200); do
		grep -qs . "$dir/cgroup.procs" && break
		sleep 0.1
	done
	grep . "$dir"/{memory.max,pids.max,cpu.max,cpu.weight,cpuset.cpus,io.max} \
		$tree/cgroup.subtree_control >$tmp/files
	exec 7>&-
	wait $pid || return 1
	sed "s,^$tree/,,;s,^rehost[^/]*/,," $tmp/files | diff - /dev/fd/3 3<<-'EOF'
	memory.max:268435456
	pids.max:200
	cpu.max:50000 100000
	cpu.weight:50
	cpuset.cpus:0
	io.max:254:16 rbps=8388608 wbps=max riops=max wiops=500
	cgroup.subtree_control:cpuset cpu io memory pids
	EOF
}

# wrong DIR GUEST SED ITEM RELATION: caught on that item, and on nothing else
# but what the guest may therefore do
wrong()
{
	local config=guests/equivalent/$2/lxc/config
	mkdir -p "$1" &&
	cp -al "guests/equivalent/$2/." "$1/" &&
	rm "$1/lxc/config" &&
	sed "$3" "$config" >"$1/lxc/config" &&
	! cmp -s "$config" "$1/lxc/config" || return 1
	look "$1"
	[ "$status" -eq 4 ] && seen X "$4: $5:" &&
	[ "$(grep '^  X ' $tmp/seen | grep -vc '^  X [a-z]* *may ')" -eq 1 ]
}

# apart NUMBER COMMAND...: with files of its own; found NUMBER tells
apart()
{
	local tmp=$tmp/$1
	shift
	mkdir -p "$tmp"
	"$@" >"$tmp/found" 2>&1 </dev/null
	echo $? >"$tmp/status"
}

found()	# NUMBER
{
	cat "$tmp/$1/found"
	return "$(cat "$tmp/$1/status")"
}

# wrongs GUEST: "SED|ITEM|RELATION" a line; two at a time
wrongs()
{
	local sed item relation i=0 what=()
	while IFS='|' read -r sed item relation; do
		what+=("$item: $relation")
		apart $i wrong "guests/wrong.$i" "$1" "$sed" "$item" \
			"$relation" &
		i=$((i + 1))
		[ $((i % 2)) -ne 0 ] || wait
	done
	wait
	for i in "${!what[@]}"; do
		check "${what[$i]}" found "$i"
		rm -rf "${tmp:?}/$i" "guests/wrong.$i"
	done
}

# all_seen GUEST AREA ITEM...: each is as planned (what the old host did not
# have is announced), and so is all else
all_seen()
{
	local area=$2 item
	look "guests/equivalent/$1"
	shift 2
	[ "$status" -eq 0 ] && ! grep '^  X ' $tmp/seen || return 1
	for item; do
		grep -Eq "^  [+~] $area *$item( \[|\$)" $tmp/seen ||
			{ echo "not seen: $item"; return 1; }
	done
}

as_planned()
{
	all_seen busybox limits 'limit.memory: .*268435456' \
		'limit.pids: .*200' 'limit.cpu-weight: .*50' \
		'limit.cpu-quota: .*50000' 'limit.cpus: .*0' \
		'io.read-bytes 254:16: .*8388608' \
		'io.write-ops 254:16: .*500' &&
	grep -q 'device.policy: .* is list' $tmp/seen &&
	grep -q 'device.access c 1:3: .*is rw' $tmp/seen
}

same_state() { state | diff $tmp/before -; }

# --- AppArmor ----------------------------------------------------------------------

# profile NAME MODE: lets all but one file be read
profile()
{
	apparmor_parser --replace --skip-cache <<-EOF
	profile $1 flags=(attach_disconnected,mediate_deleted,$2) {
	  file,
	  capability,
	  network,
	  mount,
	  remount,
	  umount,
	  pivot_root,
	  signal,
	  ptrace,
	  unix,
	  dbus,
	  mqueue,
	  userns,
	  io_uring,
	  change_profile,
	  deny /etc/group r,
	}
	EOF
}

load_profiles()
{
	profile rehost-test enforce && profile rehost-other enforce &&
	profile rehost-lenient complain &&
	grep '^rehost' /sys/kernel/security/apparmor/profiles
}

denied()	# GUEST
{
	"$REHOST" boot --scratch $tmp/s "guests/equivalent/$1" -- \
		/bin/cat /etc/group && return 1
	"$REHOST" boot --scratch $tmp/s "guests/equivalent/$1" -- \
		/bin/cat /etc/passwd
}

# The name is right, the mode is not.
complaining()
{
	profile rehost-test complain || return 1
	look guests/equivalent/confined
	profile rehost-test enforce &&
	[ "$status" -eq 4 ] && seen X 'lsm.profile: .*complain'
}

# --- the real guests -------------------------------------------------------------

# healthy PROFILE NAME STATUS SAID
healthy()
{
	look "guests/$1/$2"
	[ "$status" -eq "$3" ] && ! grep '^  X ' $tmp/seen &&
	grep -q '^  + boot *start: up$' $tmp/seen &&
	grep -q '^  + boot *stop: by itself$' $tmp/seen &&
	grep -q "^  + boot *$4\$" $tmp/seen
}

# ---------------------------------------------------------------------------------

state >$tmp/before
check "cgroup v2 alone" pure_v2
if part devices; then
	check "unit tests of device programs" unit devprog
fi
if part box; then
	check "the box's own tests" unit box
fi
if part limits; then
	check "limits and devices as planned" as_planned
	check "the group's files while it runs" files
	wrongs busybox <<-'EOF'
	s/^\(lxc.cgroup2.memory.max =\).*/\1 536870912/|limit.memory|looser
	s/^\(lxc.cgroup2.pids.max =\).*/\1 100/|limit.pids|stricter
	s/^\(lxc.cgroup2.cpu.max =\).*/\1 90000 100000/|limit.cpu-quota|looser
	s/^\(lxc.cgroup2.cpuset.cpus =\).*/\1 0-1/|limit.cpus|missing
	s/^\(lxc.cgroup2.io.max =.* rbps=\)8388608/\116777216/|io.read-bytes 254:16|looser
	/^lxc.cgroup2.io.max =.* wiops/d|io.write-ops 254:16|looser
	s/^\(lxc.cgroup2.devices.allow = c 1:5\) rw$/\1 rwm/|device.access c 1:5|looser
	s/^\(lxc.cgroup2.devices.allow = c 1:3\) rw$/\1 r/|device.access c 1:3|stricter
	EOF
	check "controllers are switched off again" same_state
fi
if part nets; then
	check "VLANs and ipvlan as planned" all_seen nets network \
		'nic.attach eth0: .*bridge:br0' 'nic.vlan eth0: .*7' \
		'nic.attach eth1: .*macvlan:eth2.2003' \
		'nic.attach eth2: .*ipvlan:eth3' 'nic.mode eth2: .*l2' \
		'gateway 192.0.2.1 answers: yes'
	check "ipvlan of layer 3 as planned" all_seen layer3 network \
		'nic.attach eth0: .*ipvlan:eth4' 'nic.mode eth0: .*l3' \
		'nic.gateway4 eth0: .*dev'
	wrongs nets <<-'EOF'
	s/^\(lxc.net.0.veth.vlan.id =\) 7/\1 8/|nic.vlan eth0|missing
	/^lxc.net.0.veth.vlan.id/d|nic.vlan eth0|missing
	s/^\(lxc.net.1.link =\) eth2.2003/\1 eth2.2004/|nic.attach eth1|missing
	s/^\(lxc.net.2.ipvlan.mode =\) l2/\1 l3/|nic.mode eth2|missing
	EOF
	wrongs layer3 <<-'EOF'
	s/^\(lxc.net.0.ipvlan.mode =\) l3/\1 l3s/|nic.mode eth0|missing
	s/^\(lxc.net.0.link =\) eth4/\1 eth5/|nic.attach eth0|missing
	/^lxc.net.0.ipv4.gateway/d|nic.gateway4 eth0|missing
	EOF
	check "no interface is left behind" same_state
fi
if part lsm; then
	check "AppArmor's profiles are loaded" load_profiles
	check "confined by the profile that is named" all_seen confined lsm \
		'lsm.profile: .*rehost-test'
	check "what it denies is denied in the guest" denied confined
	check "unconfined, as was asked for" all_seen free lsm \
		'lsm.profile: none'
	check "and so nothing is denied" eval '! denied free'
	wrongs confined <<-'EOF'
	s/^\(lxc.apparmor.profile =\) .*/\1 rehost-other/|lsm.profile|missing
	s/^\(lxc.apparmor.profile =\) .*/\1 rehost-lenient/|lsm.profile|missing
	/^lxc.apparmor.profile/d|lsm.profile|missing
	EOF
	wrongs free <<-'EOF'
	s/^\(lxc.apparmor.profile =\) .*/\1 rehost-test/|lsm.profile|missing
	EOF
	wrongs busybox <<-'EOF'
	$a lxc.apparmor.profile = rehost-test|lsm.profile|missing
	EOF
	check "a profile that only complains" complaining
fi
if part guests; then
	check "equivalent, sysvinit" healthy equivalent sysvinit 0 'run level: 2'
	check "equivalent, systemd" healthy equivalent systemd 0 \
		'system state: running'
fi
if part native; then
	check "native, busybox" healthy native busybox 5 'start: up'
	check "native, sysvinit" healthy native sysvinit 5 'run level: 2'
	check "native, systemd" healthy native systemd 5 'system state: running'
fi
if part sabotage; then
	for module in 8021q ipvlan macvlan; do
		modprobe $module
	done
	script sabotage env SABOTAGE_ROWS='[|](nic[.](attach|mode)|device)' \
		bash tests/root/sabotage.sh
fi
check "nothing is left behind" same_state
echo "1..$n"
python3 -c 'import termios; termios.tcdrain(1)' # the line has sent it
