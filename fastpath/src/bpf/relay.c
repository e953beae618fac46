/* Forwards plain RTP of known flows without waking user space.
 *
 * A flow is taken only when user space offers it and has handled every packet that ever went up to it, so nothing is overtaken
 * at the beginning. Whatever is not exactly the next well-behaved packet of the flow closes the offer, under the flow's lock, and
 * goes up untouched; all that follow go up behind it, so nothing is overtaken at the end either. RTCP, STUN and what is not
 * a known flow's go up and change nothing.
 *
 * Measured as RFC 3550 A.1, A.3 and A.8 say, with the bounds that the media plane's own meter has. */
#include "flows.h"

struct {
    NUMBER(type, MAP_TYPE_HASH);
    NUMBER(max_entries, 16384);
    TYPE(key, struct key);
    TYPE(value, struct rule);
} rules SEC(".maps");

struct {
    NUMBER(type, MAP_TYPE_ARRAY);
    NUMBER(max_entries, 16384);
    TYPE(key, u32);
    TYPE(value, struct progress);
} progress SEC(".maps");

/* Expedited forwarding (RFC 3246), as user space marks its own. */
#define TRAFFIC_CLASS 0xB8
#define HOPS 64
/* Numbers this far ahead are a restart (RFC 3550 A.1); those not remembered one by one are too far behind. */
#define AHEAD_MAX 3000
#define BEHIND_MAX 64
/* A gap that may be a pause of the sender, and a burst too large to be one: user space decides. */
#define PAUSE_US 100000
#define HASTE_US (-1500000)
#define PLAYOUT_US 100000
#define SPAN_NS 5000000000ull

/* The one's complement sum of 16-bit words, in the order they have in memory. */
INLINE u16 fold(u64 sum) {
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFFFFFF) + (sum >> 32);
    sum = (sum & 0xFFFF) + (sum >> 16);
    sum = (sum & 0xFFFF) + (sum >> 16);
    return (u16)((sum & 0xFFFF) + (sum >> 16));
}

INLINE u64 sum_pseudo6(const u32 *src, const u32 *dst, u16 len) {
    u64 sum = net32((u32)net16(len)) + (u64)net32(17);
    for (int i = 0; i < 4; i++)
        sum += (u64)src[i] + dst[i];
    return sum;
}

INLINE u64 sum_headers(const struct udp *udp, const struct rtp *rtp) {
    const u16 *words = (const u16 *)rtp;
    u64 sum = (u64)udp->src + udp->dst + udp->len;
    for (int i = 0; i < 6; i++)
        sum += words[i];
    return sum;
}

/* The sum of what follows the RTP header. */
INLINE u64 sum_body(const void *body, const void *end, u32 len) {
    const u8 *at = body;
    u64 sum = 0;
    u32 left = len;
    for (int i = 0; i < 376 && left >= 4; i++) {
        if ((const void *)(at + 4) > end)
            break;
        sum += *(const u32 *)at;
        at += 4;
        left -= 4;
    }
    if (left >= 2 && (const void *)(at + 2) <= end) {
        sum += *(const u16 *)at;
        at += 2;
        left -= 2;
    }
    if (left == 1 && (const void *)(at + 1) <= end)
        sum += net16((u16)(*at << 8));
    return sum;
}

