// The wire to the simulated hardware: one call out, events in, one answer back. Frames and values are described in wire.c.
#ifndef WIRE_H
#define WIRE_H
#include "py/obj.h"

// What a hardware object is on this side: a name for the one at the other end.
typedef struct _remote_obj_t {
    mp_obj_base_t base;
    mp_int_t id;
} remote_obj_t;

// Codes this program ends with (sim/remote.py knows them too). 0 and 1: a script ended, or raised.
enum { EXIT_USAGE = 2, EXIT_RESET = 10, EXIT_CRASH = 70, EXIT_WIRE_LOST = 71, EXIT_INPUT_ENDED = 72 };

extern const mp_obj_type_t *const remote_types[]; // all types whose objects may be named in a call, NULL at the end
#define SLOT_TIMERS (16) // callback slots: 0-15 are the pins, then the timers
#define SLOT_COUNT (20)

extern size_t hal_heap_peak, hal_heap_tightest; // most bytes that were found alive by a collection (main.c)

void wire_open(int fd);
bool wire_connected(void);
bool wire_knows_time(void); // then these two need not be asked for
int64_t wire_ticks_us(void);
int64_t wire_clock_us(void); // since 2000
void wire_count_work(unsigned amount);
bool wire_feed(void); // the watchdog, together with the next call; false: call it
// Call `name` ("module.function", or ".method" of args[0]) and return its value; raises what the other end raised.
mp_obj_t wire_call(const char *name, size_t n_args, const mp_obj_t *args, mp_map_t *kw);
// The same for a value of bytes that goes straight into a buffer: its length, or -1 for None. At most len is copied.
mp_int_t wire_call_into(const char *name, size_t n_args, const mp_obj_t *args, void *buf, size_t len);
// Close a remote object; from a finaliser too, which may run in the middle of an answer: then with the next call.
void wire_close(mp_obj_t self);
#endif
