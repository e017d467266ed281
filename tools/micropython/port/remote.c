// The other classes of module machine: I2C, ADC, RTC, WDT, Timer. What is a fixed object on the board is one here too.
#include <string.h>
#include "py/mperrno.h"
#include "extmod/modmachine.h"
#include "remote.h"

const mp_obj_type_t *const remote_types[] = {
    &pin_type, &i2c_type, &adc_type, &rtc_type, &wdt_type, &timer_type, &wlan_type, &socket_type, NULL,
};

mp_int_t remote_new(const char *name, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_map_t kw;
    mp_map_init_fixed_table(&kw, n_kw, args + n_args);
    return mp_obj_get_int(wire_call(name, n_args, args, &kw));
}

mp_obj_t remote_construct(const char *name, const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_int_t id = remote_new(name, n_args, n_kw, args);
    remote_obj_t *self = mp_obj_malloc(remote_obj_t, type);
    self->id = id;
    return MP_OBJ_FROM_PTR(self);
}

/****** I2C, and SoftI2C, which is the same class ******/

// As large as the board's object, so that it costs the same heap.
typedef struct { remote_obj_t remote; uint32_t like_the_boards[3]; } i2c_obj_t;

static mp_obj_t i2c_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_int_t id = remote_new("machine.I2C", n_args, n_kw, args);
    i2c_obj_t *self = mp_obj_malloc(i2c_obj_t, type);
    self->remote.id = id;
    return MP_OBJ_FROM_PTR(self);
}

static void fill(mp_obj_t buf, const char *name, size_t n_args, mp_obj_t *args, size_t len_at) {
    mp_buffer_info_t info;
    mp_get_buffer_raise(buf, &info, MP_BUFFER_WRITE);
    args[len_at] = MP_OBJ_NEW_SMALL_INT(info.len);
    if (wire_call_into(name, n_args, args, info.buf, info.len) != (mp_int_t)info.len) {
        mp_raise_OSError(MP_ETIMEDOUT);
    }
}

static mp_obj_t i2c_readfrom_into(size_t n_args, const mp_obj_t *args) {
    mp_obj_t forwarded[4] = { args[0], args[1], MP_OBJ_NULL, n_args > 3 ? args[3] : mp_const_true };
    fill(args[2], ".readfrom", 4, forwarded, 2);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(i2c_readfrom_into_obj, 3, 4, i2c_readfrom_into);

static mp_obj_t i2c_readfrom_mem_into(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    (void)kw;
    mp_obj_t forwarded[4] = { args[0], args[1], args[2], MP_OBJ_NULL };
    fill(args[3], ".readfrom_mem", 4, forwarded, 3);
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_KW(i2c_readfrom_mem_into_obj, 4, i2c_readfrom_mem_into);

REMOTE_METHOD(i2c, scan, 1, 1);
REMOTE_METHOD(i2c, readfrom, 3, 4);
REMOTE_METHOD(i2c, writeto, 3, 4);
REMOTE_METHOD(i2c, writevto, 3, 4);
REMOTE_METHOD_KW(i2c, readfrom_mem, 4);
REMOTE_METHOD_KW(i2c, writeto_mem, 4);

static const mp_rom_map_elem_t i2c_locals_table[] = {
    REMOTE_ENTRY(i2c, scan),
    REMOTE_ENTRY(i2c, readfrom),
    REMOTE_ENTRY(i2c, readfrom_into),
    REMOTE_ENTRY(i2c, writeto),
    REMOTE_ENTRY(i2c, writevto),
    REMOTE_ENTRY(i2c, readfrom_mem),
    REMOTE_ENTRY(i2c, readfrom_mem_into),
    REMOTE_ENTRY(i2c, writeto_mem),
};
static MP_DEFINE_CONST_DICT(i2c_locals, i2c_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(i2c_type, MP_QSTR_SoftI2C, MP_TYPE_FLAG_NONE, make_new, i2c_make_new, locals_dict, &i2c_locals);

/****** ADC: the pin (0) and the supply (1) ******/

static const remote_obj_t adcs[2] = { {{&adc_type}, 0}, {{&adc_type}, 1} };

static mp_obj_t adc_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    mp_int_t channel = mp_obj_get_int(args[0]);
    if (channel < 0 || channel > 1) {
        mp_raise_msg_varg(&mp_type_ValueError, MP_ERROR_TEXT("ADC(%d) doesn't exist"), (int)channel);
    }
    remote_new("machine.ADC", n_args, n_kw, args);
    return MP_OBJ_FROM_PTR(&adcs[channel]);
}

REMOTE_METHOD(adc, read, 1, 1);
REMOTE_METHOD(adc, read_u16, 1, 1);
static const mp_rom_map_elem_t adc_locals_table[] = { REMOTE_ENTRY(adc, read), REMOTE_ENTRY(adc, read_u16) };
static MP_DEFINE_CONST_DICT(adc_locals, adc_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(adc_type, MP_QSTR_ADC, MP_TYPE_FLAG_NONE, make_new, adc_make_new, locals_dict, &adc_locals);

/****** RTC ******/

static const remote_obj_t the_rtc = { {&rtc_type}, 0 };

static mp_obj_t rtc_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 0, false);
    remote_new("machine.RTC", n_args, n_kw, args);
    return MP_OBJ_FROM_PTR(&the_rtc);
}

REMOTE_METHOD(rtc, datetime, 1, 2);
REMOTE_METHOD(rtc, memory, 1, 2);
static const mp_rom_map_elem_t rtc_locals_table[] = { REMOTE_ENTRY(rtc, datetime), REMOTE_ENTRY(rtc, memory) };
static MP_DEFINE_CONST_DICT(rtc_locals, rtc_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(rtc_type, MP_QSTR_RTC, MP_TYPE_FLAG_NONE, make_new, rtc_make_new, locals_dict, &rtc_locals);

/****** WDT: takes no timeout, cannot be stopped ******/

static const remote_obj_t the_wdt = { {&wdt_type}, 0 };

static mp_obj_t wdt_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 1, true);
    remote_new("machine.WDT", n_args, n_kw, args);
    return MP_OBJ_FROM_PTR(&the_wdt);
}

