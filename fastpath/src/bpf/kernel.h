/* What of the kernel's interface to BPF programs is used here. Written out, so that the build needs no kernel headers. */
#pragma once

typedef unsigned char u8;
typedef unsigned short u16;
typedef unsigned int u32;
typedef unsigned long long u64;
typedef signed int s32;
typedef signed long long s64;

#define SEC(name) __attribute__((section(name), used))
#define INLINE static inline __attribute__((always_inline))

/* How a map is described to a loader by types: see libbpf's map definitions. */
#define NUMBER(name, value) int(*name)[value]
#define TYPE(name, value) typeof(value) *name

#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
#define net16(x) __builtin_bswap16(x)
#define net32(x) __builtin_bswap32(x)
#else
#define net16(x) (x)
#define net32(x) (x)
#endif

enum { MAP_TYPE_HASH = 1, MAP_TYPE_ARRAY = 2 };
enum { XDP_ABORTED, XDP_DROP, XDP_PASS, XDP_TX, XDP_REDIRECT };

struct xdp_md {
    u32 data;
    u32 data_end;
    u32 data_meta;
    u32 ingress_ifindex;
    u32 rx_queue_index;
    u32 egress_ifindex;
};

struct bpf_spin_lock {
    u32 val;
};

static void *(*lookup)(void *map, const void *key) = (void *)1;
static u64 (*ktime_ns)(void) = (void *)5;
static long (*redirect)(u32 ifindex, u64 flags) = (void *)23;
static long (*spin_lock)(struct bpf_spin_lock *lock) = (void *)93;
static long (*spin_unlock)(struct bpf_spin_lock *lock) = (void *)94;

struct eth {
    u8 dst[6];
    u8 src[6];
    u16 type;
} __attribute__((packed));

struct ip4 {
    u8 version_ihl;
    u8 tos;
    u16 len;
    u16 id;
    u16 frag;
    u8 ttl;
    u8 protocol;
    u16 check;
    u32 src;
    u32 dst;
};

struct ip6 {
    u32 version_class_flow;
    u16 len;
    u8 next;
    u8 hops;
    u32 src[4];
    u32 dst[4];
};

struct udp {
    u16 src;
    u16 dst;
    u16 len;
    u16 check;
};

struct rtp {
    u8 first;
    u8 type;
    u16 seq;
    u32 timestamp;
    u32 ssrc;
};
