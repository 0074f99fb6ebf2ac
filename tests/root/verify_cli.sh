#!/bin/bash
# rehost verify as it is called: formats, marks, statuses and which comes
# first, what is accepted, records, several at a time, interrupts. TAP; needs
# root.

set -u
cd "$(dirname "$0")/../.." || exit 1
# shellcheck source=tests/tap.sh
. tests/tap.sh
rehost=${REHOST:-build/rehost}
case $rehost in /*) ;; *) rehost=$PWD/$rehost ;; esac
# shellcheck source=tests/demo_host.sh
. tests/demo_host.sh
LC_ALL=C
export LC_ALL
python=/usr/bin/python3
tmp=$(mktemp -d /var/tmp/rehost-cli.XXXXXX) || exit 1
trap 'umount "$tmp/tmpfs" 2>/dev/null; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# web01 as planned, db01 incomplete (a file server is withheld), old
convert()
{
	demo_host "$tmp/host" &&
	rm -r "$tmp/host/etc/vservers/old/scripts" &&
	echo 'server:/export /mnt nfs defaults 0 0' \
		>>"$tmp/host/etc/vservers/db01/fstab" &&
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out"
	cp -a "$tmp/out/web01" "$tmp/dead" &&
	sed -i '$a lxc.init.cmd = /bin/false' "$tmp/dead/lxc/config" &&
	cp -a "$tmp/out/web01" "$tmp/wrong" &&
	sed -i 's/^lxc.uts.name = .*/lxc.uts.name = other/' \
		"$tmp/wrong/lxc/config" &&
	echo 'site "none"' >"$tmp/bad.conf" && : >"$tmp/empty.conf"
}

# look ARGUMENT...: $status, $tmp/seen, $tmp/said
look()
{
	timeout 300 "$rehost" verify --site "$tmp/empty.conf" \
		--scratch "$tmp/s" "$@" >"$tmp/seen" 2>"$tmp/said"
	status=$?
	cat "$tmp/seen" "$tmp/said"
}

# ends STATUS ARGUMENT...
ends()
{
	local want=$1
	shift
	look "$@"
	echo "status $status, not $want"
	[ "$status" -eq "$want" ]
}

marks()
{
	LC_ALL=$1 look -v "$tmp/wrong"
	grep -q "^  $2 identity " "$tmp/seen" &&
	grep -q "^  $3 identity *id.hostname: " "$tmp/seen"
}

# Differences alone, but for -v
short()
{
	look "$tmp/out/web01"
	! grep -q '^  + ' "$tmp/seen" && grep -q '^  ~ ' "$tmp/seen"
}

json()
{
	look --format json "$tmp/out/web01" "$tmp/dead" "$tmp/out/db01"
	"$python" - "$tmp/seen" "$@" <<-'END'
	import json, sys
	d = json.load(open(sys.argv[1]))
	seen = [g["name"] + " " + g["verdict"] for g in d["guests"]]
	print(seen)
	assert seen == ["web01 announced", "web01 failed", "db01 incomplete"]
	try:
	    import jsonschema
	except ImportError:
	    sys.exit(0)
	jsonschema.validate(d, json.load(open("src/report/verify.schema.json")))
	END
}

junit()
{
	look --format junit "$tmp/wrong" "$tmp/dead"
	"$python" - "$tmp/seen" <<-'END'
	import sys, xml.etree.ElementTree as x
	suites = x.parse(sys.argv[1]).getroot().findall("testsuite")
	print([s.attrib for s in suites])
	assert [s.get("failures") for s in suites] == ["1", "0"]
	assert [s.get("errors") for s in suites] == ["0", "1"]
	for s in suites:
	    assert int(s.get("tests")) == len(s.findall("testcase"))
	    assert int(s.get("skipped")) == len(s.findall("testcase/skipped"))
	END
}

# The codes of every difference that was announced, and of those looser.
codes()
{
	"$python" - "$tmp/out/web01/policy.json" <<-'END'
	import json, sys
	d = json.load(open(sys.argv[1]))["differences"]["lxc"]
	print("\n".join(sorted({c for i in d for c in i["findings"]})))
	END
}

