#!/bin/bash
# Every guest of the fixtures, converted with its root and booted in the lab:
# it runs as its configuration says, and nothing is different that was not
# announced. A guest whose root cannot boot gets a busybox in it; its nodes
# and files stay. TAP; needs root.
#
# usage: verify_fixtures.sh [IMPORTER/CASE...]

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
tmp=$(mktemp -d /var/tmp/rehost-fixtures.XXXXXX) || exit 1
trap 'chmod -R u+rwX "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# furnish ROOT: what is needed to boot, over what is there
furnish()
{
	local f
	for f in bin sbin etc etc/init.d proc sys dev tmp var var/run root; do
		[ -d "$1/$f" ] || rm -f "$1/$f"
	done
	for f in bin/busybox bin/sh sbin/init etc/inittab etc/init.d/rcS; do
		rm -rf "${1:?}/$f"
	done
	demo_guest_root "$1" guest 2>/dev/null
}

# roots CASE: the options that name its hosts
roots()
{
	local host
	if [ -d "$tmp/$1/etc" ]; then
		echo --root
		echo "$tmp/$1"
		return
	fi
	for host in "$tmp/$1"/*/; do
		echo --root
		echo "${host%/}"
	done
}

# prepare CASE: its hosts, and a root for each guest that has a place for one
prepare()
{
	mkdir -p "$tmp/${1%/*}" "$tmp/out/${1%/*}"
	sh tests/fixture.sh "$1" "$tmp/$1" >/dev/null 2>&1
	mapfile -t root < <(roots "$1")
	"$rehost" scan --format json "${root[@]}" 2>/dev/null |
	python3 -c '
import json, sys
roots = sys.argv[2::2]
hosts = {}
for r in roots:
    try:
        name = open(r + "/etc/hostname").read().split()[0]
    except (OSError, IndexError):
        name = r.rsplit("/", 1)[1]
    hosts[name] = r
for g in json.load(sys.stdin)["guests"]:
    r = hosts.get(g["host"])
    if r and g["rootfs"] and g["rootfs"] not in ("/", ""):
        print(r + g["rootfs"])' "${root[@]}" |
	while IFS= read -r guest; do
		case $guest in */..*) continue ;; esac
		mkdir -p "$guest" 2>/dev/null && furnish "$guest"
	done
	# 400 KiB, which no init fits in
	"$rehost" convert -q -j 2 --live "${root[@]}" --site "$tmp/site.conf" \
		--set vs1/vserver:bases:limit.memory=64M \
		--set vs1/vserver:nul:limit.memory=64M \
		-o "$tmp/out/$1" >/dev/null 2>"$tmp/$1.said"
}

# judge: TAP from the documents, a line a guest
judge()
{
	python3 - "$tmp/seen.json" "$n" <<-'END'
	import json, sys
	n = int(sys.argv[2])
	# a busybox init is no telinit
	expected = {("vs1/vserver:cmdrel", "start command"),
	            ("vs1/vserver:leading", "start command"),
	            # nor is it a systemd, which SIGRTMIN+3 stops
	            ("new30/lxc:app", "stop"),
	            # the lab takes its own address for a stranger's there
	            ("new30/lxc:app", "nic.source-filter eth1")}
	for g in json.load(open(sys.argv[1]))["guests"]:
	    n += 1
	    wrong = [c for c in g["checks"] if c["surprise"]
	             and (g["key"], c["item"]) not in expected]
	    good = not wrong and g["verdict"] != "failed"
	    print("%sok %d - %s: %s" % ("" if good else "not ", n,
	          ascii(g["key"]).strip("'"), g["verdict"]))
	    if g["boot"]["failed"]:
	        print("# " + ascii(g["boot"]["failed"]))
	    for c in wrong:
	        print("# %s: %s: before %s, planned %s, seen %s" % (
	            c["item"], c["relation"], ascii(c["before"]),
	            ascii(c["expected"]), ascii(c["observed"])))
	END
}

printf '%s\n' 'target "lxc" { version = "5.0"  cgroup = "both" }' \
	>"$tmp/site.conf"
mkdir -p "$tmp/out"
cases=("$@")
[ $# -gt 0 ] ||
	mapfile -t cases < <(cd fixtures &&
		printf '%s\n' {vserver,openvz,libvirt,lxc}/*)
for case in "${cases[@]}"; do
	case $case in
	openvz/02-* | openvz/03-*) continue ;; # images, whose init is no program
	esac
	prepare "$case"
done
mapfile -d '' guests < <(find "$tmp/out" -mindepth 4 -maxdepth 4 \
	-name manifest.json -printf '%h\0' | sort -z)
[ ${#guests[@]} -gt 0 ] || {
	echo "1..0 # SKIP every guest is blocked"
	exit 0
}
# a busybox serves none of the ports that capture saw
"$rehost" verify -q -j 2 --scratch "$tmp/s" --format json --expect-ports '' \
	"${guests[@]}" \
	>"$tmp/seen.json" 2>"$tmp/said"
judge >"$tmp/tap"
cat "$tmp/tap"
sed 's/^/# /' "$tmp/said" | head -n 20
n=$(grep -c -e '^ok ' -e '^not ok ' "$tmp/tap")
bad=$(grep -c '^not ok ' "$tmp/tap")
tap_end && [ "$n" -gt 0 ]
