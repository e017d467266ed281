// Module esp and the flash under it. The chip is mapped where the board has it (0x40200000), outside of the heap, so bytecode in
// the ROMFS partition runs in place and addresses in it mean the same. Reading is a memory access; erasing and writing go over the
// wire, where wear is counted and power can be cut in the middle of an operation; without a wire they are done here.
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "py/mperrno.h"
#include "py/objarray.h"
#include "extmod/vfs.h"
#include "remote.h"

#define FLASH_BASE ((uint8_t *)0x40200000)
#define FLASH_SIZE_DEFAULT (4 * 1024 * 1024)
#define SECTOR_SIZE (4096)
#define ROMFS_START (0xb0000) // boards/esp8266_2MiB_ROMFS.ld
#define ROMFS_SIZE (0x50000)
static size_t flash_size;

static const MP_DEFINE_MEMORYVIEW_OBJ(romfs_obj, 'B', 0, ROMFS_SIZE, (void *)(0x40200000 + ROMFS_START));

void flash_open(const char *image) {
    int fd = -1, flags = MAP_PRIVATE | MAP_ANONYMOUS;
    struct stat st = { .st_size = FLASH_SIZE_DEFAULT };
    if (image != NULL) {
        fd = open(image, O_RDWR | O_CLOEXEC);
        flags = MAP_SHARED;
        if (fd < 0 || fstat(fd, &st) < 0 || st.st_size < 2 * 1024 * 1024 || st.st_size % SECTOR_SIZE != 0) {
            fprintf(stderr, "mpy-e8266: %s is no flash image (a file of 2 MiB or more, in whole sectors)\n", image);
            exit(EXIT_USAGE);
        }
    }
    flash_size = st.st_size;
    if (mmap(FLASH_BASE, flash_size, PROT_READ | PROT_WRITE, flags | MAP_FIXED_NOREPLACE, fd, 0) != FLASH_BASE) {
        fprintf(stderr, "mpy-e8266: the flash's address is taken\n");
        exit(EXIT_CRASH);
    }
    if (fd < 0) {
        memset(FLASH_BASE, 0xff, flash_size);
    }
}

static int erase_sector(mp_int_t sector) {
    if (sector < 0 || (size_t)sector >= flash_size / SECTOR_SIZE) {
        return MP_EIO;
    }
    if (wire_connected()) {
        mp_obj_t arg = MP_OBJ_NEW_SMALL_INT(sector);
        wire_call("esp.flash_erase", 1, &arg, NULL);
    } else {
        memset(FLASH_BASE + sector * SECTOR_SIZE, 0xff, SECTOR_SIZE);
    }
    return 0;
}

static int write_bytes(mp_int_t offset, mp_obj_t data) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    if (offset < 0 || offset + buf.len > flash_size) {
        return MP_EIO;
    }
    if (wire_connected()) {
        mp_obj_t args[2] = { MP_OBJ_NEW_SMALL_INT(offset), data };
        wire_call("esp.flash_write", 2, args, NULL);
    } else {
        for (size_t i = 0; i < buf.len; ++i) {
            FLASH_BASE[offset + i] &= ((uint8_t *)buf.buf)[i];
        }
    }
    return 0;
}

static mp_obj_t none_or_raise(int error) {
    if (error != 0) {
        mp_raise_OSError(error);
    }
    return mp_const_none;
}

