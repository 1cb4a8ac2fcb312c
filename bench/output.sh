# shellcheck shell=bash
# Events that end up as lines, made as fast as one process can.

figure printf "$E /pid == PID/ { printf(\"event %d\\n\", tid); }" 'per_second /s >=30x printf, lines delivered per second
delivered lines - printf, delivered of 200000
lost lines - printf, said to be lost'

own=("$SCRY" -f json -e "$E /pid == PID/ { printf(\"event %d\\n\", tid); }") peer=("$PEER" "${own[@]:1}")
compare printf 'per_second /s >=30x printf as JSON, lines delivered per second
delivered lines - printf as JSON, delivered of 200000
lost lines - printf as JSON, said to be lost'
