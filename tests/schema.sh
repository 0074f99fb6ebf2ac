#!/bin/sh
# schema.sh - the documents of plan, scan and convert are what the JSON Schemas
# in src/report promise, for every fixture; and a schema does refuse.
#
# TAP on standard output. Needs python3 with jsonschema. Runs as any user.

here=$(cd "$(dirname "$0")/.." && pwd) || exit 1
# shellcheck source=tests/tap.sh
. "$here/tests/tap.sh"
rehost=${REHOST:-$here/build/rehost}
schemas=$here/src/report
python=
for p in python3 /usr/bin/python3; do
	if "$p" -c 'import jsonschema' 2>/dev/null; then
		python=$p
		break
	fi
done
if [ -z "$python" ]; then
	echo "1..0 # SKIP python3-jsonschema is not installed"
	exit 0
fi
tmp=$(mktemp -d "${TMPDIR:-/tmp}/schema.XXXXXX") || exit 1
trap 'chmod -R u+rwx "$tmp"; rm -rf "$tmp"' EXIT
trap 'exit 1' HUP INT TERM

# valid SCHEMA[#DEFINITION] FILE...
cat >"$tmp/valid.py" <<'END'
import json
import sys

import jsonschema

name, _, part = sys.argv[1].partition("#")
with open(name) as f:
    schema = json.load(f)
jsonschema.Draft7Validator.check_schema(schema)
if part:
    schema = {"$ref": "#/definitions/" + part,
              "definitions": schema["definitions"]}
validator = jsonschema.Draft7Validator(schema)
bad = 0
for path in sys.argv[2:]:
    with open(path) as f:
        document = json.load(f)
    for e in validator.iter_errors(document):
        where = "/".join(str(p) for p in e.absolute_path)
        print("%s: %s: %s" % (path, where, e.message[:200]))
        bad = 1
sys.exit(bad)
END

valid()
{
	schema=$1
	shift
	"$python" "$tmp/valid.py" "$schemas/$schema" "$@"
}

refused()
{
	! valid "$@"
}

# run NAME ARGUMENT...: the document goes to $tmp/NAME.json; 2 is a slip here
run()
{
	run_name=$1
	shift
	"$rehost" "$@" >"$tmp/$run_name.json" 2>"$tmp/$run_name.err" \
		</dev/null
	[ $? -ne 2 ] && [ -s "$tmp/$run_name.json" ]
}

# fixture CASE [IMPORTER]: a host of that name
fixture()
{
	sh "$here/tests/fixture.sh" "${2:-vserver}/$1" "$tmp/$1" 2>/dev/null
}

guests()
{
	[ "$(grep -c '"settings": \[' "$tmp/$1.json")" -ge "$2" ]
}

# changed NAME OLD NEW: another document that is not one any more
changed()
{
	sed "s/$2/$3/" "$tmp/$1.json" >"$tmp/$1.bad.json"
	! cmp -s "$tmp/$1.json" "$tmp/$1.bad.json"
}

for dir in "$here"/fixtures/vserver/*/ "$here"/fixtures/openvz/*/ "$here"/fixtures/libvirt/*/; do
	case=$(basename "$dir")
	fixture "$case" "$(basename "$(dirname "$dir")")" || {
		check "fixture $case" false
		continue
	}
	set --
	for root in "$tmp/$case" "$tmp/$case"/*/; do
		[ -d "$root/etc" ] || [ -d "$root/usr" ] || continue
		set -- "$@" --root "$root"
	done
	check "$case: plan runs" run "plan-$case" plan --format json "$@"
	check "$case: plan" valid plan.schema.json "$tmp/plan-$case.json"
	check "$case: scan runs" run "scan-$case" scan --format json "$@"
	check "$case: scan" valid scan.schema.json "$tmp/scan-$case.json"
done

check "a plan has guests" guests plan-02-addresses 1
for slip in 's/"schema": 1/"schema": 2/' 's/"severity"/"gravity"/' \
	's/"carried"/"lost"/' 's/"line": [0-9]*/"line": "1"/'; do
	# shellcheck disable=SC2086 # the two halves of the slip
	old=${slip#s/} new=
	new=${old#*/} old=${old%%/*} new=${new%/}
	check "plan-02-addresses holds $old" changed plan-02-addresses \
		"$old" "$new"
	check "not a plan: $new" refused plan.schema.json \
		"$tmp/plan-02-addresses.bad.json"
done

# what is blocked is not written: some of these guests are enough
convert()
{
	"$rehost" convert -o "$tmp/out" --rootfs none --validate off --live \
		--root "$tmp/02-addresses" --root other="$tmp/17-limits" \
		>"$tmp/convert.log" 2>&1 </dev/null
	[ -n "$(find "$tmp/out" -name policy.json)" ] || {
		cat "$tmp/convert.log"
		return 1
	}
}

check "convert writes policies" convert
check "policy.json" valid policy.schema.json "$tmp"/out/*/policy.json
check "report.json" valid plan.schema.json#guest "$tmp"/out/*/report.json
check "a plan is no policy" refused policy.schema.json \
	"$tmp/plan-02-addresses.json"

tap_end
