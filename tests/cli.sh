#!/bin/sh
# The command line: exit statuses, messages, what is written and what is not.
# TAP; runs as any user.
#
# shellcheck disable=SC2317 # functions are called through check

set -u
cd "$(dirname "$0")/.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
top=$PWD
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$top/$rehost ;; esac
tmp=$(mktemp -d) || exit 1
forget() { chmod -R u+rwX "$tmp" 2>/dev/null; rm -rf "$tmp"; }
trap forget EXIT
trap 'exit 1' HUP TERM
LC_ALL=C
export LC_ALL
unset NO_COLOR
umask 022 # what is written must not depend on it

# What ran last, beside the output of the check.
tap_explain()
{
	echo "status $status of: rehost $ran"
	head -n 20 "$tmp/why"
	echo "--- standard error"
	head -n 20 "$tmp/err"
	echo "--- standard output"
	head -n 20 "$tmp/out"
}

# run ARGUMENT...: $status, $tmp/out, $tmp/err
run()
{
	ran=$*
	"$rehost" "$@" >"$tmp/out" 2>"$tmp/err" </dev/null
	status=$?
}

is() { [ "$status" -eq "$1" ]; }
out_has() { grep -q -e "$1" "$tmp/out"; }
err_has() { grep -q -e "$1" "$tmp/err"; }
out_empty() { [ ! -s "$tmp/out" ]; }
err_empty() { [ ! -s "$tmp/err" ]; }
none() { [ -z "$(find "$@" | tee -a "$tmp/why")" ]; }

# tree CASE: into $tmp/CASE, without what only root can make
tree()
{
	sh tests/fixture.sh "vserver/$1" "$tmp/$1" 2>/dev/null || exit 1
	chmod -R u+rwX "$tmp/$1"
	find "$tmp/$1" \( -type c -o -type b -o -type s \) -delete
}

# --- usage --------------------------------------------------------------------

usage_error() { is 2 && out_empty && err_has '^rehost: '; }

refused() # WHAT ARGUMENT...
{
	name=$1
	shift
	run "$@"
	check "usage: $name" usage_error
}

helped() { is 0 && err_empty && out_has "^usage: rehost $1" && out_has '^Options'; }

test_usage()
{
	refused "no command"
	refused "unknown command" frobnicate
	refused "unknown option" plan --frobnicate
	refused "unknown letter" scan -Z
	refused "option of another command" scan -o "$tmp/x"
	refused "option of another command, long" plan --force
	refused "value missing" plan --root
	refused "word not allowed" plan --profile=wild
	refused "format of another command" scan --format=html
	refused "format of another command" plan --format=table
	refused "format of another command" rules --format=csv
	refused "no number" plan -j many
	refused "no number" plan -j 0
	refused "unknown target" plan --root "$a" -t docker
	refused "unknown kind" plan --root "$a" --from xen
	refused "no such guest" plan --root "$a" vserver:nobody
	refused "no such path" plan --root "$a" "$tmp/nothing"
	refused "not a configuration" plan --root "$a" "$a/etc/hostname"
	refused "two roots of one name" plan --root "x=$a" --root "x=$b"
	refused "convert without -o" convert --root "$a"
	refused "capture with argument" capture now
	refused "explain without argument" explain
	refused "explain of nothing known" explain XYZ999
	refused "field not known" plan --root "$a" --set no.such=1
	refused "value not legal" plan --root "$a" --set limit.pids=lots
	refused "accept without reason" plan --root "$a" --accept NET001
	refused "accept of an unknown code" plan --root "$a" --accept XYZ999=why
	run plan --root "$a" --site "$tmp/no.conf"
	check "usage: site file that is not there" err_has "$tmp/no.conf"
	run plan --root "$tmp/nothing"
	check "a root that is not there is named" err_has "$tmp/nothing"
}

