// The wire to the simulated hardware. Nothing of a call stays in the MicroPython heap, so measuring the heap measures the program.
//
// A frame is a 32-bit length (little endian, without itself), a letter and a body.
//   out  C (count (work:u32 looks:u32)*) work:u32 looks:u32 clock:u8 name:str args:tuple kw:count (str value)*
//             a call, behind the feedings of the watchdog since the last one: they are told with the next call that wants an answer. Since what is before
//             it, each: work = jumps and returns, in tens; looks = at the ticks; clock = 1: since the last call the clock was read, too
//        A                                                      an event has been handled
//        M used:u32 free:u32 largest:u32 peak:u32 stack:u32 names:u32 tightest:u32
//             the heap, in bytes: now, its largest free piece, most ever in use; C stack in use; names that are not the interpreter's own; the
//             smallest that the largest free piece ever was
//   in   R now value       the answer          E now type:str args:tuple   the answer is an exception
//             now = known:u8 ticks_us:i64 clock_us:i64 drift:f64 work_us:u32 look_us:u32: what time it is, how fast the clock runs ahead, and what work and
//             looks cost; with known = 1, time need not be asked for until the next call, and a feeding may wait for it
//        I slot:i32 times:u32   so many interrupts: each time schedule the handler of that slot and run what is pending; then say A, wait on
//        G how:u8          answer with an M; 1: after a collection, 2: and print what lies where in the heap, and all names
//        X code:u8         leave at once: reset, deep sleep, watchdog, power cut
// A value is a letter and its content: N T F, I i64, D f64, S str, B bytes, ( count values, [ count values, O type:str id:i32.
// A str or bytes is its 32-bit length and its bytes; a count is one byte.
#include <string.h>
#include <unistd.h>
#include <errno.h>

#include "py/cstack.h"
#include "py/gc.h"
#include "py/mperrno.h"
#include "py/qstr.h"
#include "py/runtime.h"
#include "py/mphal.h"
#include "wire.h"

#define FRAME_MAX (70000)
#define FEEDS_MAX (64)
static int wire_fd = -1;
static uint32_t work, looks; // since the last answer
static bool clock_read;
static struct { uint32_t work, looks; } feeds[FEEDS_MAX]; // what had been counted at each
static uint8_t feed_count;
static uint8_t out[FRAME_MAX], in[FRAME_MAX];
static size_t out_len, in_pos, in_len;

// What the last answer said of the time.
static struct __attribute__((packed)) {
    uint8_t known;
    int64_t ticks_us, clock_us;
    double drift;
    uint32_t work_us, look_us;
} now;

void wire_open(int fd) {
    wire_fd = fd;
}

bool wire_connected(void) {
    return wire_fd >= 0;
}

void wire_count_work(unsigned amount) {
    work += amount;
}

// Keep a feeding for the next call; false: it must be a call of its own.
bool wire_feed(void) {
    if (!wire_knows_time() || feed_count == FEEDS_MAX) {
        return false;
    }
    feeds[feed_count].work = work;
    feeds[feed_count++].looks = looks;
    return true;
}

static int64_t spent_us(void) {
    return (int64_t)work * now.work_us + (int64_t)looks * now.look_us;
}

bool wire_knows_time(void) {
    return wire_fd >= 0 && now.known;
}

int64_t wire_ticks_us(void) {
    ++looks;
    return now.ticks_us + spent_us();
}

int64_t wire_clock_us(void) {
    clock_read = true;
    int64_t us = spent_us();
    return now.clock_us + us + (int64_t)(us * now.drift);
}

static void give(const uint8_t *buf, size_t len) {
    while (len > 0) {
        ssize_t n = write(wire_fd, buf, len);
        if (n > 0) {
            buf += n;
            len -= n;
        } else if (n == 0 || errno != EINTR) {
            _exit(EXIT_WIRE_LOST);
        }
    }
}

static void take(uint8_t *buf, size_t len) {
    static uint8_t ahead[4096]; // one look at the wire for a frame's length and body
    static size_t from, to;
    while (len > 0) {
        if (from == to) {
            ssize_t n = read(wire_fd, ahead, sizeof(ahead));
            if (n == 0 || (n < 0 && errno != EINTR)) {
                _exit(EXIT_WIRE_LOST);
            }
            from = 0;
            to = n < 0 ? 0 : n;
            continue;
        }
        size_t n = len < to - from ? len : to - from;
        memcpy(buf, ahead + from, n);
        from += n;
        buf += n;
        len -= n;
    }
}

/****** writing ******/

static void put(const void *data, size_t len) {
    if (out_len + len > FRAME_MAX) {
        mp_raise_OSError(MP_ENOMEM);
    }
    memcpy(out + out_len, data, len);
    out_len += len;
}

static void put_byte(uint8_t b) {
    put(&b, 1);
}

static void put_u32(uint32_t n) {
    put(&n, 4);
}

static void put_str(const char *s, size_t len) {
    put_u32(len);
    put(s, len);
}

