# cases.sh - for the run programs of suites that are made of cases; sourced.
#
# split_arguments ARGUMENT... fills the arrays files and patterns: what is a file, and what is a
# pattern of case names, as options for the runner.
# shellcheck shell=bash disable=SC2034
split_arguments() {
	files=() patterns=()
	for word; do
		if [ -f "$word" ]; then files+=("$(readlink -f "$word")"); else patterns+=(-k "$word"); fi
	done
}
