#!/bin/sh
# Makes a fleet of Linux-VServer guests for measurements: N trees of about 30
# small files each, over six hosts DIR/host0 ... DIR/host5. The same bytes each
# time.
#
# usage: mkfleet.sh N DIR

set -eu
if [ $# -ne 2 ] || [ -e "$2" ]; then
	echo "usage: mkfleet.sh N DIR    (DIR must not exist)" >&2
	exit 2
fi
python3 - "$1" "$2" <<'END'
import os, sys

count, top = int(sys.argv[1]), sys.argv[2]
HOSTS = 6


def put(path, text):
    os.makedirs(os.path.dirname(path), exist_ok=True)
    with open(path, "w") as f:
        f.write(text)


def guest(host, i):
    name = "g%05d" % i
    cfg = "%s/etc/vservers/%s/" % (host, name)
    root = "%s/vservers/%s/" % (host, name)
    a, b = divmod(i, 250)
    files = {
        "context": "%d\n" % (2000 + i),
        "name": name + "\n",
        "uts/nodename": name + ".example.org\n",
        "bcapabilities": "NET_RAW\n~SYS_PTRACE\n",
        "cflags": "virt_mem\nsched_hard\n",
        "nflags": "hide_netif\n",
        "nice": "5\n",
        "fstab": "none /proc proc defaults 0 0\n"
                 "none /tmp tmpfs size=16m,mode=1777 0 0\n"
                 "none /dev/pts devpts gid=5,mode=620 0 0\n",
        "interfaces/dev": "eth0\n",
        "interfaces/prefix": "16\n",
        "interfaces/0/ip": "10.%d.%d.%d\n" % (i % HOSTS, a, b + 1),
        "interfaces/1/ip": "2001:db8:%x::%x\n" % (i % HOSTS, i + 1),
        "interfaces/1/prefix": "64\n",
        "rlimits/rss.hard": "131072\n",
        "rlimits/nproc.hard": "200\n",
        "ulimits/nofile": "4096\n",
        "sched/fill-rate": "1\n",
        "sched/interval": "4\n",
        "apps/init/style": "plain\n",
        "apps/init/mark": "default\n",
        "apps/init/runlevel": "3\n",
    }
    for path, text in files.items():
        put(cfg + path, text)
    os.symlink("/vservers/" + name, cfg + "vdir")
    os.symlink("/var/run/vservers/" + name, cfg + "run")
    tree = {
        "etc/debian_version": "7.11\n",
        "etc/hostname": name + "\n",
        "etc/passwd": "root:x:0:0:root:/root:/bin/sh\n",
        "etc/group": "root:x:0:\n",
        "etc/inittab": "id:2:initdefault:\nsi::sysinit:/etc/init.d/rcS\n",
        "etc/init.d/rc": "#!/bin/sh\n",
        "etc/fstab": "# none\n",
        "sbin/init": "#!/bin/sh\n",
    }
    for path, text in tree.items():
        put(root + path, text)
    for program in ("sbin/init", "etc/init.d/rc"):
        os.chmod(root + program, 0o755)
    os.makedirs(root + "dev")


for h in range(HOSTS):
    put("%s/host%d/etc/hostname" % (top, h), "host%d\n" % h)
for i in range(count):
    guest("%s/host%d" % (top, i % HOSTS), i)
END