test_help()
{
	run --help
	check "--help" helped COMMAND
	for c in capture scan plan convert explain rules; do
		check "--help names $c" out_has "^  $c "
	done
	for c in capture scan plan convert explain rules; do
		run "$c" --help
		check "$c --help" helped "$c"
		run help "$c"
		check "help $c" helped "$c"
	done
	run --version
	check "--version" out_has '^rehost [0-9]\+\.[0-9]\+\.[0-9]\+$'
	run --completion bash
	check "completion is bash" bash -n "$tmp/out"
}

# --- statuses -----------------------------------------------------------------

test_statuses()
{
	run plan --root "$a"
	check "plan: 0 where nothing is blocked" is 0
	run plan --root "$d"
	check "plan: 3 where a guest is blocked" is 3
	mkdir -p "$tmp/empty/etc"
	for c in scan plan; do
		run "$c" --root "$tmp/empty"
		check "$c: 1 where no guest is found" is 1
		check "$c: the places are named" err_has '/etc/vservers'
	done
	run plan --strict --root "$a"
	check "--strict: 3 for a loss" is 3
	run plan --strict=weaker --root "$a"
	check "--strict=weaker: 3 for what is weaker" is 3
	run plan --strict=weaker --accept DEV011=known --root "$a"
	check "--strict=weaker: 0 where it is accepted" is 0
	run plan --strict=change --root "$a"
	check "--strict=change: 3" is 3
	run scan --root "$d"
	check "scan: 0, blocked guests are listed" is 0
	for c in "scan" "plan" "explain site" "rules" "capture" "--help"; do
		# shellcheck disable=SC2086 # two words
		case $c in
		scan | plan) "$rehost" $c --root "$a" >/dev/full 2>"$tmp/err" ;;
		*) "$rehost" $c >/dev/full 2>"$tmp/err" ;;
		esac
		status=$?
		ran="$c >/dev/full"
		: >"$tmp/out"
		check "$c: an output that cannot be written is an error" \
			full_error
	done
}

full_error() { is 1 && err_has 'standard output'; }

# --- scan and plan ------------------------------------------------------------

keys() { sed -n 's/.*"key": "\([^"]*\/vserver:[^"]*\)".*/\1/p' "$tmp/out" | sort -u; }
lists() { [ "$(keys | tr '\n' ' ')" = "$1 " ]; }

test_sources()
{
	run plan --root "$b" --format json vserver:db1
	check "KIND:NAME" lists vs1/vserver:db1
	run plan --root "$b" --format json vs1/vserver:ldap
	check "HOST/KIND:NAME" lists vs1/vserver:ldap
	run plan --root "$b" --format json 'vserver:*p*'
	check "a glob" lists "vs1/vserver:app3 vs1/vserver:ldap"
	run plan --root "$b" --format json "$b/etc/vservers/db1"
	check "a path" lists vs1/vserver:db1
	run plan --root "$b" --format json /etc/vservers/db1
	check "a path beneath the root" lists vs1/vserver:db1
	run plan --root "old=$b" --format json vserver:db1 vserver:db1
	check "a name for the root; a guest given twice" \
		lists old/vserver:db1
	run plan --root "$h/hostA" --root "$h/hostB" --format json vserver:web
	check "one name on two hosts" lists "vsa/vserver:web vsb/vserver:web"
	check "one name on two hosts: HST001" out_has '"HST001"'
}

json_ok()
{
	if command -v python3 >/dev/null; then
		python3 -m json.tool "$tmp/out" /dev/null
	else
		[ -s "$tmp/out" ]
	fi
}

test_formats()
{
	for f in text json html md csv; do
		run plan --root "$b" --format $f
		check "plan --format $f" out_has 'app3'
		check "plan --format $f: no error" err_empty
	done
	for f in table json csv; do
		run scan --root "$b" --size --format $f
		check "scan --format $f" out_has 'vs1/vserver:app3'
	done
	for c in scan plan; do
		run $c --root "$b" --format json
		check "$c: JSON is JSON" json_ok
	done
	run plan --root "$b" --by guest
	cp "$tmp/out" "$tmp/guests"
	run plan --root "$b"
	check "--by guest says more than --by code" shorter
	run plan --root "$a" -v
	cp "$tmp/out" "$tmp/guests"
	run plan --root "$a"
	check "-v says more" shorter
	check "a line is FILE:LINE: SEVERITY" \
		out_has '^/etc/vservers/mail/[^ ]*:[0-9]*: \(loss\|change\|note\)'
}

