#!/usr/bin/env python3
"""Counts the settings of a Linux-VServer guest a second time.

usage: count_settings.py ROOT ID...    a line "ID COUNT" for each guest

ROOT is a host's file system; ID the name of a directory or of a NAME.conf in
its etc/vservers (usr/local/etc/vservers, or where util-vserver-vars says). It
knows only how the old tools cut each file (vserver.md 2.0 to 2.16), nothing of
what a value means or becomes. What counts as one setting stands in the head
comments of importers/vserver/read.c and legacy.c.
"""

import errno
import fnmatch
import os
import re
import stat
import sys

SCALAR_MAX = 64 << 10
TEXT_MAX = 1 << 20
DEPTH_MAX = 40
LINK_DEPTH_MAX = 6
BLANK = b" \t\r\n\v\f"
VCS = {b"CVS", b".git", b".svn", b".hg", b".bzr", b"RCS", b"_darcs"}

# Globs of paths below CFG, each component by itself. What stands in none of
# them counts 1, whatever it holds.
SCALARS = """
sched/fill-rate sched/interval sched/fill-rate2 sched/interval2 sched/tokens
sched/tokens-min sched/tokens-max sched/prio-bias sched/priority-bias
sched/cpu-id sched/bucket-id
sched/*/fill-rate sched/*/interval sched/*/fill-rate2 sched/*/interval2
sched/*/tokens sched/*/tokens-min sched/*/tokens-max sched/*/prio-bias
sched/*/priority-bias sched/*/cpu-id sched/*/bucket-id
context ncontext tag name nice shell badness hostname domainname
ionice/class ionice/priority
apps/init/style apps/init/runlevel apps/init/runlevel.start
apps/init/runlevel.stop
apps/vdevmap/*/device apps/vdevmap/*/target apps/vdevmap/*/flags
apps/vshelper/action apps/vshelper/sync-timeout
apps/vunify/hash/method apps/vunify/hash/blocks apps/vunify/hash/blocksize
apps/pkgmgmt/style
interfaces/dev interfaces/prefix interfaces/mask interfaces/bcast
interfaces/scope interfaces/extip interfaces/lback
interfaces/*/ip interfaces/*/dev interfaces/*/prefix interfaces/*/mask
interfaces/*/bcast interfaces/*/scope interfaces/*/name interfaces/*/peer
interfaces/*/uid interfaces/*/gid interfaces/*/linktype interfaces/*/mac
interfaces/*/extip interfaces/*/gateway interfaces/*/parentdev
interfaces/*/net interfaces/*/table interfaces/*/vlan interfaces/*/gw
netns/name netns/interfaces/*/host netns/interfaces/*/guest
netns/interfaces/*/type
spaces/pid spaces/net spaces/mask
dlimits/*/directory dlimits/*/space_total dlimits/*/inodes_total
dlimits/*/reserved
cpuset/name cgroup/name
.defaults/shell .defaults/context.next
.defaults/apps/vshelper/action .defaults/apps/vshelper/sync-timeout
.defaults/apps/vdevmap/*/device .defaults/apps/vdevmap/*/target
.defaults/apps/vdevmap/*/flags
.defaults/apps/vunify/hash/method .defaults/apps/vunify/hash/blocks
.defaults/apps/vunify/hash/blocksize
.defaults/apps/debootstrap/mirror .defaults/apps/debootstrap/uri
.defaults/cgroup/name .defaults/cgroup/mnt .defaults/cgroup/base
.defaults/netns/name .defaults/netns/interfaces/*/host
.defaults/netns/interfaces/*/guest .defaults/netns/interfaces/*/type
"""
LISTS = """
bcapabilities ccapabilities ncapabilities cflags flags nflags umask
capabilities
"""
LINES = """
apps/init/depends apps/vunify/exclude
.defaults/apps/vunify/exclude .defaults/apps/vprocunhide/files
.defaults/apps/build/options .defaults/apps/debootstrap/options
.defaults/cgroup/subsys .defaults/cgroup/inherit
"""
ARRAYS = """
namespace-cleanup-skip apps/init/mark apps/init/killseq apps/init/cmd.start
apps/init/cmd.stop apps/init/cmd.start-sync apps/init/cmd.stop-sync
apps/init/cmd.prepare apps/init/environment
.defaults/namespace-cleanup-skip .defaults/apps/init/environment
"""
FSTABS = "fstab fstab.local fstab.remote"
# that they are there counts: a directory of that name is one setting beside
# those below it
FLAGS = """
vdir run cache run.rev noncontext namespace nonamespace namespace-cleanup
nonamespace-cleanup keepfds noisy disabled legacy nocgroup nonetns
apps/init/sync apps/init/tty
apps/vdevmap/*/open apps/vdevmap/*/create apps/vdevmap/*/remap
apps/vshelper/disabled apps/vshelper/debug apps/vshelper/warning-disabled
apps/vunify/pkgmgmt-ignore apps/vunify/pkgmgmt-force
apps/vunify/pgkmgmt-force apps/vunify/pgmgmt-force
apps/vunify/* apps/vunify/hash/*
apps/pkgmgmt/internal apps/pkgmgmt/base apps/pkgmgmt/execdir
apps/pkgmgmt/rpmetc apps/pkgmgmt/rpmlib apps/pkgmgmt/rpmstate
apps/pkgmgmt/aptetc apps/pkgmgmt/aptcache apps/pkgmgmt/aptarchives
apps/pkgmgmt/aptstate apps/pkgmgmt/yumetc apps/pkgmgmt/yumcache
apps/pkgmgmt/urpmietc apps/pkgmgmt/urpmistate
apps/vlogin/disable
interfaces/vlandev interfaces/novlandev
interfaces/*/nodev interfaces/*/only_ip interfaces/*/disabled
interfaces/*/down interfaces/*/vlandev interfaces/*/novlandev
interfaces/*/tun interfaces/*/tap interfaces/*/nocsum interfaces/*/shared
interfaces/*/indirect
netns/shared dlimits/*/disabled sched/idle-time sched/*/idle-time cpuset/nocreate
.defaults/vdirbase .defaults/cachebase .defaults/run.rev
.defaults/context.dynamic .defaults/nonamespace
.defaults/nonamespace-cleanup .defaults/keepfds .defaults/apps/init/tty
.defaults/interfaces/vlandev .defaults/apps/vlogin/disable
.defaults/apps/vshelper/disabled .defaults/apps/vshelper/debug
.defaults/apps/vshelper/warning-disabled .defaults/apps/vshelper/logfile
.defaults/apps/vdevmap/*/open .defaults/apps/vdevmap/*/create
.defaults/apps/vdevmap/*/remap
.defaults/apps/vunify/pkgmgmt-ignore .defaults/apps/vunify/pkgmgmt-force
.defaults/apps/vunify/pgkmgmt-force .defaults/apps/vunify/pgmgmt-force
.defaults/apps/vunify/hash/* .defaults/apps/pkgmgmt/base
.defaults/cgroup/per-ss .defaults/netns/shared
"""
# and of these what lies below is no configuration
PLACES = """
vdir apps/vunify/hash/*
apps/pkgmgmt/base apps/pkgmgmt/execdir apps/pkgmgmt/rpmetc
apps/pkgmgmt/rpmlib apps/pkgmgmt/rpmstate apps/pkgmgmt/aptetc
apps/pkgmgmt/aptcache apps/pkgmgmt/aptarchives apps/pkgmgmt/aptstate
apps/pkgmgmt/yumetc apps/pkgmgmt/yumcache apps/pkgmgmt/urpmietc
apps/pkgmgmt/urpmistate
.defaults/vdirbase .defaults/cachebase .defaults/apps/vunify/hash/*
.defaults/apps/pkgmgmt/base
"""
# of these the link itself counts, wherever it leads
LINKS = """
vdir run cache run.rev apps/init/tty apps/vunify/refserver.*
apps/vunify/hash/*
apps/pkgmgmt/base apps/pkgmgmt/execdir apps/pkgmgmt/rpmetc
apps/pkgmgmt/rpmlib apps/pkgmgmt/rpmstate apps/pkgmgmt/aptetc
apps/pkgmgmt/aptcache apps/pkgmgmt/aptarchives apps/pkgmgmt/aptstate
apps/pkgmgmt/yumetc apps/pkgmgmt/yumcache apps/pkgmgmt/urpmietc
apps/pkgmgmt/urpmistate
.defaults/vdirbase .defaults/cachebase .defaults/run.rev
.defaults/apps/init/tty .defaults/apps/vshelper/logfile
.defaults/apps/vunify/hash/* .defaults/apps/pkgmgmt/base
"""
# directories that the tools look into (vserver.md 2.1, 1.8)
DIRECTORIES = """
apps apps/init apps/vdevmap apps/vdevmap/* apps/vshelper apps/vunify
apps/vunify/hash apps/pkgmgmt apps/vlogin
scripts scripts/* interfaces interfaces/* netns netns/interfaces
netns/interfaces/* spaces uts ulimits rlimits dlimits dlimits/* sched sched/*
cpuset cgroup sysctl sysctl/* ionice cache cache/dlimits
.defaults .defaults/init .defaults/files .defaults/scripts
.defaults/scripts/* .defaults/styles .defaults/interfaces .defaults/apps
.defaults/apps/init .defaults/apps/vshelper .defaults/apps/vshelper-methods
.defaults/apps/vshelper-delegate .defaults/apps/vunify
.defaults/apps/vunify/hash .defaults/apps/vprocunhide .defaults/apps/vdevmap
.defaults/apps/vdevmap/* .defaults/apps/vlogin .defaults/apps/build
.defaults/apps/debootstrap .defaults/apps/pkgmgmt .defaults/cgroup
.defaults/netns .defaults/netns/interfaces .defaults/netns/interfaces/*
"""