static mp_obj_t esp_flash_read(mp_obj_t offset_in, mp_obj_t len_or_buf) {
    mp_int_t offset = mp_obj_get_int(offset_in);
    bool allocate = mp_obj_is_int(len_or_buf);
    mp_buffer_info_t buf;
    vstr_t vstr;
    if (allocate) {
        vstr_init_len(&vstr, mp_obj_get_int(len_or_buf));
        buf.buf = vstr.buf;
        buf.len = vstr.len;
    } else {
        mp_get_buffer_raise(len_or_buf, &buf, MP_BUFFER_WRITE);
    }
    none_or_raise(offset < 0 || offset + buf.len > flash_size ? MP_EIO : 0);
    memcpy(buf.buf, FLASH_BASE + offset, buf.len);
    return allocate ? mp_obj_new_bytes_from_vstr(&vstr) : mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_2(esp_flash_read_obj, esp_flash_read);

static mp_obj_t esp_flash_write(mp_obj_t offset, mp_obj_t data) {
    mp_buffer_info_t buf;
    mp_get_buffer_raise(data, &buf, MP_BUFFER_READ);
    if (buf.len & 3) {
        mp_raise_ValueError(MP_ERROR_TEXT("len must be multiple of 4"));
    }
    return none_or_raise(write_bytes(mp_obj_get_int(offset), data));
}
static MP_DEFINE_CONST_FUN_OBJ_2(esp_flash_write_obj, esp_flash_write);

static mp_obj_t esp_flash_erase(mp_obj_t sector) {
    return none_or_raise(erase_sector(mp_obj_get_int(sector)));
}
static MP_DEFINE_CONST_FUN_OBJ_1(esp_flash_erase_obj, esp_flash_erase);

static mp_obj_t esp_flash_size(void) {
    return MP_OBJ_NEW_SMALL_INT(flash_size);
}
static MP_DEFINE_CONST_FUN_OBJ_0(esp_flash_size_obj, esp_flash_size);

static mp_obj_t esp_flash_user_start(void) {
    return MP_OBJ_NEW_SMALL_INT(ROMFS_START + ROMFS_SIZE);
}
static MP_DEFINE_CONST_FUN_OBJ_0(esp_flash_user_start_obj, esp_flash_user_start);

static mp_obj_t esp_deepsleep(size_t n_args, const mp_obj_t *args) {
    wire_call("esp.deepsleep", n_args, args, NULL);
    _exit(EXIT_RESET);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(esp_deepsleep_obj, 0, 2, esp_deepsleep);

static mp_obj_t esp_sleep_type(size_t n_args, const mp_obj_t *args) {
    return wire_call("esp.sleep_type", n_args, args, NULL);
}
static MP_DEFINE_CONST_FUN_OBJ_VAR_BETWEEN(esp_sleep_type_obj, 0, 1, esp_sleep_type);

static mp_obj_t esp_osdebug(mp_obj_t level) {
    (void)level;
    return mp_const_none;
}
static MP_DEFINE_CONST_FUN_OBJ_1(esp_osdebug_obj, esp_osdebug);

static const mp_rom_map_elem_t esp_globals_table[] = {
    { MP_ROM_QSTR(MP_QSTR___name__), MP_ROM_QSTR(MP_QSTR_esp) },
    REMOTE_ENTRY(esp, osdebug),
    REMOTE_ENTRY(esp, sleep_type),
    REMOTE_ENTRY(esp, deepsleep),
    REMOTE_ENTRY(esp, flash_read),
    REMOTE_ENTRY(esp, flash_write),
    REMOTE_ENTRY(esp, flash_erase),
    REMOTE_ENTRY(esp, flash_size),
    REMOTE_ENTRY(esp, flash_user_start),
    { MP_ROM_QSTR(MP_QSTR_SLEEP_NONE), MP_ROM_INT(0) },
    { MP_ROM_QSTR(MP_QSTR_SLEEP_LIGHT), MP_ROM_INT(1) },
    { MP_ROM_QSTR(MP_QSTR_SLEEP_MODEM), MP_ROM_INT(2) },
};
static MP_DEFINE_CONST_DICT(esp_globals, esp_globals_table);
const mp_obj_module_t esp_module = { .base = { &mp_type_module }, .globals = (mp_obj_dict_t *)&esp_globals };
MP_REGISTER_MODULE(MP_QSTR_esp, esp_module);

// What vfs.rom_ioctl is on this port: one partition, erased from its start, written in words.
mp_obj_t mp_vfs_rom_ioctl(size_t n_args, const mp_obj_t *args) {
    int error = MP_EINVAL;
    switch (mp_obj_get_int(args[0])) {
        case MP_VFS_ROM_IOCTL_GET_NUMBER_OF_SEGMENTS:
            return MP_OBJ_NEW_SMALL_INT(1);
        case MP_VFS_ROM_IOCTL_GET_SEGMENT:
            return MP_OBJ_FROM_PTR(&romfs_obj);
        case MP_VFS_ROM_IOCTL_WRITE_PREPARE: {
            mp_int_t end = ROMFS_START + mp_obj_get_int(args[2]);
            error = 0;
            for (mp_int_t at = ROMFS_START; at < end && error == 0; at += SECTOR_SIZE) {
                error = erase_sector(at / SECTOR_SIZE);
            }
            return MP_OBJ_NEW_SMALL_INT(error == 0 ? 4 : -error);
        }
        case MP_VFS_ROM_IOCTL_WRITE:
            error = write_bytes(ROMFS_START + mp_obj_get_int(args[2]), args[3]);
            return MP_OBJ_NEW_SMALL_INT(-error);
        default:
            return MP_OBJ_NEW_SMALL_INT(-error);
    }
}
