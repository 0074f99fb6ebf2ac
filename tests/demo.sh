#!/bin/bash
# make demo: the main job on small real guests. Makes an old host's tree with
# busybox guests, lists them, plans and converts them, and boots one by the
# real lxc-start in a network of its own. Fails when anything is not as said.
set -eu
cd "$(dirname "$0")/.."
top=$PWD
program=$(realpath "${REHOST:-build/rehost}")
. tests/demo_host.sh

dir=$(mktemp -d "${TMPDIR:-/tmp}/rehost-demo.XXXXXX")
scratch=
trap 'rm -rf "$dir" "$scratch"' EXIT
trap 'exit 1' HUP INT TERM

bold='' plain=''
[ ! -t 1 ] || bold=$'\033[1m' plain=$'\033[0m'
say() { printf '\n%s\n' "$@"; }
rehost() { "$program" "$@"; }

# step STATUS COMMAND...: what is typed, and how it has to end
step()
{
	local want=$1 status=0
	shift
	printf '\n%s$ %s%s\n' "$bold" "$*" "$plain"
	"$@" || status=$?
	[ "$status" -eq "$want" ] && return
	echo "demo: exit status $status, not $want" >&2
	exit 1
}

demo_host "$dir/host"
# cgroup v1 or v2: whatever this machine limits memory with
cgroup=v2 memory=memory.max
if [ -d /sys/fs/cgroup/memory ]; then
	cgroup=v1 memory=memory.limit_in_bytes
fi
cat >"$dir/site.conf" <<END
device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
target "lxc"  { path = "$dir/lxc"  version = "5.0"  cgroup = "$cgroup" }
END
cd "$dir"

say "In $dir: \"host\", the file system of an old Linux-VServer
host, and \"site.conf\", which says how its device eth0 is attached here:"
step 0 cat site.conf
say 'Which guests are there?'
step 0 rehost scan --root host --size
say 'What will change? One of the three waits for a decision (status 3):'
step 3 rehost plan --root host --site site.conf
say 'That decision: what INI012 means and who has to act.'
step 0 rehost explain INI012
say 'All that will be different for web01:'
step 0 rehost plan --root host --site site.conf vserver:web01
say 'Convert. What is blocked is left out, so the status is 3 again:'
step 3 rehost convert -q --root host --site site.conf -o out
step 0 ls out out/web01
step 0 cat out/web01/lxc/config
say 'How it is installed, started and stopped:'
step 0 cat out/web01/README.txt

if [ "$(id -u)" -ne 0 ]; then
	say 'To boot it takes root: run make demo as root for the rest.'
	exit 0
fi
if ! command -v lxc-start >/dev/null; then
	say 'To boot it takes LXC: make deps says how to install it.'
	exit 0
fi

say 'Is it what the report promised? rehost boots the package itself, in a
network of its own, and looks (~: different, and announced above):'
scratch=$(mktemp -d /var/tmp/rehost-demo.XXXXXX) # never a tmpfs
step 0 rehost verify --scratch "$scratch" out/web01

# --- the boot ----------------------------------------------------------------

commands() { sed -n 's/^    //p' out/web01/README.txt; }

# held MASK: names of the capabilities in it, sorted
held()
{
	sed -n 's/^CAP(\([0-9]*\), "\([a-z_]*\)".*/\1 \2/p' \
		"$top/src/base/cap.def" |
	while read -r bit cap; do
		! (((0x$1 >> bit) & 1)) || echo "$cap"
	done | sort
}

# row WHAT EXPECTED SEEN
row()
{
	local verdict=equal
	[ "$2" = "$3" ] || verdict=DIFFERENT bad=1
	printf '%-15s %-21s %-21s %s\n' "$1" "$2" "$3" "$verdict"
}

# What the old configuration says, and what the booted guest shows; path and
# name are the laboratory's.
# shellcheck disable=SC2154
compare()
{
	local keep caps how='by itself' old=host/etc/vservers/web01
	bad=0
	keep=$(sed -n 's/^lxc.cap.keep = //p' out/web01/lxc/config |
		tr ' ' '\n' | sort)
	caps=$(held "$(inside /bin/grep CapBnd /proc/1/status | cut -f 2)")
	printf '\n%-15s %-21s %s\n' WHAT OLD NEW
	row 'host name' "$(cat $old/uts/nodename)" "$(inside /bin/hostname)"
	row 'address' "$(cat $old/interfaces/0/ip)/$(
		cat $old/interfaces/0/prefix)" \
		"$(inside /bin/ip -4 addr show eth0 |
		sed -n 's/.*inet \([^ ]*\).*/\1/p')"
	row 'gateway' 192.0.2.1 "$(inside /bin/ip route |
		sed -n 's/default via \([^ ]*\).*/\1/p')"
	row 'memory, bytes' $(($(cat $old/rlimits/rss.hard) * 4096)) \
		"$(limit "$memory")"
	row 'processes' "$(cat $old/rlimits/nproc.hard)" "$(limit pids.max)"
	[ "$keep" = "$caps" ] || caps='others'
	row 'capabilities' "$(wc -w <<<"$keep"), as planned" \
		"$(wc -w <<<"$caps"), as planned"
	eval "$(commands | grep '^lxc-stop') --nokill"
	lxc-wait -P "$path" -n "$name" -s STOPPED -t 20 || how='not at all'
	row 'it stops' 'by itself' "$how"
	[ "$bad" -eq 0 ]
}
export -f commands held row compare
export dir top memory

commands | sed 's/SHA256SUMS/--quiet &/; /^lxc-start/,$d' >install.sh
chmod 755 .
say "And as README.txt says: installed, started by lxc-start $(lxc-start --version), in a
network of its own, and stopped again:"
(cd out/web01 && sh -e ../../install.sh)
LXC_LAB_START=$(commands | grep '^lxc-start')
export LXC_LAB_START
bash "$top/tests/lxc_lab.sh" "$dir/lxc" web01 'ip link add br0 type bridge &&
	ip addr add 192.0.2.1/24 dev br0 && ip link set br0 up' compare
say 'All of it is removed again. Next: README.md, and rehost plan --root on a copy
of a host of your own: it only reads.'
