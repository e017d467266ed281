// machine.Pin: seventeen objects in read-only memory, as on the board, so a pin costs no heap.
#include "py/mperrno.h"
#include "extmod/virtpin.h"
#include "remote.h"

enum { PIN_IN = 0, PIN_OUT = 1, PIN_OPEN_DRAIN = 2, PIN_PULL_UP = 1, PIN_IRQ_RISING = 1, PIN_IRQ_FALLING = 2 };
enum { PIN_COUNT = 17, PIN_FLASH_FIRST = 6, PIN_FLASH_LAST = 11 };

#define PIN(n) [n] = {{&pin_type}, n}
static const remote_obj_t pins[PIN_COUNT] = {
    PIN(0), PIN(1), PIN(2), PIN(3), PIN(4), PIN(5), [PIN_FLASH_FIRST] = {{NULL}, 0}, PIN(9), PIN(10), PIN(12), PIN(13), PIN(14), PIN(15), PIN(16),
};

static mp_obj_t find(mp_obj_t id) {
    if (mp_obj_is_type(id, &pin_type)) {
        return id;
    }
    mp_int_t n = mp_obj_is_small_int(id) ? MP_OBJ_SMALL_INT_VALUE(id) : -1;
    if (n < 0 || n >= PIN_COUNT || pins[n].base.type == NULL) {
        mp_raise_ValueError(MP_ERROR_TEXT("invalid pin"));
    }
    return MP_OBJ_FROM_PTR(&pins[n]);
}

mp_obj_t mp_pin_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 1, MP_OBJ_FUN_ARGS_MAX, true);
    mp_obj_t pin = find(args[0]);
    mp_obj_t forwarded[n_args + 2 * n_kw];
    memcpy(forwarded, args, sizeof(forwarded));
    forwarded[0] = MP_OBJ_NEW_SMALL_INT(((remote_obj_t *)MP_OBJ_TO_PTR(pin))->id);
    remote_new("machine.Pin", n_args, n_kw, forwarded);
    return pin;
}

static mp_obj_t pin_call(mp_obj_t self, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    mp_obj_t forwarded[2] = { self, n_args == 0 ? MP_OBJ_NULL : mp_obj_new_bool(mp_obj_is_true(args[0])) };
    return wire_call(".value", 1 + n_args, forwarded, NULL);
}

static mp_obj_t pin_value(size_t n_args, const mp_obj_t *args) {
    return pin_call(args[0], n_args - 1, 0, args + 1);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(pin_value_obj, 1, 2, pin_value);

// The handler stays here; the other end learns that there is one, and the edges it waits for.
static mp_obj_t pin_irq(size_t n_args, const mp_obj_t *pos_args, mp_map_t *kw) {
    enum { ARG_handler, ARG_trigger, ARG_hard };
    static const mp_arg_t allowed[] = {
        { MP_QSTR_handler, MP_ARG_OBJ, {.u_rom_obj = MP_ROM_NONE} },
        { MP_QSTR_trigger, MP_ARG_INT, {.u_int = PIN_IRQ_RISING | PIN_IRQ_FALLING} },
        { MP_QSTR_hard, MP_ARG_BOOL, {.u_bool = false} },
    };
    mp_arg_val_t args[MP_ARRAY_SIZE(allowed)];
    mp_arg_parse_all(n_args - 1, pos_args + 1, kw, MP_ARRAY_SIZE(allowed), allowed, args);
    mp_int_t id = ((remote_obj_t *)MP_OBJ_TO_PTR(pos_args[0]))->id;
    if (id == 16) {
        mp_raise_msg(&mp_type_OSError, MP_ERROR_TEXT("pin does not have IRQ capabilities"));
    } else if (args[ARG_hard].u_bool) {
        mp_raise_ValueError(MP_ERROR_TEXT("hard IRQ not supported"));
    }
    bool none = args[ARG_handler].u_obj == mp_const_none;
    MP_STATE_PORT(remote_handlers)[id] = none ? MP_OBJ_NULL : args[ARG_handler].u_obj;
    MP_STATE_PORT(remote_sources)[id] = pos_args[0];
    mp_obj_t forwarded[3] = { pos_args[0], none ? mp_const_none : MP_OBJ_NEW_SMALL_INT(id), MP_OBJ_NEW_SMALL_INT(args[ARG_trigger].u_int) };
    return wire_call(".irq", 3, forwarded, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(pin_irq_obj, 1, pin_irq);

static void pin_print(const mp_print_t *print, mp_obj_t self, mp_print_kind_t kind) {
    (void)kind;
    mp_printf(print, "Pin(%u)", (unsigned)((remote_obj_t *)MP_OBJ_TO_PTR(self))->id);
}

static mp_uint_t pin_ioctl(mp_obj_t self, mp_uint_t request, uintptr_t arg, int *errcode) {
    (void)errcode;
    mp_obj_t value = mp_obj_new_bool(arg);
    switch (request) {
        case MP_PIN_READ:
            return mp_obj_get_int(pin_call(self, 0, 0, NULL));
        case MP_PIN_WRITE:
            pin_call(self, 1, 0, &value);
            return 0;
    }
    return -1;
}

REMOTE_METHOD_KW(pin, init, 1);
REMOTE_METHOD(pin, off, 1, 1);
REMOTE_METHOD(pin, on, 1, 1);
REMOTE_METHOD(pin, toggle, 1, 1);

static const mp_rom_map_elem_t pin_locals_table[] = {
    REMOTE_ENTRY(pin, init),
    REMOTE_ENTRY(pin, value),
    REMOTE_ENTRY(pin, off),
    REMOTE_ENTRY(pin, on),
    REMOTE_ENTRY(pin, toggle),
    REMOTE_ENTRY(pin, irq),
    { MP_ROM_QSTR(MP_QSTR_IN), MP_ROM_INT(PIN_IN) },
    { MP_ROM_QSTR(MP_QSTR_OUT), MP_ROM_INT(PIN_OUT) },
    { MP_ROM_QSTR(MP_QSTR_OPEN_DRAIN), MP_ROM_INT(PIN_OPEN_DRAIN) },
    { MP_ROM_QSTR(MP_QSTR_PULL_UP), MP_ROM_INT(PIN_PULL_UP) },
    { MP_ROM_QSTR(MP_QSTR_IRQ_RISING), MP_ROM_INT(PIN_IRQ_RISING) },
    { MP_ROM_QSTR(MP_QSTR_IRQ_FALLING), MP_ROM_INT(PIN_IRQ_FALLING) },
};
static MP_DEFINE_CONST_DICT(pin_locals, pin_locals_table);

static const mp_pin_p_t pin_protocol = { .ioctl = pin_ioctl };

MP_DEFINE_CONST_OBJ_TYPE(
    pin_type, MP_QSTR_Pin, MP_TYPE_FLAG_NONE,
    make_new, mp_pin_make_new,
    print, pin_print,
    call, pin_call,
    protocol, &pin_protocol,
    locals_dict, &pin_locals
    );
