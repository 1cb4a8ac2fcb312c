/*
 * kinds: maps whose keys and values are of every kind of type, and variables.
 */
#include <linux/bpf.h>

#include <bpf/bpf_helpers.h>

char LICENSE[] SEC("license") = "GPL";

enum mood { GLAD = 1, SAD = -2 };
enum wide { SMALL = 1, HUGE = 0x123456789aULL };
typedef unsigned long long word_t;

struct part {
	short x;
};

struct all {
	char c;
	signed char sc;
	unsigned char uc;
	_Bool t;
	short s;
	unsigned short us;
	int i;
	unsigned u;
	long l;
	unsigned long ul;
	__int128 q;
	unsigned __int128 uq;
	char text[6], full[3];
	signed char st[4];
	enum mood m;
	enum wide w;
	void *p;
	int (*fn)(int);
	const volatile word_t cv;
	int a[3], aa[2][2];
	struct part parts[2];
	union {
		int ua;
		signed char ub;
	};
	unsigned b1 : 1, b2 : 3, b3 : 7;
	long long lb : 40;
	_Bool bb : 1;
	struct {
	} empty;
	int none[0];
};

struct floats {
	double d;
	float f;
};

#define MAP(name, kind, key_type, value_type)      \
	struct {                                   \
		__uint(type, BPF_MAP_TYPE_##kind); \
		__uint(max_entries, 4);            \
		__type(key, key_type);             \
		__type(value, value_type);         \
	} name SEC(".maps")

MAP(all, ARRAY, int, struct all);
MAP(floats, ARRAY, int, struct floats);
MAP(percpu, PERCPU_HASH, enum mood, struct part);
MAP(texts, HASH, char[4], __u64[2]);
MAP(letters, HASH, char, __s64);

int number = 7;
char text[8] = "hi";
struct part *nowhere;

SEC("xdp")
int pass(struct xdp_md *ctx)
{
	return number && text[0] && !nowhere ? XDP_PASS : XDP_DROP;
}