def patterns(text):
    return [tuple(word.encode().split(b"/")) for word in text.split()]


FORMATS = [
    ("scalar", patterns(SCALARS)),
    ("list", patterns(LISTS)),
    ("lines", patterns(LINES)),
    ("array", patterns(ARRAYS)),
    ("fstab", patterns(FSTABS)),
    ("personality", patterns("personality")),
    ("schedule", patterns("schedule")),
]
FLAG_NAMES, LINK_NAMES = patterns(FLAGS), patterns(LINKS)
PLACE_NAMES = patterns(PLACES)
DIRECTORY_NAMES = patterns(DIRECTORIES)


def matches(path, globs):
    parts = path.split(b"/")
    return any(len(g) == len(parts) and
               all(fnmatch.fnmatchcase(p, x) for p, x in zip(parts, g))
               for g in globs)


def is_flag(path):
    """A '*' names no directory that the tools look into."""
    globs = FLAG_NAMES
    if matches(path, DIRECTORY_NAMES):
        globs = [g for g in globs if b"*" not in g]
    return matches(path, globs) and format_of(path) == "one"


def is_whole(path, linked):
    return matches(path, PLACE_NAMES) or \
        (linked and not matches(path, DIRECTORY_NAMES))


def is_link(path):
    return matches(path, LINK_NAMES) and format_of(path) == "one"


