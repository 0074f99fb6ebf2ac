#!/bin/bash
# Backups of vzdump, made as vzdump made them, in each compression: what is
# converted from one is what is converted from the directory that it was made
# of. One is verified. TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-vzdump.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
host=$tmp/host
tree=$host/vz/private/101
dumps=$host/vz/dump
name=vzdump-openvz-101-2014_03_02-12_00_01

# Every kind of file that GNU tar keeps without options for xattrs. Whole
# seconds: its old format has no fractions.
make_tree()
{
	local long
	demo_guest_root "$tree" web &&
	mkdir -p "$tree/srv/ünï" "$tree/srv/a b" "$tree/srv/empty" &&
	printf 'x' >"$tree/srv/ünï/ß" &&
	printf 'x' >"$tree/srv/a b/"$'new\nline' &&
	printf 'x' >"$tree/srv/"$'\377\376' &&
	long=$(printf '%0200d' 0) &&
	mkdir -p "$tree/srv/$long" &&
	head -c 300000 /dev/urandom >"$tree/srv/$long/$long" &&
	ln "$tree/srv/$long/$long" "$tree/srv/a-link" &&
	ln "$tree/srv/$long/$long" "$tree/bin/z-link" &&
	ln -s "/srv/$long/$long" "$tree/srv/to-long" &&
	truncate -s 3M "$tree/srv/holes" &&
	printf data | dd of="$tree/srv/holes" bs=1 seek=1000000 conv=notrunc \
		status=none &&
	truncate -s 1M "$tree/srv/hole" &&
	head -c 2000000 /dev/urandom >"$tree/srv/large" &&
	mknod "$tree/srv/node" b 7 200 && mkfifo "$tree/srv/fifo" &&
	chown 1000:3000000 "$tree/srv/large" "$tree/srv/empty" &&
	chown -h 33:33 "$tree/srv/to-long" &&
	chmod 6755 "$tree/srv/fifo" && chmod 1700 "$tree/srv/empty" &&
	for i in $(seq 300); do echo "$i" >"$tree/srv/empty/../f$i"; done &&
	printf 'log\n' >"$tree/var/log/messages" &&
	find "$tree" -exec touch -h -d '2014-03-01 10:00:00 UTC' {} + &&
	touch -h -d '1969-12-31 23:00:00 UTC' "$tree/srv/large"
}

make_host()
{
	mkdir -p "$host/etc/vz/conf" "$dumps" &&
	echo ovz >"$host/etc/hostname" &&
	make_tree &&
	cat >"$host/etc/vz/conf/101.conf" <<-'END'
	ONBOOT="yes"
	PHYSPAGES="0:64M"
	SWAPPAGES="0:0"
	IP_ADDRESS="192.0.2.77 2001:db8::77"
	VE_ROOT="/vz/root/$VEID"
	VE_PRIVATE="/vz/private/$VEID"
	HOSTNAME="web.example.org"
	END
}

# As PVE/VZDump/OpenVZ.pm: the configuration goes into the tree, a list of
# names into tar. The order is that of the directory, not of names.
make_dump()
{
	mkdir -p "$tree/etc/vzdump" &&
	cp "$host/etc/vz/conf/101.conf" "$tree/etc/vzdump/vps.conf" &&
	printf '#!/bin/bash\nmount -n --bind /srv /vz/root/101/srv\n' \
		>"$tree/etc/vzdump/vps.mount" &&
	find "$tree" -name large -o -exec \
		touch -h -d '2014-03-01 10:00:00 UTC' {} + &&
	(cd "$tree" &&
		find . '(' -regex '^\.$' ')' -o '(' -type s -prune ')' -o -print0 |
		sed 's/\\/\\\\/g' |
		tar cpf - --totals --sparse --numeric-owner --no-recursion \
			--one-file-system --null -T - 2>/dev/null) \
		>"$dumps/$name.tar" &&
	rm -r "$tree/etc/vzdump" &&
	touch -d '2014-03-01 10:00:00 UTC' "$tree/etc" &&
	printf '%s\n' 'Mar 02 12:00:01 INFO: Starting Backup of VM 101 (openvz)' \
		'Mar 02 12:00:01 INFO: backup mode: stop' >"$dumps/$name.log"
}

convert_tree()
{
	"$rehost" convert -q --root "$host" -t lxc -o "$tmp/out.tree" openvz:101
}

# What a package holds, in the order of names: all but times of inodes, and
# the root directory, which vzdump leaves out; of what belongs to the
# directory that vzdump put its own into, not the numbers of links.
members()
{
	zstd -dcq "$1/101/files.zst" |
		awk -F '\t' -v OFS='\t' '!/^#/ && $1 != "/" {
			$7 = ""; if ($2 == "d") $8 = ""; print }' | sort
}

