# Who may include whom: layers look down, siblings not at each other.
#
# usage: awk -f layers.awk FILE...      every source and header of the tree

BEGIN {
	# a part, and the parts that its files may include besides itself
	may("base", "")
	may("model", "base")
	may("tree", "base model image")
	may("image", "base tree")
	may("driver", "base model tree policy") # src/*.[ch]
	may("policy", "base model driver")
	may("importer", "base model tree driver")
	may("plan", "base model tree driver policy")
	may("emit", "base model tree driver policy")
	may("pack", "base model tree driver")
	may("report", "base model tree driver policy")
	may("runtime", "base policy")
	below = "base model tree image driver policy plan emit pack report"
	may("batch", below " runtime")
	may("cli", below " runtime batch")
	# exceptions: a part, a sibling's interface, why
	also["plan emit/emit.h"] = "options of the targets are planned"
	also["plan pack/overlay.h"] = "edits are planned, and applied there"
	also["report emit/emit.h"] = "shows what the emitters made"
	also["report plan/plan.h"] = "shows what was planned"
	for (i = 1; i < ARGC; i++)
		known[ARGV[i]] = 1
}

function may(from, list,    n, i, a)
{
	n = split(list, a, " ")
	allowed[from, from] = 1
	for (i = 1; i <= n; i++)
		allowed[from, a[i]] = 1
}

function part(path)
{
	if (path ~ /^tests\//)
		return "tests"
	if (path ~ /^importers\//)
		return "importer"
	if (path ~ /^runtime\//)
		return "runtime"
	if (path ~ /^src\/batch/)
		return "batch"
	if (path ~ /^src\/[^\/]*$/)
		return "driver"
	sub(/^src\//, "", path)
	sub(/\/.*/, "", path)
	return path
}

# importers/vserver/table.h and importers/vserver.c are of one importer,
# src/emit/lxc.c and lxc.h of one emitter, src/emit/emit*.[ch] of all
function owner(path)
{
	sub(/^(importers|src\/emit)\//, "", path)
	sub(/[\/.].*/, "", path)
	return path
}

# the file that an #include of `name` in `from` means; "" when generated
function resolve(from, name)
{
	if (name ~ /^(embed\/|importers\.def$|emitters\.def$)/)
		return ""
	sub(/[^\/]*$/, "", from)
	if ((from name) in known)
		return from name
	return ("src/" name) in known ? "src/" name : name
}

function offence(text)
{
	print FILENAME ":" FNR ": " text
	bad++
}

/^[ \t]*#[ \t]*include[ \t]*"/ {
	split($0, quoted, "\"")
	n++
	target = resolve(FILENAME, quoted[2])
	from = part(FILENAME)
	if (target == "" || from == "tests")
		next
	to = part(target)
	if (!(target in known))
		offence("there is no " quoted[2])
	else if ((from " " quoted[2]) in also)
		next
	else if (!((from, to) in allowed))
		offence(FILENAME " may not include " target)
	else if ((to == "importer" || to == "emit") && from == to && \
		 owner(target) !~ /^emit/ && owner(FILENAME) != owner(target))
		offence("one " to " may not include another: " target)
}

END {
	print n + 0 " includes in " ARGC - 1 " files"
	exit bad > 0
}
