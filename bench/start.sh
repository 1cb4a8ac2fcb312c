# shellcheck shell=bash
# How long until it traces, and how much memory that takes.

figure wall 'BEGIN { exit(); }' 'ms ms <=4 smallest program, start to exit
MB MB <=2.5 smallest program, peak memory'

own=("$(installed "$BUILD/scry")" -e 'BEGIN { exit(); }') peer=("$PEER" -e 'BEGIN { exit(); }')
compare wall 'ms ms <=4 smallest program, dynamically linked scry, start to exit
MB MB - smallest program, dynamically linked scry, peak memory'

figure attach "$E /pid == PID/ { @ = count(); }" 'ms ms <=6 count() on a tracepoint, until attached
MB MB - count() on a tracepoint, memory
ms_to_end ms - count() on a tracepoint, from SIGINT to exit'

figure attach "$E /pid == PID/ { @[((struct task_struct *)curtask)->real_parent->comm] = count(); }" \
	'ms ms <=15 struct read by BTF, until attached
MB MB <=8 struct read by BTF, memory'