# Which of several names is the file, and which are links to it, is the order.
same_members()
{
	members "$tmp/out.tree" | sed -E '/(a-link|z-link|0{200}\/0{200})/d' \
		>"$tmp/a" &&
	members "$1" | sed -E '/(a-link|z-link|0{200}\/0{200})/d' >"$tmp/b" &&
	[ "$(wc -l <"$tmp/a")" -gt 300 ] && diff "$tmp/a" "$tmp/b"
}

# Unpacked, the two are the same in all that tar -d looks at, links as well.
same_unpacked()
{
	rm -rf "$tmp/x" && mkdir "$tmp/x" &&
	tar --zstd --numeric-owner --xattrs --acls -xpf \
		"$1/101/rootfs.tar.zst" -C "$tmp/x" &&
	tar --zstd --numeric-owner -df "$tmp/out.tree/101/rootfs.tar.zst" \
		-C "$tmp/x" --exclude=./ &&
	[ "$(stat -c %h "$tmp/x/bin/z-link")" = 3 ] &&
	[ "$(stat -c %i "$tmp/x/bin/z-link")" = \
		"$(stat -c %i "$tmp/x/srv/a-link")" ]
}

# packed KIND COMMAND...: from stdin to stdout
packed()
{
	local file=$tmp/d/$name.tar.$1
	shift
	rm -rf "$tmp/d" "$tmp/out" && mkdir "$tmp/d" &&
	"$@" <"$dumps/$name.tar" >"$file" &&
	"$rehost" convert -q -t lxc -o "$tmp/out" "$file" &&
	same_members "$tmp/out" && same_unpacked "$tmp/out"
}

convert_plain()
{
	"$rehost" convert -q -t lxc -o "$tmp/out.tar" "$dumps/$name.tar" &&
	same_members "$tmp/out.tar" && same_unpacked "$tmp/out.tar"
}

# The same bytes again, whatever the number of jobs.
same_bytes()
{
	"$rehost" convert -q -t lxc -j 4 -o "$tmp/out.4" "$dumps/$name.tar" &&
	cmp "$tmp/out.tar/101/rootfs.tar.zst" "$tmp/out.4/101/rootfs.tar.zst" &&
	cmp "$tmp/out.tar/101/files.zst" "$tmp/out.4/101/files.zst"
}

# What was read is kept, what vzdump put into the tree is not.
sources_kept()
{
	local dir
	dir=$(find "$tmp/out.tar/101/source" -type d -path '*/etc/vzdump') &&
	cmp "$dir/vps.conf" "$host/etc/vz/conf/101.conf" &&
	[ -s "$dir/vps.mount" ] &&
	! zstd -dcq "$tmp/out.tar/101/files.zst" | grep /etc/vzdump/
}

# The log says mode stop; nothing was left out, but no attributes were kept.
findings()
{
	"$rehost" plan "$dumps/$name.tar" >"$tmp/plan" &&
	grep 'of 2014-03-02 12:00:01: a backup of mode stop.*SRC032' \
		"$tmp/plan" &&
	grep 'DSK022' "$tmp/plan" && ! grep DSK023 "$tmp/plan" &&
	grep 'script mount is not run: line 2 .*vps.mount\|vps.mount.*script' \
		"$tmp/plan" &&
	grep '"consistency": "stopped"' "$tmp/out.tar/101/manifest.json"
}

# With vzdump's own excludes, and without a log.
findings_excluded()
{
	mkdir -p "$tmp/e" &&
	tar cf "$tmp/e/$name.tgz" -z -C "$tree" --exclude './var/log/?*' . \
		--transform 's,^\./etc/hostname$,./etc/vzdump/vps.conf,' &&
	"$rehost" plan "$tmp/e/$name.tgz" >"$tmp/plan" 2>&1
	grep 'DSK023' "$tmp/plan" && grep 'no log beside it' "$tmp/plan"
}