shorter() { [ "$(wc -c <"$tmp/out")" -lt "$(wc -c <"$tmp/guests")" ]; }

has_escape() { grep -q "$(printf '\033')" "$tmp/out"; }
no_escape() { ! has_escape; }

test_color()
{
	run plan --root "$b"
	check "no colour without a terminal" no_escape
	run plan --root "$a" --color=always
	check "--color=always" has_escape
	if ! script -qec true /dev/null </dev/null >/dev/null 2>&1; then
		skip "colour on a terminal" "script(1) does not work"
		return
	fi
	ran="plan, on a terminal"
	TERM=xterm script -qec "'$rehost' plan --root '$a'" /dev/null \
		</dev/null >"$tmp/out" 2>"$tmp/err"
	check "colour on a terminal" has_escape
	NO_COLOR=1 TERM=xterm script -qec "'$rehost' plan --root '$a'" \
		/dev/null </dev/null >"$tmp/out" 2>"$tmp/err"
	check "NO_COLOR" no_escape
	TERM=xterm script -qec "'$rehost' plan --color=never --root '$a'" \
		/dev/null </dev/null >"$tmp/out" 2>"$tmp/err"
	check "--color=never" no_escape
}

# --- the operator's decisions ----------------------------------------------------

bad_site() # WHAT LINE TEXT
{
	printf '%s\n' "$3" >"$tmp/bad.conf"
	run plan --root "$a" --site "$tmp/bad.conf"
	check "site: $1" site_error "$2"
}

site_error() { usage_error && err_has "$tmp/bad\\.conf:$1"; }

test_site()
{
	bad_site "unknown word" 1 'bogus = "x"'
	bad_site "unknown word of a block" 2 'device "eth0" {
	colour = "red" }'
	bad_site "value not allowed" 1 'soft-limit = "sometimes"'
	bad_site "not closed" 1 'guest "x" {'
	bad_site "bad network" 1 'subnet "192.0.2.300/24" { gateway = "192.0.2.1" }'
	bad_site "unknown field" 1 'guest "vserver:mail" { set = {"no.such=1"} }'
	bad_site "unknown code" 1 'accept "XYZ999" { reason = "why" }'
	cat >"$tmp/site.conf" <<-END
	device "eth0" { attach = "bridge:br7"  gateway4 = "198.51.100.1" }
	guest "vserver:nobody" { skip = true  reason = "gone" }
	guest "vserver:mail" { set = {"limit.pids=77"} }
	END
	run plan --root "$a" --site "$tmp/site.conf" --format json
	check "site: device" out_has 'lxc.net.0.link = br7'
	check "site: gateway" out_has 'lxc.net.0.ipv4.gateway = 198.51.100.1'
	check "site: set" out_has 'lxc.cgroup2.pids.max = 77'
	check "site: a pattern that fits nothing is told with its line" \
		err_has "$tmp/site.conf:2: "
	run plan --root "$a" --site "$tmp/site.conf" --format json \
		--set limit.pids=88
	check "an option beats the site file" \
		out_has 'lxc.cgroup2.pids.max = 88'
	run plan --root "$a" --format json --set vserver:mail:limit.memory=1G
	check "--set GUEST:FIELD=VALUE" \
		out_has 'lxc.cgroup2.memory.max = 1073741824'
	run plan --root "$a" --format json --set vserver:other:limit.memory=1G
	check "--set of another guest" not_out_has 'memory.max'
	printf 'guest "*/vserver:db1" { skip = true  reason = "retired" }\n' \
		>"$tmp/skip.conf"
	run plan --root "$b" --site "$tmp/skip.conf" --format json
	check "site: skip" lists "vs1/vserver:app3 vs1/vserver:ldap"
	check "site: skip is said" err_has 'db1.*skip.*retired'
}

