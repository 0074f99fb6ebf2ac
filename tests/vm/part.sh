#!/bin/bash
# Parts of check-vm, sourced by what prepares them and by what runs them:
# "$pattern" says which are asked for.

part()	# NAME...: whether one of them is
{
	local name
	for name; do
		# shellcheck disable=SC2154,SC2254 # it is a pattern
		case $name in
		$pattern) return 0 ;;
		esac
	done
	return 1
}
