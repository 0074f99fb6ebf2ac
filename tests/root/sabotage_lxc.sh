#!/bin/bash
# The sabotage suite once more, with guests that the real lxc-start runs. TAP;
# needs root.

cd "$(dirname "$0")/../.." || exit 1
command -v lxc-start >/dev/null || {
	echo "1..0 # SKIP lxc-start is not installed"
	exit 0
}
exec bash tests/root/sabotage.sh lxc
