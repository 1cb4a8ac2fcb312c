# shellcheck shell=bash
# Large maps, printed at the end: a million numbers; user stacks, all different, with 20 addresses to be
# named in each.  From SIGINT to exit, detaching included.

export BPFTRACE_MAP_KEYS_MAX=1000000 BPFTRACE_MAX_MAP_KEYS=1000000
figure keys "$E /pid == PID/ { @[args->policy] = count(); }" \
	'ms ms <=0.33x map of 1000000 keys, from SIGINT until printed
MB MB - map of 1000000 keys, peak memory
entries entries - map of 1000000 keys, entries printed'

export BPFTRACE_MAP_KEYS_MAX=100000 BPFTRACE_MAX_MAP_KEYS=100000
# Debian's bpftrace had not ended with these after 100 s.
own=("$SCRY" -e "uprobe:$(readlink -f "$load"):bench_leaf /pid == PID/ { @[ustack] = count(); }") peer=()
compare stacks 'ms ms - 100000 user stacks, from SIGINT until named and printed (bpftrace takes minutes)
cpu_s s - 100000 user stacks, processor time of it all
MB MB - 100000 user stacks, peak memory
entries stacks - 100000 user stacks, printed'
unset BPFTRACE_MAP_KEYS_MAX BPFTRACE_MAX_MAP_KEYS
