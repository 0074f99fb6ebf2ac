#!/bin/sh
# The cases of fixtures/IMPORTER: what plan and scan print of them is compared
# byte by byte with CASE/expect/, for the ordinary user and for root, with any
# number of workers, in any locale and wherever the tree is mounted; and every
# setting is counted a second time by a reader that knows the grammar only. TAP.
#
# usage: golden.sh [--accept] [CASE...]     CASE: a directory's name, or a part
#
#	expect/findings.txt   plan --by guest -v, then the exit status
#	expect/scan.txt       scan
#	expect/NAME.model     every field with its origin
#	expect/NAME.lxc       the LXC config, and the files beside it
#
# In a case with a file `convert`, for each guest that it names:
#
#	expect/NAME.convert   what its package's report says of the tree
#
# --accept writes what the program prints now, for review as a diff. Long lists
# of findings are kept without the advice, which is the catalogue's; of what has
# more than 2500 lines the head and a digest. Device nodes, sockets
# and modes that stop an ordinary user are left out: results must not depend on
# who runs it (tests/root/lxc.sh looks at nodes).

set -u
cd "$(dirname "$0")/.." || exit 1
top=$PWD
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$top/$rehost ;; esac
accept=no
if [ "${1-}" = --accept ]; then
	accept=yes
	shift
fi
tmp=$(mktemp -d) || exit 1
trap 'chmod -R u+rwX "$tmp" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM
# shellcheck source=tests/tap.sh
. tests/tap.sh

# tree CASE DIR: as the same for everybody
tree()
{
	sh tests/fixture.sh "$1" "$2" 2>/dev/null || return
	chown -hR "$(id -u):$(id -g)" "$2" 2>/dev/null
	chmod -R u+rwX "$2" || return
	find "$2" \( -type c -o -type b -o -type s \) -delete || return
	TZ=UTC0 find "$2" -exec touch -h -t 201405130000 {} +
}