static mp_obj_t wdt_feed(mp_obj_t self) {
    return wire_feed() ? mp_const_none : wire_call(".feed", 1, &self, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_1(wdt_feed_obj, wdt_feed);
static const mp_rom_map_elem_t wdt_locals_table[] = { REMOTE_ENTRY(wdt, feed) };
static MP_DEFINE_CONST_DICT(wdt_locals, wdt_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(wdt_type, MP_QSTR_WDT, MP_TYPE_FLAG_NONE, make_new, wdt_make_new, locals_dict, &wdt_locals);

/****** Timer: four at a time ******/

static mp_obj_t timer_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    mp_arg_check_num(n_args, n_kw, 1, 1, false);
    return remote_construct("machine.Timer", type, n_args, n_kw, args);
}

static size_t timer_slot(mp_obj_t self) {
    size_t unused = 0;
    for (size_t i = SLOT_TIMERS; i < SLOT_COUNT; ++i) {
        if (MP_STATE_PORT(remote_sources)[i] == self) {
            return i;
        } else if (unused == 0 && MP_STATE_PORT(remote_sources)[i] == MP_OBJ_NULL) {
            unused = i;
        }
    }
    if (unused == 0) {
        mp_raise_OSError(MP_ENOMEM);
    }
    return unused;
}

static mp_obj_t timer_init(size_t n_args, const mp_obj_t *args, mp_map_t *kw) {
    size_t slot = timer_slot(args[0]);
    mp_map_elem_t *callback = mp_map_lookup(kw, MP_OBJ_NEW_QSTR(MP_QSTR_callback), MP_MAP_LOOKUP);
    if (callback == NULL) {
        mp_raise_TypeError(MP_ERROR_TEXT("callback must be callable"));
    }
    MP_STATE_PORT(remote_handlers)[slot] = callback->value;
    MP_STATE_PORT(remote_sources)[slot] = args[0];
    callback->value = MP_OBJ_NEW_SMALL_INT(slot); // `kw` is this call's own copy
    return wire_call(".init", n_args, args, kw);
}
static MP_DEFINE_CONST_FUN_OBJ_KW(timer_init_obj, 1, timer_init);

static mp_obj_t timer_deinit(mp_obj_t self) {
    size_t slot = timer_slot(self);
    MP_STATE_PORT(remote_handlers)[slot] = MP_STATE_PORT(remote_sources)[slot] = MP_OBJ_NULL;
    return wire_call(".deinit", 1, &self, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_1(timer_deinit_obj, timer_deinit);

static const mp_rom_map_elem_t timer_locals_table[] = {
    REMOTE_ENTRY(timer, init),
    REMOTE_ENTRY(timer, deinit),
    { MP_ROM_QSTR(MP_QSTR_ONE_SHOT), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_PERIODIC), MP_ROM_INT(1) },
};
static MP_DEFINE_CONST_DICT(timer_locals, timer_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(timer_type, MP_QSTR_Timer, MP_TYPE_FLAG_NONE, make_new, timer_make_new, locals_dict, &timer_locals);
