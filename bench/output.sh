# shellcheck shell=bash
# Events that end up as lines, made as fast as one process can.

figure printf "$E /pid == PID/ { printf(\"event %d\\n\", tid); }" 'per_second /s >=30x printf, lines delivered per second
delivered lines - printf, delivered of 200000
lost lines - printf, said to be lost'
