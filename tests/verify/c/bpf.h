/* What the samples need of the kernel's and libbpf's headers. */
typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;

#define SEC(name) __attribute__((section(name), used))
#define noinline  __attribute__((noinline))
#define inline inline __attribute__((always_inline))
#define FIELD(name, value) int(*name)[value]
#define TYPED(name, type)  type *name
#define ntohs(x)	   __builtin_bswap16(x)

enum { HASH = 1, ARRAY = 2, PERCPU_ARRAY = 6, RINGBUF = 27 };

struct skb {
	u32 len, pkt_type, mark, queue_mapping, protocol;
};

struct xdp {
	u32 data, data_end, data_meta, ingress_ifindex, rx_queue_index;
};

static void *(*map_lookup)(void *map, const void *key) = (void *)1;
static long (*map_update)(void *map, const void *key, const void *value, u64 flags) = (void *)2;
static u64 (*ktime)(void) = (void *)5;
static long (*load_bytes)(const void *skb, u32 off, void *to, u32 len) = (void *)26;
static void *(*ring_reserve)(void *ring, u64 size, u64 flags) = (void *)131;
static void (*ring_submit)(void *record, u64 flags) = (void *)132;
static void (*ring_discard)(void *record, u64 flags) = (void *)133;
u64 load_byte(void *skb, u64 off) asm("llvm.bpf.load.byte");
u64 load_half(void *skb, u64 off) asm("llvm.bpf.load.half");