not_out_has() { ! out_has "$1"; }

# blockers ROOT SOURCE: the codes, one a line
blockers()
{
	"$rehost" plan --root "$1" "$2" |
	sed -n 's/.*: blocker.*\[\([A-Z]*[0-9]*\)[^]]*\]$/\1/p' | sort -u
}

test_accept()
{
	run plan --root "$d" vserver:evaled
	check "blocked before it is accepted" is 3
	set --
	for c in $(blockers "$d" vserver:evaled); do
		set -- "$@" --accept "$c@vserver:evaled=change 1"
	done
	run plan --root "$d" "$@" vserver:evaled
	check "--accept: not blocked any more" is 0
	run plan --root "$d" "$@" --format json vserver:evaled
	check "--accept: the reason is on record" out_has '"change 1"'
	set --
	for c in $(blockers "$d" vserver:evaled); do
		set -- "$@" --accept "$c@vserver:other=change 1"
	done
	run plan --root "$d" "$@" vserver:evaled
	check "--accept of another guest" is 3
}

test_template()
{
	for t in "$a" "$b" "$d" "$tmp/09-netns-holder"; do
		run plan --root "$t" --site-template
		check "--site-template of ${t##*/}" out_has '^# Site file'
		cp "$tmp/out" "$tmp/template.conf"
		run plan --root "$t" --site "$tmp/template.conf"
		check "--site-template of ${t##*/} is read back" readable
		# what waits for the operator is legal once it is filled in
		sed 's/^# \(accept .*reason = "\)"/\1x"/' \
			"$tmp/template.conf" >"$tmp/filled.conf"
		run plan --root "$t" --site "$tmp/filled.conf"
		check "--site-template of ${t##*/}, filled in" readable
	done
}

readable() { [ "$status" -eq 0 ] || [ "$status" -eq 3 ] && err_empty; }

# --- convert --------------------------------------------------------------------

parts()
{
	for f in manifest.json policy.json report.json report.txt README.txt \
		SHA256SUMS rootfs.tar.zst lxc/config source/etc/vservers; do
		[ -e "$1/$f" ] || { echo "$1/$f"; return 1; }
	done
}

convert() { run convert -q --validate=off "$@"; }

test_convert()
{
	convert --root "$b" -o "$tmp/out1" -n
	check "convert -n: status" is 0
	check "convert -n: prints what would be written" \
		out_has 'write app3/lxc/config'
	check "convert -n: writes nothing" [ ! -e "$tmp/out1" ]
	convert --root "$b" -o "$tmp/out1" -j 1
	check "convert" is 0
	for g in app3 db1 ldap; do
		check "convert: parts of $g" parts "$tmp/out1/$g"
	done
	check "convert: index.json" grep -q '"vs1/vserver:app3"' \
		"$tmp/out1/index.json"
	check "convert: report.html" [ -s "$tmp/out1/report.html" ]
	check "convert: directories are 0700" none "$tmp/out1" -type d \
		! -perm 700
	check "convert: files are 0600" none "$tmp/out1" -type f ! -perm 600
	check "convert: nothing else is left" none "$tmp/out1" -name '.*'
	for g in app3 db1 ldap; do
		check "convert: SHA256SUMS of $g" sums "$tmp/out1/$g"
		check "convert: SHA256SUMS of $g names every file" \
			all_summed "$tmp/out1/$g"
		check "convert: config of $g is the plan's" \
			planned "$g" "$tmp/out1/$g/lxc/config"
	done
	check "convert: sources are kept verbatim" cmp \
		"$b/etc/vservers/app3/fstab" \
		"$tmp/out1/app3/source/etc/vservers/app3/fstab"
	if command -v zstd >/dev/null; then
		check "convert: the archive holds the guest" archived
	else
		skip "convert: the archive holds the guest" "there is no zstd"
	fi
}

sums() { (cd "$1" && sha256sum --quiet -c SHA256SUMS); }

