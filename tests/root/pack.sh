#!/bin/sh
# What only root can put into a tree goes through the packer and comes out
# of GNU tar (and bsdtar, where installed) as it was. TAP; needs root.
#
# usage: pack.sh [CHECK_PACK]    the test program, by default of ${B:-build}

set -u

tool=${1:-$(find "${B:-build}" -name check_pack -type f 2>/dev/null | head -n 1)}
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# same FILE FILE NAME
same()
{
	diff -u "$1" "$2" >"$dir/diff"
	status=$?
	ok "$status" "$3"
	[ "$status" -eq 0 ] || head -n 40 "$dir/diff" | sed 's/^/# /'
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
[ -n "$tool" ] || skip_all "check_pack is not built"
case $tool in
/*) ;;
*) tool=$PWD/$tool ;;
esac
for word in setcap setfacl getfacl getfattr setfattr chattr zstd tar; do
	command -v "$word" >/dev/null || skip_all "needs $word"
done

dir=$(mktemp -d) || exit 1
clean()
{
	chattr -i "$dir/guest/etc/locked" 2>/dev/null
	umount "$dir/guest/mnt" "$dir/small" 2>/dev/null
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM

make_guest()
{
	mkdir -p bin etc dev mnt home/user run
	echo ping >bin/ping
	chmod 755 bin/ping
	setcap cap_net_raw,cap_net_admin+ep bin/ping || return 1
	echo suid >bin/su
	chown 0:12345 bin/su
	chmod 4750 bin/su
	# id 3000000 does not fit the ustar field
	echo high >etc/high
	chown 3000000:3000001 etc/high
	ln -s target etc/link
	chown -h 3000000:7 etc/link
	echo acl >etc/acl
	chmod 640 etc/acl
	# the mask is wider than the group's entry, and so are the mode's bits
	setfacl -m u:12345:rwx,g:54321:r--,m::rwx etc/acl || return 1
	chmod 2770 home/user
	setfacl -d -m u:12345:rwx,g::r-x home/user || return 1
	setfacl -m u:12345:r-x home/user
	echo x >etc/xattr
	setfattr -n user.comment -v 'a=b%c' etc/xattr || return 1
	setfattr -n user.empty etc/xattr
	setfattr -n 'user.odd=%name' -v 1 etc/xattr || return 1
	setfattr -n trusted.guest -v 0x00ff01 etc/xattr
	setfattr -h -n trusted.link -v 1 etc/link
	setfattr -n user.dir -v 1 home
	mknod dev/null c 1 3
	mknod dev/disk b 259 65537
	chmod 666 dev/null
	mkfifo dev/initctl
	ln dev/null dev/null2
	echo locked >etc/locked
	chattr +i etc/locked 2>/dev/null
	ln etc/acl etc/acl-link
	truncate -s 30M etc/sparse
	echo data | dd of=etc/sparse bs=1 seek=20000000 conv=notrunc status=none
	truncate -s 1M etc/hole
	truncate -s 9G etc/huge
	name=$(printf 'odd\377\nname')
	echo odd >"etc/$name"
	# beyond the 100 and 155 bytes of a header, and of one component
	long=$(printf '%0200d' 1) && longest=$(printf '%0255d' 2)
	mkdir -p "home/$long/$long"
	echo long >"home/$long/$long/$longest"
	ln "home/$long/$long/$longest" "home/$long/again"
	ln -s "/home/$long/$long/$longest" home/long-link
	echo utf8 >"etc/$(printf 'gr\303\274n')"
	echo decomposed >"etc/$(printf 'gru\314\210n')"
	# of a user namespace: version 3, with its root
	echo v3 >bin/v3
	setfattr -n security.capability \
		-v 0x010000030020000000000000000000000000000000e80300 bin/v3
	touch -d '1969-12-31 23:59:58 UTC' etc/high
	touch -h -d '2001-02-03 04:05:06.123456789 UTC' etc/link
	touch -d '2001-02-03 04:05:06.000000001 UTC' home dev mnt
}

# facts DIR: everything about the tree that must survive, a line each
facts()
{
	(
		cd "$1" || exit 1
		find . -printf '%p %y %m %U %G %s %T@ %l\n' | grep -v ' d ' |
			sort
		find . -type d -printf '%p %y %m %U %G %T@\n' | sort
		find dev -type c -exec stat -c '%n %F %t %T' {} + | sort
		find dev -type b -exec stat -c '%n %F %t %T' {} + | sort
		# the names of an inode, by the first of them
		find . ! -type d -links +1 -printf '%i %p\n' | sort -k 2 |
			awk '!($1 in first) { first[$1] = $2 } { print first[$1], $2 }'
		find . -type f -size -1G -exec cksum {} + | sort -k 3
		getfattr -R -P -h -d -m - -e hex . | sed '/^# file/s/.*/&/'
		getfacl -R -P -n .
	)
}

