# shellcheck shell=bash
# What must be on the disk.

row "program and its libraries" MB "$(closure "$SCRY")" "$(closure "$(command -v "$PEER")")" "<=3"
commands "ls -L '$SCRY'" "ldd $PEER"
