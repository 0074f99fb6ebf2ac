#!/bin/sh
# A line for each guest of a corpus of real configurations: accounted (settings
# = sum of the bins = what count_settings.py, count_openvz.py
# count_lxc.py or count_libvirt.py counts), loaded (liblxc reads the
# config that was emitted, where it is installed), or why not. Nothing of the
# corpus is changed or kept; links of SYMLINKS.tsv are made in a scratch copy.
#
# usage: corpus.sh DIR           trees, single guests, NAME.conf, pieces; or
#                                configurations of OpenVZ or LXC, each as a guest
#        corpus.sh --values DIR  files that are no configurations, each as each
#                                kind of value (robust.sh)

set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$top/$rehost ;; esac
LC_ALL=C
export LC_ALL

if [ "${1-}" = --values ] && [ $# -eq 2 ]; then
	exec sh tests/robust.sh "$2"
fi
if [ $# -ne 1 ] || [ ! -d "$1" ]; then
	echo "usage: corpus.sh [--values] DIR" >&2
	exit 2
fi
tmp=$(mktemp -d) || exit 1
trap 'chmod -R u+rwX "$tmp"; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
confdir=$tmp/host/etc/vservers
good=0
bad=0

# Names that only a guest's directory holds, of any of the tools.
is_guest()
{
	for f in context vdir bcapabilities ccapabilities cflags flags nflags \
		interfaces apps uts rlimits schedule fstab name bcaps ccaps \
		fstab.external; do
		[ ! -e "$1/$f" ] || return 0
	done
	return 1
}

# place DIR NAME: as a guest of the scratch host, or all that lies in it
place()
{
	if is_guest "$1"; then
		cp -R "$1" "$confdir/$2"
	else
		cp -R "$1/." "$confdir"
	fi
}

# links: those of every SYMLINKS.tsv, relative to where it lies
links()
{
	find "$confdir" -name SYMLINKS.tsv >"$tmp/lists"
	while read -r list; do
		sed 1d "$list" |
		while IFS="$(printf '\t')" read -r link target rest; do
			[ -n "$target" ] || continue
			mkdir -p "$(dirname "${list%/*}/$link")"
			rm -rf "${list%/*}/${link:?}"
			ln -s "$target" "${list%/*}/$link"
		done
		rm -f "$list"
	done <"$tmp/lists"
	find "$confdir" \( -name README.md -o -name manifest.tsv \) -delete
}

# guests: "NAME<tab>PATH beneath the host" of what is there
guests()
{
	for path in "$confdir"/*; do
		name=${path##*/}
		case $name in
		*.conf)
			[ ! -f "$path" ] ||
				printf '%s\t%s\n' "${name%.conf}" \
					"/etc/vservers/$name" ;;
		*)
			[ ! -d "$path" ] || printf '%s\t%s\n' "$name" \
				"/etc/vservers/$name" ;;
		esac
	done
}

# accounted NAME: settings, bins and the second count of plan.json
accounted()
{
	python3 - "$tmp" "$1" <<'END'
import json, os, re, sys
sys.path.insert(0, "tests")
import count_libvirt
import count_lxc
import count_openvz
import count_settings

top, name = sys.argv[1:]
try:
    with open(top + "/plan.json") as f:
        g = json.load(f)["guests"][0]
except (ValueError, IndexError) as e:
    sys.exit("no JSON: %s" % e)
if g["verdict"] == "failed":
    for f in g["findings"]:
        if f["code"].startswith("SYN"):
            sys.exit("%s: %s" % (f["code"], f["message"]))
    sys.exit("failed")
for s in g["settings"]:
    if set(s["outcome"]) != {"model", "lxc"}:
        sys.exit("%s: no bin: %s" % (s["file"], s["outcome"]))
host = count_settings.Host(top + "/host")
if g["kind"] == "openvz":
    again = count_openvz.count(host, g["source"])
    # every key of the file is among the settings
    shown = {s["key"] for s in g["settings"]}
    with open(top + "/host" + g["source"], "rb") as f:
        for line in f.read().decode("latin-1").split("\n"):
            m = re.match(r"[ \t]*([A-Z][A-Z0-9_]*)=", line)
            if m and m.group(1) not in shown:
                sys.exit("%s is not among the settings" % m.group(1))
elif g["kind"] == "libvirt":
    again = count_libvirt.count(host, g["source"])
elif g["kind"] == "lxc":
    again = count_lxc.count(host, g["source"])
    shown = {s["key"] for s in g["settings"]}
    with open(top + "/host" + g["source"], "rb") as f:
        for line in f.read().decode("latin-1").split("\n"):
            m = re.match(r"[ \t]*(lxc\.[a-z0-9_.]+)[ \t]*=", line)
            if m and m.group(1) not in shown:
                sys.exit("%s is not among the settings" % m.group(1))
else:
    again = count_settings.count(host, os.fsencode(name))
if again != len(g["settings"]):
    sys.exit("%d settings, counted again %d" % (len(g["settings"]), again))
bins = {}
for s in g["settings"]:
    bins[s["outcome"]["lxc"]] = bins.get(s["outcome"]["lxc"], 0) + 1
os.makedirs(top + "/lxc/x", exist_ok=True)
for path, text in g["targets"]["lxc"]["files"].items():
    os.makedirs(os.path.dirname(top + "/lxc/x/" + path), exist_ok=True)
    with open(top + "/lxc/x/" + path, "w") as f:
        f.write(text)
print("%d settings (%s), %s" % (
    len(g["settings"]),
    ", ".join("%d %s" % (n, b) for b, n in sorted(bins.items())),
    g["verdict"]))
END
}

