#!/bin/bash
# A guest of style sysv without an init, converted and booted by the real
# lxc-start: rehost-init runs its rc scripts, and lxc-stop ends it by the
# style's stop command. TAP; needs root.
#
# usage: boot_shim.sh      REHOST is the program, by default build/rehost

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
rehost=${REHOST:-${B:-build}/rehost}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
[ -x "$rehost" ] || skip_all "rehost is not built"
for word in lxc-start lxc-stop busybox zstd unshare; do
	command -v "$word" >/dev/null || skip_all "needs $word"
done
. tests/demo_host.sh

dir=$(mktemp -d) || exit 1
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM
demo_host "$dir/host"
guest=$dir/host/vservers/web01
demo_value "$dir/host/etc/vservers/web01/apps/init/style" sysv
# a tree of scripts without /sbin: it is made for the small init
mv "$guest/sbin/reboot" "$guest/bin/reboot"
rm -r "$guest/sbin"
touch "$guest/var/run/stale.pid"
cat >"$guest/etc/init.d/rc" <<'END'
#!/bin/sh
echo "rc $1 $PREVLEVEL $RUNLEVEL" >>/var/log/rc
case $1 in
3)
	sleep 5000 &
	echo $! >/var/run/daemon.pid ;;
6)
	kill $(cat /var/run/daemon.pid)
	echo stopped >>/var/log/rc
	reboot -f ;;
esac
END
chmod 755 "$guest/etc/init.d/rc"
cgroup=v2
[ -d /sys/fs/cgroup/memory ] && cgroup=v1
cat >"$dir/site.conf" <<END
device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
target "lxc"  { path = "$dir/lxc"  version = "5.0"  cgroup = "$cgroup" }
END

"$rehost" convert -q --root "$dir/host" --site "$dir/site.conf" \
	-o "$dir/out" vserver:web01 >"$dir/convert" 2>&1
ok $? "converts a guest that has no init"
mkdir -p "$dir/lxc/web01/rootfs"
tar --zstd --numeric-owner --xattrs --xattrs-include='*' --acls -xpf \
	"$dir/out/web01/rootfs.tar.zst" -C "$dir/lxc/web01/rootfs"
root=$dir/lxc/web01/rootfs
cp "$dir/out/web01/lxc/config" "$dir/lxc/web01/config"
echo "lxc.console.logfile = $dir/console" >>"$dir/lxc/web01/config"
chmod 755 "$dir" "$dir/lxc"
[ -x "$root/sbin/rehost-init" ] && [ ! -e "$guest/sbin/rehost-init" ]
ok $? "the small init is in the copy and not in the source"
[ ! -e "$root/var/run/stale.pid" ] && [ -e "$guest/var/run/stale.pid" ]
ok $? "files of the last run are not in the copy"

# shellcheck disable=SC2016 # expanded in the lab
bash tests/lxc_lab.sh "$dir/lxc" web01 '
	ip link add br0 type bridge && ip addr add 192.0.2.1/24 dev br0 &&
	ip link set br0 up' '
	sleep 1
	inside /bin/cat /proc/1/cmdline; echo
	inside /bin/ps
	lxc-stop -P "$path" -n web01 --reboot -t 20
	sleep 2
	echo "after restart: $(lxc-info -P "$path" -n web01 -sH)"
	lxc-stop -P "$path" -n web01 -t 20 && echo "stop ended well"
	lxc-wait -P "$path" -n web01 -s STOPPED -t 5 && echo "it is stopped"
	' >"$dir/lab" 2>&1
if grep -q 'lxc-start failed' "$dir/lab"; then
	sed 's/^/# /' "$dir/lab"
fi
grep -aq '^/sbin/rehost-init' "$dir/lab"
ok $? "it is pid 1"
grep -q 'sleep 5000' "$dir/lab"
ok $? "what the scripts started runs"
grep -q '^after restart: RUNNING' "$dir/lab"
ok $? "lxc-stop --reboot restarts it"
grep -q '^stop ended well' "$dir/lab" && grep -q '^it is stopped' "$dir/lab"
ok $? "lxc-stop stops it"
printf '%s\n' 'rc 3 N 3' 'rc 6 3 6' stopped 'rc 3 N 3' 'rc 6 3 6' stopped |
	diff - "$root/var/log/rc" | sed 's/^/# /' >"$dir/diff"
cat "$dir/diff"
[ ! -s "$dir/diff" ]
ok $? "start and stop, start and stop: the scripts of the style, no more"
grep -q 'rehost-init: power off' "$dir/console" &&
	! grep -q 'SIGKILL to all' "$dir/console"
ok $? "nothing had to be killed"

tap_end
