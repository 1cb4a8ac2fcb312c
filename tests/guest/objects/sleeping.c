/* sleeping: sockets with a congestion control of another name, one of whose programs may sleep.
 */
#define CONTROL	   "sleeping"
#define STRUCT_OPS "struct_ops.s"
#include "sockets.c"
