#!/usr/bin/env python3
"""Counts the settings of a domain of libvirt a second time.

usage: count_libvirt.py ROOT XML...    a line "XML COUNT" for each guest

ROOT is a host's file system, XML a path beneath it. It knows XML and where
libvirt keeps networks, links and hooks (libvirt.md 1.1), nothing of what a
value means or becomes. What counts as one setting stands in the head comment of
importers/libvirt/read.c.
"""

import os
import re
import stat
import sys
import xml.etree.ElementTree as ET

import count_settings

LXC = "{http://libvirt.org/schemas/domain/lxc/1.0}"
NETWORKS = "/etc/libvirt/qemu/networks"
HOOKS = {"lxc": "lxc", "xen": "libxl", "kvm": "qemu", "qemu": "qemu",
         "kqemu": "qemu", "hvf": "qemu"}


def escaped(text, quote=""):
    text = re.sub(r"&(?!(?:amp|lt|gt|quot|apos|#[0-9]+|#x[0-9a-fA-F]+);)",
                  "&amp;", text).replace("<", "&lt;")
    return text.replace("'", "&apos;") if quote else text


def repaired(line):
    """A line as libvirt should have written it; None: not one of those."""
    body = line.strip()
    m = re.fullmatch(r"<initenv name='(.*?)'>(.*)</initenv>", body)
    if m:
        new = "<initenv name='%s'>%s</initenv>" % (
            escaped(m.group(1), "'"), escaped(m.group(2)))
        return line.replace(body, new)
    m = re.fullmatch(r"<(inituser|initgroup)>(.*)</\1>", body)
    if m:
        return line.replace(body, "<%s>%s</%s>" % (
            m.group(1), escaped(m.group(2)), m.group(1)))
    m = re.fullmatch(r"(<\w+:share\w+ .*?value=')(.*)('/>)", body)
    if m:
        return line.replace(body, m.group(1) + escaped(m.group(2), "'") +
                            m.group(3))
    return None


def parse(data):
    """The root element; ValueError where a line is not to be repaired."""
    for _ in range(17):
        try:
            return ET.fromstring(data)
        except ET.ParseError as e:
            lines = data.split(b"\n")
            n = e.position[0] - 1
            new = repaired(lines[n].decode()) if n < len(lines) else None
            if new is None or new.encode() == lines[n]:
                raise ValueError(str(e)) from e
            lines[n] = new.encode()
            data = b"\n".join(lines)
    raise ValueError("too many repairs")


def count_tree(node, opaque):
    """Attributes, texts, empty elements; below `opaque` one for each child."""
    n = len(node.attrib)
    text = (node.text or "") + "".join(c.tail or "" for c in node)
    if text.strip(" \t\r\n") or (not node.attrib and not len(node)):
        n += 1
    for child in node:
        n += 1 if node is opaque else count_tree(child, opaque)
    return n


def networks(host, domain):
    """The files of the networks that interfaces name and that are there."""
    found = {}
    for i in domain.findall("devices/interface"):
        source = i.find("source")
        if i.get("type") != "network" or source is None:
            continue
        name = source.get("network")
        path = "%s/%s.xml" % (NETWORKS, name)
        if name and "/" not in name and host.exists(os.fsencode(path)):
            found[path] = True
    return list(found)


def count_network(host, path):
    try:
        root = ET.fromstring(host.read(os.fsencode(path), 10 << 20))
    except (ET.ParseError, OSError):
        return 0
    if root.tag == "networkstatus":
        root = root.find("network")
    if root is None or root.tag != "network":
        return 0
    return count_tree(root, root.find("metadata"))


def is_script(host, path):
    try:
        mode = host.stat(os.fsencode(path)).st_mode
    except OSError:
        return False
    return stat.S_ISREG(mode) and mode & 0o111 != 0


def count_hooks(host, kind):
    name = HOOKS.get(kind)
    if name is None:
        return 0
    path = "/etc/libvirt/hooks/" + name
    n = int(is_script(host, path))
    if host.is_dir(os.fsencode(path + ".d")):
        n += sum(is_script(host, "%s.d/%s" % (path, os.fsdecode(one)))
                 for one in host.list(os.fsencode(path + ".d")))
    return n


def count(host, path):
    data = host.read(os.fsencode(path), 10 << 20)
    root = parse(data)
    domain = root if root.tag == "domain" else root.find("domain")
    n = count_tree(root, domain.find("metadata"))
    folder, name = path.rsplit("/", 1)
    try:
        host.lstat(os.fsencode("%s/autostart/%s" % (folder, name)))
        n += 1
    except OSError:
        pass
    n += sum(count_network(host, p) for p in networks(host, domain))
    return n + count_hooks(host, domain.get("type"))


def main(argv):
    host = count_settings.Host(argv[1])
    for path in argv[2:]:
        print(path, count(host, path))


if __name__ == "__main__":
    main(sys.argv)