# A directory of them: each guest once, by its newest.
directory()
{
	mkdir -p "$tmp/many" &&
	for i in 101-2013_01_01-00_00_00 101-2014_01_01-00_00_00 \
		9-2012_01_01-00_00_00; do
		ln "$dumps/$name.tar" "$tmp/many/vzdump-openvz-$i.tar" || return
	done &&
	echo 'not one' >"$tmp/many/vzdump-openvz-7-2014_01_01-00_00_00.tar" &&
	"$rehost" scan "$tmp/many" >"$tmp/scan" 2>"$tmp/said" &&
	cat "$tmp/scan" "$tmp/said" &&
	[ "$(grep -c openvz: "$tmp/scan")" = 2 ] &&
	grep 'openvz:101 .*101-2014_01_01' "$tmp/scan" &&
	grep 'openvz:9 ' "$tmp/scan" &&
	grep '101-2013_01_01.*left out.*101-2014_01_01' "$tmp/said" &&
	# named one by one it is the same
	"$rehost" scan "$tmp"/many/*-101-*.tar >"$tmp/scan" 2>"$tmp/said" &&
	grep 'openvz:101 .*101-2014_01_01' "$tmp/scan"
}

# No package, no rest of one; a message that names archive and member.
refuses()	# FILE TEXT
{
	rm -rf "$tmp/no"
	"$rehost" convert -q -t lxc -o "$tmp/no" "$1" >"$tmp/said" 2>&1
	[ $? -eq 1 ] || { cat "$tmp/said"; return 1; }
	grep "$2" "$tmp/said" && [ ! -e "$tmp/no/101" ] &&
	[ -z "$(find "$tmp/no" -name '*.part' -o -name '*rootfs*')" ]
}

cut_off()
{
	mkdir -p "$tmp/cut" &&
	head -c 3000000 "$dumps/$name.tar" >"$tmp/cut/$name.tar" &&
	refuses "$tmp/cut/$name.tar" "$name.tar: member [0-9]* \"./.*: " &&
	gzip -c "$dumps/$name.tar" | head -c 2000000 >"$tmp/cut/$name.tar.gz" &&
	refuses "$tmp/cut/$name.tar.gz" "$name.tar.gz: .*member [0-9]* \""
}

large_config()
{
	mkdir -p "$tmp/big/etc/vzdump" &&
	truncate -s 200M "$tmp/big/etc/vzdump/vps.conf" &&
	tar cf "$tmp/big/$name.tar" -C "$tmp/big" ./etc &&
	refuses "$tmp/big/$name.tar" 'vps.conf: it is larger than'
}

no_config()
{
	mkdir -p "$tmp/none" &&
	tar cf "$tmp/none/$name.tar" -C "$tree" ./etc &&
	refuses "$tmp/none/$name.tar" 'holds no etc/vzdump/vps.conf'
}

lxc_config()
{
	mkdir -p "$tmp/pct/etc/vzdump" &&
	echo 'arch: amd64' >"$tmp/pct/etc/vzdump/pct.conf" &&
	tar cf "$tmp/pct/$name.tar" -C "$tmp/pct" ./etc &&
	refuses "$tmp/pct/$name.tar" 'backup of an LXC guest of Proxmox'
}

ploop_inside()
{
	mkdir -p "$tmp/ploop/root.hdd" "$tmp/ploop/etc/vzdump" &&
	cp "$host/etc/vz/conf/101.conf" "$tmp/ploop/etc/vzdump/vps.conf" &&
	tar cf "$tmp/ploop/$name.tar" -C "$tmp/ploop" ./etc ./root.hdd &&
	"$rehost" plan "$tmp/ploop/$name.tar" >"$tmp/plan"
	[ $? -eq 3 ] && grep 'DSK017' "$tmp/plan"
}

# Nothing is unpacked: what is written outside of the output is nothing.
nothing_unpacked()
{
	TMPDIR=$tmp strace -f -qq -e trace=openat,open,creat,mkdir,mkdirat \
		-o "$tmp/trace" "$rehost" convert -q -t lxc -o "$tmp/out.s" \
		"$dumps/$name.tar" &&
	grep -E 'O_(WRONLY|RDWR|CREAT)|O_TMPFILE' "$tmp/trace" |
		grep -vE '/dev/|/proc/|/run/lxc|report|index\.json' |
		grep -E 'srv|large|holes' >"$tmp/opened"
	[ ! -s "$tmp/opened" ] || { cat "$tmp/opened"; return 1; }
}

listed_files_verify()
{
	timeout 200 "$rehost" verify --files "$tmp/out.tar/101"
}

verified()
{
	timeout 300 "$rehost" verify --scratch "$tmp/s" "$tmp/out.tar/101" \
		>"$tmp/seen" 2>&1 || { cat "$tmp/seen"; return 1; }
	grep ': announced, .* 0 not as planned' "$tmp/seen"
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
check "a host of OpenVZ with every kind of file" make_host
check "a backup as vzdump makes it" make_dump
check "converted from the directory" convert_tree
check "tar: the same files as from the directory" convert_plain
check "the same bytes for any number of jobs" same_bytes
for kind in gzip:gz bzip2:bz2 xz:xz zstd:zst lzop:lzo; do
	program=${kind%:*}
	if command -v "$program" >/dev/null; then
		check "$program: the same files as from the directory" \
			packed "${kind#*:}" "$program" -c -1
	else
		skip "$program: the same files" "there is no $program"
	fi
done
check "the configuration and its script are kept beside, not in the tree" \
	sources_kept
check "what a backup is and lost is found" findings
check "what vzdump's excludes left out is found" findings_excluded
check "a directory of backups: the newest of each guest" directory
check "one that is cut off: no package, the member is named" cut_off
check "a configuration of 200 MB" large_config
check "a tar without configuration" no_config
check "a backup of another kind of guest" lxc_config
check "a ploop image in a backup is a blocker" ploop_inside
if command -v strace >/dev/null; then
	check "nothing is unpacked" nothing_unpacked
else
	skip "nothing is unpacked" "there is no strace"
fi
check "the list of files holds for what was packed" listed_files_verify
check "verified: announced, nothing else" verified
tap_end