accept_blocks()
{
	codes | sed "s,.*,accept \"&\" { guests = {\"vs1/*\"}  reason = \"change 42\"  by = \"mr\" },"
}

accepted()
{
	accept_blocks >"$tmp/accept.conf"
	look --site "$tmp/accept.conf" --require accepted "$tmp/out/web01"
	[ "$status" -eq 0 ] && grep -q ': accepted, ' "$tmp/seen" &&
	grep -q '\] accepted: change 42$' "$tmp/seen"
}

# All but one: the verdict is what the rest of it makes.
not_all_accepted()
{
	accept_blocks | grep -v NET036 >"$tmp/accept.conf"
	look --site "$tmp/accept.conf" --require accepted "$tmp/out/web01"
	[ "$status" -eq 4 ] && grep -q ': announced, ' "$tmp/seen" || return 1
	look --site "$tmp/accept.conf" --require accepted \
		--accept 'NET036@vs1/*=groups are wanted' "$tmp/out/web01"
	[ "$status" -eq 0 ] && grep -q ': accepted, ' "$tmp/seen"
}

# Of another guest, another target: not this one's.
accepted_of_others()
{
	accept_blocks | sed 's,vs1/\*,vs2/*,' >"$tmp/accept.conf"
	ends 4 --site "$tmp/accept.conf" --require accepted \
		"$tmp/out/web01" || return 1
	accept_blocks | sed 's,by =,target = "oci"  by =,' >"$tmp/accept.conf"
	ends 4 --site "$tmp/accept.conf" --require accepted "$tmp/out/web01"
}

# Accepted when it was converted: policy.json says so.
converted_accepted()
{
	accept_blocks >"$tmp/accept.conf"
	cat "$tmp/site.conf" >>"$tmp/accept.conf"
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/accept.conf" \
		-o "$tmp/out2" vserver:web01 &&
	ends 0 --require accepted "$tmp/out2/web01"
}

site_requires()
{
	echo 'require = "accepted"' >"$tmp/require.conf"
	ends 4 --site "$tmp/require.conf" "$tmp/out/web01" &&
	ends 0 --site "$tmp/require.conf" --require announced "$tmp/out/web01"
}

records()
{
	rm -rf "$tmp/out/web01/verify"
	look "$tmp/out/web01"
	look "$tmp/out/web01"
	[ "$(find "$tmp/out/web01/verify" -name '*.json' | wc -l)" -eq 2 ] ||
		return 1
	# another one in the same second
	look "$tmp/out/web01" "$tmp/out/web01" "$tmp/out/web01"
	[ "$(find "$tmp/out/web01/verify" -name '*.json' | wc -l)" -eq 5 ] &&
	[ "$(stat -c %a "$tmp"/out/web01/verify/*.json | sort -u)" = 600 ]
}

# In the order in which they were named, whatever is done first.
several()
{
	look -j 2 "$tmp/out/old" "$tmp/out/web01" "$tmp/dead" "$tmp/out/db01"
	[ "$status" -eq 1 ] &&
	[ "$(sed -n 's/^vs1.vserver:\([a-z0-9]*\): lxc on.*/\1/p' \
		"$tmp/seen" | tr '\n' ' ')" = "old web01 web01 db01 " ] &&
	[ "$(grep -c ': starts$' "$tmp/said")" -eq 4 ]
}

# plan PACKAGE [PREFIX...]: without what differs from run to run
plan()
{
	local package=$1
	shift
	"$@" "$tmp/program" verify -n --site "$tmp/empty.conf" \
		--scratch "$tmp/s" "$package" |
		sed 's/rehost\.web01\.[0-9]*/RUN/g'
}

