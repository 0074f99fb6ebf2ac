#!/bin/bash
# What runs leave, and what is made of it: roots below scratch, packages whose
# parts do not belong together, a rehost that was killed. TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-leftovers.XXXXXX) || exit 1
boot=
killed_pid=0
# another run may be under way on this machine
nap="sleep 1$$"
finish()
{
	[ -z "$boot" ] || kill -9 "$boot" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

# convert GATEWAY NAME: another gateway makes another manifest
convert()
{
	cat >"$tmp/site.conf" <<-EOF
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.$1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	EOF
	"$rehost" convert -q --force --root "$tmp/host" \
		--site "$tmp/site.conf" -o "$tmp/out" "vserver:$2" \
		>"$tmp/said" 2>&1 && return
	cat "$tmp/said"
	return 1
}

# verified NAME: whatever the verdict, it booted
verified()
{
	timeout 200 "$rehost" verify --scratch "$tmp/s" "$tmp/out/$1" \
		>"$tmp/seen" 2>&1
	cat "$tmp/seen"
	grep -q 'lxc on builtin: ' "$tmp/seen" &&
	! grep -q 'lxc on builtin: failed' "$tmp/seen"
}

# refused NAME WORDS
refused()
{
	! verified "$1" && grep -q -- "$2" "$tmp/seen"
}

roots() { find "$tmp/s" -maxdepth 1 -type d -name 'root-*' | wc -l; }
files() { find "$tmp/s" -maxdepth 1 -type f | wc -l; }

# kept ROOTS: so many, with a lock each, and nothing else
kept()
{
	ls -l "$tmp/s"
	[ "$(roots)" -eq "$1" ] && [ "$(files)" -eq "$1" ] &&
	[ "$(find "$tmp/s" -mindepth 1 -maxdepth 1 | wc -l)" -eq $((2 * $1)) ]
}

start_boot()
{
	# shellcheck disable=SC2086 # two words
	"$rehost" boot --scratch "$tmp/s" "$tmp/out/$1" -- \
		/bin/$nap >"$tmp/boot" 2>&1 &
	boot=$!
	killed_pid=$boot
	for _ in $(seq 300); do
		pgrep -P "$boot" >/dev/null && find /sys/fs/cgroup \
			-name "rehost.$1.$boot" | grep -q . && break
		sleep 0.1
	done
	# until it has executed the command
	for _ in $(seq 300); do
		for p in $(pgrep -x sleep); do
			tr '\0' ' ' <"/proc/$p/cmdline"
		done 2>/dev/null | grep -q "$nap " && return 0
		sleep 0.1
	done
	return 1
}

# Everything that a run makes: its groups, mounts, links, namespaces, processes
count_all()
{
	find /sys/fs/cgroup -name "rehost.*.$killed_pid" 2>/dev/null
	grep "$tmp" /proc/self/mountinfo
	ls /sys/class/net
	for p in /proc/[0-9]*; do
		if tr '\0' ' ' <"$p/cmdline" | grep -e "$nap " \
			-e "rehost boot.*$tmp"; then
			for ns in net mnt pid uts ipc cgroup user; do
				readlink "$p/ns/$ns"
			done
		fi
	done 2>/dev/null
}

used_again()
{
	local first
	verified web01 && kept 1 || return 1
	first=$(stat -c %Z "$tmp"/s/root-*)
	verified web01 && kept 1 && [ "$(stat -c %Z "$tmp"/s/root-*)" = "$first" ]
}

converted_anew()
{
	local first
	first=$(basename "$tmp"/s/root-*[!f])
	convert 2 web01 && verified web01 && kept 1 &&
	[ ! -e "$tmp/s/$first" ]
}

package_gone()
{
	convert 1 db01 && verified db01 && kept 2 || return 1
	mv "$tmp/out/db01" "$tmp/gone"
	verified web01 && kept 1
}

half_unpacked()
{
	local root
	root=$(basename "$tmp"/s/root-*.of .of)
	: >"$tmp/s/$root.of"
	rm -rf "$tmp/s/$root/bin"
	mkdir "$tmp/s/root-0123456789abcdef0123456789abcdef"
	verified web01 && kept 1 && [ -d "$tmp/s/$root/bin" ]
}

in_use()
{
	start_boot web01 && convert 3 web01 && convert 1 db01 &&
	verified db01 && [ "$(roots)" -eq 2 ]
}

killed()
{
	kill -9 "$boot"
	wait "$boot" 2>/dev/null
	boot=
	for _ in $(seq 100); do
		pgrep -f "$nap" >/dev/null || break
		sleep 0.1
	done
	count_all >"$tmp/killed"
	! diff "$tmp/before" "$tmp/killed" >/dev/null || return 1
	verified web01 || return 1
	rm -rf "$tmp/out/db01"
	verified web01 && kept 1 || return 1
	count_all >"$tmp/after"
	diff "$tmp/before" "$tmp/after"
}

# changed FILE MESSAGE: one byte more
changed()
{
	cp -a "$tmp/out/web01/$1" "$tmp/good" &&
	echo >>"$tmp/out/web01/$1" && refused web01 "$2" &&
	cp -a "$tmp/good" "$tmp/out/web01/$1"
}

# The archive is looked at when it is unpacked.
other_archive()
{
	rm -rf "$tmp/s"
	changed rootfs.tar.zst 'rootfs.tar.zst was changed after the conversion'
}

demo_host "$tmp/host"
check "convert" convert 1 web01
count_all >"$tmp/before"
check "a root is unpacked once, and used again" used_again
check "that of a guest converted anew is removed" converted_anew
check "that of a package that is gone is removed" package_gone
check "one that was not unpacked to its end is" half_unpacked
check "one that a run uses is not" in_use
check "rehost is killed: the next run undoes all of it" killed
check "another policy.json than the manifest's is refused" \
	changed policy.json 'policy.json was changed after the conversion'
check "another report.json is refused" \
	changed report.json 'report.json was changed after the conversion'
check "another archive is refused" other_archive
check "and what is right again is not" verified web01
tap_end
