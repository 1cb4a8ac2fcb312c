/*
 * cmd_vm.h - `scry vm`: the BPF machine on the command line.
 */
#ifndef SCRY_CLI_CMD_VM_H
#define SCRY_CLI_CMD_VM_H

/* argv[0] is "vm". Returns the exit code: 0, 1 for usage and bad programs, 2 for the system. */
int cmd_vm(int argc, char **argv);

#endif