# SHA256SUMS does not name itself, nor the manifest that is written after it
all_summed()
{
	(cd "$1" && find . -type f ! -name SHA256SUMS ! -name manifest.json |
	sed 's,^\./,,' | sort >"$tmp/files" &&
	sed 's/^[0-9a-f]*  //' SHA256SUMS | sort | diff - "$tmp/files")
}

# one guest of a fleet: places in the order of starting are the fleet's
planned()
{
	"$rehost" plan --root "$b" --format json >"$tmp/plan.json" || return
	python3 -c 'import json, sys
for g in json.load(open(sys.argv[1]))["guests"]:
    if g["id"] == sys.argv[2]:
        print(g["targets"]["lxc"]["files"]["config"], end="")' \
		"$tmp/plan.json" "$1" | cmp - "$2"
}

archived()
{
	zstd -dc "$tmp/out1/app3/rootfs.tar.zst" | tar -tf - | grep -q 'bin/ls$'
}

same_tree() { diff -r -x index.json "$1" "$2"; }

# lxc-info takes its locks in the home directory: as a user who has no file
# there yet.
test_validate()
{
	command -v lxc-info >/dev/null || {
		skip "convert: the target's own tool reads it" "needs lxc"
		return
	}
	mkdir "$tmp/home" "$tmp/user"
	cp "$rehost" "$tmp/home/rehost"
	user=
	if [ "$(id -u)" -eq 0 ]; then
		chmod 711 "$tmp"
		chown 65534:65534 "$tmp/home" "$tmp/user"
		user='setpriv --reuid=65534 --regid=65534 --clear-groups'
	fi
	ran='convert, with a new home'
	# shellcheck disable=SC2086 # a command
	(unset XDG_RUNTIME_DIR; HOME=$tmp/home $user "$tmp/home/rehost" \
		convert -q --validate=require --root "$b" -o "$tmp/user/out" \
		>"$tmp/out" 2>"$tmp/err" </dev/null)
	status=$?
	check "convert: the target's own tool reads it" is 0
	check "convert: that is recorded" grep -q '"accepted"' \
		"$tmp/user/out/db1/manifest.json"
}

test_convert_again()
{
	convert --root "$b" -o "$tmp/out2" -j 4
	check "convert: the same bytes with -j 4" same_tree "$tmp/out1" \
		"$tmp/out2"
	convert --root "$b" -o "$tmp/out1"
	check "convert: an existing guest is refused" is 1
	check "convert: --force is named" err_has '.force'
	check "convert: what was there is left alone" same_tree \
		"$tmp/out1/app3" "$tmp/out2/app3"
	echo junk >"$tmp/out1/app3/junk"
	convert --root "$b" -o "$tmp/out1" --force
	check "convert --force" is 0
	check "convert --force: replaced as a whole" same_tree "$tmp/out1" \
		"$tmp/out2"
	convert --root "$b" -o "$tmp/out3" --rootfs none vserver:db1
	check "convert --rootfs none" [ ! -e "$tmp/out3/db1/rootfs.tar.zst" ]
	check "convert --rootfs none: the rest is there" \
		[ -s "$tmp/out3/db1/lxc/config" ]
	check "convert: only what was asked for" [ ! -e "$tmp/out3/app3" ]
	convert --root "$d" -o "$tmp/out4" vserver:both vserver:evaled
	check "convert: 3 where a guest is blocked" is 3
	check "convert: the others are written" [ -s "$tmp/out4/both/lxc/config" ]
	check "convert: a blocked guest is not" [ ! -e "$tmp/out4/evaled" ]
	check "convert: a blocked guest is in the index" grep -q evaled \
		"$tmp/out4/index.json"
	convert --root "$h/hostA" --root "$h/hostB" -o "$tmp/out5" \
		--rootfs none --accept NET019=shared --accept NET020=shared \
		vserver:web
	check "convert: one name on two hosts, two directories" two_webs
	run explain "$tmp/out1/app3"
	check "explain DIR/NAME" out_has 'fstab'
	run explain "$tmp/out1/app3" nosuchthing
	check "explain DIR/NAME of nothing known" err_has nosuchthing
}

