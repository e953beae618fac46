/* Speaks to libbcg729 through its public header, so that it stays a process of its own beside the tests.
 *
 * bcg encode VAD     samples on stdin; frames on stdout, each after one octet with its length
 * bcg decode         frames on stdin (a length of 255: lost, 0: not sent); samples on stdout
 * bcg time-encode VAD N, bcg time-decode N
 *                    the same over all of stdin N times from the start; the nanoseconds a frame of the fastest on stdout
 */
#include <bcg729/decoder.h>
#include <bcg729/encoder.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static unsigned char input[1 << 26];

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return t.tv_sec * 1e9 + t.tv_nsec;
}

static int encode(size_t length, int vad, int write) {
    bcg729EncoderChannelContextStruct *encoder = initBcg729EncoderChannel(vad);
    int frames = 0;
    for (size_t at = 0; at + 160 <= length; at += 160, frames++) {
        int16_t samples[80];
        uint8_t octets[16], count = 0;
        memcpy(samples, input + at, 160);
        bcg729Encoder(encoder, samples, octets, &count);
        if (write) {
            putchar(count);
            fwrite(octets, 1, count, stdout);
        }
    }
    closeBcg729EncoderChannel(encoder);
    return frames;
}

static int decode(size_t length, int write) {
    bcg729DecoderChannelContextStruct *decoder = initBcg729DecoderChannel();
    int frames = 0;
    for (size_t at = 0; at < length; frames++) {
        int16_t samples[80];
        uint8_t octets[10] = {0}, count = input[at++];
        int lost = count == 0 || count == 255;
        if (lost) {
            count = 0;
        }
        if (count > 10 || at + count > length) {
            break;
        }
        memcpy(octets, input + at, count);
        at += count;
        bcg729Decoder(decoder, lost ? NULL : octets, count, lost, count == 2, 0, samples);
        if (write) {
            fwrite(samples, 2, 80, stdout);
        }
    }
    closeBcg729DecoderChannel(decoder);
    return frames;
}

int main(int argc, char **argv) {
    const char *what = argc > 1 ? argv[1] : "";
    size_t length = fread(input, 1, sizeof input, stdin);
    if (!strcmp(what, "encode") && argc == 3) {
        encode(length, atoi(argv[2]), 1);
    } else if (!strcmp(what, "decode")) {
        decode(length, 1);
    } else if (!strncmp(what, "time-", 5) && argc > 2) {
        double best = 1e18;
        for (int i = atoi(argv[argc - 1]); i > 0; i--) {
            double start = now();
            int frames = what[5] == 'e' ? encode(length, atoi(argv[2]), 0) : decode(length, 0);
            double each = (now() - start) / (frames ? frames : 1);
            best = each < best ? each : best;
        }
        printf("%.1f\n", best);
    } else {
        return 2;
    }
    return 0;
}
