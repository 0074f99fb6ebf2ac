#!/bin/bash
# Makes the root file systems of Debian guests for tests that boot some, of the
# release that runs here, from the sources that apt has here:
#
#	DIR/sysvinit	with sysvinit
#	DIR/systemd	with systemd
#
# What is there already is left as it is. DIR is REHOST_DEBIAN_TREES, or else
# a place in the build directory, so that all tests of a build share it.
#
# usage: debian_trees.sh	prints DIR; or why not, with exit status 77

set -u
umask 022

cannot()
{
	echo "$1"
	exit 77
}

# Files of apt's sources that name the release.
find_sources()	# SUITE
{
	local file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list \
		/etc/apt/sources.list.d/*.sources; do
		grep -qsw -e "$1" "$file" && sources+=("$file")
	done
	[ "${#sources[@]}" -gt 0 ]
}

# One run of mmdebstrap: the tree with systemd is copied before sysvinit takes
# its place.
make_trees()	# SUITE DIR
{
	local none=() dir copy more
	mkdir -p "$2/systemd" || return 1
	for dir in doc info locale man zoneinfo; do
		none+=(--dpkgopt="path-exclude=/usr/share/$dir/*")
	done
	# shellcheck disable=SC2016 # for the shell of the hooks
	copy='tar --one-file-system -C "$1" -cf - . |
		tar -C "$REHOST_SYSTEMD" -xpf -'
	# shellcheck disable=SC2016
	more='APT_CONFIG="$MMDEBSTRAP_APT_CONFIG" apt-get -q -y \
		--no-install-recommends -oDPkg::Chroot-Directory="$1" \
		install sysvinit-core systemd-sysv- systemd-'
	REHOST_SYSTEMD=$2/systemd mmdebstrap --mode=root \
		--variant=essential --include=systemd-sysv,iproute2,ifupdown \
		"${none[@]}" --dpkgopt=force-unsafe-io --skip=cleanup/apt \
		--customize-hook="$copy" --customize-hook="$more" \
		--format=directory "$1" "$2/sysvinit" "${sources[@]}" &&
	rm -rf "$2"/*/var/cache/apt/* "$2"/*/var/lib/apt/lists/*
}

[ "$(id -u)" -eq 0 ] || cannot "needs root"
command -v mmdebstrap >/dev/null || cannot "there is no mmdebstrap"
# shellcheck source=/dev/null
suite=$(. /etc/os-release 2>/dev/null && echo "${VERSION_CODENAME:-}")
sources=()
[ -n "$suite" ] || cannot "this is no release of Debian"
find_sources "$suite" || cannot "apt has no sources for $suite"

trees=${REHOST_DEBIAN_TREES:-${B:-build}/debian-$suite}
mkdir -p "$trees" && trees=$(cd "$trees" && pwd) || exit 1
# they hold programs that are set-user-ID
chmod 700 "$trees" || exit 1
exec 9>"$trees/lock" && flock 9 || exit 1
if [ ! -d "$trees/sysvinit" ] || [ ! -d "$trees/systemd" ]; then
	rm -rf "$trees/new" "$trees/systemd" "$trees/sysvinit"
	trap 'rm -rf "$trees/new"' EXIT
	trap 'exit 1' HUP INT TERM
	make_trees "$suite" "$trees/new" >&2 9>&- &&
	mv "$trees/new/systemd" "$trees/systemd" &&
	mv "$trees/new/sysvinit" "$trees/sysvinit" || exit 1
fi
echo "$trees"
