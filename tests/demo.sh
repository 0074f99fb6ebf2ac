#!/bin/bash
# make demo: the main job on small real guests. Makes an old host's tree with
# busybox guests, lists them, plans and converts them, and boots one by the
# real lxc-start in a network of its own.
set -eu
cd "$(dirname "$0")/.."
rehost=${REHOST:-build/rehost}
. tests/demo_host.sh

dir=$(mktemp -d "${TMPDIR:-/tmp}/rehost-demo.XXXXXX")
trap 'rm -rf "$dir"' EXIT
step() { printf '\n\033[1m$ %s\033[0m\n' "$*"; "$@"; }
[ -t 1 ] || step() { printf '\n$ %s\n' "$*"; "$@"; }

demo_host "$dir/host"
# cgroup v1 or v2: whatever this machine limits memory with
cgroup=v2
[ -d /sys/fs/cgroup/memory ] && cgroup=v1
cat >"$dir/site.conf" <<EOF
device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
target "lxc"  { path = "$dir/lxc"  version = "5.0"  cgroup = "$cgroup" }
EOF
printf 'The old host %s and a site file:\n\n' "$dir/host"
cat "$dir/site.conf"

step "$rehost" scan --root "$dir/host" --size
step "$rehost" plan --root "$dir/host" --site "$dir/site.conf" || true
step "$rehost" plan --root "$dir/host" --site "$dir/site.conf" \
	vserver:web01
step "$rehost" convert --root "$dir/host" --site "$dir/site.conf" \
	-o "$dir/out" || true
step ls "$dir/out" "$dir/out/web01"
step cat "$dir/out/web01/lxc/config"

if [ "$(id -u)" -ne 0 ]; then
	printf '\nBooting a guest needs root: run make demo as root for it.\n'
	exit 0
fi
mkdir -p "$dir/lxc/web01/rootfs"
tar --zstd --numeric-owner --xattrs --xattrs-include='*' --acls -xpf \
	"$dir/out/web01/rootfs.tar.zst" -C "$dir/lxc/web01/rootfs"
cp "$dir/out/web01/lxc/config" "$dir/lxc/web01/config"
chmod 755 "$dir" "$dir/lxc"
printf '\nweb01, booted by lxc-start %s:\n' "$(lxc-start --version)"
bash tests/lxc_lab.sh "$dir/lxc" web01 '
	ip link add br0 type bridge && ip addr add 192.0.2.1/24 dev br0 &&
	ip link set br0 up' '
	printf "hostname      %s\n" "$(inside /bin/hostname)"
	printf "address       %s\n" "$(inside /bin/ip -4 addr show eth0 |
		sed -n "s/.*inet \([^ ]*\).*/\1/p")"
	printf "gateway       %s\n" "$(inside /bin/ip route |
		sed -n "s/default via \([^ ]*\).*/\1/p")"
	printf "CapBnd        %s\n" "$(inside /bin/grep CapBnd /proc/1/status |
		tr -d "\t" | cut -d: -f2)"
	if [ '"$cgroup"' = v1 ]; then
		printf "memory limit  %s bytes\n" \
			"$(limit memory.limit_in_bytes)"
		printf "processes     %s\n" "$(limit pids.max)"
	else
		printf "memory limit  %s bytes\n" "$(limit memory.max)"
		printf "processes     %s\n" "$(limit pids.max)"
	fi'