def format_of(path):
    for name, globs in FORMATS:
        if matches(path, globs):
            return name
    return "one"


class Host:
    """The file system of a host: links are followed beneath it only."""

    def __init__(self, root):
        self.root = os.fsencode(os.path.realpath(root))

    def real(self, path, follow=True):
        """The place in the machine's file system of a path of the host."""
        todo, done, links = path.split(b"/"), [], 0
        while todo:
            part = todo.pop(0)
            if part in (b"", b"."):
                continue
            if part == b"..":
                done = done[:-1]
                continue
            here = b"/".join([self.root] + done + [part])
            if (follow or any(todo)) and stat.S_ISLNK(os.lstat(here).st_mode):
                links += 1
                if links > 40:
                    raise OSError(errno.ELOOP, "loop")
                target = os.readlink(here)
                if target.startswith(b"/"):
                    done = []
                todo = target.split(b"/") + todo
                continue
            done.append(part)
        return b"/".join([self.root] + done)

    def lstat(self, path):
        return os.lstat(self.real(path, False))

    def stat(self, path):
        return os.lstat(self.real(path))

    def is_dir(self, path):
        try:
            return stat.S_ISDIR(self.stat(path).st_mode)
        except OSError:
            return False

    def is_file(self, path):
        try:
            return stat.S_ISREG(self.stat(path).st_mode)
        except OSError:
            return False

    def exists(self, path):
        try:
            self.lstat(path)
            return True
        except OSError:
            return False

    def list(self, path):
        return sorted(os.listdir(self.real(path)))

    def read(self, path, most):
        """The bytes of a regular file; None where it is not read."""
        real = self.real(path)
        if os.lstat(real).st_size > most:
            return None
        with open(real, "rb") as f:
            data = f.read(most + 1)
        return None if len(data) > most else data