# loaded: "loaded", or why not
loaded()
{
	if ! command -v lxc-info >/dev/null; then
		echo "not loaded: there is no lxc-info"
	elif lxc-info -P "$tmp/lxc" -n x -c lxc.rootfs.path >"$tmp/info" 2>&1 &&
		grep -q '^lxc.rootfs.path = ' "$tmp/info"; then
		echo "loaded"
	else
		echo "NOT LOADED: $(head -n 1 "$tmp/info")"
	fi
}

# look GROUP NAME PATH [KIND]: its line
look()
{
	rm -rf "$tmp/lxc"
	timeout -k 5 60 "$rehost" plan -t model,lxc --format json --from "${4:-vserver}" \
		--root "$tmp/host" "$3" >"$tmp/plan.json" 2>"$tmp/err"
	status=$?
	if [ "$status" -ne 0 ] && [ "$status" -ne 3 ]; then
		what="status $status: $(head -n 1 "$tmp/err")"
		line="FAILED"
	elif what=$(accounted "$2" 2>&1); then
		line="accounted, $(loaded)"
	else
		line="UNACCOUNTED"
	fi
	case $line in
	*[A-Z][A-Z]*) bad=$((bad + 1)) ;;
	*) good=$((good + 1)) ;;
	esac
	echo "$1/$2: $line: $what"
}

# is_openvz FILE: it sets what guests of OpenVZ set
is_openvz()
{
	LC_ALL=C grep -aqE '^[[:space:]]*(PHYSPAGES|KMEMSIZE|PRIVVMPAGES|OSTEMPLATE|CPUUNITS|VE_ROOT|NETIF)=' "$1"
}

# openvz DIR: each configuration beneath it as guest 101 of a host
openvz()
{
	rm -rf "$tmp/host"
	mkdir -p "$tmp/host/etc/vz/conf"
	echo corpus >"$tmp/host/etc/hostname"
	find "$1" -type f ! -name README.md ! -name manifest.tsv |
	LC_ALL=C sort >"$tmp/files"
	while read -r file; do
		if is_openvz "$file"; then
			cp "$file" "$tmp/host/etc/vz/conf/101.conf"
			look "${1##*/}" "${file#"$1/"}" /etc/vz/conf/101.conf \
				openvz
		else
			echo "${1##*/}/${file#"$1/"}: no configuration"
		fi
	done <"$tmp/files"
}

# is_lxc FILE: it sets what containers of LXC set
is_lxc()
{
	LC_ALL=C grep -aqE '^[[:space:]]*lxc\.[a-z_]+' "$1"
}