has_holes()
{
	[ "$(stat -c %b "$1/etc/huge")" -lt 100 ] &&
		[ "$(stat -c %b "$1/etc/sparse")" -lt 1000 ]
}

umask 022
mkdir "$dir/guest"
(cd "$dir/guest" && make_guest) || skip_all "the scratch file system lacks xattrs or ACLs"
# a mount point's own metadata cannot be seen: what lies over it has the same
mount -t tmpfs -o mode=755 none "$dir/guest/mnt" && touch "$dir/guest/mnt/not-ours" &&
	touch -d '2001-02-03 04:05:06.000000001 UTC' "$dir/guest/mnt"

setfattr -n security.selinux -v label "$dir/guest/home" 2>/dev/null
label=$?
"$tool" pack -d "$dir/guest" "$dir/out.tar.zst" >"$dir/result"
ok $? "packs"
"$tool" pack -w "$dir/guest" "$dir/again.tar.zst" >/dev/null
cmp -s "$dir/out.tar.zst" "$dir/again.tar.zst"
ok $? "the same bytes again, of a tree that may move"
grep -q ' hardlinks=3 nodes=2 fifos=1$' "$dir/result"
ok $? "counts members by kind"
if [ "$label" -eq 0 ]; then
	grep -q ' xattrs_dropped=1$' "$dir/result"
	ok $? "counts the label it drops"
	setfattr -x security.selinux "$dir/guest/home"
else
	skip "counts the label it drops" "no such label can be set here"
fi
if mountpoint -q "$dir/guest/mnt"; then
	grep -q '^mounts: /mnt$' "$dir/result"
	ok $? "names the mount it did not enter"
	umount "$dir/guest/mnt"
else
	skip "names the mount it did not enter" "mount is refused here"
fi
if lsattr "$dir/guest/etc/locked" 2>/dev/null | grep -q '^[^ ]*i'; then
	grep -q '^flagged: /etc/locked$' "$dir/result"
	ok $? "names the immutable file"
	chattr -i "$dir/guest/etc/locked"
else
	skip "names the immutable file" "no such flag on this file system"
fi
grep -q '^sha256='"$(sha256sum <"$dir/out.tar.zst" | cut -d' ' -f1)"'$' "$dir/result"
ok $? "digest of the file"
grep -q '^tar_sha256='"$(zstd -qdc "$dir/out.tar.zst" | sha256sum | cut -d' ' -f1)"'$' "$dir/result"
ok $? "digest of the tar"
[ "$(stat -c %s "$dir/out.tar.zst")" -lt 100000 ]
ok $? "holes are not stored"
[ "$(stat -c %a "$dir/out.tar.zst")" = 600 ]
ok $? "the archive is nobody else's to read"

facts "$dir/guest" >"$dir/want" 2>"$dir/err"

mkdir "$dir/gnu"
tar --zstd --numeric-owner --xattrs --xattrs-include='*' --acls -xpf "$dir/out.tar.zst" \
	-C "$dir/gnu" 2>"$dir/tar.err"
