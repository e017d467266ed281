// Time, waiting, chance. With a wire, the simulated world answers; without one, the host's clock does.
#include <poll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "py/mperrno.h"
#include "py/mphal.h"
#include "py/runtime.h"
#include "wire.h"

#define SECONDS_1970_TO_2000 (946684800LL)
#define TICKS_PERIOD (1 << 30)
#define SLICE_MS (20) // the longest wait, when a person's Ctrl-C may come in between
#define WORK_LIMIT (500) // of ten jumps each, after which the world is told without being asked

// Sockets that were asked and had nothing to say since the last wait (modsocket.c): what the wait is for.
#define WATCHED_MAX (8)
static struct { mp_int_t id, flags; } watched[WATCHED_MAX];
static size_t watched_count;

void hal_watch(mp_int_t id, mp_int_t flags) {
    if (watched_count < WATCHED_MAX) {
        watched[watched_count].id = id;
        watched[watched_count++].flags = flags;
    }
}

static int64_t host_ns(clockid_t clock) {
    struct timespec t;
    clock_gettime(clock, &t);
    return (int64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

static int64_t wire_int(const char *name) {
    mp_obj_t n = wire_call(name, 0, NULL, NULL);
    return mp_obj_is_small_int(n) ? MP_OBJ_SMALL_INT_VALUE(n) : mp_obj_get_ll(n);
}

mp_uint_t mp_hal_ticks_ms(void) {
    if (wire_knows_time()) {
        return wire_ticks_us() / 1000 & (TICKS_PERIOD - 1);
    }
    return wire_connected() ? wire_int("time.ticks_ms") : host_ns(CLOCK_MONOTONIC) / 1000000;
}

mp_uint_t mp_hal_ticks_us(void) {
    if (wire_knows_time()) {
        return wire_ticks_us() & (TICKS_PERIOD - 1);
    }
    return wire_connected() ? wire_int("time.ticks_us") : host_ns(CLOCK_MONOTONIC) / 1000;
}

int64_t hal_seconds_since_2000(void) {
    if (wire_knows_time()) {
        return wire_clock_us() / 1000000;
    }
    return wire_connected() ? wire_int("time.time") : host_ns(CLOCK_REALTIME) / 1000000000 - SECONDS_1970_TO_2000;
}

uint64_t mp_hal_time_ns(void) {
    return wire_connected() ? hal_seconds_since_2000() * 1000000000ULL : host_ns(CLOCK_REALTIME) - SECONDS_1970_TO_2000 * 1000000000ULL;
}

static void host_sleep(int64_t us) {
    struct timespec t = { us / 1000000, us % 1000000 * 1000 };
    while (us > 0 && nanosleep(&t, &t) < 0) {
        mp_handle_pending(true);
    }
}

static void wire_sleep(const char *name, mp_uint_t amount) {
    mp_obj_t arg = mp_obj_new_int_from_uint(amount);
    wire_call(name, 1, &arg, NULL);
}

void mp_hal_delay_us(mp_uint_t us) {
    if (wire_connected()) {
        wire_sleep("time.sleep_us", us);
    } else {
        host_sleep(us);
    }
    mp_handle_pending(true);
}

void mp_hal_delay_ms(mp_uint_t ms) {
    do {
        mp_uint_t slice = hal_console_watched() && ms > SLICE_MS ? SLICE_MS : ms;
        if (wire_connected()) {
            wire_sleep("time.sleep_ms", slice);
        } else {
            host_sleep(slice * 1000LL);
        }
        ms -= slice;
        mp_handle_pending(true);
    } while (ms > 0);
}

// Wait until something may have happened: to a watched socket, on the console, or nothing within timeout_ms.
void hal_wait(uint32_t timeout_ms) {
    if (hal_console_watched() && timeout_ms > SLICE_MS) {
        timeout_ms = SLICE_MS;
    }
    if (wire_connected()) {
        mp_obj_t args[1 + 2 * WATCHED_MAX];
        size_t n = 0;
        args[n++] = timeout_ms == (uint32_t)-1 ? mp_const_none : mp_obj_new_int_from_uint(timeout_ms);
        for (size_t i = 0; i < watched_count; ++i) {
            args[n++] = MP_OBJ_NEW_SMALL_INT(watched[i].id);
            args[n++] = MP_OBJ_NEW_SMALL_INT(watched[i].flags);
        }
        watched_count = 0;
        wire_call("board.wait", n, args, NULL);
    } else if (hal_console_pending() == 0) {
        poll(NULL, 0, timeout_ms); // input ends it by its signal
    }
}

void hal_work(void) {
    static unsigned unreported;
    wire_count_work(1);
    if (++unreported >= WORK_LIMIT && wire_connected()) {
        unreported = 0;
        wire_call("board.work", 0, NULL, NULL);
    }
}

// Chance comes from the simulated chip, so that a simulated life can be repeated; without a wire, from the host.
void hal_random_fill(void *buf, size_t len) {
    mp_obj_t count = MP_OBJ_NEW_SMALL_INT(len);
    if (!wire_connected()) {
        for (ssize_t n; len > 0; buf = (char *)buf + n, len -= n) {
            n = getrandom(buf, len, 0);
            n = n < 0 ? 0 : n; // interrupted
        }
    } else if (wire_call_into("os.urandom", 1, &count, buf, len) != (mp_int_t)len) {
        mp_raise_OSError(MP_EIO);
    }
}

uint32_t hal_random(void) {
    uint32_t n;
    hal_random_fill(&n, sizeof(n));
    return n;
}
