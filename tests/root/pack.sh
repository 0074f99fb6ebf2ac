#!/bin/sh
# What only root can put into a tree goes through the packer and comes out
# of GNU tar (and bsdtar, where installed) as it was. TAP; needs root.
#
# usage: pack.sh [CHECK_PACK]    the test program, by default of ${B:-build}

set -u

tool=${1:-$(find "${B:-build}" -name check_pack -type f 2>/dev/null | head -n 1)}
tests=0
failed=0

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

# ok STATUS NAME
ok()
{
	tests=$((tests + 1))
	if [ "$1" -eq 0 ]; then
		echo "ok $tests - $2"
	else
		echo "not ok $tests - $2"
		failed=$((failed + 1))
	fi
}

# same FILE FILE NAME
same()
{
	diff -u "$1" "$2" >"$dir/diff"
	status=$?
	ok "$status" "$3"
	[ "$status" -eq 0 ] || head -n 40 "$dir/diff" | sed 's/^/# /'
}

skip()
{
	tests=$((tests + 1))
	echo "ok $tests - $1 # SKIP $2"
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
	umount "$dir/guest/mnt" 2>/dev/null
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
		find . -type f -links +1 -printf '%p\n' | sort
		find . -type f -size -1G -exec cksum {} + | sort -k 3
		getfattr -R -P -h -d -m - -e hex . | sed '/^# file/s/.*/&/'
		getfacl -R -P -n .
	)
}

umask 022
mkdir "$dir/guest"
(cd "$dir/guest" && make_guest) || skip_all "the scratch file system lacks xattrs or ACLs"
# a mount point's own metadata cannot be seen: what lies over it has the same
mount -t tmpfs -o mode=755 none "$dir/guest/mnt" && touch "$dir/guest/mnt/not-ours" &&
	touch -d '2001-02-03 04:05:06.000000001 UTC' "$dir/guest/mnt"

setfattr -n security.selinux -v label "$dir/guest/home" 2>/dev/null
label=$?
"$tool" pack "$dir/guest" "$dir/out.tar.zst" >"$dir/result"
ok $? "packs"
"$tool" pack "$dir/guest" "$dir/again.tar.zst" >/dev/null
cmp -s "$dir/out.tar.zst" "$dir/again.tar.zst"
ok $? "the same bytes again"
grep -q ' hardlinks=2 nodes=2 fifos=1$' "$dir/result"
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
# one warning a member that has a name outside of UTF-8, one for its old file
grep -v -e "unknown extended header keyword 'hdrcharset'" \
	-e 'etc/high: implausibly old time stamp 1969' "$dir/tar.err" >"$dir/tar.other"
same /dev/null "$dir/tar.other" "GNU tar has nothing to say"
[ "$(grep -c hdrcharset "$dir/tar.err")" -le 1 ]
ok $? "GNU tar warns of the one odd name only"
facts "$dir/gnu" >"$dir/got" 2>>"$dir/err"
same "$dir/want" "$dir/got" "GNU tar gives the tree back"
[ "$(stat -c %b "$dir/gnu/etc/huge")" -lt 100 ] && [ "$(stat -c %b "$dir/gnu/etc/sparse")" -lt 1000 ]
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
else
	skip "$name" "bsdtar is not installed"
fi

echo "1..$tests"
[ "$failed" -eq 0 ]
