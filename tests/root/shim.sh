#!/bin/sh
# rehost-init as pid 1 of a process namespace of its own, in a root of busybox:
# what it starts, clears, reaps, and how it stops. TAP; needs root.
#
# usage: shim.sh [REHOST_INIT]    by default ${B:-build}/rehost-init

set -u

init=${1:-${B:-build}/rehost-init}
# shellcheck source=tests/tap.sh
. "$(dirname "$0")/../tap.sh"

# told STATUS WHAT: with what the guest said
told() { ok "$1" "$2" "$dir/log"; }

[ "$(id -u)" -eq 0 ] || skip_all "needs root"
[ -x "$init" ] || skip_all "rehost-init is not built"
for word in unshare busybox setpriv; do
	command -v "$word" >/dev/null || skip_all "needs $word"
done
unshare --pid --fork --mount --net true 2>/dev/null ||
	skip_all "namespaces are refused here"

dir=$(mktemp -d) || exit 1
root=$dir/root
pid=
clean()
{
	[ -z "$pid" ] || kill -KILL "$pid" 2>/dev/null
	rm -rf "$dir"
}
trap clean EXIT
trap 'exit 130' INT TERM

mkdir -p "$root/bin" "$root/sbin" "$root/etc" "$root/proc" "$root/dev" \
	"$root/var/run/sub" "$root/var/lock" "$root/out" "$root/keep"
cp "$(command -v busybox)" "$root/bin/busybox"
for word in sh sleep echo env cat rm touch ps reboot ip; do
	ln -s busybox "$root/bin/$word"
done
cp "$init" "$root/sbin/rehost-init"
mknod "$root/dev/null" c 1 3 || skip_all "device nodes are refused here"

# script NAME: a program of the guest, from standard input
script()
{
	{ echo '#!/bin/sh'; cat; } >"$root/bin/$1"
	chmod 755 "$root/bin/$1"
}

# conf LINE...: the configuration
conf() { printf '%s\n' "$@" >"$root/etc/rehost-init.conf"; }

