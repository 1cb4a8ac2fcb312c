/* What a library has beside functions: versions of them, an indirect one, frames of all kinds.
 */
__asm__(".symver versioned_old, versioned@OLD");
__asm__(".symver versioned_new, versioned@@NEW");

int versioned_old(int n)
{
	return n + 1;
}

int versioned_new(int n)
{
	return n + 2;
}

static int chosen(int n)
{
	volatile char room[n + 16];

	room[n] = (char)n;
	return room[n];
}

static void *choose(void)
{
	return chosen;
}

int indirect(int n) __attribute__((ifunc("choose")));

/* A frame that is aligned anew, beside arguments on the stack, is found through an expression.
 */
__attribute__((visibility("default"))) int aligned(int n, int b, int c, int d, int e, int f,
						   int g)
{
	volatile int room[16] __attribute__((aligned(64)));
	volatile char more[n + b + c + d + e + f];

	room[n & 15] = n;
	more[0] = 1;
	return room[g & 7] + more[n & 1];
}
