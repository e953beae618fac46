/* What the program and user space share. `src/layout.rs` is the same in Rust. All numbers are in the
 * machine's order but those marked `net`. */
#pragma once
#include "kernel.h"

/* Whose packets: addresses as they stand in the packet that comes in; IPv4 as ::ffff:a.b.c.d. */
struct key {
    u32 src[4];   /* net */
    u32 dst[4];   /* net */
    u16 src_port; /* net */
    u16 dst_port; /* net */
};

/* A receiver's knowledge of a stream, so that measuring goes on where the other side left off. */
struct meter {
    u64 seen;          /* bit n: `highest - n` was received */
    u64 last_ns;       /* when the newest packet came, CLOCK_MONOTONIC */
    s64 transit_us;    /* against the first packet */
    s64 floor_us[2];   /* fastest of this span and of the one before */
    u64 span_ends_ns;
    u32 highest;       /* sequence number with its cycles */
    u32 last_time;     /* RTP time of the newest packet to arrive */
    u32 highest_time;  /* RTP time of the packet numbered `highest` */
    u32 jitter;        /* 1/1024 us */
};

/* What user space wants. It alone writes it, always under the lock, so after a write no packet goes by the old rule. */
struct rule {
    struct bpf_spin_lock lock;
    u32 slot;          /* in `progress` */
    u32 offer;         /* the number of this offer to take over; 0: only watch */
    u32 handled;       /* with an offer: the last sequence number user space has handled and sent on */
    u32 ssrc_in;       /* net */
    u32 ssrc_out;      /* net */
    u32 time_offset;
    u32 tick_us_q16;   /* microseconds of one tick of RTP time, times 65536 */
    u16 seq_offset;
    u8 type_in;
    u8 type_out;
    u32 ifindex;       /* where it leaves */
    u8 eth_dst[6];
    u8 eth_src[6];
    u32 src[4];        /* net; IPv4 in the last */
    u32 dst[4];        /* net */
    u16 src_port;      /* net */
    u16 dst_port;      /* net */
    u32 mtu;
    u32 is_veth;       /* the interface where it leaves */
    struct meter resume;
};

/* What the program did. It alone writes it. Counts are of the flow's whole life, over all offers taken. */
struct progress {
    u64 packets;
    u64 octets;        /* of RTP, header included */
    s64 bursts;        /* runs of missing packets */
    u64 late;          /* too late to be played */
    u64 jitter_sum;    /* of the estimates after each packet, 1/1024 us */
    u64 highest_ns;    /* when the packet numbered `highest` came */
    u32 jitter_max;
    u32 taken;         /* the newest offer that was taken */
    u32 open;          /* whether it still is */
    u32 passed;        /* last sequence number that went up to user space; above 65535: none did */
    struct meter meter;
};

/* `src/layout.rs` counts on these. */
_Static_assert(sizeof(struct key) == 36, "key");
_Static_assert(sizeof(struct meter) == 64, "meter");
_Static_assert(sizeof(struct rule) == 160, "rule");
_Static_assert(__builtin_offsetof(struct rule, eth_dst) == 40, "rule.eth_dst");
_Static_assert(__builtin_offsetof(struct rule, resume) == 96, "rule.resume");
_Static_assert(sizeof(struct progress) == 128, "progress");
_Static_assert(__builtin_offsetof(struct progress, meter) == 64, "progress.meter");