two_webs() { [ "$(find "$tmp/out5" -name manifest.json | wc -l)" -eq 2 ]; }

# --- progress ---------------------------------------------------------------

# slowly NAME COMMAND...: while it packs the large file, which xz does slowly;
# $pid, and the output in $tmp/out and $tmp/err
slowly()
{
	out=$1
	shift
	"$@" >"$tmp/out" 2>"$tmp/err" </dev/null &
	pid=$!
	for _ in $(seq 600); do
		[ ! -s "$out/.db1.part/lxc/config" ] || break
		sleep 0.05
	done
	sleep 2
}

its_line='vs1/vserver:db1  [0-9.]* [KM]iB of [0-9.]* MiB  [0-9]* %  [0-9.]* [KM]*i*B/s  [0-9:]* left'

test_progress()
{
	big=$b/vservers/db1/srv/big
	mkdir -p "${big%/*}"
	head -c 12000000 /dev/urandom | od -An -tx4 >"$big"
	set -- "$rehost" convert -j 1 --validate=off --compress xz:6 \
		--root "$b" vserver:db1 -o "$tmp/out8"
	ran="convert, asked how far it is"

	slowly "$tmp/out8" "$@"
	check "no terminal: a line when a guest starts" \
		err_has '^rehost: note: vs1/vserver:db1: converting$'
	check "no terminal: no more while it runs" [ "$(wc -l <"$tmp/err")" -eq 1 ]
	kill -USR1 "$pid"
	for _ in $(seq 100); do
		! grep -q left "$tmp/err" || break
		sleep 0.1
	done
	check "SIGUSR1: how many are done" err_has '^rehost: 0 of 1 guests are done$'
	check "SIGUSR1: bytes, rate and time left" err_has "^$its_line\$"
	kill -INT "$pid"
	wait "$pid"
	status=$?
	check "SIGINT: ends with 130" is 130
	check "SIGINT: nothing of the guest is left" \
		none "$tmp/out8" -mindepth 1

	ran="convert, on a terminal"
	slowly "$tmp/out8" env TERM=xterm script -qefc "$*" /dev/null
	sleep 1
	check "a terminal: the line is drawn" out_has "$its_line"
	check "a terminal: and drawn again in its place" out_has "$(printf '\033\[1A\033\[J')"
	kill -TERM "$pid"
	wait "$pid"
	rm -rf "$tmp/out8"
	slowly "$tmp/out8" env TERM=dumb script -qefc "$*" /dev/null
	check "a dumb terminal: as none" out_has 'note: vs1/vserver:db1: converting'
	check "a dumb terminal: nothing is drawn" [ "$(grep -c left "$tmp/out")" -eq 0 ]
	kill -TERM "$pid"
	wait "$pid"
	rm -rf "${big%/*}" "$tmp/out8"
}

# A signal: the guest under way leaves nothing that the next run trips over.
test_interrupt()
{
	big=$b/vservers/db1/srv/big
	mkdir -p "${big%/*}"
	head -c 60000000 /dev/urandom >"$big"
	"$rehost" convert -q -j 1 --validate=off --root "$b" \
		-o "$tmp/out6" vserver:db1 >"$tmp/out" 2>"$tmp/err" &
	pid=$!
	ran="convert, interrupted"
	for _ in $(seq 200); do
		[ ! -d "$tmp/out6/.db1.part" ] || break
		sleep 0.01
	done
	kill -INT "$pid"
	wait "$pid"
	status=$?
	if [ "$status" -eq 0 ]; then
		skip "SIGINT ends with 130" "it was quicker than the signal"
	else
		check "SIGINT ends with 130" is 130
		check "SIGINT: no guest is half there" [ ! -e "$tmp/out6/db1" ]
	fi
	convert --force --root "$b" -o "$tmp/out6" vserver:db1
	check "after SIGINT: the next run is whole" parts "$tmp/out6/db1"
	check "after SIGINT: nothing is left" none "$tmp/out6" -name '.*'
	rm -rf "${big%/*}" "$tmp/out6"
}

