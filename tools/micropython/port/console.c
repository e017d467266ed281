// The console is UART 0: bytes arrive by interrupt (a signal here) into a ring, and Ctrl-C is seen there, also in mid-run.
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>

#include "py/mphal.h"
#include "py/runtime.h"
#include "py/stream.h"
#include "shared/runtime/pyexec.h"
#include "wire.h"

#define RING_SIZE (256) // as on the board, but what does not fit waits in the host's buffer instead of being lost
static volatile uint8_t ring[RING_SIZE];
static volatile unsigned ring_in, ring_out;
static volatile bool ended;
static bool is_terminal;

static void drain(void) {
    while (ring_in - ring_out < RING_SIZE) {
        struct pollfd p = { STDIN_FILENO, POLLIN, 0 };
        uint8_t c;
        if (ended || poll(&p, 1, 0) <= 0) {
            return;
        }
        ssize_t n = read(STDIN_FILENO, &c, 1);
        if (n == 1 && c == mp_interrupt_char) {
            mp_sched_keyboard_interrupt();
        } else if (n == 1) {
            ring[ring_in++ % RING_SIZE] = c;
        } else { // a terminal with nobody at its other end (EIO) may find someone again
            ended = !is_terminal && (n == 0 || errno != EINTR);
            return;
        }
    }
}

static void on_input(int signal) {
    (void)signal;
    int saved = errno;
    drain();
    errno = saved;
}

static void drain_guarded(void) {
    sigset_t block, before;
    sigemptyset(&block);
    sigaddset(&block, SIGIO);
    sigprocmask(SIG_BLOCK, &block, &before);
    drain();
    sigprocmask(SIG_SETMASK, &before, NULL);
}

void hal_console_init(void) {
    struct sigaction action;
    memset(&action, 0, sizeof(action));
    action.sa_handler = on_input;
    action.sa_flags = SA_RESTART;
    sigaction(SIGIO, &action, NULL);
    is_terminal = isatty(STDIN_FILENO);
    fcntl(STDIN_FILENO, F_SETOWN, getpid());
    fcntl(STDIN_FILENO, F_SETFL, fcntl(STDIN_FILENO, F_GETFL) | O_ASYNC);
}

bool hal_console_watched(void) {
    return is_terminal;
}

size_t hal_console_pending(void) {
    drain_guarded();
    return ring_in - ring_out;
}

int hal_console_get(void) {
    return hal_console_pending() == 0 ? -1 : ring[ring_out++ % RING_SIZE];
}

int mp_hal_stdin_rx_chr(void) {
    for (;;) {
        int c = hal_console_get();
        if (c >= 0) {
            return c;
        }
        if (ended) {
            _exit(EXIT_INPUT_ENDED);
        }
        mp_handle_pending(true);
        hal_wait(10);
    }
}

uintptr_t mp_hal_stdio_poll(uintptr_t flags) {
    uintptr_t ready = flags & MP_STREAM_POLL_WR;
    if ((flags & MP_STREAM_POLL_RD) && hal_console_pending() > 0) {
        ready |= MP_STREAM_POLL_RD;
    }
    return ready;
}

mp_uint_t mp_hal_stdout_tx_strn(const char *str, size_t len) {
    size_t done = 0;
    while (done < len) {
        ssize_t n = write(STDOUT_FILENO, str + done, len - done);
        if (n < 0 && errno != EINTR) {
            break;
        }
        done += n > 0 ? n : 0;
    }
    return done;
}
