// Included by extmod/modmachine.c: the functions of module machine, and what the board adds to it.
#include <unistd.h>
#include "extmod/modmachine.h"
#include "remote.h"

// Reset causes as the chip reports them.
enum { CAUSE_POWER_ON = 0, CAUSE_WATCHDOG = 1, CAUSE_SOFTWARE = 4, CAUSE_DEEP_SLEEP = 5, CAUSE_EXTERNAL = 6, WAKE_DEEPSLEEP = 4 };

#define MICROPY_PY_MACHINE_EXTRA_GLOBALS \
    { MP_ROM_QSTR(MP_QSTR_sleep), MP_ROM_PTR(&machine_lightsleep_obj) }, \
    { MP_ROM_QSTR(MP_QSTR_RTC), MP_ROM_PTR(&rtc_type) }, \
    { MP_ROM_QSTR(MP_QSTR_Timer), MP_ROM_PTR(&timer_type) }, \
    { MP_ROM_QSTR(MP_QSTR_Pin), MP_ROM_PTR(&pin_type) }, \
    { MP_ROM_QSTR(MP_QSTR_ADC), MP_ROM_PTR(&adc_type) }, \
    { MP_ROM_QSTR(MP_QSTR_WDT), MP_ROM_PTR(&wdt_type) }, \
    { MP_ROM_QSTR(MP_QSTR_I2C), MP_ROM_PTR(&i2c_type) }, \
    { MP_ROM_QSTR(MP_QSTR_SoftI2C), MP_ROM_PTR(&i2c_type) }, \
    { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP), MP_ROM_INT(WAKE_DEEPSLEEP) }, \
    { MP_ROM_QSTR(MP_QSTR_PWRON_RESET), MP_ROM_INT(CAUSE_POWER_ON) }, \
    { MP_ROM_QSTR(MP_QSTR_HARD_RESET), MP_ROM_INT(CAUSE_EXTERNAL) }, \
    { MP_ROM_QSTR(MP_QSTR_DEEPSLEEP_RESET), MP_ROM_INT(CAUSE_DEEP_SLEEP) }, \
    { MP_ROM_QSTR(MP_QSTR_WDT_RESET), MP_ROM_INT(CAUSE_WATCHDOG) }, \
    { MP_ROM_QSTR(MP_QSTR_SOFT_RESET), MP_ROM_INT(CAUSE_SOFTWARE) },

static mp_obj_t mp_machine_get_freq(void) {
    return wire_call("machine.freq", 0, NULL, NULL);
}

static void mp_machine_set_freq(size_t n_args, const mp_obj_t *args) {
    wire_call("machine.freq", n_args, args, NULL);
}

// The other end answers these two by ending this program. Without one, it ends itself.
MP_NORETURN static void mp_machine_reset(void) {
    if (wire_connected()) {
        wire_call("machine.reset", 0, NULL, NULL);
    }
    _exit(EXIT_RESET);
}

MP_NORETURN static void mp_machine_deepsleep(size_t n_args, const mp_obj_t *args) {
    wire_call("machine.deepsleep", n_args, args, NULL);
    _exit(EXIT_RESET);
}

static mp_int_t mp_machine_reset_cause(void) {
    return wire_connected() ? mp_obj_get_int(wire_call("machine.reset_cause", 0, NULL, NULL)) : CAUSE_POWER_ON;
}

static mp_obj_t mp_machine_unique_id(void) {
    return wire_call("machine.unique_id", 0, NULL, NULL);
}

static void mp_machine_idle(void) {
    mp_hal_delay_ms(1);
}

static void mp_machine_lightsleep(size_t n_args, const mp_obj_t *args) {
    mp_int_t ms = n_args == 0 ? -1 : mp_obj_get_int(args[0]);
    do {
        mp_hal_delay_ms(ms < 0 ? 1000 : ms);
    } while (ms < 0);
}
