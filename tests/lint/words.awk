# Words that stand in few places or nowhere. Comments and strings are cut out
# before it looks.
#
# usage: awk -f words.awk FILE...

BEGIN {
	ban("[^A-Za-z0-9_](strto(l|ll|ul|ull|d|f|ld|imax|umax)|sscanf)[(]",
	    "^src/base/num\\.c$", "numbers are read by num.h")
	# squeeze.c: what libzstd asks for its workers
	ban("[^A-Za-z0-9_]free[(]", "^(src/base/|tests/|src/pack/squeeze\\.c$|runtime/probe_seccomp\\.c$)",
	    "memory is the arena's")
	ban("[^A-Za-z0-9_](printf|vprintf|puts|putchar|perror|psignal)[(]",
	    "^(src/cli|src/report|src/batch|src/base/log|tests)",
	    "only cli, batch and report print")
	ban("[^A-Za-z0-9_](fprintf|vfprintf|fputs|fputc|dprintf|write)[(](stderr|stdout|[12],)",
	    "^(src/cli|src/report|src/batch|src/base|tests)", # base: its last words
	    "only cli, batch and report print")
	# "g->x.from = o", "{ .from = o, .v = 1 }": of a value, not a finding
	ban("([>.][A-Za-z0-9_]+[.]from = |[.]from = .*[.]v = )",
	    "^(src/(reading|take|derive|model/field)[^/]*\\.c|tests/)",
	    "values are made by take_, reading_ and derive_")
	ban("[^A-Za-z0-9_]goto[^A-Za-z0-9_]", "^$", "CLEANUP serves")
	ban("#[ \t]*(if|ifdef|elif|else)([^a-z]|$)", "^src/base/",
	    "what depends on the system is in base")
}

# the word as an extended regular expression, files that may, why not
function ban(word, except, why)
{
	n_bans++
	words[n_bans] = word
	excepts[n_bans] = except
	whys[n_bans] = why
}

# the line without strings and comments; `comment` is kept between lines
function code(s,    out, at)
{
	gsub(/\\./, "", s)
	gsub(/"[^"]*"/, "\"\"", s)
	gsub(/'[^']*'/, "' '", s)
	out = ""
	while (s != "") {
		at = index(s, comment ? "*/" : "/*")
		if (!comment)
			out = out (at ? substr(s, 1, at - 1) : s)
		if (!at)
			break
		s = substr(s, at + 2)
		comment = !comment
	}
	return out
}

FNR == 1 {
	comment = 0
	n_files++
}

{
	line = " " code($0)
	for (i = 1; i <= n_bans; i++)
		if (line ~ words[i] && FILENAME !~ excepts[i]) {
			print FILENAME ":" FNR ": " whys[i] ": " $0
			bad++
		}
}

END {
	print n_bans " bans in " n_files + 0 " files"
	exit bad > 0
}