# --- lines and words ---------------------------------------------------------


def clean(data):
    if data.startswith(b"\xef\xbb\xbf"):
        data = data[3:]
    data = re.sub(rb"\r(?=\n|\Z)", b"", data)
    return data.replace(b"\0", b"")


def raw_lines(data):
    lines = data.split(b"\n")
    return lines[:-1] if lines[-1] == b"" else lines


def shell_lines(data):
    """(line as the shell's read gives it, raw lines left behind it)"""
    rest = data
    while rest:
        out, i = b"", 0
        while i < len(rest) and rest[i:i + 1] != b"\n":
            if rest[i:i + 1] == b"\\":
                if i + 1 < len(rest) and rest[i + 1:i + 2] != b"\n":
                    out += rest[i + 1:i + 2]
                i += 2
            else:
                out += rest[i:i + 1]
                i += 1
        rest = rest[i + 1:]
        yield out.strip(BLANK), rest


def n_filled(data):
    return sum(1 for line in raw_lines(data) if line.strip(BLANK))


def count_scalar(data):
    rest = next(shell_lines(data), (b"", b""))[1]
    return 1 + n_filled(rest)


def count_list(data, commas):
    n = 0
    for line, _ in shell_lines(data):
        if not line or line.startswith(b"#"):
            continue
        items = line.split(b",") if commas else [line]
        n += len(items) - (len(items) > 1 and items[-1] == b"")
    return n


def count_fstab(data):
    n = 0
    for line in raw_lines(data):
        line = line.strip(BLANK)
        if not line or line.startswith(b"#"):
            continue
        words = [w for w in re.split(rb"[ \t]+", line) if w]
        if len(words) < 4:
            n += 1
            continue
        options = [o for o in words[3].split(b",") if o]
        # dump, and pass with whatever stands behind it
        n += 1 + len(options) + min(len(words) - 4, 2)
    return n


def count_schedule(data):
    n, rest = 0, data
    for i, (line, rest) in enumerate(shell_lines(data)):
        n += line != b""
        if i == 5:
            return n + n_filled(rest)
    return n


def count_personality(data):
    rest = next(shell_lines(data), (b"", b""))[1]
    return 1 + count_list(rest, True)


def count_data(form, data):
    """A file without an entry is there all the same."""
    return max(count_entries(form, data), 1)


def count_entries(form, data):
    if form == "scalar":
        return count_scalar(data)
    if form in ("list", "lines"):
        return count_list(data, form == "list")
    if form == "array":
        return n_filled(data)
    if form == "fstab":
        return count_fstab(data)
    if form == "schedule":
        return count_schedule(data)
    return count_personality(data)


# --- the tree ------------------------------------------------------------------