/* Takes note of a packet; 0 when it is not one to go on with. Changes nothing then. */
INLINE int measure(struct progress *p, const struct rule *rule, u16 seq, u32 time, u32 octets, u64 now) {
    struct meter *m = &p->meter;
    u16 ahead = seq - (u16)m->highest;
    u16 behind = -ahead;
    if (ahead == 0)
        return 0;
    if (ahead >= AHEAD_MAX && (behind >= BEHIND_MAX || (m->seen >> behind & 1)))
        return 0;
    s64 ticks = (s32)(time - m->last_time);
    s64 said_us = (ticks * (s64)rule->tick_us_q16) >> 16;
    s64 difference = (s64)((now - m->last_ns) / 1000) - said_us;
    if (difference > PAUSE_US || difference < HASTE_US)
        return 0;

    if (ahead < AHEAD_MAX) {
        m->highest += ahead;
        m->seen = ahead < 64 ? m->seen << ahead : 0;
        m->seen |= 1;
        m->highest_time = time;
        p->highest_ns = now;
        if (ahead > 1)
            p->bursts++;
    } else {
        m->seen |= 1ull << behind;
        int older = behind == 63 || (m->seen >> (behind + 1) & 1);
        int newer = m->seen >> (behind - 1) & 1;
        if (older && newer)
            p->bursts--;
        if (!older && !newer)
            p->bursts++;
    }
    u64 size = difference < 0 ? -difference : difference;
    m->jitter = (u32)(m->jitter + (s32)(((s64)(size << 10) - (s64)m->jitter) >> 4));
    if (m->jitter > p->jitter_max)
        p->jitter_max = m->jitter;
    m->transit_us += difference;
    if (now >= m->span_ends_ns) {
        m->floor_us[1] = m->floor_us[0];
        m->floor_us[0] = m->transit_us;
        m->span_ends_ns = now + SPAN_NS;
    }
    if (m->transit_us < m->floor_us[0])
        m->floor_us[0] = m->transit_us;
    s64 fastest = m->floor_us[0] < m->floor_us[1] ? m->floor_us[0] : m->floor_us[1];
    if (m->transit_us - fastest > PLAYOUT_US)
        p->late++;
    m->last_time = time;
    m->last_ns = now;
    p->jitter_sum += m->jitter;
    p->octets += octets;
    p->packets++;
    return 1;
}