# --- the source -------------------------------------------------------------------

listing()
{
	(cd "$1" && find . -printf '%p %y %m %U %G %n %s %T@ %C@ %l\n' | sort &&
	# links and directories are read by find itself
	find . -type f -printf '%p %A@\n' | sort)
}
contents() { (cd "$1" && find . -type f -exec cksum {} + | sort); }

test_source_unchanged()
{
	contents "$b" >"$tmp/sums1"
	# older than the last change: any reading would show
	find "$b" -type f -exec touch -a -d '2010-01-01' {} +
	listing "$b" >"$tmp/list1"
	run scan --size --root "$b"
	run plan --size --root "$b"
	convert --force --root "$b" -o "$tmp/out7"
	listing "$b" >"$tmp/list2"
	contents "$b" >"$tmp/sums2"
	check "the source: owners, modes, times of access are as before" \
		diff "$tmp/list1" "$tmp/list2"
	check "the source: contents are as before" diff "$tmp/sums1" \
		"$tmp/sums2"
}

# --- what documents itself ----------------------------------------------------------

explains() # NAME
{
	"$rehost" explain "$1" >"$tmp/one" 2>&1 && [ -s "$tmp/one" ] &&
	grep -q -F -e "$1" "$tmp/one"
}

all_explained() # NAME...
{
	status=0
	for name; do
		explains "$name" || { echo "explain $name"; status=1; }
	done
	[ $# -gt 50 ] && [ $status -eq 0 ]
}

# words of the site file that no source asks for
unused_words()
{
	sed -n 's/^\([a-z-]*\) = .*(.*)$/\1/p' "$tmp/out" |
	while read -r word; do
		grep -rqF --include='*.c' --exclude='site*' "\"$word\"" src \
			importers || echo "$word"
	done
}

words_used() { [ -s "$tmp/out" ] && [ -z "$(unused_words | tee -a "$tmp/why")" ]; }

test_documents()
{
	ran="explain CODE"
	# shellcheck disable=SC2046 # a list of words
	check "explain of every code" all_explained \
		$(sed -n 's/^FINDING([A-Z0-9_]*, "\([A-Z0-9]*\)".*/\1/p' \
		src/model/findings.def)
	ran="explain FIELD"
	# shellcheck disable=SC2046
	check "explain of every field" all_explained \
		$(sed -n 's/^FIELD([A-Z0-9_]*, "\([a-z0-9.-]*\)".*/\1/p' \
		src/model/fields.def)
	run explain bcapabilities
	check "explain of a key" out_has 'capab'
	run explain site
	check "explain site" out_has 'default-attach'
	check "every word of the site file is used" words_used
	run rules
	check "rules" out_has '^|.*bcapabilities'
	run rules --format md --from vserver -t lxc
	check "rules --format md" out_has 'lxc.cgroup2.pids.max'
	run rules --format json
	check "rules --format json" json_ok
	run capture
	check "capture prints a script" sh -n "$tmp/out"
	check "capture: the script of the sources" cmp src/cli/capture.sh \
		"$tmp/out"
}

# --- all ---------------------------------------------------------------------------

[ -x "$rehost" ] || skip_all "$rehost is not built"
status=0
ran=
: >"$tmp/out"
: >"$tmp/err"
for case in 02-addresses 05-unified 09-netns-holder 18-legacy-code \
	20-mixed-fleet; do
	tree "$case"
done
a=$tmp/02-addresses
b=$tmp/05-unified
d=$tmp/18-legacy-code
h=$tmp/20-mixed-fleet
for part in usage help statuses sources formats color site accept template \
	convert validate convert_again source_unchanged interrupt progress documents; do
	[ $# -eq 0 ] || case " $* " in *" $part "*) ;; *) continue ;; esac
	"test_$part"
done
tap_end