class Walk:
    def __init__(self, host):
        self.host = host

    def file(self, path, rel):
        form = format_of(rel)
        if form == "one":
            return 1
        try:
            data = self.host.read(path, SCALAR_MAX if form == "scalar"
                                  else TEXT_MAX)
        except OSError:
            return 1
        return 1 if data is None else count_data(form, clean(data))

    def directory(self, path, rel, depth, linked):
        flag = is_flag(rel)
        if flag and is_whole(rel, linked):
            return 1
        return flag + self.below(path, rel, depth, linked, 1 - flag)

    def below(self, path, rel, depth, linked, empty):
        """empty: what a directory without files counts"""
        if depth > DEPTH_MAX or (linked and depth > LINK_DEPTH_MAX):
            return 1
        try:
            names = self.host.list(path)
        except OSError:
            return 1
        if not names:
            return empty
        return self.entries(path, rel, names, depth, linked)

    def entries(self, path, rel, names, depth, linked):
        return sum(self.entry(path + b"/" + name,
                              rel + b"/" + name if rel else name, name,
                              depth + 1, linked) for name in names)

    def link(self, path, rel, depth):
        if is_link(rel):
            return 1
        try:
            mode = self.host.stat(path).st_mode
        except OSError:
            return 1
        if stat.S_ISREG(mode):
            return self.file(path, rel)
        if stat.S_ISDIR(mode) and (matches(rel, DIRECTORY_NAMES)
                                   or is_flag(rel)):
            return self.directory(path, rel, depth, True)
        return 1

    def entry(self, path, rel, name, depth, linked):
        try:
            mode = self.host.lstat(path).st_mode
        except OSError:
            return 1
        if stat.S_ISLNK(mode):
            return self.link(path, rel, depth)
        if stat.S_ISDIR(mode):
            if name in VCS:
                return 1
            return self.directory(path, rel, depth, linked)
        return self.file(path, rel) if stat.S_ISREG(mode) else 1

    def top(self, path, rel):
        try:
            names = self.host.list(path)
        except OSError:
            return 1
        return self.entries(path, rel, names, 0, False)


# --- NAME.conf -------------------------------------------------------------------


NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
LIST_VARIABLES = {"IPROOT", "S_FLAGS", "S_CAPS", "ULIMIT"}
OPENERS = {"if", "for", "while", "until", "select", "{", "("}
CLOSERS = {"fi", "done", "}", ")"}
BEFORE = {"then", "else", "do"}


def joined(text):
    """Without backslash and newline, but in single quotes and comments."""
    pieces = re.findall(r"(?:^|(?<=[ \t\n;]))#[^\n]*|'[^']*'|\\\n|"
                        r"\"(?:\\[\s\S]|[^\"\\])*\"|\\[\s\S]|[\s\S]",
                        text)
    return "".join("" if p == "\\\n" else
                   p.replace("\\\n", "") if p.startswith('"') else p
                   for p in pieces)