# Nobody may plan, and plans the same; tests of the planner hold the text.
dry_run()
{
	chmod 755 "$tmp"
	cp "$rehost" "$tmp/program"
	cp -a "$tmp/out/web01" "$tmp/readable"
	rm -rf "$tmp/readable/verify"
	chmod -R a+rX "$tmp/readable"
	plan "$tmp/readable" >"$tmp/ours"
	plan "$tmp/readable" setpriv --reuid 65534 --regid 65534 \
		--clear-groups >"$tmp/theirs"
	diff "$tmp/ours" "$tmp/theirs" &&
	[ "$(grep -cx -e 'lab: make bridge br0' -e 'execute /sbin/init' \
		-e "make directory $tmp/s/RUN" "$tmp/ours")" -eq 3 ] &&
	[ ! -e "$tmp/readable/verify" ]
}

# What capture saw on the old host stands beside what is seen now.
recorded()
{
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		--live -o "$tmp/out3" vserver:web01 --facts \
		fixtures/vserver/22-capture/in/rehost-capture.txt || return 1
	look --format json "$tmp/out3/web01"
	"$python" - "$tmp/seen" <<-'END'
	import json, sys
	g = json.load(open(sys.argv[1]))["guests"][0]
	seen = {c["item"]: c["observed_before"] for c in g["checks"]}
	print({k: v for k, v in seen.items() if v})
	assert seen["limit.pids"] == "150" and seen["id.hostname"] is None
	assert seen["limit.memory"] == "536870912"
	assert seen["cap.bounding chown"] == "yes"
	ports = {c["item"]: c["relation"] for c in g["checks"]
	         if c["item"].startswith("port ")}
	assert ports == {"port tcp:80": "missing", "port tcp:443": "missing",
	                 "port udp:514": "missing"}, ports
	END
}

