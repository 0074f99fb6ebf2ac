#!/bin/bash
# Makes the image of the virtual machine that check-vm boots: Debian 13 with
# systemd, from the sources that apt has here with the release replaced. It is
# kept, and made anew when this file is another one.
#
#	DIR/root.img	ext4, mounted as /
#	DIR/vmlinuz	its kernel
#	DIR/initrd	loads what the disk needs, then hands over
#
# usage: image.sh	prints DIR; or why not, with exit status 77

set -u
umask 022

suite=trixie
packages=(linux-image-cloud-amd64 systemd-sysv dbus udev kmod apparmor iproute2
	busybox-static lxc zstd xz-utils procps python3)

cannot()
{
	echo "$1"
	exit 77
}

# The archive of this release, as sources for the other one.
find_sources()	# RELEASE FILE
{
	local file
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -e "$file" ] || continue
		awk -v RS= -v ORS='\n\n' -v r="$1" '
			$0 ~ "(^|\n)Suites:[^\n]* " r "( |\n|$)"' "$file"
	done | sed "s/\<$1\>/$suite/g" >"$2"
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -e "$file" ] || continue
		awk -v r="$1" '$1 == "deb" {
			for (i = 3; i <= NF; i++)
				if ($i == r) { print; next }
		}' "$file"
	done | sed "s/\<$1\>/$suite/g" >"${2%.sources}.list"
	sources=()
	for file in "$2" "${2%.sources}.list"; do
		[ ! -s "$file" ] || sources+=("$file")
	done
	[ "${#sources[@]}" -gt 0 ]
}

make_tree()	# TREE
{
	local none=() dir
	for dir in doc info locale man zoneinfo; do
		none+=(--dpkgopt="path-exclude=/usr/share/$dir/*")
	done
	# no initramfs is made: ours is smaller
	mmdebstrap --mode=root --variant=essential "${none[@]}" \
		--dpkgopt=force-unsafe-io \
		--aptopt='APT::Install-Recommends "false"' \
		--include="$(IFS=,; echo "${packages[*]}")" \
		--format=directory "$suite" "$1" "${sources[@]}" >&2 || return 1
	rm -rf "$1"/var/cache/apt/* "$1"/var/lib/apt/lists/*
}

# Nothing is made when a package cannot be had; why, on one line.
can_install()
{
	mmdebstrap --simulate --mode=root --variant=essential \
		--aptopt='APT::Install-Recommends "false"' \
		--include="$(IFS=,; echo "${packages[*]}")" \
		--format=null "$suite" /dev/null "${sources[@]}" \
		>"$cache/simulated" 2>&1 && return
	cat "$cache/simulated" >&2
	cannot "packages of $suite cannot be had here: $(
		grep -E '^(E|W): ' "$cache/simulated" | head -n 1)"
}

# The tests are a service whose output is a serial line of their own.
set_up()	# TREE
{
	echo vm >"$1/etc/hostname"
	: >"$1/etc/machine-id"
	echo '/dev/vda / ext4 defaults 0 1' >"$1/etc/fstab"
	mkdir -p "$1/payload"
	cat >"$1/etc/systemd/system/check.service" <<-'EOF'
	[Unit]
	After=multi-user.target
	SuccessAction=poweroff-force
	FailureAction=poweroff-force
	[Service]
	Type=oneshot
	Environment=HOME=/root
	ExecStartPre=mount /dev/vdb /payload
	ExecStart=/bin/bash /payload/guest.sh
	StandardOutput=tty
	StandardError=inherit
	TTYPath=/dev/ttyS1
	EOF
	mkdir -p "$1/etc/systemd/system/multi-user.target.wants"
	ln -s ../check.service \
		"$1/etc/systemd/system/multi-user.target.wants/check.service"
	# nobody logs in
	for unit in getty@tty1.service serial-getty@ttyS0.service \
		serial-getty@ttyS1.service lxc-net.service lxc.service \
		apt-daily.timer apt-daily-upgrade.timer; do
		ln -sf /dev/null "$1/etc/systemd/system/$unit"
	done
}

# initrd TREE TO: busybox, the modules that the disk needs, and a script
make_initrd()
{
	local dir=$1/initrd.new file
	set -- "$1" "$2" "$1"/lib/modules/* # there is one kernel
	mkdir -p "$dir/bin" "$dir/proc" "$dir/new" "$dir/modules" || return 1
	cp "$1/bin/busybox" "$dir/bin/" || return 1
	# a line of modules.dep: the module, then what it needs, the last first
	awk -F'[: ]+' '/\/(virtio_blk|virtio_pci)\.ko/ {
		for (i = NF; i > 0; i--) if ($i != "") print $i }' \
		"$3/modules.dep" | awk '!seen[$0]++' >"$dir/list"
	while read -r file; do
		case $file in
		*.xz) xz -dc "$3/$file" >"$dir/modules/$(basename "$file" .xz)" ;;
		*.zst) zstd -qdc "$3/$file" >"$dir/modules/$(basename "$file" .zst)" ;;
		*) cp "$3/$file" "$dir/modules/" ;;
		esac || return 1
	done <"$dir/list"
	sed 's,.*/,,; s,\.xz$,,; s,\.zst$,,' "$dir/list" >"$dir/order"
	cat >"$dir/init" <<-'EOF'
	#!/bin/busybox sh

	busybox mount -t devtmpfs dev /dev
	while read -r m; do busybox insmod /modules/$m; done </order
	for i in 1 2 3 4 5 6 7 8 9; do
		[ ! -b /dev/vda ] || break
		busybox sleep 1
	done
	busybox mount -t ext4 /dev/vda /new
	busybox umount /dev
	exec busybox switch_root /new /sbin/init
	EOF
	mkdir -p "$dir/dev" && chmod 755 "$dir/init" &&
	(cd "$dir" && find . | busybox cpio -o -H newc 2>/dev/null) |
		gzip -1 >"$2" && rm -rf "$dir"
}

make_image()	# DIR
{
	make_tree "$1/tree" && set_up "$1/tree" &&
	cp "$1"/tree/boot/vmlinuz-* "$1/vmlinuz" &&
	make_initrd "$1/tree" "$1/initrd" &&
	rm -rf "$1"/tree/boot/* &&
	mke2fs -q -t ext4 -O '^has_journal' -m 0 -d "$1/tree" \
		"$1/root.img" 1500M >&2 && rm -rf "$1/tree"
}

[ "$(id -u)" -eq 0 ] || cannot "needs root"
for need in mmdebstrap mke2fs busybox zstd xz; do
	command -v $need >/dev/null || cannot "there is no $need"
done
# shellcheck source=/dev/null
release=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
cache=${REHOST_VM_CACHE:-${B:-build}/vm}
key=$(sha256sum "$0" | cut -c 1-16)
mkdir -p "$cache" && cache=$(cd "$cache" && pwd) || exit 1
if [ -z "$release" ] || ! find_sources "$release" "$cache/apt.sources"; then
	cannot "apt has no sources here"
fi
exec 9>"$cache/lock" && flock 9 || exit 1
if [ ! -e "$cache/$key/root.img" ]; then
	can_install
	find "$cache" -mindepth 1 -maxdepth 1 -type d -exec rm -rf {} +
	trap 'rm -rf "$cache/new"' EXIT
	trap 'exit 1' HUP INT TERM
	mkdir "$cache/new" && make_image "$cache/new" 9>&- &&
	mv "$cache/new" "$cache/$key" || exit 1
fi
echo "$cache/$key"
