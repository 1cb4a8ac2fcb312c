/*
 * cmd_map.h - `scry map`: one map and the words about it.
 */
#ifndef SCRY_CLI_CMD_MAP_H
#define SCRY_CLI_CMD_MAP_H

#include "cli/cmd_bpf.h"
#include "object/typed.h"

/* A map, with room for a key and a value of it. */
struct opened {
	int fd;
	int part; /* the object that a value names, or -1 */
	struct typed_map m;
	uint8_t *key, *value;
	size_t stride; /* of one CPU's value */
};

/* Makes o of a descriptor, which stays the caller's; map_close() in any case. */
int map_open(struct bpf_task *t, struct opened *o, int fd);
void map_close(struct opened *o);
/* Does the work on the map that the words name; 0 or -errno with t->err set. */
int map_with(struct bpf_task *t, int (*work)(struct bpf_task *t, struct opened *o));
/* Takes a key from the words. */
int map_parse_key(struct bpf_task *t, struct opened *o);
/* -EINVAL, with words, if the map has keys. */
int map_check_keyless(struct bpf_task *t, const struct opened *o);

/* cmd_map_dump.c */
/* "01 02", eight bytes a group, sixteen a line. */
void map_put_hex(const uint8_t *bytes, size_t n);
int map_dump(struct bpf_task *t);
int map_lookup(struct bpf_task *t);
int map_getnext(struct bpf_task *t);
int map_peek(struct bpf_task *t);
int map_pop(struct bpf_task *t);

/* cmd_map_create.c */
int map_create(struct bpf_task *t);
/* cmd_map_events.c */
int map_event_pipe(struct bpf_task *t);

#endif
