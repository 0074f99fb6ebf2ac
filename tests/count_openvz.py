#!/usr/bin/env python3
"""Counts the settings of an OpenVZ guest a second time.

usage: count_openvz.py ROOT CONF...    a line "CONF COUNT" for each guest

ROOT is a host's file system, CONF a path beneath it. It knows only how the old
tools cut a file (openvz.md 2.1 to 2.5, 3.5, 3.9), nothing of what a value means
or becomes, nor which of two lines counted. What counts as one setting stands in
the head comment of importers/openvz/read.c.
"""

import os
import re
import sys

import count_settings

FILE_MAX = 64 << 10
EVENTS = (b"premount", b"mount", b"umount", b"postumount", b"start", b"stop")
PAIRS = set("""
PHYSPAGES SWAPPAGES PRIVVMPAGES SLMMEMORYLIMIT NUMPROC KMEMSIZE LOCKEDPAGES
SHMPAGES VMGUARPAGES OOMGUARPAGES NUMTCPSOCK NUMOTHERSOCK NUMFLOCK NUMPTY
NUMSIGINFO TCPSNDBUF TCPSENDBUF TCPRCVBUF OTHERSOCKBUF DGRAMRCVBUF DCACHESIZE
DCACHE NUMFILE NUMIPTENT IPTENTRIES AVNUMPROC VMMGUARPAGES NUMNETIF TOTVMPAGES
IPCSHMPAGES ANONSHPAGES RSSPAGES OOMGUAR NUMSOCK UNIXSOCKBUF SOCKRCVBUF
NUMUNIXSOCK DISKSPACE DISKINODES
""".split())
WORDS = set("""
CAPABILITY FEATURES IPTABLES DEVICES DEVNODES PCI NETDEV TECHNOLOGIES TEMPLATES
MOUNT_OPTS
""".split())
SPACES = set("RATE TOTALRATE BANDWIDTH RATEMPU VE_ENVIRONMENT".split())
ADDRESSES = {"IP_ADDRESS", "EXT_IP_ADDRESS", "NAMESERVER", "SEARCHDOMAIN"}


def pieces(value, seps):
    return [p for p in re.split("[" + seps + "]", value) if p]


def sub_keys(value, addresses):
    n = 0
    for part in pieces(value, ";"):
        for key in pieces(part, ","):
            n += 1
            if addresses and key.startswith("ip="):
                n += max(1, len(pieces(key[3:], ":"))) - 1
    return n


def count_value(key, value):
    if key in PAIRS:
        return 2 if value.count(":") == 1 else 1
    if key in WORDS:
        return len(pieces(value, " \t,"))
    if key in SPACES:
        return len(pieces(value, " \t"))
    if key in ADDRESSES:
        return len(pieces(value, " \t,;"))
    if key in ("NETIF", "DISK"):
        return sub_keys(value, key == "NETIF")
    if key == "BINDMOUNT":
        return sum(len(pieces(p, ",")) for p in pieces(value, " \t"))
    return 1


def last_quote(text, quote):
    last, i = -1, 0
    while i < len(text):
        if text[i] == "\\" and i + 1 < len(text):
            i += 1
        elif text[i] == quote:
            last = i
        i += 1
    return last


def unescape(text):
    return re.sub(r"\\([\s\S])", r"\1", text)


ASSIGNMENT = re.compile(r"[ \t]*[A-Za-z_][A-Za-z0-9_]*=")


class Conf:
    """The assignments of a file: settings, and values of the first of a key"""

    def __init__(self, data, v7):
        self.v7 = v7
        self.count = 0
        self.values = {}
        if data.startswith(b"\xef\xbb\xbf"):
            data = data[3:]
        self.lines = data.decode("latin-1").split("\n")
        self.at = 0
        self.uuid = False
        while self.at < len(self.lines):
            line = self.lines[self.at]
            self.at += 1
            line = line.lstrip(" \t")
            if not line.rstrip(" \t\r"):
                continue
            if line.startswith("#"):
                # libvirt's comment, once a file
                if line.startswith("#UUID:") and len(line) > 6 and \
                        not self.uuid:
                    self.count += 1
                    self.uuid = True
                continue
            self.line(line.split("\0")[0].rstrip(" \t\r"))

    def closed_later(self, quote):
        """Whether a later line closes it; those lines are taken then."""
        for i in range(self.at, len(self.lines)):
            if ASSIGNMENT.match(self.lines[i]):
                return
            if last_quote(self.lines[i], quote) >= 0:
                self.at = i + 1
                return

    def line(self, line):
        key, eq, value = line.partition("=")
        if not eq or not key:
            self.count += 1
            return
        bare = re.sub(r"^export[ \t]+", "", key)
        unseen = bare != key or re.search(r"[a-z+]|[ \t]$", bare)
        if unseen:
            value = value.lstrip(" \t")
        if value[:1] == '"' or (value[:1] == "'" and self.v7):
            end = last_quote(value[1:], value[0])
            if end < 0:
                self.count += 1
                self.closed_later(value[0])
                return
            value = unescape(value[1:1 + end])
        else:
            m = re.search(r"[ \t]#", value)
            if m:
                value = value[:m.start() + 1]
            value = unescape(value.rstrip(" \t\r"))
        if unseen:
            self.count += 1
            return
        self.count += max(1, count_value(bare, value))
        if self.v7:
            self.values[bare] = value
        else:
            self.values.setdefault(bare, value)


def is_v7(path, data):
    name = os.path.basename(path)
    text = data.decode("latin-1")
    netif = re.search(r"^[ \t]*NETIF=(.*)", text, re.M)
    uuid = re.search(r"^[ \t]*UUID=(.*)", text, re.M)
    return bool(
        re.match(rb"\{?[0-9a-fA-F-]{36}", name) or
        name.startswith(b"ve.conf") or
        re.search(r"^[ \t]*(DISK|VEID|DISTRIBUTION)=", text, re.M) or
        (uuid and "-" in uuid.group(1)) or
        (netif and re.search("type=|network=", netif.group(1))))


def count(host, source):
    path = os.fsencode(source)
    data = host.read(path, FILE_MAX)
    v7 = is_v7(path, data)
    conf = Conf(data, v7)
    n = conf.count
    common = {}
    try:
        shared = Conf(host.read(b"/etc/vz/vz.conf", FILE_MAX), v7)
        n += shared.count
        common = shared.values
    except OSError:
        pass
    folder, name = os.path.split(path)
    veid = name[:-5] if name.endswith(b".conf") else name
    if name == b"ve.conf":
        veid = os.path.basename(folder)
    veid = veid.strip(b"{}")
    private = conf.values.get("VE_PRIVATE", common.get("VE_PRIVATE", ""))
    private = private.encode("latin-1")
    for word in (b"${VEID}", b"$VEID"):
        if word in private:
            private = private.replace(word, veid, 1)
            break
    if not private:
        real = b"/" + os.path.relpath(host.real(path), host.root)
        private = os.path.dirname(real) if \
            os.path.basename(real) == b"ve.conf" else b"/vz/private/" + veid
    for event in EVENTS:
        n += host.is_file(folder + b"/" + veid + b"." + event)
        n += host.is_file(private + b"/scripts/" + event)
    return n


def main(argv):
    if len(argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    host = count_settings.Host(argv[1])
    for source in argv[2:]:
        print(source, count(host, source))
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")
    sys.exit(main(sys.argv))