ok $? "GNU tar unpacks"
# a warning for each name outside of UTF-8 or decomposed, one for an old file
grep -v -e "unknown extended header keyword 'hdrcharset'" \
	-e 'etc/high: implausibly old time stamp 1969' "$dir/tar.err" >"$dir/tar.other"
same /dev/null "$dir/tar.other" "GNU tar has nothing to say"
[ "$(grep -c hdrcharset "$dir/tar.err")" -le 2 ]
ok $? "GNU tar warns of the two odd names only"
facts "$dir/gnu" >"$dir/got" 2>>"$dir/err"
same "$dir/want" "$dir/got" "GNU tar gives the tree back"
has_holes "$dir/gnu"
ok $? "GNU tar gives the holes back"

# without --acls the xattrs alone do it
mkdir "$dir/plain"
tar --zstd --numeric-owner --xattrs --xattrs-include='*' -xpf "$dir/out.tar.zst" \
	-C "$dir/plain" 2>/dev/null
facts "$dir/plain" >"$dir/got" 2>>"$dir/err"
same "$dir/want" "$dir/got" "GNU tar without --acls gives it back"

# modes of the headers are the inodes' (the mask, where there is an ACL)
zstd -qdc "$dir/out.tar.zst" | tar -tvf - 2>/dev/null | grep -q '^-rw-rwx--- .* \./etc/acl$'
ok $? "the header holds the inode's mode"

# libarchive's reader keeps %XX in the names of xattrs, unlike GNU tar, and
# leaves the time of the directory it was told to go to alone
name="bsdtar gives the tree back"
if command -v bsdtar >/dev/null; then
	mkdir "$dir/bsd"
	LC_ALL=C.UTF-8 bsdtar --numeric-owner --xattrs --acls -xpf "$dir/out.tar.zst" -C "$dir/bsd"
	ok $? "bsdtar unpacks"
	touch -r "$dir/guest" "$dir/bsd"
	facts "$dir/bsd" 2>>"$dir/err" | sed 's/^user\.odd%3D%25name=/user.odd\\075%name=/' >"$dir/got"
	same "$dir/want" "$dir/got" "$name"
	has_holes "$dir/bsd"
	ok $? "bsdtar gives the holes back"
else
	skip "$name" "bsdtar is not installed"
fi

# unpack NAME FILE: with GNU tar into $dir/NAME, compared with $dir/want
unpack()
{
	mkdir "$dir/$1"
	tar --numeric-owner --xattrs --xattrs-include='*' --acls -xpf "$2" \
		-C "$dir/$1" 2>/dev/null
	facts "$dir/$1" >"$dir/got" 2>>"$dir/err"
	same "$dir/want" "$dir/got" "GNU tar gives the tree back from $1"
	has_holes "$dir/$1"
	ok $? "and its holes"
	rm -rf "${dir:?}/$1"
	command -v bsdtar >/dev/null || return
	mkdir "$dir/$1"
	LC_ALL=C.UTF-8 bsdtar --numeric-owner --xattrs --acls -xpf "$2" -C "$dir/$1"
	touch -r "$dir/guest" "$dir/$1"
	facts "$dir/$1" 2>>"$dir/err" |
		sed 's/^user\.odd%3D%25name=/user.odd\\075%name=/' >"$dir/got"
	same "$dir/want" "$dir/got" "bsdtar gives the tree back from $1"
	has_holes "$dir/$1"
	ok $? "and its holes"
	rm -rf "${dir:?}/$1"
}

for format in gzip xz none; do
	"$tool" pack -d -f $format "$dir/guest" "$dir/out.$format" >"$dir/result.$format"
	ok $? "packs with $format"
	[ "$(grep ^tar_sha256 "$dir/result.$format")" = "$(grep ^tar_sha256 "$dir/result")" ]
	ok $? "$format holds the same tar"
	unpack $format "$dir/out.$format"