static bool put_remote(mp_obj_t o) {
    for (const mp_obj_type_t *const *t = remote_types; *t != NULL; ++t) {
        if (mp_obj_is_type(o, *t)) {
            const char *name = qstr_str((*t)->name);
            put_byte('O');
            put_str(name, strlen(name));
            put_u32(((remote_obj_t *)MP_OBJ_TO_PTR(o))->id);
            return true;
        }
    }
    return false;
}

static void put_value(mp_obj_t o);

static void put_items(uint8_t kind, size_t n, const mp_obj_t *items) {
    put_byte(kind);
    put_byte(n);
    for (size_t i = 0; i < n; ++i) {
        put_value(items[i]);
    }
}

static void put_value(mp_obj_t o) {
    mp_buffer_info_t buf;
    if (o == mp_const_none || o == MP_OBJ_NULL) {
        put_byte('N');
    } else if (o == mp_const_true || o == mp_const_false) {
        put_byte(o == mp_const_true ? 'T' : 'F');
    } else if (mp_obj_is_int(o)) {
        int64_t n = mp_obj_is_small_int(o) ? MP_OBJ_SMALL_INT_VALUE(o) : mp_obj_get_ll(o);
        put_byte('I');
        put(&n, 8);
    } else if (mp_obj_is_float(o)) {
        double d = (double)mp_obj_get_float(o);
        put_byte('D');
        put(&d, 8);
    } else if (mp_obj_is_str(o)) {
        size_t len;
        const char *s = mp_obj_str_get_data(o, &len);
        put_byte('S');
        put_str(s, len);
    } else if (mp_obj_is_type(o, &mp_type_tuple) || mp_obj_is_type(o, &mp_type_list)) {
        size_t len;
        mp_obj_t *items;
        mp_obj_get_array(o, &len, &items);
        put_items(mp_obj_is_type(o, &mp_type_tuple) ? '(' : '[', len, items);
    } else if (put_remote(o)) {
        return;
    } else if (mp_get_buffer(o, &buf, MP_BUFFER_READ)) {
        put_byte('B');
        put_str(buf.buf, buf.len);
    } else {
        mp_raise_TypeError(MP_ERROR_TEXT("argument has wrong type"));
    }
}

static void send_frame(void) {
    uint32_t len = out_len - 4;
    memcpy(out, &len, 4);
    give(out, out_len);
}

static void begin_frame(uint8_t kind) {
    out_len = 4;
    put_byte(kind);
}

static void put_counts(void) {
    uint32_t work_told = 0, looks_told = 0;
    put_byte(feed_count);
    for (size_t i = 0; i < feed_count; ++i) {
        put_u32(feeds[i].work - work_told);
        put_u32(feeds[i].looks - looks_told);
        work_told = feeds[i].work;
        looks_told = feeds[i].looks;
    }
    put_u32(work - work_told);
    put_u32(looks - looks_told);
    put_byte(clock_read);
}

static void send_call(const char *name, size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    begin_frame('C');
    put_counts();
    put_str(name, strlen(name));
    put_items('(', n_args, args);
    put_byte(kw == NULL ? 0 : kw->used);
    for (size_t i = 0; kw != NULL && i < kw->alloc; ++i) {
        if (mp_map_slot_is_filled(kw, i)) {
            size_t len;
            const char *key = mp_obj_str_get_data(kw->table[i].key, &len);
            put_str(key, len);
            put_value(kw->table[i].value);
        }
    }
    work = looks = feed_count = 0;
    clock_read = false;
    send_frame();
}

/****** reading ******/

static const uint8_t *get(size_t len) {
    if (in_pos + len > in_len) {
        _exit(EXIT_WIRE_LOST); // the two ends no longer agree on the form of a frame
    }
    in_pos += len;
    return in + in_pos - len;
}

static uint32_t get_u32(void) {
    uint32_t n;
    memcpy(&n, get(4), 4);
    return n;
}

static mp_obj_t get_value(void);

static mp_obj_t get_items(bool tuple) {
    size_t n = *get(1);
    mp_obj_t items = tuple ? mp_obj_new_tuple(n, NULL) : mp_obj_new_list(n, NULL);
    mp_obj_t *array;
    mp_obj_get_array(items, &n, &array);
    for (size_t i = 0; i < n; ++i) {
        array[i] = mp_const_none;
    }
    for (size_t i = 0; i < n; ++i) {
        array[i] = get_value();
    }
    return items;
}

static mp_obj_t get_value(void) {
    uint8_t kind = *get(1);
    int64_t n;
    double d;
    uint32_t len;
    switch (kind) {
        case 'T':
            return mp_const_true;
        case 'F':
            return mp_const_false;
        case 'I':
            memcpy(&n, get(8), 8);
            return mp_obj_new_int_from_ll(n);
        case 'D':
            memcpy(&d, get(8), 8);
            return mp_obj_new_float((mp_float_t)d);
        case 'S':
            len = get_u32();
            return mp_obj_new_str((const char *)get(len), len);
        case 'B':
            len = get_u32();
            return mp_obj_new_bytes(get(len), len);
        case '(':
        case '[':
            return get_items(kind == '(');
        default:
            return mp_const_none;
    }
}

