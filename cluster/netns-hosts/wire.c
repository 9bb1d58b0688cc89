// wire MEGABITS MICROSECONDS A1 B1 [A2 B2 ...]: makes the TAP devices A1, B1, ... and joins each pair by a link that has
// a rate in both directions (0: none) and a delay from A to B. Prints "ready" when the devices exist; they vanish with it.
// netns-hosts gives A to a host and B to the bridge, so a frame meets the delay once on its way to another host.
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <linux/if_tun.h>
#include <net/if.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <time.h>
#include <unistd.h>

enum {
    headerBytes = 12,                // virtio_net_hdr_mrg_rxbuf, in front of each frame
    frameBytes = 65536 + 64,         // with segmentation left to the receiver a frame is as long as that
    mostEnds = 512,
    framesAtOnce = 16,               // read from one device before others have their turn
    ahead = 2000000,                 // ns of traffic that a link takes in before the sender has to wait
};

typedef struct Frame {
    struct Frame *next;
    int64_t due;
    int length;
    unsigned char bytes[];
} Frame;

// A frame that goes into one device on its way to the other.
typedef struct {
    int from, to;
    int64_t delay;
    int64_t busyUntil; // when the last bit of the accepted frames has left
    Frame *first, **last;
} Direction;

static int64_t now(void) {
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec * 1000000000LL + time.tv_nsec;
}

static int openTap(const char *name) {
    struct ifreq request = {.ifr_flags = IFF_TAP | IFF_NO_PI | IFF_VNET_HDR};
    strncpy(request.ifr_name, name, IFNAMSIZ - 1);
    int header = headerBytes, device = open("/dev/net/tun", O_RDWR | O_NONBLOCK);
    // Long frames without checksums keep the cost per byte small; the kernel completes them where they leave the TAPs.
    if (device < 0 || ioctl(device, TUNSETIFF, &request) || ioctl(device, TUNSETVNETHDRSZ, &header) ||
        ioctl(device, TUNSETOFFLOAD, TUN_F_CSUM | TUN_F_TSO4 | TUN_F_TSO6 | TUN_F_TSO_ECN)) {
        fprintf(stderr, "wire: cannot make the TAP device %s: %s\n", name, strerror(errno));
        exit(1);
    }
    return device;
}

// Passes on the frames that are due. Returns when the next frame will be due, or INT64_MAX.
static int64_t deliver(Direction *link, int64_t time) {
    while (link->first && link->first->due <= time) {
        Frame *frame = link->first;
        // A device that is down drops the frame, like an unplugged cable.
        if (write(link->to, frame->bytes, frame->length) < 0 && errno == EAGAIN) return time + 100000;
        link->first = frame->next;
        if (!link->first) link->last = &link->first;
        free(frame);
    }
    return link->first ? link->first->due : INT64_MAX;
}

static void takeIn(Direction *link, double nanosecondsPerByte) {
    static unsigned char buffer[frameBytes];
    for (int count = 0; count < framesAtOnce; count++) {
        ssize_t length = read(link->from, buffer, sizeof buffer);
        if (length <= headerBytes) return;
        int64_t time = now();
        if (link->busyUntil < time) link->busyUntil = time;
        link->busyUntil += (int64_t)((length - headerBytes) * nanosecondsPerByte);
        Frame *frame = malloc(sizeof *frame + length);
        if (!frame) return; // lost, as in a full queue
        *frame = (Frame){.due = link->busyUntil + link->delay, .length = (int)length};
        memcpy(frame->bytes, buffer, length);
        *link->last = frame;
        link->last = &frame->next;
        if (link->busyUntil - time > ahead) return;
    }
}

int main(int argc, char **argv) {
    int ends = argc - 3;
    if (ends < 2 || ends % 2 || ends > mostEnds) {
        fprintf(stderr, "usage: wire MEGABITS MICROSECONDS A1 B1 [A2 B2 ...]\n");
        return 64;
    }
    double megabits = atof(argv[1]), nanosecondsPerByte = megabits > 0 ? 8000 / megabits : 0;
    static Direction links[mostEnds];
    static struct pollfd devices[mostEnds];
    for (int i = 0; i < ends; i++) devices[i].fd = openTap(argv[3 + i]);
    for (int i = 0; i < ends; i++) {
        int64_t delay = i % 2 ? 0 : (int64_t)(atof(argv[2]) * 1000);
        links[i] = (Direction){.from = devices[i].fd, .to = devices[i ^ 1].fd, .delay = delay, .last = &links[i].first};
    }
    prctl(PR_SET_TIMERSLACK, 1000UL); // the usual 50 us are a large part of a short delay
    puts("ready");
    fflush(stdout);
    for (;;) {
        int64_t time = now(), next = time + 1000000000;
        for (int i = 0; i < ends; i++) {
            int64_t due = deliver(&links[i], time);
            if (due < next) next = due;
            // A link with enough frames is not read until it has caught up; the device's queue fills, and the sender waits.
            int64_t free = links[i].busyUntil - ahead;
            devices[i].events = free > time ? 0 : POLLIN;
            if (free > time && free < next) next = free;
        }
        int64_t wait = next > time ? next - time : 0;
        struct timespec pause = {.tv_sec = wait / 1000000000, .tv_nsec = wait % 1000000000};
        if (ppoll(devices, ends, &pause, NULL) <= 0) continue;
        for (int i = 0; i < ends; i++) {
            if (devices[i].revents & POLLIN) takeIn(&links[i], nanosecondsPerByte);
        }
    }
}
