#!/bin/bash
# Runs the part of the suite that needs cgroup v2 alone and modules of the
# kernel in a virtual machine: Debian 13, by emulation, so that it goes
# anywhere. Prints TAP. Needs root, qemu-system-x86, mmdebstrap; packages come
# from apt's sources when the image is made for the first time.
#
# usage: run.sh [PATTERN]	only parts of guest.sh whose name fits

set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
# it takes about five minutes; more on a machine that is busy
seconds=${VM_TIMEOUT:-900}

skip_all()
{
	echo "1..0 # SKIP $1"
	exit 0
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
command -v qemu-system-x86_64 >/dev/null ||
	skip_all "there is no qemu-system-x86_64"
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/rehost-vm.XXXXXX") || exit 1
machine=
finish()
{
	[ -z "$machine" ] || kill "$machine" 2>/dev/null
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

image=$(bash tests/vm/image.sh 2>"$tmp/image.log")
made=$?
[ "$made" -ne 77 ] || skip_all "$image"
if [ "$made" -ne 0 ]; then
	tail -n 20 "$tmp/image.log" | sed 's/^/# /'
	echo "not ok 1 - the image of the machine"
	echo 1..1
	exit 1
fi

# Programs go with what they are linked to, but for the C library: that of the
# machine is newer, and other libraries may have another version there.
libraries()	# PROGRAM...
{
	ldd "$@" | awk '$3 ~ /^\// { print $3 }' | sort -u |
		grep -Ev '/(ld-linux.*|lib(c|m|pthread|dl|rt|resolv))\.so'
}

fill()
{
	local payload=$tmp/payload programs=("$build/rehost")
	mkdir -p "$payload/build" "$payload/lib" &&
	bash tests/vm/guests.sh "$payload/guests" "${1:-*}" >"$tmp/guests.log" 2>&1 ||
		return 1
	for program in box devprog; do
		programs+=("$build/check_$program")
	done
	cp -a tests "$payload/" && cp tests/vm/guest.sh "$payload/" &&
	mkdir -p "$payload/src/report" &&
	cp src/report/*.json "$payload/src/report/" &&
	cp -L "${programs[@]}" "$payload/build/" &&
	libraries "${programs[@]}" | xargs cp -Lt "$payload/lib/" &&
	printf '%s\n' "${1:-*}" >"$payload/pattern" &&
	mke2fs -q -t ext4 -O '^has_journal' -m 0 -d "$payload" \
		"$tmp/payload.img" 2G && rm -rf "$payload"
}

if ! fill "$@"; then
	tail -n 20 "$tmp/guests.log" | sed 's/^/# /'
	echo "not ok 1 - what the machine is given"
	echo 1..1
	exit 1
fi

# "snapshot": what is written is thrown away
timeout "$seconds" qemu-system-x86_64 -accel tcg,thread=multi -cpu max \
	-smp 2 -m 1536 -nodefaults -no-reboot -display none -nic none \
	-kernel "$image/vmlinuz" -initrd "$image/initrd" \
	-append 'console=ttyS0 root=/dev/vda rw panic=-1' \
	-drive "file=$image/root.img,format=raw,if=virtio,snapshot=on" \
	-drive "file=$tmp/payload.img,format=raw,if=virtio,snapshot=on" \
	-serial "file:$tmp/console" -serial "file:$tmp/tap" \
	</dev/null >"$tmp/qemu.log" 2>&1 &
machine=$!
wait "$machine"
status=$?
machine=
tr -d '\r' <"$tmp/tap"
if ! grep -q '^1\.\.' "$tmp/tap"; then
	echo "# qemu ended with $status"
	tail -n 40 "$tmp/qemu.log" "$tmp/console" | tr -d '\r' | sed 's/^/# /'
	echo "not ok - the machine did not get to the end"
	exit 1
fi
! grep -q '^not ok' "$tmp/tap"