# roots DIR: "--root DIR" for each host in it, NUL-terminated, into $tmp/roots
roots()
{
	if [ -d "$1/etc" ]; then
		printf '%s\0' --root "$1"
	else
		for sub in "$1"/*/; do
			[ ! -d "$sub/etc" ] || printf '%s\0' --root "${sub%/}"
		done
	fi >"$tmp/roots"
}

# with_roots COMMAND...
with_roots() { xargs -0 "$@" <"$tmp/roots"; }

# run DIR OPTION...: all outputs of the case, raw, into DIR
run()
{
	out=$1
	shift
	mkdir -p "$out" || return
	with_roots "$rehost" plan --by guest -v "$@" >"$out/findings.txt" \
		2>"$out/findings.err"
	# xargs: 1 to 125 become 123; the status is asked for alone
	# shellcheck disable=SC2016 # the inner shell expands
	with_roots sh -c '"$0" plan -q "$@" >/dev/null 2>&1; echo $?' \
		"$rehost" "$@" >"$out/status"
	echo "exit status $(cat "$out/status")" >>"$out/findings.txt"
	with_roots "$rehost" plan -t model,lxc --format json "$@" \
		>"$out/plan.json" 2>"$out/plan.err"
	with_roots "$rehost" scan "$@" >"$out/scan.txt" 2>"$out/scan.err"
}

# converted CASE DIR: the tree's findings and edits of packages, into DIR
converted()
{
	[ -f "$1/convert" ] || return 0
	while read -r guest; do
		rm -rf "$tmp/package"
		"$rehost" convert -q --rootfs none -t lxc -o "$tmp/package" \
			--root "$tmp/tree" "vserver:$guest" \
			>/dev/null 2>"$2/$guest.err"
		grep -E '\[(DSK|EDT)[0-9]|^/' "$tmp/package/$guest/report.txt" |
		grep -E ': remove|\[DSK' >"$2/$guest.convert" || return
	done <"$1/convert"
}

# files FROM TO: the texts for expect/, a file each
files()
{
	mkdir -p "$2" || return
	python3 - "$1" "$2" <<'END'
import hashlib, json, os, re, sys

source, target = sys.argv[1:]


def put(name, text):
    lines = text.splitlines(keepends=True)
    if len(lines) > 600 and name == "findings.txt":
        lines = [line for line in lines if not line.startswith("    ")]
        text = "".join(lines)
    if len(lines) > 2500:
        text = "".join(lines[:60]) + "... %d lines, sha256 %s\n" % (
            len(lines), hashlib.sha256(text.encode()).hexdigest())
    with open(os.path.join(target, name), "w", newline="") as f:
        f.write(text)


for name in ("findings.txt", "scan.txt"):
    with open(os.path.join(source, name), newline="") as f:
        put(name, f.read())
for name in sorted(os.listdir(source)):
    if name.endswith(".convert"):
        with open(os.path.join(source, name), newline="") as f:
            put(name, f.read())
with open(os.path.join(source, "plan.json")) as f:
    guests = json.load(f)["guests"]
hosts = {g["host"] for g in guests}
for g in guests:
    name = re.sub(r"[^A-Za-z0-9._-]", "_", g["id"])
    if len(hosts) > 1:
        name = g["host"] + "-" + name
    if len(name) > 60:
        name = name[:60]
    name = re.sub(r"^[-.]", "_", name)
    texts = {t: d["files"] for t, d in g["targets"].items()}
    if "model" in texts:
        put(name + ".model", texts["model"]["model.txt"])
    if "lxc" in texts:
        put(name + ".lxc", "".join(
            text if path == "config" else "--- %s\n%s" % (path, text)
            for path, text in sorted(texts["lxc"].items())))
END
}

# conserved FILE: each setting is in one bin a target, and there are as many as
# count_settings.py counts
conserved()
{
	tr '\0' '\n' <"$tmp/roots" | grep -v '^--root$' |
	python3 -c '
import json, os, sys
sys.path.insert(0, "tests")
import count_libvirt
import count_lxc
import count_openvz
import count_settings

bins = set("carried approximated overridden dropped hostside inert invalid"
           " unknown unreadable".split())
hosts, bad, total = {}, 0, 0
for line in sys.stdin.read().splitlines():
    host = count_settings.Host(line)
    with open(line + "/etc/hostname") as f:
        hosts[f.readline().strip()] = host
with open(sys.argv[1]) as f:
    guests = json.load(f)["guests"]
for g in guests:
    settings = g["settings"]
    total += len(settings)
    for s in settings:
        if set(s["outcome"]) != {"model", "lxc"} or \
                not bins.issuperset(s["outcome"].values()):
            print("%s: %s: outcome %s" % (g["key"], s["key"], s["outcome"]))
            bad = 1
    host = hosts[g["host"]]
    if g["kind"] == "openvz":
        again = count_openvz.count(host, g["source"])
    elif g["kind"] == "lxc":
        again = count_lxc.count(host, g["source"])
    elif g["kind"] == "libvirt":
        if g["verdict"] == "failed":  # no XML that libvirt reads
            continue
        again = count_libvirt.count(host, g["source"])
    else:
        again = count_settings.count(host, os.fsencode(g["id"]))
    if again != len(settings):
        print("%s: %d settings, counted again %d" % (
            g["key"], len(settings), again))
        bad = 1
if not guests:
    print("no guest")
    bad = 1
print("%d settings of %d guests" % (total, len(guests)))
sys.exit(bad)' "$1"
}

# same A B: the raw outputs of two runs
same()
{
	for f in findings.txt plan.json scan.txt; do
		cmp "$1/$f" "$2/$f" || return
	done
}

# sound DIR: nothing is a fault of the program
sound()
{
	! grep -nE 'SYN00[12]|read and not accounted' "$1"/findings.txt &&
	! grep -nE ': (failed|killed|signal)' "$1/findings.err" &&
	# control bytes would reach a terminal
	! LC_ALL=C grep -nP '[\x00-\x08\x0b-\x1f\x7f]' "$1/findings.txt" "$1/scan.txt"
}

# compare CASE: what is in expect/ and what is printed
compare()
{
	rm -rf "$tmp/files"
	files "$tmp/one" "$tmp/files" >"$tmp/why" 2>&1 || return
	if [ "$accept" = yes ]; then
		rm -rf "$1/expect" && cp -R "$tmp/files" "$1/expect"
		return
	fi
	[ -d "$1/expect" ] || {
		echo "$1/expect is not there; --accept makes it" >"$tmp/why"
		return 1
	}
	diff -ru "$1/expect" "$tmp/files" >"$tmp/why"
}

has_mke2fs() { (PATH=$PATH:/usr/sbin:/sbin command -v mke2fs >/dev/null); }

one_case()
{
	name=${1##*/}
	rm -rf "$tmp/tree" "$tmp/mounted" "$tmp/one" "$tmp/two"
	if grep -qs '^ploop' "$1/setup.tsv" && ! has_mke2fs; then
		skip "$name" "there is no mke2fs"
		return
	fi
	tree "$1" "$tmp/tree" || {
		ok 1 "$name: set up"
		return
	}
	roots "$tmp/tree"
	LC_ALL=C run "$tmp/one" -j 1
	converted "$1" "$tmp/one" || ok 1 "$name: converted"
	compare "$1"
	ok $? "$name: as expected" "$tmp/why"
	sound "$tmp/one" >"$tmp/why" 2>&1
	ok $? "$name: sound" "$tmp/why"
	mkdir -p "$tmp/mounted" && mv "$tmp/tree" "$tmp/mounted/elsewhere"
	roots "$tmp/mounted/elsewhere"
	(cd / && LC_ALL=C.UTF-8 TZ=Asia/Tokyo run "$tmp/two" -j 4)
	same "$tmp/one" "$tmp/two" >"$tmp/why" 2>&1
	ok $? "$name: the same with -j 4, in another locale, mounted elsewhere" \
		"$tmp/why"
	conserved "$tmp/one/plan.json" >"$tmp/why" 2>&1
	ok $? "$name: conserved: $(tail -n 1 "$tmp/why")" "$tmp/why"
	chmod -R u+rwX "$tmp/mounted"
}

# chosen CASE [WORD...]: whether one of the words is part of its name
chosen()
{
	path=$1
	shift
	[ $# -gt 0 ] || return 0
	for word; do
		case $path in *"$word"*) return 0 ;; esac
	done
	return 1
}

command -v python3 >/dev/null || skip_all "there is no python3"
[ -x "$rehost" ] || skip_all "$rehost is not built"
for case in fixtures/vserver/*/ fixtures/openvz/*/ fixtures/libvirt/*/ fixtures/lxc/*/; do
	if chosen "$case" "$@"; then
		one_case "${case%/}"
	fi
done
tap_end
