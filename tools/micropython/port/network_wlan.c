// network.WLAN: two fixed objects, everything else at the other end.
#include "remote.h"

static const remote_obj_t wlans[2] = { {{&wlan_type}, 0}, {{&wlan_type}, 1} };

static mp_obj_t wlan_make_new(const mp_obj_type_t *type, size_t n_args, size_t n_kw, const mp_obj_t *args) {
    (void)type;
    mp_arg_check_num(n_args, n_kw, 0, 1, false);
    mp_obj_t interface = n_args == 0 ? MP_OBJ_NEW_SMALL_INT(0) : args[0];
    mp_int_t id = mp_obj_get_int(interface);
    if (id < 0 || id > 1) {
        mp_raise_ValueError(NULL);
    }
    remote_new("network.WLAN", 1, 0, &interface);
    return MP_OBJ_FROM_PTR(&wlans[id]);
}

REMOTE_METHOD(wlan, active, 1, 2);
REMOTE_METHOD_KW(wlan, connect, 1);
REMOTE_METHOD(wlan, disconnect, 1, 1);
REMOTE_METHOD(wlan, status, 1, 2);
REMOTE_METHOD(wlan, scan, 1, 1);
REMOTE_METHOD(wlan, isconnected, 1, 1);
REMOTE_METHOD_KW(wlan, config, 1);
REMOTE_METHOD(wlan, ifconfig, 1, 2);

static const mp_rom_map_elem_t wlan_locals_table[] = {
    REMOTE_ENTRY(wlan, active),
    REMOTE_ENTRY(wlan, connect),
    REMOTE_ENTRY(wlan, disconnect),
    REMOTE_ENTRY(wlan, status),
    REMOTE_ENTRY(wlan, scan),
    REMOTE_ENTRY(wlan, isconnected),
    REMOTE_ENTRY(wlan, config),
    REMOTE_ENTRY(wlan, ifconfig),
    { MP_ROM_QSTR(MP_QSTR_IF_STA), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_IF_AP), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_PM_NONE), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_PM_POWERSAVE), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_PM_PERFORMANCE), MP_ROM_INT(2) },
};
static MP_DEFINE_CONST_DICT(wlan_locals, wlan_locals_table);
MP_DEFINE_CONST_OBJ_TYPE(wlan_type, MP_QSTR_WLAN, MP_TYPE_FLAG_NONE, make_new, wlan_make_new, locals_dict, &wlan_locals);