static MP_NORETURN void raise_answer(void) {
    static const mp_obj_type_t *const types[] = {
        &mp_type_OSError, &mp_type_ValueError, &mp_type_TypeError, &mp_type_KeyError, &mp_type_IndexError, &mp_type_MemoryError,
        &mp_type_OverflowError, &mp_type_AttributeError, &mp_type_NotImplementedError, &mp_type_KeyboardInterrupt,
    };
    uint32_t len = get_u32();
    const char *name = (const char *)get(len);
    const mp_obj_type_t *type = &mp_type_RuntimeError;
    for (size_t i = 0; i < MP_ARRAY_SIZE(types); ++i) {
        const char *known = qstr_str(types[i]->name);
        if (strlen(known) == len && memcmp(known, name, len) == 0) {
            type = types[i];
        }
    }
    size_t n;
    mp_obj_t *items;
    mp_obj_get_array(get_value(), &n, &items);
    nlr_raise(mp_obj_exception_make_new(type, n, 0, items));
}

// Interrupts of one kind: for each, queue the handler (a full queue loses it, as on the board) and run it where this call waits.
static void handle_interrupt(void) {
    uint32_t slot = get_u32(), times = get_u32();
    while (slot < SLOT_COUNT && MP_STATE_PORT(remote_handlers)[slot] != MP_OBJ_NULL && times-- > 0) {
        mp_sched_schedule(MP_STATE_PORT(remote_handlers)[slot], MP_STATE_PORT(remote_sources)[slot]);
        if (MP_STATE_THREAD(mp_pending_exception) == MP_OBJ_NULL) {
            mp_handle_pending(false);
        }
    }
    begin_frame('A');
    send_frame();
}

static void report_heap(void) {
    uint8_t how = *get(1);
    if (how != 0) {
        gc_collect();
    }
    if (how == 2) {
        gc_dump_alloc_table(&mp_plat_print);
        qstr_dump_data();
    }
    gc_info_t info;
    gc_info(&info);
    begin_frame('M');
    put_u32(info.used);
    put_u32(info.free);
    put_u32(info.max_free * MICROPY_BYTES_PER_GC_BLOCK);
    put_u32(hal_heap_peak);
    put_u32(mp_cstack_usage());
    size_t pools, names, unused;
    qstr_pool_info(&pools, &names, &unused, &unused);
    put_u32(names);
    put_u32(hal_heap_tightest);
    send_frame();
}

// Send nothing more; read frames until the answer, which is left to be decoded at in_pos.
static void await_answer(void) {
    for (;;) {
        uint32_t len;
        take((uint8_t *)&len, 4);
        if (len < 1 || len > FRAME_MAX) {
            _exit(EXIT_WIRE_LOST);
        }
        take(in, len);
        in_len = len;
        in_pos = 1;
        switch (in[0]) {
            case 'R':
                memcpy(&now, get(sizeof(now)), sizeof(now));
                return;
            case 'E':
                memcpy(&now, get(sizeof(now)), sizeof(now));
                raise_answer();
            case 'I':
                handle_interrupt();
                break;
            case 'G':
                report_heap();
                break;
            case 'X':
                _exit(*get(1));
            default:
                _exit(EXIT_WIRE_LOST);
        }
    }
}

static void transact(const char *name, size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    if (wire_fd < 0) {
        mp_raise_OSError(MP_ENODEV);
    }
    send_call(name, n_args, args, kw);
    await_answer();
}

// Objects that were collected while an answer was being decoded.
#define LATE_MAX (8)
static remote_obj_t late[LATE_MAX];
static size_t late_count;
static bool decoding;

void wire_close(mp_obj_t self) {
    if (!decoding) {
        transact(".close", 1, &self, NULL);
    } else if (late_count < LATE_MAX) {
        late[late_count++] = *(remote_obj_t *)MP_OBJ_TO_PTR(self);
    }
}

static void close_late(void) {
    while (late_count > 0) {
        remote_obj_t dead = late[--late_count];
        wire_close(MP_OBJ_FROM_PTR(&dead));
    }
}

mp_obj_t wire_call(const char *name, size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    close_late();
    transact(name, n_args, args, kw);
    nlr_buf_t nlr;
    if (nlr_push(&nlr) == 0) {
        decoding = true;
        mp_obj_t value = get_value();
        decoding = false;
        nlr_pop();
        return value;
    }
    decoding = false; // no memory for the value
    nlr_jump(nlr.ret_val);
}

mp_int_t wire_call_into(const char *name, size_t n_args, const mp_obj_t *args, void *buf, size_t len) {
    close_late();
    transact(name, n_args, args, NULL);
    if (*get(1) != 'B') {
        return -1;
    }
    uint32_t n = get_u32();
    n = n < len ? n : len;
    memcpy(buf, get(n), n);
    return n;
}

MP_REGISTER_ROOT_POINTER(mp_obj_t remote_handlers[20]); // SLOT_COUNT
MP_REGISTER_ROOT_POINTER(mp_obj_t remote_sources[20]);
