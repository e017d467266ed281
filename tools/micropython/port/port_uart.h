// Included by extmod/machine_uart.c: UART 0 is the console, UART 1 can only send, and what it sends goes nowhere.
#include "py/mperrno.h"

#define MICROPY_PY_MACHINE_UART_CLASS_CONSTANTS

// As large as the board's object.
struct _machine_uart_obj_t {
    mp_obj_base_t base;
    uint8_t id;
    uint32_t baudrate;
    uint16_t timeout, timeout_char;
};

static void mp_machine_uart_print(const mp_print_t *print, mp_obj_t self_in, mp_print_kind_t kind) {
    (void)kind;
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    mp_printf(print, "UART(%u, baudrate=%u, timeout=%u)", self->id, (unsigned)self->baudrate, self->timeout);
}

static void mp_machine_uart_init_helper(machine_uart_obj_t *self, size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw_args) {
    enum { ARG_baudrate, ARG_bits, ARG_parity, ARG_stop, ARG_tx, ARG_rx, ARG_rxbuf, ARG_timeout, ARG_timeout_char };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_baudrate, MP_ARG_INT, {.u_int = 115200} },
        { MP_QSTR_bits, MP_ARG_INT, {.u_int = 8} },
        { MP_QSTR_parity, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_stop, MP_ARG_INT, {.u_int = 1} },
        { MP_QSTR_tx, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_rx, MP_ARG_KW_ONLY | MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_rxbuf, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 0} },
        { MP_QSTR_timeout, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 0} },
        { MP_QSTR_timeout_char, MP_ARG_KW_ONLY | MP_ARG_INT, {.u_int = 0} },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args, pos_args, kw_args, MP_ARRAY_SIZE(allowed), allowed, args);
    self->baudrate = args[ARG_baudrate].u_int;
    self->timeout = args[ARG_timeout].u_int;
}

static mp_obj_t mp_machine_uart_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    mp_int_t id = mp_obj_get_int(args[0]);
    if (id != 0 && id != 1) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("UART(%d) does not exist"), (int)id);
    }
    machine_uart_obj_t *self = mp_obj_malloc(machine_uart_obj_t, type);
    self->id = id;
    mp_map_t kw;
    mp_map_init_fixed_table(&kw, n_kw, args + n_args);
    mp_machine_uart_init_helper(self, n_args - 1, args + 1, &kw);
    return MP_OBJ_FROM_PTR(self);
}

static void mp_machine_uart_deinit(machine_uart_obj_t *self) {
    (void)self;
}

static mp_int_t mp_machine_uart_any(machine_uart_obj_t *self) {
    return self->id == 0 ? hal_console_pending() : 0;
}

static bool mp_machine_uart_txdone(machine_uart_obj_t *self) {
    (void)self;
    return true;
}

static mp_uint_t mp_machine_uart_read(mp_obj_t self_in, void *buf, mp_uint_t size, int *errcode) {
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    if (self->id == 1) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("UART(1) can't read"));
    }
    mp_uint_t start = mp_hal_ticks_ms();
    while (hal_console_pending() == 0 && mp_hal_ticks_ms() - start < self->timeout) {
        mp_event_wait_ms(1);
    }
    mp_uint_t n = 0;
    for (int c; n < size && (c = hal_console_get()) >= 0; ++n) {
        ((uint8_t *)buf)[n] = c;
    }
    *errcode = MP_EAGAIN;
    return n == 0 && size > 0 ? MP_STREAM_ERROR : n;
}

static mp_uint_t mp_machine_uart_write(mp_obj_t self_in, const void *buf, mp_uint_t size, int *errcode) {
    (void)errcode;
    machine_uart_obj_t *self = MP_OBJ_TO_PTR(self_in);
    return self->id == 0 ? mp_hal_stdout_tx_strn(buf, size) : size;
}

static mp_uint_t mp_machine_uart_ioctl(mp_obj_t self_in, mp_uint_t request, uintptr_t flags, int *errcode) {
    if (request == MP_STREAM_POLL) {
        bool readable = (flags & MP_STREAM_POLL_RD) && mp_machine_uart_any(MP_OBJ_TO_PTR(self_in)) > 0;
        return (flags & MP_STREAM_POLL_WR) | (readable ? MP_STREAM_POLL_RD : 0);
    } else if (request == MP_STREAM_FLUSH) {
        return 0;
    }
    *errcode = MP_EINVAL;
    return MP_STREAM_ERROR;
}
