#!/bin/sh
# An old LXC config made new, by lxc-update-config (of LXC's own package) and by
# rehost: where the first is wrong, and what rehost makes of the same file. What
# both do right is compared line by line. TAP; needs lxc-update-config.

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
LC_ALL=C
export LC_ALL
command -v lxc-update-config >/dev/null ||
	skip_all "there is no lxc-update-config"
command -v lxc-info >/dev/null || skip_all "there is no lxc-info"
command -v python3 >/dev/null || skip_all "there is no python3"
tmp=$(mktemp -d "${TMPDIR:-/tmp}/upgrade.XXXXXX") || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
host=$tmp/host
old=$host/var/lib/lxc/web/config
theirs=$tmp/theirs/web/config
ours=$tmp/ours/web/config

make_host()
{
	mkdir -p "$host/etc/lxc" "$host/var/lib/lxc/web/rootfs/sbin" \
		"${theirs%/*}" "${ours%/*}" || return
	echo old >"$host/etc/hostname"
	printf '#!/bin/sh\n' >"$host/var/lib/lxc/web/rootfs/sbin/init"
	chmod 755 "$host/var/lib/lxc/web/rootfs/sbin/init"
	echo 'lxc.haltsignal = SIGTERM' >"$host/etc/lxc/site.conf"
	cat >"$old" <<-'END'
	# lxc.tty is not for every guest
	lxc.rootfs.backend = btrfs
	lxc.rootfs = /var/lib/lxc/web/rootfs
	lxc.include = /etc/lxc/site.conf
	lxc.utsname = web
	lxc.limit.nofile = 1024
	lxc.environment = A=lxc.tty = 3
	lxc.kmsg = 0
	lxc.cgroup.memory.limit_in_bytes = 64M
	lxc.pts = 1024
	lxc.network.type = veth
	lxc.network.link = br0
	lxc.network.flags = up
	lxc.network.ipv4 = 192.0.2.15/24 192.0.2.255
	lxc.network.ipv4.gateway = 192.0.2.1
	lxc.network.ipv6 = 2001:db8::15/64
	lxc.network.type = macvlan
	lxc.network.link = eth1
	lxc.network.name = lan
	lxc.network.macvlan.mode = bridge
	END
}

# Theirs is a copy: the script changes the file in its place.
update()
{
	cp "$old" "$theirs" && lxc-update-config -c "$theirs"
}

plan()
{
	"$rehost" plan --root "$host" --format json lxc:web >"$tmp/plan.json"
	python3 - "$tmp/plan.json" "$ours" <<'END'
import json, sys
with open(sys.argv[1]) as f:
    g = json.load(f)["guests"][0]
with open(sys.argv[2], "w") as f:
    f.write(g["targets"]["lxc"]["files"]["config"])
sys.exit(g["verdict"] == "failed")
END
}

# loads DIR: liblxc takes the file
loads() { lxc-info -P "$1" -n web -c lxc.uts.name | grep 'lxc.uts.name = web'; }

# refused: theirs is, for the one key alone (the include is not on this host)
refused()
{
	mkdir -p "$tmp/a/web" "$tmp/b/web" &&
	grep -v '^lxc.include' "$theirs" >"$tmp/a/web/config" &&
	grep -v '^lxc.limit' "$tmp/a/web/config" >"$tmp/b/web/config" &&
	! loads "$tmp/a" && loads "$tmp/b"
}

has() { grep -qxF -- "$2" "$1"; }
hasnt() { ! grep -q -- "$2" "$1"; }

# wrong WHAT: the tool is wrong (the command says how), and ours is not
wrong()
{
	what=$1
	shift
	check "lxc-update-config: $what" "$@"
}

# The keys that both write of the interfaces.
nets()
{
	grep '^lxc\.net\.' "$1" | grep -v '\.name = eth0' |
	sed 's/ *= */ = /' | sort
}

told()
{
	"$rehost" plan --root "$host" --format json lxc:web |
	python3 -c '
import json, sys
s = [s for s in json.load(sys.stdin)["guests"][0]["settings"]
     if s["key"] == sys.argv[1]]
print(s)
sys.exit(len(s) != 1 or not s[0]["note"])' "$1"
}

check "an old host" make_host
check "lxc-update-config has run and complains of nothing" update
check "rehost has planned it" plan

wrong "the file does not load, for lxc.limit.nofile" refused
check "ours loads" loads "$tmp/ours"
wrong "lxc.limit stays as it is" has "$theirs" 'lxc.limit.nofile = 1024'
check "ours: lxc.prlimit" has "$ours" 'lxc.prlimit.nofile = 1024:1024'
wrong "the storage becomes dir" grep -q 'lxc.rootfs.path = dir:' "$theirs"
check "ours: btrfs was asked for, and is told" told lxc.rootfs.backend
wrong "a variable's text is rewritten" hasnt "$theirs" 'A=lxc.tty = 3'
check "ours: it stays" has "$ours" 'lxc.environment = A=lxc.tty = 3'
wrong "a comment is rewritten" hasnt "$theirs" '^# lxc.tty is not'
wrong "a limit of cgroup v1 stays one" grep -q '^lxc.cgroup.memory' "$theirs"
check "ours: of cgroup v2" has "$ours" 'lxc.cgroup2.memory.max = 67108864'
wrong "lxc.kmsg is gone without a word" hasnt "$theirs" kmsg
check "ours: it is told" told lxc.kmsg
wrong "what is included is not looked at" \
	has "$theirs" 'lxc.include = /etc/lxc/site.conf'
check "ours: read in its place" has "$ours" 'lxc.signal.halt = SIGTERM'

# named SOURCE: it is that guest, whichever way it is named
named()
{
	"$rehost" plan -q --root "$host" "$1" >"$tmp/named"
	grep '^old/lxc:web: ' "$tmp/named"
}

for source in lxc:web old/lxc:web /var/lib/lxc/web/config /var/lib/lxc/web \
	/var/lib/lxc; do
	check "named as $source" named "$source"
done

nets "$theirs" >"$tmp/theirs.nets"
nets "$ours" >"$tmp/ours.nets"
check "both number the interfaces, with the same keys" \
	diff "$tmp/theirs.nets" "$tmp/ours.nets"
tap_end
