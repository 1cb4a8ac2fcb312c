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

# All its functions take bpftrace minutes: these in both, the whole in scry alone.
cp "$(readlink -f /bin/bash)" "$out/bash.tmp"
bash=$(readlink -f "$out/bash.tmp")
RUNS=3 figure attach "uprobe:$bash:rl_r* /pid == PID/ { @ = count(); }" \
	'ms ms - count() on the functions rl_r* of bash, until attached
ms_to_end ms - count() on the functions rl_r* of bash, from SIGINT to exit'

export BPFTRACE_MAX_PROBES=10000
n=$("$SCRY" -l "uprobe:$bash:*" 2>/dev/null | wc -l)
own=("$SCRY" -e "uprobe:$bash:* /pid == PID/ { @ = count(); }") peer=()
compare attach "ms ms - count() on all $n functions of bash, until attached (bpftrace takes minutes)
ms_to_end ms - count() on all $n functions of bash, from SIGINT to exit"
unset BPFTRACE_MAX_PROBES

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
