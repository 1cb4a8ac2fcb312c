# shellcheck shell=bash
# Probes in user space: what one costs per event, how long many take to attach and to detach, how
# long the kernel's probes take to list. The bash probed is a copy that nobody runs.

at=$(readlink -f "$load")

# Nobody but load runs these functions, so that no predicate is needed, whose cost would hide the rest.
nothing() { # PROBE NAME
	figure event "$1 { }" "ns ns - $2: nothing, per event"
	idle=$(sort -n <(median ns "$out/own.tmp") <(median ns "$out/peer.tmp") | head -n 1)
}

nothing "uprobe:$at:bench_call" uprobe
figure event "uprobe:$at:bench_call { @ = count(); }" 'net ns <=0.5x uprobe: count(), per event
insns insns - uprobe: count(), instructions'
figure event "uprobe:$at:bench_call { @ = hist(arg0); }" 'net ns <=0.5x uprobe: hist() of an argument, per event
insns insns - uprobe: hist() of an argument, instructions'
export BPFTRACE_STRLEN=64 BPFTRACE_MAX_STRLEN=64 # the one and the other's default are 64 and 1024
figure event "uprobe:$at:bench_call { @[str(arg1)] = count(); }" \
	'net ns <=0.9x uprobe: count() by a string of up to 64, per event
insns insns - uprobe: count() by a string of up to 64, instructions'
unset BPFTRACE_STRLEN BPFTRACE_MAX_STRLEN

nothing "uretprobe:$at:bench_call" uretprobe
figure event "uretprobe:$at:bench_call { @ = count(); }" 'net ns <=0.5x uretprobe: count(), per event
insns insns - uretprobe: count(), instructions'

nothing "usdt:$at:bench:call" USDT
figure event "usdt:$at:bench:call { @ = count(); }" 'net ns <=0.5x USDT: count(), per event
insns insns - USDT: count(), instructions'
figure event "usdt:$at:bench:call { @ = hist(arg0); }" 'net ns <=0.5x USDT: hist() of an argument, per event
insns insns - USDT: hist() of an argument, instructions'

# Some of its functions, and all of them, which take bpftrace minutes: once.
cp "$(readlink -f /bin/bash)" "$out/bash.tmp"
bash=$(readlink -f "$out/bash.tmp")
RUNS=3 figure attach "uprobe:$bash:rl_r* /pid == PID/ { @ = count(); }" \
	'ms ms - count() on the functions rl_r* of bash, until attached
ms_to_end ms - count() on the functions rl_r* of bash, from SIGINT to exit'

export BPFTRACE_MAX_PROBES=10000 BPFTRACE_MAX_BPF_PROGS=10000
n=$("$SCRY" -l "uprobe:$bash:*" 2>/dev/null | wc -l)
RUNS=1 figure attach "uprobe:$bash:* /pid == PID/ { @ = count(); }" \
	"ms ms - count() on all $n functions of bash, until attached (1 run)
ms_to_end ms - count() on all $n functions of bash, from SIGINT to exit (1 run)"
unset BPFTRACE_MAX_PROBES BPFTRACE_MAX_BPF_PROGS

# 10,000 processes that are executed and end as fast as the kernel makes them; how fast that is while
# each is traced, and of how many the address has a name in the end.
storm="$(readlink -f "$BUILD/tests/work/storm") 10000 4 $(readlink -f "$BUILD/tests/work/once")"
storm_one() { # RESULTS COMMAND...
	local results=$1
	shift
	"$@" >"$out/said.tmp" 2>/dev/null
	sed -n 's/.* ms, \([0-9]*\) \/s$/rate \1/p' "$out/said.tmp" >>"$results"
	echo "named $(grep -c '^@\[work_once' "$out/said.tmp")" >>"$results"
}
storms() { # PROGRAM
	local own=("$SCRY" --follow -c "$storm" -e "$1") peer=("$PEER" -c "$storm" -e "$1") i

	rm -f "$out"/storm-*.tmp
	for ((i = 0; i < RUNS; i++)); do
		storm_one "$out/storm-none.tmp" $storm
		storm_one "$out/storm-own.tmp" "${own[@]}"
		storm_one "$out/storm-peer.tmp" "${peer[@]}"
	done
}
storm_row() { # VALUE UNIT NAME
	row "$3" "$2" "$(median "$1" "$out/storm-own.tmp")" "$(median "$1" "$out/storm-peer.tmp")" ''
}
storm_commands() { # PROGRAM
	commands "'$SCRY' --follow -c '$storm' -e '$1'" "$PEER -c '$storm' -e '$1'"
}
program="uprobe:${storm##* }:work_once { @ = count(); }"
storms "$program"
storm_row rate /s "count() in each of 10000 short processes, processes per second ($(median rate "$out/storm-none.tmp") without a tracer)"
storm_commands "$program"
program="uprobe:${storm##* }:work_once { @[usym(reg(\"ip\"))] = count(); }"
export BPFTRACE_MAX_MAP_KEYS=20000 BPFTRACE_MAP_KEYS_MAX=20000
storms "$program"
storm_row rate /s "count() by usym in each of 10000 short processes, processes per second ($(median rate "$out/storm-none.tmp") without a tracer)"
storm_row named entries "count() by usym in each of 10000 short processes, entries with the function's name"
storm_commands "$program"
unset BPFTRACE_MAX_MAP_KEYS BPFTRACE_MAP_KEYS_MAX

list() { # PROGRAM [OPTION...]
	local start=${EPOCHREALTIME/./}
	"$@" -l >/dev/null 2>&1
	echo "ms $(((${EPOCHREALTIME/./} - start) / 1000))"
}
# A kernel without kprobes does not list its functions, which are most of what others list.
awk '$2 ~ /^[tT]$/ && !/\[/ && n++ < 60000 { print $3 }' /proc/kallsyms >"$out/functions.tmp"
for ((i = 0; i < RUNS; i++)); do
	list "$SCRY" >>"$out/own-list.tmp"
	list "$PEER" >>"$out/peer-list.tmp"
	list "$SCRY" --traceable-functions "$out/functions.tmp" >>"$out/own-functions.tmp"
done
row "all $("$SCRY" -l 2>/dev/null | wc -l) probes that this kernel lists, -l" ms "$(median ms "$out/own-list.tmp")" "$(median ms "$out/peer-list.tmp")" '<=100'
commands "'$SCRY' -l" "$PEER -l"
n=$("$SCRY" --traceable-functions "$out/functions.tmp" -l 2>/dev/null | wc -l)
row "all $n probes with the functions of a file, -l" ms "$(median ms "$out/own-functions.tmp")" - '<=100'
commands "'$SCRY' --traceable-functions FILE -l"