class Conf:
    """A shell fragment, cut into statements; nothing is run."""

    FORMS = ('if [ "$PROFILE" = "" ]', 'if [ -z "$PROFILE" ]',
             'if test -z "$PROFILE"')

    def __init__(self, text, profile):
        self.text = joined(text)
        self.at = 0
        self.count = 0
        self.profile = profile or "prod"
        self.chosen = profile is not None
        self.form = False # in the block that gives a profile by default
        self.open = 0     # case statements without their esac
        self.over = False # the rest was not read
        self.known = {}   # variable: value, None where code made it
        self.blocks = 0   # if, for ... around
        self.skipped = 0  # branches around that do not hold

    def value(self, word):
        """A word without its quotes, or None where it takes a shell."""
        out, quote, i = "", "", 0
        while i < len(word):
            c = word[i]
            if quote and c == quote:
                quote = ""
            elif quote == "'":
                out += c
            elif not quote and c in "\"'":
                quote = c
            elif c == "$":
                m = re.match(r"\$(?:(\w+)|\{(\w+)\})", word[i:], re.ASCII)
                name = m and (m.group(1) or m.group(2))
                if not name or not NAME.fullmatch(name):
                    return None
                known = self.known.get(
                    name, self.profile if name == "PROFILE" else None)
                if known is None:
                    return None
                out += known
                i += m.end()
                continue
            elif c == "`" or (not quote and c in "()&|<>*?[~"):
                return None
            elif c == "\\" and i + 1 < len(word) and \
                    (not quote or word[i + 1] in "\\\"$`"):
                i += 1
                out += word[i]
            else:
                out += c
            i += 1
        return None if quote else out

    @staticmethod
    def elements(name, value):
        words = re.split(r"[ \t\n]+", value.strip(" \t\n"))
        words = [w for w in words if w]
        if name not in LIST_VARIABLES or not words:
            return 1
        if name != "ULIMIT":
            return len(words)
        n = i = 0
        while i < len(words):
            bare = words[i].startswith("-") and words[i][1:].lstrip("HS")
            n += 1
            # "-u 256" is one; so is "-u256", and a lone value
            if bare and len(bare) == 1 and i + 1 < len(words) and \
                    not words[i + 1].startswith("-"):
                i += 1
            i += 1
        return n

    @staticmethod
    def words(statement):
        """Blank-separated, quotes kept; $( and ( run to the end."""
        out, word, quote, i = [], "", "", 0
        while i < len(statement):
            c = statement[i]
            if quote:
                if c == "\\" and quote != "'":
                    word += statement[i:i + 2]
                    i += 2
                    continue
                if c == quote:
                    quote = ""
            elif c in "\"'`":
                quote = c
            elif c == "\\":
                word += statement[i:i + 2]
                i += 2
                continue
            elif c == "(" and word[-1:] in ("$", "="):
                word += statement[i:]
                break
            elif c in " \t":
                if word:
                    out.append(word)
                word = ""
                i += 1
                continue
            word += c
            i += 1
        return out + [word] if word else out

    def assign(self, words):
        for word in words:
            name, raw = word.split("=", 1)
            value = self.value(raw)
            if self.skipped or self.blocks:
                self.count += 1
                if not self.skipped:
                    self.known[name] = None
            elif value is None:
                self.count += 1
                self.known[name] = None
            else:
                self.count += self.elements(name, value)
                self.known[name] = value
                if name == "PROFILE" and not (self.form and self.chosen):
                    self.profile = value
                    self.chosen = True
            if value is None:
                return # the rest of the statement is code

    def plain(self, statement):
        rest = statement
        if re.match(r"export[ \t]", statement):
            rest = statement[6:].lstrip(" \t")
        words = self.words(rest)
        if words and all(re.match(r"[A-Za-z_][A-Za-z0-9_]*=", w)
                         for w in words) and \
                not re.search(r"(?<!\\)[&|]", re.sub(
                    r"'[^']*'|\"(\\.|[^\"])*\"|`[^`]*`|[$=]\(.*", "", rest)):
            self.assign(words)
            return
        self.count += 1
        m = re.match(r"([A-Za-z_][A-Za-z0-9_]*)\+=", rest)
        if m and not self.skipped:
            self.known[m.group(1)] = None

    def statement(self, text, is_open):
        self_word = re.split(r"[ \t&|;)]", text, maxsplit=1)[0] or text[:1]
        if is_open or "<<" in text:
            self.count += 1
            self.give_up()
        elif text in self.FORMS and not (self.form or self.blocks
                                         or self.skipped):
            self.count += 1
            self.form = True
        elif self.form and text == "fi":
            self.count += 1
            self.form = False
        elif self.form and self_word not in BEFORE and not \
                re.fullmatch(r"PROFILE=[^ \t&|(]*", text):
            self.form = False
            self.blocks += 1
            self.statement(text, is_open)
        elif self_word in BEFORE:
            self.count += 1
            rest = text[len(self_word):].lstrip(" \t")
            if rest:
                self.statement(rest, False)
        elif self_word in OPENERS or (text.endswith("{") and "()" in text):
            self.count += 1
            self.blocks += 1
        elif self_word in CLOSERS:
            self.count += 1
            self.blocks = max(0, self.blocks - 1)
        elif self_word == "elif":
            self.count += 1
        else:
            self.plain(text)

    def give_up(self):
        self.at = len(self.text)
        self.over = True

    def skip(self, also=""):
        """Blanks, comments, newlines; also: more characters."""
        while self.at < len(self.text):
            c = self.text[self.at]
            if c in " \t\n" or (c == ";" and self.text[self.at:self.at + 2]
                                != ";;") or c in also:
                self.at += 1
            elif c == "#":
                while self.at < len(self.text) and \
                        self.text[self.at] != "\n":
                    self.at += 1
            else:
                return

    def word_next(self, word):
        return re.match(re.escape(word) + r"(?=[ \t\n;]|\Z)",
                        self.text[self.at:]) is not None

    def take(self):
        """One statement: (text, a quote is open, it ended a branch)"""
        out, quote = "", ""
        while self.at < len(self.text):
            c = self.text[self.at]
            self.at += 1
            if quote:
                out += c
                if c == quote:
                    quote = ""
                elif c == "\\" and quote != "'":
                    out += self.text[self.at:self.at + 1]
                    self.at += 1
            elif c in "'\"`":
                quote = c
                out += c
            elif c == "\\":
                out += c + self.text[self.at:self.at + 1]
                self.at += 1
            elif c == "#" and out[-1:] in ("", " ", "\t"):
                self.at -= 1
                while self.at < len(self.text) and \
                        self.text[self.at] != "\n":
                    self.at += 1
            elif c == ";" and self.text[self.at:self.at + 1] == ";":
                self.at += 1
                return out.strip(), False, True
            elif c in "\n;":
                return out.strip(), False, False
            else:
                out += c
        return out.strip(), quote != "", False

    def case(self, depth):
        m = re.match(r"case[ \t]+((?:(?!\bin(?:[ \t\n;]|\Z))[^\n])*?)[ \t\n]*"
                     r"\bin(?=[ \t\n;]|\Z)", self.text[self.at:])
        if not m or depth > 8:
            self.count += 1
            self.give_up()
            return
        self.at += m.end()
        subject = m.group(1).replace('"', "").strip()
        known = subject in ("$PROFILE", "${PROFILE}") and not self.blocks
        if not known:
            self.count += 1
            self.blocks += 1
        self.open += 1
        self.branches(known, depth)
        if not known:
            self.blocks -= 1
        if self.open == depth and not self.over:
            self.count += 1
            self.over = True

    def take_esac(self):
        if not self.word_next("esac"):
            return False
        self.at += 4
        self.open -= 1
        return True

    def branches(self, known, depth):
        found = bool(self.skipped)
        while True:
            self.skip()
            if self.at >= len(self.text):
                return
            if self.take_esac():
                return
            m = re.match(r"\(?([^)\n]*)\)", self.text[self.at:])
            if not m:
                self.count += 1
                self.give_up()
                return
            self.at += m.end()
            globs = re.split(r"[| \t]+", re.sub("[\"']", "", m.group(1)))
            fits = not found and any(
                fnmatch.fnmatchcase(self.profile, g) for g in globs if g)
            skips = known and not fits
            found = found or (known and fits)
            self.skipped += skips
            more = self.run(True, depth)
            self.skipped -= skips
            if not more:
                return

    def run(self, in_case=False, depth=0):
        """Statements up to the end; False when the case is over."""
        while True:
            self.skip()
            if self.at >= len(self.text):
                return False
            if in_case and self.take_esac():
                return False
            if self.text.startswith(";;", self.at):
                self.at += 2
                if in_case:
                    return True
                continue
            if self.word_next("case"):
                self.case(depth + 1)
                continue
            text, is_open, ended = self.take()
            self.statement(text, is_open)
            if ended and in_case:
                return True


