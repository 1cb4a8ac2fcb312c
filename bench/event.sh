# shellcheck shell=bash
# What a probe costs the traced process: the time of the BPF program, as bpf_stats has it, without
# what a program costs that does nothing, which is the kernel's reading of the clock.
#
# The budgets are against the newest bpftrace, which takes 36 ns where Debian's takes 66
# (count() by key): 0.9 of that is 0.49 of Debian's.

figure event "$E /pid == 0/ { @ = count(); }" 'ns ns - nothing (the predicate is false), per event'
idle=$(sort -n <(median ns "$out/own.tmp") <(median ns "$out/peer.tmp") | head -n 1)

figure event "$E /pid == PID/ { @ = count(); }" 'net ns <=0.5x count(), per event
insns insns - count(), instructions'
figure event "$E /pid == PID/ { @[tid] = count(); }" 'net ns <=0.49x count() by key, per event
insns insns - count() by key, instructions'
figure event "$E /pid == PID/ { @ = hist(args->policy); }" 'net ns <=0.5x hist() of an argument, per event
insns insns - hist() of an argument, instructions'
figure event "$E /pid == PID/ { @start[tid] = nsecs; } $X /@start[tid]/ { @ns = hist(nsecs - @start[tid]); delete(@start[tid]); }" \
	'net ns <=0.9x latency by a start map, both probes, per event
insns insns - latency by a start map, both probes, instructions'
figure event "$E /pid == PID/ { @[pid, comm] = count(); }" 'net ns <=0.9x count() by two keys, one of them comm, per event
insns insns - count() by two keys, one of them comm, instructions'
figure event "$E /pid == PID/ { @[kstack] = count(); }" 'net ns <=0.9x count() by kernel stack, per event
insns insns - count() by kernel stack, instructions'
figure event "$E /pid == PID/ { printf(\"%d %s %d\\n\", pid, comm, args->policy); }" 'net ns <=0.9x printf() of three arguments, per event
insns insns - printf() of three arguments, instructions'
