#!/bin/sh
# Prints the files that a fuzzer starts from: its corpus, in which is what it
# once found, and the configurations of an importer's fixtures.
#
# usage: seeds.sh FUZZER

set -eu
cd "$(dirname "$0")/../.."
corpus=tests/fuzz/corpus/$1
fixtures=fixtures/${1#fuzz_}
[ ! -d "$corpus" ] || find "$PWD/$corpus" -type f
[ ! -d "$fixtures" ] || find "$PWD/$fixtures" -path '*/in/*' \
	\( -name '*.conf' -o -name '*.xml' \)