SEC("xdp") int relay(struct xdp_md *ctx) {
    void *end = (void *)(long)ctx->data_end;
    struct eth *eth = (void *)(long)ctx->data;
    if ((void *)(eth + 1) > end)
        return XDP_PASS;
    struct key key = {};
    struct ip4 *ip4 = 0;
    struct ip6 *ip6 = 0;
    struct udp *udp;
    u32 udp_len, ip_len, hops;
    if (eth->type == net16(0x0800)) {
        ip4 = (void *)(eth + 1);
        if ((void *)(ip4 + 1) > end || ip4->version_ihl != 0x45 || ip4->protocol != 17)
            return XDP_PASS;
        /* Only "do not fragment" may be set. */
        if (ip4->frag & ~net16(0x4000))
            return XDP_PASS;
        ip_len = net16(ip4->len);
        udp_len = ip_len - sizeof(*ip4);
        hops = ip4->ttl;
        key.src[2] = key.dst[2] = net32(0xFFFF);
        key.src[3] = ip4->src;
        key.dst[3] = ip4->dst;
        udp = (void *)(ip4 + 1);
    } else if (eth->type == net16(0x86DD)) {
        ip6 = (void *)(eth + 1);
        if ((void *)(ip6 + 1) > end || ip6->next != 17)
            return XDP_PASS;
        udp_len = net16(ip6->len);
        ip_len = udp_len + sizeof(*ip6);
        hops = ip6->hops;
        for (int i = 0; i < 4; i++) {
            key.src[i] = ip6->src[i];
            key.dst[i] = ip6->dst[i];
        }
        udp = (void *)(ip6 + 1);
    } else {
        return XDP_PASS;
    }
    struct rtp *rtp = (void *)(udp + 1);
    if ((void *)(rtp + 1) > end)
        return XDP_PASS;
    /* The first bits tell RTP from STUN and DTLS (RFC 7983), the types RTCP from RTP (RFC 5761). */
    if ((rtp->first & 0xC0) != 0x80 || (rtp->type >= 192 && rtp->type <= 223))
        return XDP_PASS;
    key.src_port = udp->src;
    key.dst_port = udp->dst;
    struct rule *rule = lookup(&rules, &key);
    if (!rule)
        return XDP_PASS;
    u32 slot = rule->slot;
    struct progress *p = lookup(&progress, &slot);
    if (!p)
        return XDP_PASS;

    int plain = rtp->first == 0x80 && udp_len >= sizeof(*udp) + sizeof(*rtp) && udp_len <= 1500 &&
                net16(udp->len) == udp_len && (void *)udp + udp_len <= end && hops > 1;
    u64 body = 0;
    if (ip6 && plain) {
        body = sum_body(rtp + 1, end, udp_len - sizeof(*udp) - sizeof(*rtp));
        u64 pseudo = sum_pseudo6(ip6->src, ip6->dst, udp->len);
        /* A packet that never left this machine may carry the sum of its pseudo header alone, to be completed by a network
         * card that is not there. Else the sum must be right: a new one would hide that it was not. */
        if (udp->check != fold(pseudo) && fold(pseudo + sum_headers(udp, rtp) + body + udp->check) != 0xFFFF)
            plain = 0;
    }
    u64 now = ktime_ns();
    u16 seq = net16(rtp->seq);
    u32 time = net32(rtp->timestamp);
    u32 octets = udp_len - sizeof(*udp);
    u32 out = 0, is_veth = 0;

    spin_lock(&rule->lock);
    u32 offer = rule->offer;
    if (offer && p->taken != offer && p->passed == rule->handled) {
        p->taken = offer;
        p->open = 1;
        p->meter = rule->resume;
    }
    int go = plain && offer && p->open && p->taken == offer && (rtp->type & 0x7F) == rule->type_in &&
             rtp->ssrc == rule->ssrc_in && ip_len <= rule->mtu && measure(p, rule, seq, time, octets, now);
    if (!go) {
        p->open = 0;
        p->passed = seq;
        spin_unlock(&rule->lock);
        return XDP_PASS;
    }
    out = rule->ifindex;
    is_veth = rule->is_veth;
    rtp->type = (rtp->type & 0x80) | rule->type_out;
    rtp->seq = net16((u16)(seq + rule->seq_offset));
    rtp->timestamp = net32(time + rule->time_offset);
    rtp->ssrc = rule->ssrc_out;
    udp->src = rule->src_port;
    udp->dst = rule->dst_port;
    if (ip4) {
        ip4->tos = TRAFFIC_CLASS;
        ip4->ttl = HOPS;
        ip4->src = rule->src[3];
        ip4->dst = rule->dst[3];
        ip4->check = 0;
        const u16 *words = (const u16 *)ip4;
        u64 sum = 0;
        for (int i = 0; i < 10; i++)
            sum += words[i];
        ip4->check = ~fold(sum);
        /* None: allowed by RFC 768, and what came may have been incomplete (see above). */
        udp->check = 0;
    } else if (ip6) {
        ip6->version_class_flow = net32(0x60000000 | TRAFFIC_CLASS << 20);
        ip6->hops = HOPS;
        for (int i = 0; i < 4; i++) {
            ip6->src[i] = rule->src[i];
            ip6->dst[i] = rule->dst[i];
        }
        u16 sum = ~fold(sum_pseudo6(ip6->src, ip6->dst, udp->len) + sum_headers(udp, rtp) + body);
        udp->check = sum ? sum : 0xFFFF;
    }
    for (int i = 0; i < 6; i++) {
        eth->dst[i] = rule->eth_dst[i];
        eth->src[i] = rule->eth_src[i];
    }
    spin_unlock(&rule->lock);
    /* A veth that sends back wakes its peer only if that has a program too; one that sends what is redirected wakes any that
     * reads by NAPI. */
    return out == ctx->ingress_ifindex && !is_veth ? XDP_TX : redirect(out, 0);
}

char LICENSE[] SEC("license") = "Apache-2.0 OR MIT";