# The newest of each engine; one of an older conversion is told from others.
stands()
{
	rm -rf "$tmp"/out/*/verify
	look "$tmp/out/web01" && look --require announced "$tmp/out/db01"
	"$rehost" status "$tmp/out" >"$tmp/table"
	cat "$tmp/table"
	[ "$(wc -l <"$tmp/table")" -eq 4 ] &&
	grep -q '^vs1/vserver:web01 *review .* lxc/builtin announced  *-' \
		"$tmp/table" &&
	grep -q '^vs1/vserver:db01 .* lxc/builtin incomplete ' "$tmp/table" &&
	grep -q '^vs1/vserver:old .*Z  *-  *-  *-  *-$' "$tmp/table" ||
		return 1
	rm "$tmp/out/web01/manifest.json"
	cp "$tmp/out/db01/manifest.json" "$tmp/out/web01/manifest.json"
	"$rehost" status "$tmp/out" >"$tmp/table"
	cp "$tmp/readable/manifest.json" "$tmp/out/web01/manifest.json"
	grep -q '^vs1/vserver:web01 .* lxc/builtin announced\* ' \
		"$tmp/table" && grep -q '^\* of an older' "$tmp/table"
}

# Of one second the numbered record is the later one.
numbered()
{
	local file
	file=$(echo "$tmp"/out/web01/verify/*.json)
	sed 's/"verdict": "announced"/"verdict": "different"/' "$file" \
		>"${file%.json}.1.json"
	"$rehost" status "$tmp/out" >"$tmp/table"
	rm "${file%.json}.1.json"
	cat "$tmp/table"
	grep -q '^vs1/vserver:web01 .* lxc/builtin different ' "$tmp/table"
}

stands_json()
{
	"$rehost" status --format json "$tmp/out" >"$tmp/status.json" &&
	"$python" - "$tmp/status.json" <<-'END'
	import json, sys
	d = json.load(open(sys.argv[1]))
	v = {g["name"]: [r["verdict"] for r in g["verified"]]
	     for g in d["guests"]}
	print(v)
	assert v == {"db01": ["incomplete"], "old": [], "web01": ["announced"]}
	try:
	    import jsonschema
	except ImportError:
	    sys.exit(0)
	jsonschema.validate(d, json.load(open("src/report/status.schema.json")))
	END
}

status_usage()
{
	"$rehost" status
	[ $? -eq 2 ] || return 1
	"$rehost" status --format html "$tmp/out"
	[ $? -eq 2 ] || return 1
	"$rehost" status "$tmp/host"
	[ $? -eq 1 ]
}

no_tmpfs()
{
	mkdir -p "$tmp/tmpfs"
	mount -t tmpfs none "$tmp/tmpfs" || return 1
	look --scratch "$tmp/tmpfs" "$tmp/out/web01"
	umount "$tmp/tmpfs"
	[ "$status" -eq 1 ] && grep -q 'is a tmpfs' "$tmp/seen"
}

interrupted()
{
	local pid
	"$rehost" verify --site "$tmp/empty.conf" --scratch "$tmp/s" \
		"$tmp/out/web01" "$tmp/out/db01" >/dev/null 2>&1 &
	pid=$!
	for _ in $(seq 200); do
		ls -d "$tmp"/s/rehost.* >/dev/null 2>&1 && break
		sleep 0.02
	done
	sleep 0.2
	kill -TERM $pid
	wait $pid
	status=$?
	echo "status $status"
	[ $status -eq 130 ] && nothing_left
}

# Groups whose maker, named by the last part, is no more.
groups_left()
{
	find /sys/fs/cgroup -name 'rehost.*.*' | while read -r group; do
		[ -d "/proc/${group##*.}" ] || echo "$group"
	done
}

what_is_left()
{
	groups_left
	find "$tmp/s" -maxdepth 1 -name 'rehost.*' 2>/dev/null
	grep "$tmp" /proc/self/mountinfo
	ls /sys/class/net
	# shellcheck disable=SC2009 # a name in the whole command line
	ps -eo args= | grep -F "$tmp/s" | grep -v grep
}

nothing_left()
{
	what_is_left >"$tmp/after"
	! grep -vxFf "$tmp/before" "$tmp/after"
}

what_is_left >"$tmp/before"
check "convert" convert
check "marks of a UTF-8 locale" marks C.UTF-8 '✓' '✗'
check "marks of another locale" marks C '+' 'X'
check "what is equal only with -v" short
check "json" json
check "junit" junit
check "status 0: announced" ends 0 "$tmp/out/web01"
check "status 5: incomplete" ends 5 "$tmp/out/db01"
check "status 4: different" ends 4 "$tmp/wrong"
check "status 4: below --require" ends 4 --require equivalent "$tmp/out/web01"
check "status 4: incomplete is below --require" \
	ends 4 --require announced "$tmp/out/db01"
check "status 5: incomplete is what is required" \
	ends 5 --require incomplete "$tmp/out/db01"
check "status 1: failed" ends 1 "$tmp/dead"
check "status 1: no package" ends 1 "$tmp/host" "$tmp/out/web01"
check "failed comes before different" ends 1 "$tmp/wrong" "$tmp/dead"
check "different comes before incomplete" ends 4 "$tmp/out/db01" "$tmp/wrong"
check "status 2: nothing named" ends 2
check "status 2: no such verdict" ends 2 --require perfect "$tmp/out/web01"
check "status 2: no such format" ends 2 --format html "$tmp/out/web01"
check "status 2: no such engine" ends 2 --engine none "$tmp/out/web01"
check "status 2: a site file that is none" \
	ends 2 --site "$tmp/bad.conf" "$tmp/out/web01"
check "status 1: not converted for it" ends 1 -t oci "$tmp/out/web01"
check "accepted by the site file" accepted
check "accepted but for one; then by --accept" not_all_accepted
check "accepted for other guests and targets" accepted_of_others
check "accepted when it was converted" converted_accepted
check "the site file's require, and --require above it" site_requires
check "what capture recorded stands in the document" recorded
check "no record is written over" records
check "several at a time, in order" several
check "-n, the same without rights" dry_run
check "status: where the guests stand" stands
check "status: two records of one second" numbered
check "status: json" stands_json
check "status: usage, and no conversion" status_usage
check "a scratch directory in memory is refused" no_tmpfs
check "SIGTERM: 130, and all is taken away" interrupted
check "nothing is left behind" nothing_left
tap_end