# lxc DIR: each configuration beneath it as a container of a host, which has
# the files that these configurations include where they say
lxc()
{
	find "$1" -type f ! -name README.md ! -name manifest.tsv ! -name '*.xml' |
	LC_ALL=C sort >"$tmp/files"
	while read -r file; do
		rm -rf "$tmp/host"
		mkdir -p "$tmp/host/etc" "$tmp/host/var/lib/lxc/corpus/rootfs"
		echo corpus >"$tmp/host/etc/hostname"
		if is_lxc "$file"; then
			cp "$file" "$tmp/host/var/lib/lxc/corpus/config"
			look "${1##*/}" "${file#"$1/"}" \
				/var/lib/lxc/corpus/config lxc
		else
			echo "${1##*/}/${file#"$1/"}: no configuration"
		fi
	done <"$tmp/files"
}

is_lxc_corpus()
{
	find "$1" -type f ! -name README.md ! -name manifest.tsv \
		! -name '*.xml' | while read -r file; do
		! is_lxc "$file" || echo yes
	done | grep -q yes
}

is_openvz_corpus()
{
	find "$1" -type f -print | while read -r file; do
		! is_openvz "$file" || echo yes
	done | grep -q yes
}

# root_of FILE: the name of its root element; nothing where it is no XML, not
# even with what libvirt wrote wrongly put right
root_of()
{
	python3 - "$1" <<-'END'
	import sys
	sys.path.insert(0, "tests")
	import count_libvirt
	try:
	    with open(sys.argv[1], "rb") as f:
	        print(count_libvirt.parse(f.read()).tag)
	except ValueError:
	    pass
	END
}

# uses NAME: a domain with an interface of that network
uses()
{
	cat <<-END
	<domain type='lxc'>
	  <name>corpus</name>
	  <memory>65536</memory>
	  <os><type>exe</type><init>/sbin/init</init></os>
	  <devices>
	    <filesystem type='mount'>
	      <source dir='/srv/corpus'/><target dir='/'/>
	    </filesystem>
	    <interface type='network'><source network='$1'/></interface>
	  </devices>
	</domain>
	END
}

# libvirt DIR: each domain beneath it as one of a host, each network as one
# that a domain names
libvirt()
{
	find "$1" -type f ! -name README.md ! -name manifest.tsv |
	LC_ALL=C sort >"$tmp/files"
	while read -r file; do
		one=/etc/libvirt/lxc/corpus.xml
		rm -rf "$tmp/host"
		mkdir -p "$tmp/host/etc/libvirt/lxc" \
			"$tmp/host/etc/libvirt/qemu/networks"
		echo corpus >"$tmp/host/etc/hostname"
		case $(root_of "$file") in
		domain | domstatus)
			cp "$file" "$tmp/host$one" ;;
		network)
			name=$(sed -n 's:.*<name>\([^</]*\)</name>.*:\1:p' \
				"$file" | head -n 1)
			cp "$file" "$tmp/host/etc/libvirt/qemu/networks/$name.xml"
			uses "$name" >"$tmp/host$one" ;;
		*)
			echo "${1##*/}/${file#"$1/"}: no domain or network"
			continue ;;
		esac
		look "${1##*/}" "${file#"$1/"}" "$one" libvirt
	done <"$tmp/files"
}

case $(basename "$1") in
libvirt-lxcconf) ;;
libvirt-*)
	for group in "$1"/*/; do
		libvirt "${group%/}"
	done
	echo "$good guests accounted, $bad not"
	[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
	exit ;;
esac
if is_lxc_corpus "$1"; then
	for group in "$1"/*/; do
		lxc "${group%/}"
	done
	echo "$good guests accounted, $bad not"
	[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
	exit
fi
if is_openvz_corpus "$1"; then
	for group in "$1"/*/; do
		openvz "${group%/}"
	done
	echo "$good guests accounted, $bad not"
	[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
	exit
fi
for group in "$1"/*/; do
	group=${group%/}
	rm -rf "$tmp/host"
	mkdir -p "$confdir"
	echo corpus >"$tmp/host/etc/hostname"
	place "$group" "${group##*/}"
	chmod -R u+rwX "$tmp/host"
	links
	guests >"$tmp/guests"
	if [ ! -s "$tmp/guests" ]; then
		echo "${group##*/}: no guest"
		continue
	fi
	while IFS="$(printf '\t')" read -r name path; do
		look "${group##*/}" "$name" "$path"
	done <"$tmp/guests"
done
echo "$good guests accounted, $bad not"
[ "$bad" -eq 0 ] && [ "$good" -gt 0 ]
