#!/bin/sh
# Prints the dictionary of a fuzzer: the one beside this script, or the keys and
# examples of an importer's rows, as the program itself tells them.
#
# usage: dict.sh REHOST FUZZER

set -eu
cd "$(dirname "$0")"
if [ -f "$2.dict" ]; then
	cat "$2.dict"
	exit
fi
cd - >/dev/null
"$1" rules --format json --from "${2#fuzz_}" 2>/dev/null |
sed -nE '
	s/^ *"(setting|example)": "((\\.|[^\\"])*)",?$/\2/
	t found
	d
	:found
	s/\\n.*//
	s/\\"/"/g
	s/[^ -~]//g
	s/[\\"]/\\&/g
	/./s/.*/"&"/p' | LC_ALL=C sort -u
