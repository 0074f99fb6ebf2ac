#!/usr/bin/env python3
"""Counts the settings of an LXC guest a second time.

usage: count_lxc.py ROOT CONFIG...    a line "CONFIG COUNT" for each guest

ROOT is a host's file system, CONFIG a path beneath it. It knows only how
liblxc cuts a file and follows its includes (targets.md 2.1), nothing of what a
value means or becomes, nor which of two lines counted. What counts as one
setting stands in the head comment of importers/lxc/lines.c.
"""

import os
import sys

import count_settings

FILE_MAX = 256 << 10
FILES_MAX = 64
DEPTH_MAX = 16
LINES_MAX = 10000
WORDS = {b"lxc.cap.drop", b"lxc.cap.keep", b"lxc.mount.auto", b"lxc.group",
         b"lxc.namespace.keep", b"lxc.namespace.clone"}
FSTABS = {b"lxc.mount", b"lxc.mount.fstab"}
BLANKS = b" \t"


def text_of(host, path):
    try:
        return host.read(path, FILE_MAX) if host.is_file(path) else None
    except OSError:
        return None


class Counter:
    def __init__(self, host):
        self.host = host
        self.open = []
        self.files = 0
        self.lines = 0
        self.n = 0
        self.fstab = None

    def resolved(self, path):
        try:
            real = self.host.real(path)
            os.lstat(real)
        except OSError:
            return None
        return b"/" + os.path.relpath(real, self.host.root)

    def read(self, path):
        data = text_of(self.host, path)
        if data is None:
            return False
        self.files += 1
        self.open.append(path)
        for line in data.split(b"\n"):
            self.line(line)
        self.open.pop()
        return True

    def line(self, line):
        if line.endswith(b"\r"):
            line = line[:-1]
        text = line.strip(BLANKS)
        if not text or text.startswith(b"#") or self.lines >= LINES_MAX:
            return
        self.lines += 1
        if not text.startswith(b"lxc.") or b"=" not in text:
            self.n += 1
            return
        key, value = (s.strip(BLANKS) for s in text.split(b"=", 1))
        if len(value) > 1 and value[:1] in b"\"'" and value[-1:] == value[:1]:
            value = value[1:-1]
        bad = any(c < 0x20 and c != 9 or c == 0x7f for c in line)
        words = [w for w in value.replace(b"\t", b" ").split(b" ") if w]
        self.n += max(1, len(words)) if key in WORDS else 1
        if key in FSTABS and not bad:
            self.fstab = value or None
        if key == b"lxc.include" and value and not bad:
            self.include(value)

    def include(self, value):
        path = self.resolved(value)
        if path is None or not value.startswith(b"/") or path in self.open \
                or len(self.open) >= DEPTH_MAX or self.files >= FILES_MAX:
            return
        if not self.host.is_dir(path):
            self.read(path)
            return
        for name in self.host.list(path):
            file = path.rstrip(b"/") + b"/" + name
            if name.endswith(b".conf") and file not in self.open and \
                    self.files < FILES_MAX:
                self.read(file)


def mounts(host, path):
    data = text_of(host, path)
    if data is None:
        return 0
    lines = [line.strip(b" \t\r\n\v\f") for line in data.split(b"\n")]
    return sum(1 for line in lines if line and not line.startswith(b"#"))


def count(host, config):
    path = os.fsencode(config)
    c = Counter(host)
    c.read(path)
    n = c.n
    if c.fstab is not None:
        n += mounts(host, c.fstab)
    name = os.path.basename(path)
    if name == b"config":
        name = os.path.basename(os.path.dirname(path))
    if name.endswith(b".conf"):
        name = name[:-5]
    if host.exists(b"/etc/lxc/auto/" + (name or b"guest") + b".conf"):
        n += 1
    return n


def main():
    host = count_settings.Host(sys.argv[1])
    for config in sys.argv[2:]:
        print(config, count(host, config))


if __name__ == "__main__":
    main()