done
[ "$(od -An -tx1 -j3 -N5 "$dir/out.gzip" | tr -d ' ')" = 0000000000 ]
ok $? "gzip's header holds neither name nor time"

# nothing of the source is touched: older than the last change, any reading
# would show; directories and links are read by find itself
stamps() { (cd "$dir/guest" && find . ! -type d ! -type l -printf '%p %A@ %C@\n' | sort); }
find "$dir/guest" -type f -exec touch -a -d '2010-01-01' {} +
stamps >"$dir/stamps"
"$tool" pack -l touched.zst "$dir/guest" "$dir/touched" >/dev/null
"$tool" pack -w -f none "$dir/guest" "$dir/touched" >/dev/null
"$tool" pack -t "$dir/guest" "$dir/touched.tree" >/dev/null
"$tool" verify -t "$dir" touched.zst "$dir/guest" >/dev/null
stamps >"$dir/got"
same "$dir/stamps" "$dir/got" "times of access and change of the guest stay"
[ "$(wc -l <"$dir/stamps")" -gt 15 ]
ok $? "and there were files to look at"
rm -rf "$dir"/touched*

# the list, against the archive, the guest itself, and a changed guest
"$tool" pack -l files.zst "$dir/guest" "$dir/listed.tar.zst" >/dev/null
ok $? "packs with a list"
"$tool" verify "$dir" files.zst listed.tar.zst >"$dir/verified"
ok $? "the archive is as the list says"
"$tool" verify -t "$dir" files.zst "$dir/guest" >"$dir/verified"
ok $? "so is the guest"

# a tree in place of an archive
"$tool" pack -t -l tree.zst "$dir/guest" "$dir/tree" >/dev/null
ok $? "writes a tree"
facts "$dir/tree" >"$dir/got" 2>>"$dir/err"
same "$dir/want" "$dir/got" "the tree is as the guest"
has_holes "$dir/tree"
ok $? "the tree has its holes"
"$tool" verify -t "$dir" tree.zst "$dir/tree" >"$dir/verified"
ok $? "the tree is as its list says"
setfacl -n -m u:12345:--- "$dir/tree/etc/acl"
setcap cap_net_raw+ep "$dir/tree/bin/ping"
chown 0:4 "$dir/tree/dev/disk"
chmod u-s "$dir/tree/bin/su"
"$tool" verify -t "$dir" tree.zst "$dir/tree" >"$dir/verified"
[ $? -eq 3 ] && [ "$(sed 1d "$dir/verified" | cut -d' ' -f1,2 | tr '\n' ' ')" = \
	"/bin/ping: xattrs /bin/su: mode /dev/disk: owner /etc/acl: xattrs " ]
ok $? "what was changed in it is named"

# shifted and back again it is the same
"$tool" pack -t -s 0:500000:5000000 "$dir/guest" "$dir/shifted" >/dev/null
ok $? "writes a tree with its ids shifted"
[ "$(stat -c %u:%g "$dir/shifted/etc/high" "$dir/shifted/bin/su" | tr '\n' ' ')" = \
	"3500000:3500001 500000:512345 " ]
ok $? "owners are shifted"
getfacl -n -c "$dir/shifted/etc/acl" 2>/dev/null | grep -q '^user:512345:rwx' &&
	getfacl -n -c "$dir/shifted/etc/acl" 2>/dev/null | grep -q '^group:554321:r--'
ok $? "ACLs are shifted"
getcap -n "$dir/shifted/bin/ping" | grep -q 'rootid=500000'
ok $? "capabilities are shifted"
"$tool" pack -d -b -s 0:500000:5000000 "$dir/shifted" "$dir/back.tar.zst" >"$dir/result.back"
ok $? "packs it shifted back"
[ "$(grep ^tar_sha256 "$dir/result.back")" = "$(grep ^tar_sha256 "$dir/result")" ]
ok $? "which is the archive of the guest"
"$tool" pack -s 0:500000:5000000 "$dir/guest" "$dir/out.shifted" >/dev/null
mkdir "$dir/unshifted"
tar --numeric-owner --xattrs --xattrs-include='*' --acls --zstd -xpf "$dir/out.shifted" \
	-C "$dir/unshifted" 2>/dev/null
