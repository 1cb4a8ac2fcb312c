# shellcheck shell=bash
# Long programs: maps that are filled in begin, line by line.  bpftrace's --emit-elf and scry's --mode codegen
# compile and load nothing.  Debian's bpftrace takes a minute or more for the long one: once.

# Debian's bpftrace reads the first of these names.
export BPFTRACE_MAP_KEYS_MAX=10000 BPFTRACE_MAX_MAP_KEYS=10000

inits() { # N
	awk -v n="$1" 'BEGIN { print "BEGIN {"; for (i = 0; i < n; i++) printf "\t@m[%d] = %d;\n", i, i * 7; print "\texit();\n}" }'
}

for n in 1000 5000; do
	inits $n >"$out/inits-$n.bt"
done
script=$out/inits-1000.bt
own=("$SCRY" --mode codegen "$script") peer=("$PEER" --emit-elf "$out/inits.tmp" "$script")
compare wall "ms ms - 1000 map initialisations, compiled only
MB MB - 1000 map initialisations, compiled only, peak memory"
own=("$SCRY" "$script") peer=("$PEER" "$script")
compare wall "ms ms - 1000 map initialisations, start to exit"

script=$out/inits-5000.bt
own=("$SCRY" --mode codegen "$script") peer=("$PEER" --emit-elf "$out/inits.tmp" "$script")
RUNS=1 compare wall "ms ms <=500 5000 map initialisations, compiled only (1 run)"
peer=()
compare wall "ms ms <=500 5000 map initialisations, compiled only
MB MB - 5000 map initialisations, compiled only, peak memory"
own=("$SCRY" "$script")
compare wall "ms ms - 5000 map initialisations, start to exit"
unset BPFTRACE_MAP_KEYS_MAX BPFTRACE_MAX_MAP_KEYS
