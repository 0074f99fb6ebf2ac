#!/bin/sh
# Sees to it that the packages of tests/deps.txt are there. As root on Debian
# it installs what is missing; otherwise it lists it. Fails only when something
# is missing without which nothing can be built.
#
# usage: deps.sh [GROUP...]	groups beside "build" and "test"

set -u
list=$(dirname "$0")/deps.txt

# missing GROUP: its packages that are not installed, on one line
missing()
{
	# shellcheck disable=SC2046 # names of packages
	set -- $(awk -v group="$1" '!/^#/ && $2 == group { print $1 }' "$list")
	dpkg-query -W -f '${db:Status-Status} ${Package}\n' "$@" 2>/dev/null |
	awk -v wanted="$*" '
		$1 == "installed" { have[$2] = 1 }
		END {
			n = split(wanted, name, " ")
			for (i = 1; i <= n; i++)
				if (!(name[i] in have))
					printf "%s ", name[i]
		}'
}

# install PACKAGE...: all at once, or what can be had of them
install()
{
	# shellcheck disable=SC2086 # options are words
	set -- $options "$@"
	apt-get "$@" >/dev/null 2>&1 && return
	shift $(($(echo "$options" | wc -w)))
	for package; do
		# shellcheck disable=SC2086
		apt-get $options "$package" >/dev/null 2>&1
	done
}

if ! command -v dpkg-query >/dev/null; then
	echo "deps: not a Debian system, packages are not looked up"
	exit 0
fi

options="-q -y --no-install-recommends install"
wanted="$(missing build)$(missing test)"
for group; do
	wanted="$wanted$(missing "$group")"
done
if [ -n "$wanted" ] && [ "$(id -u)" -eq 0 ]; then
	export DEBIAN_FRONTEND=noninteractive
	echo "deps: installing $wanted"
	apt-get -q update >/dev/null 2>&1 || echo "deps: apt-get update failed"
	# shellcheck disable=SC2086 # a list of words
	install $wanted
fi

test=$(missing test)
[ -z "$test" ] || echo "deps: missing, so some tests are skipped: $test"
build=$(missing build)
if [ -n "$build" ]; then
	echo "deps: missing, nothing can be built without: $build" >&2
	exit 1
fi
