#!/bin/bash
# What was emitted for LXC, in the real LXC: a converted guest boots and has
# what its policy.json says; liblxc loads the config of every guest of the
# fixtures; device nodes of guests become the rules that they should; nothing
# is left behind. TAP; needs root and lxc.

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
tmp=$(mktemp -d "${TMPDIR:-/tmp}/rehost-lxc.XXXXXX") || exit 1
trap 'chmod -R u+rwX "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# What a test could leave on the machine.
# shellcheck disable=SC2009 # a name in the whole command line
state()
{
	find /sys/fs/cgroup -type d -name 'lxc*' 2>/dev/null | sort
	grep -c . /proc/self/mountinfo
	ip netns list
	ps -eo args= | grep -F "$tmp" | grep -v -e grep -e "$0"
	ls /sys/class/net
}

# --- a guest that boots -----------------------------------------------------------

# policy FIELD: keys and values of the target's policy, a line each
policy()
{
	python3 -c 'import json, sys
p = json.load(open(sys.argv[1]))["targets"]["lxc"]
for i in p:
    if i["field"] == sys.argv[2]:
        print(i["key"], i["value"])' "$tmp/out/web01/policy.json" "$1"
}

# The set as /proc/PID/status shows it, from the names.
keep_mask()
{
	policy cap.bounding | python3 -c 'import re, sys
bits = {m[1]: int(m[0]) for m in re.findall(
    r"^CAP\((\d+), \"(\w+)\"\)", open("src/base/cap.def").read(), re.M)}
print("%016x" % sum(1 << bits[line.split()[0]] for line in sys.stdin
                    if line.split()[1] == "yes"))'
}

# same WHAT EXPECTED: what the guest showed
same()
{
	local seen
	seen=$(sed -n "s/^$1 //p" "$tmp/seen")
	echo "$1: expected \"$2\", seen \"$seen\""
	[ -n "$2" ] && [ "$seen" = "$2" ]
}

install_guest()
{
	mkdir -p "$tmp/lxc/web01/rootfs" &&
	(cd "$tmp/out/web01" && sha256sum --quiet -c SHA256SUMS) &&
	tar --zstd --numeric-owner --xattrs --xattrs-include='*' --acls \
		-xpf "$tmp/out/web01/rootfs.tar.zst" \
		-C "$tmp/lxc/web01/rootfs" &&
	cp "$tmp/out/web01/lxc/config" "$tmp/lxc/web01/config" &&
	chmod 755 "$tmp" "$tmp/lxc"
}

convert_demo()
{
	demo_host "$tmp/host" &&
	cat >"$tmp/site.conf" <<-END
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { path = "$tmp/lxc"  version = "5.0"  cgroup = "$cgroup" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" vserver:web01
}

boot()
{
	# shellcheck disable=SC2016 # run inside the laboratory
	timeout 120 bash tests/lxc_lab.sh "$tmp/lxc" web01 '
		ip link add br0 type bridge &&
		ip addr add 192.0.2.1/24 dev br0 && ip link set br0 up' '
		for try in 1 2 3 4 5 6 7 8 9 10; do
			inside /bin/cat /var/run/booted >/dev/null 2>&1 && break
			sleep 0.2
		done
		echo "booted $(inside /bin/cat /var/run/booted)"
		echo "hostname $(inside /bin/hostname)"
		echo "address $(inside /bin/ip -4 addr show eth0 |
			sed -n "s/.*inet \([^ ]*\).*/\1/p")"
		echo "gateway $(inside /bin/ip route |
			sed -n "s/default via \([^ ]*\).*/\1/p")"
		echo "answers $(inside /bin/ping -c 1 -w 2 192.0.2.1 |
			grep -c "1 packets received")"
		echo "capbnd $(inside /bin/grep CapBnd /proc/1/status |
			tr -d "\t" | cut -d: -f2)"
		echo "init $(inside /bin/cat /proc/1/comm)"
		echo "pids $(limit pids.max)"
		if [ '"$cgroup"' = v1 ]; then
			echo "memory $(limit memory.limit_in_bytes)"
			echo "devices $(limit devices.list | grep . | sort | tr "\n" ,)"
		else
			echo "memory $(limit memory.max)"
		fi
		echo "tmp $(inside /bin/grep " /tmp " /proc/mounts |
			cut -d" " -f3)"' >"$tmp/seen"
}

