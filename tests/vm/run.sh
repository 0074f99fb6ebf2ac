#!/bin/bash
# Runs the part of the suite that needs cgroup v2 alone and modules of the
# kernel in a virtual machine: Debian 13, by emulation, so that it goes
# anywhere. Prints TAP. Needs root, qemu-system-x86, mmdebstrap; packages come
# from apt's sources when the image is made for the first time.
#
# The last line is the sum, with the time it took and the load it had.
#
# usage: run.sh [PATTERN]	only parts of guest.sh whose name fits

set -u
cd "$(dirname "$0")/../.." || exit 1
build=${B:-build}
# of the machine alone; it needs a fraction where no one else is at work
seconds=${VM_TIMEOUT:-1800}

skip_all()
{
	echo "1..0 # SKIP $1"
	echo "check-vm: skipped: $1"
	exit 0
}

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
command -v qemu-system-x86_64 >/dev/null ||
	skip_all "there is no qemu-system-x86_64"
tmp=$(mktemp -d "${TMPDIR:-/var/tmp}/rehost-vm.XXXXXX") || exit 1
machine=
# sum FILE: of its TAP
sum()
{
	awk -v seconds=$SECONDS -v load="$(cut -d ' ' -f 1-3 /proc/loadavg)" '
		/^ok .*# *SKIP/ { skip++; next }
		/^ok / { good++ }
		/^not ok / { bad++ }
		/^1\.\./ { plan = substr($1, 4) }
		END {
			if (plan == "" || plan != good + bad + skip)
				bad++
			printf "check-vm: %d passed, %d failed, %d skipped; " \
				"%d seconds, load %s\n",
				good, bad, skip, seconds, load
			exit bad > 0
		}' "$1"
}

# failed WHAT LOG: before the machine is started
failed()
{
	tail -n 20 "$2" | sed 's/^/# /'
	printf 'not ok 1 - %s\n1..1\n' "$1" | tee "$tmp/tap"
	sum "$tmp/tap"
	exit 1
}

finish()
{
	if [ -n "$machine" ]; then
		kill "$machine" 2>/dev/null
		wait "$machine" 2>/dev/null # its disks are open until then
	fi
	rm -rf "$tmp"
}
trap finish EXIT
trap 'exit 1' HUP INT TERM

image=$(bash tests/vm/image.sh 2>"$tmp/image.log")
made=$?
[ "$made" -ne 77 ] || skip_all "$image"
[ "$made" -eq 0 ] || failed "the image of the machine" "$tmp/image.log"

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
		"$tmp/payload.img" 2G >>"$tmp/guests.log" && rm -rf "$payload"
}

fill "$@" || failed "what the machine is given" "$tmp/guests.log"

# "snapshot": what is written is thrown away
# One thread: with several a processor may run what another has just patched
# (int3 of a static key, "Fatal exception" in the middle of an instruction).
timeout "$seconds" qemu-system-x86_64 -accel tcg,thread=single -cpu max \
	-smp 2 -m 1536 -nodefaults -no-reboot -display none -nic none \
	-kernel "$image/vmlinuz" -initrd "$image/initrd" \
	-append 'console=ttyS0 root=/dev/vda rw panic=-1' \
	-drive "file=$image/root.img,format=raw,if=virtio,snapshot=on" \
	-drive "file=$tmp/payload.img,format=raw,if=virtio,snapshot=on" \
	-serial "file:$tmp/console" -serial "file:$tmp/line" \
	</dev/null >"$tmp/qemu.log" 2>&1 &
machine=$!
wait "$machine"
status=$?
machine=
tr -d '\r' <"$tmp/line" >"$tmp/tap"
cat "$tmp/tap"
if ! grep -q '^1\.\.' "$tmp/tap"; then
	echo "# qemu ended with $status"
	tail -n 40 "$tmp/qemu.log" "$tmp/console" | tr -d '\r' | sed 's/^/# /'
	echo "not ok - the machine did not get to the end" | tee -a "$tmp/tap"
fi
sum "$tmp/tap"
