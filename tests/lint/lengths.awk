# What has to fit one look: functions, files, lines, parameters.
# Tables are exempt: a function is what stands between "{" and "}" that are
# alone at the start of a line.
#
# usage: awk -f lengths.awk FILE...

BEGIN {
	FUNCTION = 60; SOURCE = 800; HEADER = 200; COLUMNS = 80; PARAMETERS = 6
}

function offence(line, text)
{
	print file ":" line ": " text
	bad++
}

function end_of_file(    max)
{
	max = file ~ /\.h$/ ? HEADER : SOURCE
	if (file != "" && last > max)
		offence(last, last " lines, not over " max)
}

# columns of a line: tabs go to the next 8, UTF-8 counts by character
function columns(s,    i, c, n)
{
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "\t")
			n += 8 - n % 8
		else if (c !~ /[\200-\277]/)
			n++
		if (n == COLUMNS)
			cut = i
	}
	return n + 0
}

# is the end of s inside a string literal?
function in_string(s)
{
	gsub(/\\./, "", s)
	gsub(/'"'/, "", s)
	return gsub(/"/, "", s) % 2
}

# the parameters of "int f(int a, int (*b)(int, int))"
function parameters(s,    i, c, depth, n)
{
	sub(/^[^(]*\(/, "", s)
	for (i = 1; i <= length(s); i++) {
		c = substr(s, i, 1)
		if (c == "(")
			depth++
		else if (c == ")" && depth-- == 0)
			break
		else if (c == "," && depth == 0)
			n++
	}
	return n + 1
}

FNR == 1 {
	end_of_file()
	file = FILENAME
	start = opened = 0
	n_files++
}

{
	last = FNR
	if (columns($0) > COLUMNS && !in_string(substr($0, 1, cut)))
		offence(FNR, columns($0) " columns, not over " COLUMNS)
}

/^[A-Za-z_].*[(]/ && !opened {
	start = FNR
	head = ""
}
start && !opened {
	head = head $0
}
/^$/ && !opened {
	start = 0
}
/^{$/ && start {
	opened = start
}
/^}/ && opened {
	n_functions++
	length_of = FNR - opened + 1
	if (length_of > FUNCTION)
		offence(opened, "function of " length_of " lines, not over " FUNCTION)
	# the error that every failing function takes last is not counted
	# what is unused is there for a library that calls it
	n = parameters(head) - (head ~ /struct err \*[a-z]*\)/)
	n -= gsub(/ UNUSED/, "", head)
	if (n > PARAMETERS)
		offence(opened, n " parameters, not over " PARAMETERS)
	if (length_of > longest)
		longest = length_of
	if (length_of > 40)
		long++
	start = opened = 0
}

END {
	end_of_file()
	print n_functions + 0 " functions in " n_files + 0 " files, the longest " \
		longest + 0 " lines, " long + 0 " over 40"
	exit bad > 0
}