# The rules as cgroup v1 lists them.
rules()
{
	policy device.access | awk '{ print $1, $2, $3 }' | sort | tr '\n' ,
}

test_boot()
{
	check "convert the demo's guest" convert_demo
	check "its archive unpacks, its digests are right" install_guest
	check "it starts" boot
	check "its start script ran" same booted up
	check "host name" same hostname "$(policy id.hostname | cut -c2-)"
	check "address and prefix" same address \
		"$(policy addr.prefix | tr ' ' /)"
	check "gateway" same gateway "$(policy nic.gateway4 | cut -d' ' -f2)"
	check "the gateway answers" same answers 1
	check "capabilities" same capbnd "$(keep_mask)"
	check "memory limit" same memory "$(policy limit.memory | cut -c2-)"
	check "process limit" same pids "$(policy limit.pids | cut -c2-)"
	check "its own init" same init init
	check "tmpfs on /tmp" same tmp tmpfs
	if [ "$cgroup" = v1 ]; then
		check "devices that may be opened" same devices "$(rules)"
	else
		skip "devices that may be opened" "a program, no list, on v2"
	fi
}

# The same guest with an init that sets its network up by files of its own.
# shellcheck disable=SC2016 # for the shell in the guest
own_guest()
{
	local root=$tmp/host/vservers/web01
	rm -rf "$tmp/out" "$tmp/lxc/web01" &&
	mkdir -p "$root/etc/network" "$root/etc/rcS.d" &&
	ln -s ../bin/busybox "$root/sbin/ifup" &&
	ln -s busybox "$root/bin/run-parts" &&
	printf '#!/bin/sh\nexec /sbin/ifup -a\n' \
		>"$root/etc/init.d/networking" &&
	printf '%s\n' '#!/bin/sh' 'PATH=/bin:/sbin; export PATH' \
		'for s in /etc/rcS.d/S*; do $s start; done' \
		'echo up >/var/run/booted' >"$root/etc/init.d/rcS" &&
	chmod 755 "$root/etc/init.d/networking" &&
	printf 'NET_RAW\nNET_ADMIN\n' \
		>"$tmp/host/etc/vservers/web01/bcapabilities" &&
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		--set net.owner=guest -o "$tmp/out" vserver:web01
}

owner_verified()
{
	local scratch status
	scratch=$(mktemp -d /var/tmp/rehost-lxc.XXXXXX) || return
	timeout 200 "$rehost" verify --scratch "$scratch" "$tmp/out/web01"
	status=$?
	rm -rf "$scratch"
	"$rehost" verify -n "$tmp/out/web01" >"$tmp/ops" &&
	! grep 'address 192.0.2.10' "$tmp/ops" && return "$status"
}

test_own()
{
	check "convert it to set its addresses itself" own_guest
	check "the config leaves them to the guest" grep -q \
		'^# the guest: lxc.net.0.ipv4.address = 192.0.2.10/24' \
		"$tmp/out/web01/lxc/config"
	check "that archive unpacks" install_guest
	check "it starts with files of its own" boot
	check "its own address and prefix" same address \
		"$(policy addr.prefix | tr ' ' /)"
	check "its own gateway" same gateway \
		"$(policy nic.gateway4 | cut -d' ' -f2)"
	check "that gateway answers" same answers 1
	check "verify leaves them to the guest too" owner_verified
}

# --- every config is loaded ----------------------------------------------------------

# configs ROOT...: into $tmp/configs/N/config
configs()
{
	rm -rf "$tmp/configs"
	"$rehost" plan --format json "$@" >"$tmp/plan.json" 2>/dev/null
	python3 -c 'import json, os, sys
for i, g in enumerate(json.load(open(sys.argv[1]))["guests"]):
    d = "%s/%d" % (sys.argv[2], i)
    os.makedirs(d)
    for path, text in g["targets"]["lxc"]["files"].items():
        os.makedirs(os.path.dirname(d + "/" + path), exist_ok=True)
        with open(d + "/" + path, "w") as f:
            f.write(text)' "$tmp/plan.json" "$tmp/configs"
}