# boot [WRAPPER...]: starts the guest and waits for `up`
boot()
{
	rm -f "$root"/out/*
	: >"$dir/log"
	unshare --pid --fork --mount --net --mount-proc="$root/proc" \
		"$@" chroot "$root" /sbin/rehost-init </dev/null \
		>>"$dir/log" 2>&1 &
	shell=$!
	pid=
	until_true test -e "$root/out/up"
	get_pid
}

# get_pid: of the guest's first process, as seen here
get_pid()
{
	pid=$(cat "/proc/$shell/task/$shell/children")
	pid=${pid%% *}
}

# until_true COMMAND...: at most 10 seconds
until_true()
{
	tries=0
	until "$@"; do
		tries=$((tries + 1))
		[ "$tries" -lt 100 ] || return 1
		sleep 0.1
	done
}

# halt SIGNAL: the exit status of the guest; 130: powered off, 129: restart
halt()
{
	kill -s "$1" "$pid"
	wait "$shell" 2>/dev/null
	status=$?
	pid=
}

# steps: the lines of the log from the signal on, without the name
steps() { sed -n '/: SIG/,$s/^rehost-init: //p' "$dir/log"; }

script start <<'END'
echo "$@" >/out/args
env >/out/env
(sleep 0.2 &) # an orphan
(sleep 1000 &)
touch /out/up
exit 3
END
script stop <<'END'
echo "$@" >/out/stopped
env >/out/stop-env
reboot -f
exit 4
END

# --- start ---

touch "$root/var/run/a.pid" "$root/var/run/sub/b.pid" "$root/keep/data"
ln -s /keep/data "$root/var/run/link"
ln -s /keep "$root/var/run/sub/dir"
ln -s ../keep "$root/var/lock/up"
rmdir "$root/var/lock" 2>/dev/null || rm -r "$root/var/lock"
ln -s ../keep "$root/var/lock"
cat >"$root/etc/rehost-init.conf" <<'END'
# what a guest of style sysv gets
start=/bin/start
start=two words
start=
start=[stop]
env=RUNLEVEL=3
env=ODD=a=b c
stop=/bin/stop
stop=6
stop-env=RUNLEVEL=6
kill=SIGTERM
kill=3
kill=9
clear=/var/run
clear=/var/lock
clear=/nowhere
utmp=/var/run/utmp
runlevel=3
END
boot env container=lxc SECRET=1
[ "$(cat "$root/out/args")" = "two words  [stop]" ]
told $? "an argument a line, as it stands"
printf '%s\n' 'ODD=a=b c' \
	'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' \
	RUNLEVEL=3 TERM=linux container=lxc >"$dir/want"
grep -v -e '^PWD=' -e '^SHLVL=' "$root/out/env" | LC_ALL=C sort |
	cmp -s - "$dir/want"
told $? "the environment is the configuration's, and container"
until_true grep -q 'start: ended with 3$' "$dir/log"
told $? "it outlives the start command and tells how that ended"
sleep 0.5
# shellcheck disable=SC2013 # words are wanted
for p in $(cat "/proc/$pid/task/$pid/children"); do
	sed 's/.*) //' "/proc/$p/stat" 2>/dev/null
done >"$dir/children"
[ "$(cut -c1 "$dir/children")" = S ]
told $? "orphans are reaped, those that live are left"
[ ! -e "$root/var/run/a.pid" ] && [ ! -e "$root/var/run/sub/b.pid" ] &&
	[ ! -L "$root/var/run/link" ] && [ ! -L "$root/var/run/sub/dir" ]
told $? "files of /var/run are gone, links too"
[ -d "$root/var/run/sub" ] && [ -e "$root/keep/data" ]
told $? "directories stay, and what links lead to"
grep -q 'clear /var/lock: is no directory of its own$' "$dir/log" &&
	! grep -q nowhere "$dir/log"
told $? "a link in place of the directory is named and not followed"
[ "$(od -An -tu1 -N5 "$root/var/run/utmp" | tr -s ' ')" = " 1 0 0 0 51" ]
told $? "the run level is recorded"
nsenter --target "$pid" --net ip link show lo | grep -q '[<,]UP[,>]'
told $? "the loopback interface is up"

# --- stop ---

halt PWR
printf '%s\n' SIGPWR 'stop: /bin/stop (1 arguments)' 'stop: ended with 4' \
	'SIGTERM to all, wait 3 seconds' 'power off' >"$dir/want"
steps | cmp -s - "$dir/want"
told $? "stop command, signals, end: in this order"
[ "$status" -eq 130 ]
told $? "the namespace was powered off, not restarted by the stop command"
[ "$(cat "$root/out/stopped")" = 6 ] &&
	grep -q '^RUNLEVEL=6$' "$root/out/stop-env" &&
	! grep -q '^ODD=' "$root/out/stop-env"
told $? "arguments and environment of the stop command"

conf start=/bin/start stop=/bin/stop
boot setpriv --bounding-set=-setpcap
halt PWR
[ "$status" -eq 130 ] && [ -e "$root/out/stopped" ]
told $? "so it is without CAP_SETPCAP"

for signal in TERM RTMIN+3; do
	conf start=/bin/start
	boot
	number=$signal
	[ "$signal" = TERM ] || number=37 # SIGRTMIN is 34 of the C library
	halt "$number"
	[ "$status" -eq 130 ]
	told $? "SIG$signal powers off"
done
for signal in INT HUP; do
	conf start=/bin/start stop=/bin/stop
	boot
	halt "$signal"
	[ "$status" -eq 129 ] && [ -e "$root/out/stopped" ]
	told $? "SIG$signal stops and restarts"
done

script stubborn <<'END'
trap '' TERM
touch /out/up
while :; do sleep 1; done
END
conf start=/bin/stubborn stop=/bin/stubborn stop-timeout=1 kill=15 kill=1 \
	kill=KILL
boot
halt PWR
printf '%s\n' SIGPWR 'stop: /bin/stubborn (0 arguments)' \
	'stop: still running after 1 seconds: killed' 'stop: killed by SIGKILL' \
	'SIGTERM to all, wait 1 seconds' 'SIGKILL to all, wait 0 seconds' \
	>"$dir/want"
steps | head -n 6 | cmp -s - "$dir/want" && [ "$status" -eq 130 ]
told $? "what does not stop in time is killed"

conf start=/bin/start
boot setpriv --bounding-set=-sys_boot
halt PWR
[ "$status" -eq 0 ] && grep -q 'reboot(2): Operation not permitted' "$dir/log"
told $? "without CAP_SYS_BOOT it ends all the same"

# --- what may be wrong ---

conf start=/bin/nothing
: >"$dir/log"
unshare --pid --fork --mount --net --mount-proc="$root/proc" \
	chroot "$root" /sbin/rehost-init </dev/null >>"$dir/log" 2>&1 &
shell=$!
until_true grep -q 'start: ended with 127$' "$dir/log"
grep -q 'run /bin/nothing: No such file or directory$' "$dir/log"
told $? "a start command that is not there is named"
get_pid
sleep 0.3
kill -0 "$pid"
told $? "and the guest stays"
halt PWR

printf 'start=/bin/start\nnonsense\nstop=/bin/st\0op\n=x\nenv=NOVALUE\nenv==x\n' \
	>"$root/etc/rehost-init.conf"
printf 'clear=../etc\nutmp=run\nstop-timeout=99999999999999999999\n' \
	>>"$root/etc/rehost-init.conf"
printf 'kill=SIGNOTHING\n\033[31m=x\n' >>"$root/etc/rehost-init.conf"
i=0
while [ "$i" -lt 300 ]; do
	echo "env=V$i=$i"
	i=$((i + 1))
done >>"$root/etc/rehost-init.conf"
boot
for line in 2:not 3:holds 4:no 5:not 6:not 7:not 8:not 9:no 11:no 140:too; do
	grep -q "line ${line%:*} of the configuration is left out: ${line#*:} " \
		"$dir/log" || echo "${line%:*}"
done >"$dir/missed"
[ ! -s "$dir/missed" ] && ! grep -q "$(printf '\033')" "$dir/log" &&
	[ "$(grep -c 'is left out' "$dir/log")" -eq 16 ]
told $? "lines that make no sense are named and left out"
grep -q 'kill: "SIGNOTHING" is no signal' "$dir/log"
told $? "a kill sequence that makes none is named"
halt PWR
[ "$status" -eq 130 ] && steps | grep -q '^SIGTERM to all, wait 5 seconds$'
told $? "and the old tool's own takes its place"

conf start=/bin/true exit-when-empty=yes
: >"$dir/log"
timeout 10 unshare --pid --fork --mount --net --mount-proc="$root/proc" \
	chroot "$root" /sbin/rehost-init </dev/null >>"$dir/log" 2>&1
[ $? -eq 130 ] && grep -q 'the last process has ended$' "$dir/log"
told $? "exit-when-empty ends with the last process"

# fails CONTENT NAME: there is nothing to be pid 1 for
fails()
{
	rm -f "$root/etc/rehost-init.conf"
	eval "$1"
	timeout 10 unshare --pid --fork --mount --net \
		--mount-proc="$root/proc" chroot "$root" /sbin/rehost-init \
		</dev/null >>"$dir/log" 2>&1
	[ $? -eq 1 ]
	told $? "$2"
}
# shellcheck disable=SC2016 # expanded there
{
fails : "no configuration is an error"
fails 'echo "# none" >"$root/etc/rehost-init.conf"' "nothing to start is an error"
fails 'mkfifo "$root/etc/rehost-init.conf"' "a FIFO as configuration is an error"
fails 'ln -s /keep/data "$root/etc/rehost-init.conf"' "so is a link"
}

chroot "$root" /sbin/rehost-init </dev/null >>"$dir/log" 2>&1
[ $? -eq 1 ]
told $? "it refuses to be any process but the first"

tap_end
