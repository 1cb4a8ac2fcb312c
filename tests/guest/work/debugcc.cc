/*
 * debugcc N: the like of debug in C++, without its libraries.
 */
extern "C" int atoi(const char *text);

namespace work
{
class base
{
    public:
	int id;
};

class box : public base
{
    public:
	static int count;
	long value;
	box *inner;

	__attribute__((noipa)) long open(int key);
	__attribute__((noipa)) static long make(const box &from, long add);
};

int box::count;

/* Its copies are made by code, so that it is passed by address. */
class owner
{
    public:
	long token;

	explicit owner(long n) : token(n)
	{
	}
	owner(const owner &from) : token(from.token + 1)
	{
	}
};

long box::open(int key)
{
	__asm__ volatile("" : : : "memory");
	return value + key + id;
}

long box::make(const box &from, long add)
{
	__asm__ volatile("" : : : "memory");
	return from.value + add;
}

__attribute__((noipa)) long hand_over(owner o, int n)
{
	__asm__ volatile("" : : : "memory");
	return o.token + n;
}

namespace in
{
struct deep {
	long z;
};
enum color { RED, BLUE = 7 };
} // namespace in

struct root {
	long r;
};
struct leaf : virtual root {
	long l;
};

__attribute__((noipa)) long look(const in::deep *d, const leaf *v, in::color c)
{
	__asm__ volatile("" : : : "memory");
	return d->z + v->l + v->r + c;
}
} // namespace work

int main(int argc, char **argv)
{
	long n = argc > 1 ? atoi(argv[1]) : 0, sum = 0;
	work::box inner, outer;
	work::in::deep deep = { 9 };
	work::leaf leaf;

	inner.id = 4;
	inner.value = 40;
	inner.inner = nullptr;
	outer.id = 5;
	outer.value = 50;
	outer.inner = &inner;
	leaf.r = 1;
	leaf.l = 2;
	for (long i = 0; i < n; i++) {
		work::owner o(100);

		sum += outer.open(7) + work::box::make(inner, 8) + work::hand_over(o, 9) +
		       work::look(&deep, &leaf, work::in::BLUE);
	}
	return sum == 42;
}
