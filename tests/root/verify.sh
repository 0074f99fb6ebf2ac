#!/bin/bash
# A converted guest in the lab: boot and its status, the verdicts, the record.
# Wrong configurations are in sabotage.sh.
# TAP; needs root.

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
tmp=$(mktemp -d /var/tmp/rehost-verify.XXXXXX) || exit 1
trap 'rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

convert()
{
	demo_host "$tmp/host" &&
	cat >"$tmp/site.conf" <<-END &&
	device "eth0" { attach = "bridge:br0"  gateway4 = "192.0.2.1" }
	target "lxc"  { version = "5.0"  cgroup = "both" }
	END
	"$rehost" convert -q --root "$tmp/host" --site "$tmp/site.conf" \
		-o "$tmp/out" vserver:web01
}

command_status()
{
	[ "$("$rehost" boot --scratch "$tmp/s" "$dir" -- /bin/hostname)" = \
		web01.example.org ] || return 1
	"$rehost" boot --scratch "$tmp/s" "$dir" -- /bin/sh -c 'exit 7'
	[ $? -eq 7 ]
}

# look ARGUMENT...: $status, $tmp/seen
look()
{
	timeout 100 "$rehost" verify --scratch "$tmp/s" "$@" >"$tmp/seen" 2>&1
	status=$?
	cat "$tmp/seen"
}

untouched()
{
	look "$dir"
	[ "$status" -eq 0 ] && grep -q ': announced, .* 0 not as planned' \
		"$tmp/seen" && [ -n "$(ls "$dir/verify")" ]
}

too_little()
{
	look --require accepted "$dir"
	[ "$status" -eq 4 ]
}

# record: what was written is what the schema says
record()
{
	"$python" - "$dir"/verify/*.json <<-'END'
	import json, sys
	try:
	    import jsonschema
	except ImportError:
	    sys.exit(0)
	schema = json.load(open("src/report/verify.schema.json"))
	for name in sys.argv[1:]:
	    jsonschema.validate(json.load(open(name)), schema)
	    print(name)
	END
}

# What only looks cannot see all: the verdict says so.
passive()
{
	look --probes passive "$dir"
	[ "$status" -eq 5 ] && grep -q ': incomplete, .* 0 not as planned' \
		"$tmp/seen" && ! grep -q ' may \| lets out \| answers:.*yes' \
		"$tmp/seen"
}

# Limits hold when they are filled; and one that is not there does not.
heavy()
{
	look -v --probes heavy "$dir"
	[ "$status" -eq 0 ] &&
	grep -q '^  + limits *the limit of memory holds: yes' "$tmp/seen" &&
	grep -q '^  + limits *the limit of processes holds: yes' "$tmp/seen"
}
no_limit()
{
	rm -rf "$tmp/wrong"
	cp -a "$dir" "$tmp/wrong" &&
	sed -i '/pids.max/d' "$tmp/wrong/lxc/config" || return 1
	look --probes heavy "$tmp/wrong"
	[ "$status" -eq 4 ] && grep -q \
		'^  X limits *the limit of processes holds: missing: .* seen no' \
		"$tmp/seen"
}

# The last part of a group's name is the process that made it; those of runs
# that go on are not ours.
groups()
{
	find /sys/fs/cgroup -name 'rehost.web01.*' | while read -r group; do
		[ -d "/proc/${group##*.}" ] || echo "$group"
	done
}

what_is_left()
{
	groups
	grep "$tmp" /proc/self/mountinfo
	ls /sys/class/net
}

left=$(what_is_left)
dir=$tmp/out/web01
check "convert" convert
check "boot: output and status of a command" command_status
check "the untouched guest is as planned, and recorded" untouched
check "the records follow their schema" record
check "a verdict below --require is status 4" too_little
check "--probes=passive: incomplete, nothing was tried" passive
check "--probes=heavy: limits hold" heavy
check "--probes=heavy: a limit that does not" no_limit

# package POLICY-EDIT: $tmp/wrong, its documents changed by Python text, and
# the manifest with them
package()
{
	rm -rf "$tmp/wrong"
	cp -a "$dir" "$tmp/wrong" &&
	"$python" - "$tmp/wrong" "$1" <<-'END'
	import hashlib, json, os, sys
	os.chdir(sys.argv[1])
	p = json.load(open("policy.json"))
	exec(sys.argv[2])
	text = json.dumps(p)
	open("policy.json", "w").write(text)
	m = json.load(open("manifest.json"))
	for a in m["artefacts"]:
	    if a["path"] == "policy.json":
	        a["sha256"] = hashlib.sha256(text.encode()).hexdigest()
	json.dump(m, open("manifest.json", "w"))
	END
}

# A guest that had before what it has now; and one that had a right less.
same='p["source"] = p["targets"]["lxc"]; p["differences"]["lxc"] = []'
less='p["source"] = [i for i in p["source"] if i["key"] != "net_raw"]'
more='p["differences"]["lxc"] = [{"field": "cap.bounding", "key": "net_raw",
"findings": ["CAP008"], "accepted": ""}]'
equivalent()
{
	package "$same" && look --require equivalent "$tmp/wrong" &&
	[ "$status" -eq 0 ] && grep -q ': equivalent, isolation equal;' "$tmp/seen"
}
announced()
{
	package "$same; $less; $more" && look "$tmp/wrong" &&
	[ "$status" -eq 0 ] &&
	grep -q ': announced, isolation weaker;' "$tmp/seen" &&
	grep -q '^  ~ capabilities *cap.bounding net_raw: looser: .*CAP008' \
		"$tmp/seen" &&
	look --require equivalent "$tmp/wrong"
	[ "$status" -eq 4 ]
}
unannounced()
{
	package "$same; $less" && look "$tmp/wrong"
	[ "$status" -eq 4 ] && grep -q ': different, ' "$tmp/seen"
}
check "as before in everything: equivalent" equivalent
check "looser and announced: announced, never equivalent" announced
check "looser and not announced: different" unannounced

# What the lab withholds is required: the verdict has to say so.
withheld()
{
	rm -rf "$tmp/wrong"
	cp -a "$dir" "$tmp/wrong" &&
	echo 'lxc.namespace.keep = ipc' >>"$tmp/wrong/lxc/config" || return 1
	look "$tmp/wrong"
	[ "$status" -eq 5 ] && grep -q ': incomplete, ' "$tmp/seen" &&
	grep -q '^  ? namespaces *ns.ipc: required, unseen: ' "$tmp/seen"
}
check "the host's IPC is withheld: incomplete" withheld

nothing_left() { [ "$(what_is_left)" = "$left" ]; }
check "nothing is left behind" nothing_left
tap_end
