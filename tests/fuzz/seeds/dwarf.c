/* What fuzz_dwarf begins with, compiled: a bit of everything that debug information describes.
 */
enum kind { LESS = -9, MORE };
typedef struct list {
	struct list *next;
	union {
		long v;
		char text[8];
	};
	int n : 3, m : 5;
	short grid[2][3];
	enum kind kind;
} list_t;

static inline __attribute__((always_inline)) int inner(int x)
{
	__asm__ volatile("nop" : : "r"(x));
	return x * 2;
}

__attribute__((noinline)) int outer(list_t *l, double d, int k)
{
	int r = inner(k) + inner(l->n + 1);

	return r + (int)d + l->grid[1][k & 1];
}

int wholes(list_t l, enum kind kind, const char *text)
{
	return outer(&l, 1.5, kind) + *text;
}
