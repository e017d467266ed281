// How a class of the board's is forwarded: one line for each method.
#ifndef REMOTE_H
#define REMOTE_H
#include "py/runtime.h"
#include "wire.h"

extern const mp_obj_type_t pin_type, rtc_type, timer_type, i2c_type, adc_type, wdt_type, wlan_type, socket_type;


mp_obj_t remote_construct(const char *name, const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args);
mp_int_t remote_new(const char *name, size_t n_args, size_t n_kw, const mp_obj_t *args);

// Method `name` of a class, with n_min to n_max arguments, self included.
#define REMOTE_METHOD(cls, name, n_min, n_max) \
    static mp_obj_t cls##_##name(size_t n_args, const mp_obj_t *args) { \
        return wire_call("." #name, n_args, args, NULL); \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(cls##_##name##_obj, n_min, n_max, cls##_##name)

// The same with keyword arguments.
#define REMOTE_METHOD_KW(cls, name, n_min) \
    static mp_obj_t cls##_##name(size_t n_args, const mp_obj_t *args, mp_map_t *kw) { \
        return wire_call("." #name, n_args, args, kw); \
    } \
    static MP_DEFINE_CONST_FUN_OBJ_KW(cls##_##name##_obj, n_min, cls##_##name)

#define REMOTE_ENTRY(cls, name) { MP_ROM_QSTR(MP_QSTR_##name), MP_ROM_PTR(&cls##_##name##_obj) }
#endif