def last_profile(host, confdir, guest):
    """What the guest's /etc/PROFILE says; None: nothing."""
    bases = [confdir + b"/.defaults/vdirbase", b"/vservers",
             b"/var/lib/vservers"]
    for base in bases:
        if host.is_dir(base):
            break
    try:
        root = Host(os.fsdecode(host.real(base + b"/" + guest)))
        data = root.read(b"/etc/PROFILE", 4096)
    except OSError:
        return None
    for line in (data or b"").decode("latin-1").split("\n"):
        word = line.strip().split("PROFILE=", 1)[-1]
        if re.fullmatch(r"""[^ \t"'$#=]+""", word):
            return word
    return None


def count_conf(data, profile):
    conf = Conf(re.sub(rb"\r(?=\n|\Z)", b"", data).replace(b"\0", b"")
                .decode("latin-1"), profile)
    conf.run()
    return max(conf.count, 1)


# --- guests ----------------------------------------------------------------------


def confdirs(host):
    dirs = []
    for where in ("usr/lib", "usr/lib64", "usr/share", "usr/local/lib"):
        try:
            data = host.read(("/%s/util-vserver/util-vserver-vars" %
                              where).encode(), TEXT_MAX)
        except OSError:
            continue
        m = re.search(rb"^\s*__CONFDIR=[\"']?(/[^\"'\n]*)", data or b"", re.M)
        if m:
            dirs.append(m.group(1).strip())
            break
    return dirs + [b"/etc/vservers", b"/usr/local/etc/vservers"]


