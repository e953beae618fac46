/* A far end that drops what it gets at its interface: RTP over IPv4. Everything else goes on. */
struct xdp_md {
    unsigned int data, data_end, data_meta, ingress_ifindex, rx_queue_index, egress_ifindex;
};

__attribute__((section("xdp"), used)) int drop(struct xdp_md *ctx) {
    const unsigned char *frame = (void *)(long)ctx->data, *end = (void *)(long)ctx->data_end;
    /* Ethernet, IPv4 without options, UDP, and the first two octets of RTP. */
    if (frame + 44 > end || frame[12] != 8 || frame[13] != 0 || frame[14] != 0x45 || frame[23] != 17)
        return 2;
    /* RTCP is not RTP (RFC 5761). */
    if (frame[42] >> 6 != 2 || (frame[43] >= 192 && frame[43] <= 223))
        return 2;
    return 1;
}

char LICENSE[] __attribute__((section("license"), used)) = "Apache-2.0 OR MIT";