loaded()
{
	local status=0 c count=0
	for c in "$tmp/configs"/*/; do
		count=$((count + 1))
		if ! lxc-info -P "$tmp/configs" -n "$(basename "$c")" \
			-c lxc.rootfs.path >"$tmp/info" 2>&1 ||
			! grep -q '^lxc.rootfs.path = ' "$tmp/info"; then
			grep uts.name "$c/config"
			cat "$tmp/info"
			status=1
		fi
	done
	[ "$count" -gt 0 ] && [ $status -eq 0 ]
}

test_configs()
{
	local case roots sub
	for case in fixtures/vserver/*/; do
		case=$(basename "$case")
		sh tests/fixture.sh "vserver/$case" "$tmp/$case" 2>/dev/null
		roots=()
		if [ -d "$tmp/$case/etc" ]; then
			roots=(--root "$tmp/$case")
		else
			for sub in "$tmp/$case"/*/; do
				roots+=(--root "${sub%/}")
			done
		fi
		configs "${roots[@]}"
		check "liblxc loads $case" loaded
	done
}

# --- device nodes -------------------------------------------------------------------

# plan CASE GUEST: $tmp/plan.json
plan()
{
	"$rehost" plan --root "$tmp/$1" --format json "vserver:$2" \
		>"$tmp/plan.json" 2>/dev/null
}

# allowed RULE...: exactly these, each with its letters
allowed()
{
	python3 -c 'import json, re, sys
config = json.load(open(sys.argv[1]))["guests"][0]["targets"]["lxc"]["files"]
print("\n".join(sorted(re.findall(r"devices.allow = (.*)",
                                  config["config"]))))' "$tmp/plan.json" \
		>"$tmp/allowed"
	printf '%s\n' "$@" | sort | diff - "$tmp/allowed"
}

# finding CODE TEXT: there is one whose message holds it
finding()
{
	python3 -c 'import json, sys
for f in json.load(open(sys.argv[1]))["guests"][0]["findings"]:
    if f["code"] == sys.argv[2] and sys.argv[3] in f["message"]:
        sys.exit(0)
sys.exit(1)' "$tmp/plan.json" "$1" "$2"
}

blocked() { [ "$(grep -c '"verdict": "blocked"' "$tmp/plan.json")" -gt 0 ]; }

standard=("c 1:3 rw" "c 1:5 rw" "c 1:7 rw" "c 1:8 rw" "c 1:9 rw" "c 5:0 rw"
	"c 5:1 rw" "c 5:2 rw" "c 136:* rw")

test_nodes()
{
	if [ ! -c "$tmp/01-minimal/var/lib/vservers/web01/dev/null" ]; then
		skip "device nodes" "mknod is not permitted"
		return
	fi
	plan 01-minimal web01
	check "the standard nodes" allowed "${standard[@]}"
	plan 02-addresses mail
	check "a tun node beside them" allowed "${standard[@]}" "c 10:200 rw"
	check "the tun node is told" finding DEV002 10:200
	plan 10-nasty stale
	check "no mem, no sda" allowed "${standard[@]}"
	check "mem blocks" finding DEV001 "c 1:1"
	check "sda blocks" finding DEV001 "b 8:0"
	check "both block" blocked
}

# Ordinary users cannot make it, so no golden output shows it.
test_owner()
{
	plan 14-links-and-types openworld
	check "who owns the configuration is told" finding SRC016 "uid 1000"
}

# --- all -----------------------------------------------------------------------------

for need in lxc-start lxc-info ip python3 busybox zstd; do
	command -v $need >/dev/null || {
		echo "1..0 # SKIP there is no $need"
		exit 0
	}
done
cgroup=v2
[ ! -d /sys/fs/cgroup/memory ] || cgroup=v1
state >"$tmp/before"
if [ "$cgroup" = v1 ] ||
	grep -qw memory /sys/fs/cgroup/cgroup.controllers 2>/dev/null; then
	test_boot
	test_own
else
	skip "boot" "no controller of memory here"
fi
test_configs
test_nodes
test_owner
state >"$tmp/after"
check "nothing is left behind" diff "$tmp/before" "$tmp/after"
tap_end