facts "$dir/shifted" >"$dir/want.shifted" 2>>"$dir/err"
facts "$dir/unshifted" >"$dir/got" 2>>"$dir/err"
same "$dir/want.shifted" "$dir/got" "GNU tar unpacks the same from a shifted archive"
"$tool" pack -s 0:500000:1000 "$dir/guest" "$dir/none" >/dev/null 2>"$dir/message"
[ $? -eq 1 ] && grep -q 'shift ids of /bin/su: group id 12345 is in none of the ranges' "$dir/message" &&
	[ ! -e "$dir/none" ]
ok $? "an id that the ranges lack is named"

# a full file system leaves nothing
mkdir "$dir/small"
if mount -t tmpfs -o size=64k none "$dir/small"; then
	head -c 1000000 /dev/urandom >"$dir/guest/home/noise"
	"$tool" pack -l files "$dir/guest" "$dir/small/out" >/dev/null 2>"$dir/message"
	[ $? -eq 1 ] && grep -q 'No space left' "$dir/message" && [ -z "$(ls -A "$dir/small")" ]
	ok $? "a full file system leaves nothing"
	"$tool" pack -t "$dir/guest" "$dir/small/out" >/dev/null 2>"$dir/message"
	[ $? -eq 1 ] && [ -z "$(ls -A "$dir/small")" ]
	ok $? "a full file system leaves no tree"
	umount "$dir/small"
else
	skip "a full file system leaves nothing" "no tmpfs can be mounted"
fi

# clones where the file system can: what was used grew by little
used() { sync -f "$dir/small" && df --output=used -k "$dir/small" | tail -n 1; }
rehost=${tool%/*}/rehost
if command -v mkfs.xfs >/dev/null && truncate -s 400M "$dir/xfs.img" &&
	mkfs.xfs -q "$dir/xfs.img" && mount -o loop "$dir/xfs.img" "$dir/small" 2>/dev/null; then
	host=$dir/small/host
	guest=$host/vservers/v1
	mkdir -p "$guest/sbin" "$host/etc/vservers/v1"
	ln -s /vservers/v1 "$host/etc/vservers/v1/vdir"
	echo 100 >"$host/etc/vservers/v1/context"
	echo init >"$guest/sbin/init"
	chmod 755 "$guest/sbin/init"
	head -c 50000000 /dev/urandom >"$guest/file"
	before=$(used)
	"$tool" pack -t "$guest" "$dir/small/tree" >/dev/null
	cmp -s "$guest/file" "$dir/small/tree/file" && [ $(($(used) - before)) -lt 10000 ]
	ok $? "files of a tree are clones"
	before=$(used)
	"$rehost" convert -q --validate=off --rootfs=tree --root "$host" \
		-o "$dir/small/converted" >/dev/null
	cmp -s "$guest/file" "$dir/small/converted/v1/rootfs/file" &&
		[ $(($(used) - before)) -lt 10000 ]
	ok $? "so are those of convert --rootfs=tree"
	rm -rf "$dir/small/converted" "$dir/small/tree"
	for jobs in 1 4; do
		"$rehost" convert -q -j $jobs --validate=off --root "$host" \
			-o "$dir/small/out$jobs" >/dev/null
	done
	diff -r "$dir/small/out1/v1" "$dir/small/out4/v1" >/dev/null &&
		[ -s "$dir/small/out4/v1/rootfs.tar.zst" ]
	ok $? "convert -j 1 and -j 4 write the same bytes"
	umount "$dir/small"
else
	skip "files of a tree are clones" "no file system that can"
	skip "so are those of convert --rootfs=tree" "no file system that can"
	skip "convert -j 1 and -j 4 write the same bytes" "no file system made"
fi

tap_end