def spelled(host, confdir, guest):
    """The name in CONFDIR that a JSON document shows as guest."""
    try:
        names = host.list(confdir)
    except OSError:
        return guest
    for name in names:
        if name.decode(errors="replace").encode() == guest:
            return name
    return guest


def find(host, guest):
    """(CONFDIR/NAME, whether it is a NAME.conf)"""
    for confdir in confdirs(host):
        path = confdir + b"/" + spelled(host, confdir, guest)
        conf = host.exists(path + b".conf") and \
            not host.is_dir(path + b".conf")
        is_dir = host.is_dir(path)
        # halfdir: a directory that says nothing of a guest is none
        if is_dir and not (conf and (host.exists(path + b"/legacy") or
                                     not looks_like_guest(host, path))):
            return path, False
        if conf:
            return path, True
    raise SystemExit("count_settings.py: no guest %s" % os.fsdecode(guest))


def looks_like_guest(host, path):
    """vdir or context, or other names that are a guest's (vserver.md 1.3)"""
    strong = ("vdir", "context", "bcapabilities", "ccapabilities",
              "ncapabilities", "cflags", "nflags", "interfaces", "rlimits",
              "apps/init", "uts")
    weak = ("flags", "name", "fstab", "run", "nice", "schedule",
            "personality", "capabilities")
    there = [w for w in strong + weak
             if host.exists(path + b"/" + w.encode())]
    return any(w in strong for w in there) or len(there) > 1


def count(host, guest):
    path, legacy = find(host, guest)
    confdir, walk, n = path.rsplit(b"/", 1)[0], Walk(host), 0
    if legacy:
        confdir, name = path.rsplit(b"/", 1)
        n += count_conf(host.read(path + b".conf", TEXT_MAX),
                        last_profile(host, confdir, name))
        n += host.exists(path + b".sh")
        n += walk.top(path, b"") if host.is_dir(path) else 0
    else:
        n += walk.top(path, b"")
        n += host.is_file(path + b".conf") + host.is_file(path + b".sh")
    if host.is_dir(confdir + b"/.defaults"):
        n += walk.top(confdir + b"/.defaults", b".defaults")
    return n


def main(argv):
    if len(argv) < 3:
        print(__doc__, file=sys.stderr)
        return 2
    host = Host(argv[1])
    for guest in argv[2:]:
        print(guest, count(host, os.fsencode(guest)))
    return 0


if __name__ == "__main__":
    sys.stdout.reconfigure(errors="surrogateescape")
    sys.exit(main(sys.argv))
