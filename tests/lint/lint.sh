#!/bin/sh
# Runs every lint. Each says what it looked at and fails on its own; the last
# line is the sum.
#
# usage: B=DIR lint.sh [LINT...]    LINT: format layers lengths exports words
#                                   headers cppcheck shellcheck mandoc

set -u
build=${B:-build}
log=$build/log
passed=0
failed=0
mkdir -p "$log" || exit 1

# find_all TREES PATTERN...: the files of that name, sorted
find_all()
{
	trees=$1
	shift
	for pattern; do
		# shellcheck disable=SC2086 # a list of trees
		find $trees -name "$pattern" -type f
	done | LC_ALL=C sort
}

sources=$(find_all "src importers runtime tests" '*.c' '*.h')
defs=$(find_all "src importers runtime" '*.def')
units=$(find_all "src importers runtime" '*.c')
headers=$(find_all "src importers runtime" '*.h')
scripts=$(find_all "src tests" '*.sh')
pages=$(find_all src/man '*.[1-8]')
includes="-Isrc -I. -I$build"

words() { echo $#; }

# needs COMMAND: fails, with what to do, when it is not there
needs()
{
	command -v "$1" >/dev/null && return
	echo "$1 is not installed (make deps)"
	return 1
}

# shellcheck disable=SC2086 # lists of files, all through these functions
lint_format()
{
	needs clang-format &&
	clang-format --dry-run -Werror $sources &&
	echo "$(words $sources) files"
}

# shellcheck disable=SC2086
lint_layers() { awk -f tests/lint/layers.awk $sources $defs; }

# shellcheck disable=SC2086
lint_lengths() { LC_ALL=C awk -f tests/lint/lengths.awk $sources; }

lint_exports() { sh tests/lint/exports.sh "$build/obj"; }

# shellcheck disable=SC2086
lint_words() { LC_ALL=C awk -f tests/lint/words.awk $sources; }

# each header stands alone
# shellcheck disable=SC2086
lint_headers()
{
	flags=$(head -n 1 "$build/flags") || return
	status=0
	for h in $headers; do
		echo "#include \"${h#src/}\"" |
		$flags -Wno-unused -x c -fsyntax-only - || status=1
	done
	echo "$(words $headers) headers"
	return $status
}

# It does not know CLEANUP, so leaks are left to the sanitizers; a structure of
# the caller may hold a local for the time of a call; readdir_r is deprecated
# by the C library itself.
# shellcheck disable=SC2086
lint_cppcheck()
{
	# it reads an embedded file byte by byte: minutes for the small init
	units=$(grep -L '"embed/' $units)
	needs cppcheck &&
	cppcheck -q -j2 --enable=warning,performance,portability \
		--error-exitcode=1 --inline-suppr --std=c11 --library=posix \
		--template=gcc -D_GNU_SOURCE -DREHOST_VERSION='"0"' \
		--suppress=missingIncludeSystem --suppress=resourceLeak \
		--suppress=memleak --suppress=readdirCalled --suppress=autoVariables \
		--suppress=invalidFunctionArg:src/cli/progress.c \
		-D'json_object_foreach(o,k,v)=while (more(o, &k, &v))' \
		-D'json_array_foreach(a,i,v)=while (more(a, &i, &v))' \
		$includes $units &&
	echo "$(words $units) files"
}

# shellcheck disable=SC2086
lint_shellcheck()
{
	needs shellcheck &&
	shellcheck $scripts .ci/run &&
	echo "$(words $scripts .ci/run) scripts"
}

# shellcheck disable=SC2086
lint_mandoc()
{
	needs mandoc || return
	[ -z "$pages" ] || mandoc -T lint -W warning $pages || return
	echo "$(words $pages) pages"
}

[ $# -gt 0 ] || set -- format layers lengths exports words headers cppcheck \
	shellcheck mandoc
for lint; do
	out=$log/lint-$lint.txt
	if "lint_$lint" >"$out" 2>&1; then
		echo "ok - $lint: $(tail -n 1 "$out")"
		passed=$((passed + 1))
	else
		cat "$out"
		echo "not ok - $lint"
		failed=$((failed + 1))
	fi
done
echo "$passed passed, $failed failed, 0 skipped"
[ "$failed" -eq 0 ]
