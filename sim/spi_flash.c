/* A serial NOR flash by its pins, as a W25Q128 behaves: SPI mode 0 and 3, one data line each way.

C and C++: sim/spi_flash.py compiles it alone, and sim/virtual_board.cpp is compiled behind it.

Commands: 03 read, 0b fast read, 9f identification, ab release from power-down (and signature),
b9 power-down. All others do nothing, and what they would return is 1s. It begins in power-down,
in which an FPGA leaves its flash after configuration; out of it, it understands nothing else for
3 us. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { FLASH_READ = 0x03, FLASH_FAST = 0x0b, FLASH_ID = 0x9f, FLASH_WAKE = 0xab, FLASH_SLEEP = 0xb9 };

static const double FLASH_WAKES_S = 3e-6;

typedef struct {
    uint8_t* contents;
    uint64_t size;      /* bytes, a power of two */
    uint8_t id[3];      /* maker, kind, logarithm of the size */
    int asleep;
    double awake_from;  /* seconds */
    int selected, clock;
    int obeys;          /* the present command is executed */
    uint64_t bits;      /* that have come since the select */
    uint8_t command;
    uint32_t taken;     /* the last of them */
    uint64_t place;     /* of the byte that goes out */
    uint8_t out;        /* its bits, the next at the top */
    int miso;
    uint64_t read;      /* bytes that commands have read */
} SpiFlash;

/* Size is 1 << log_size bytes, all erased. */
static void spi_flash_init(SpiFlash* flash, int log_size) {
    memset(flash, 0, sizeof *flash);
    flash->size = (uint64_t)1 << log_size;
    flash->contents = (uint8_t*)malloc(flash->size);
    memset(flash->contents, 0xff, flash->size);
    flash->id[0] = 0xef;
    flash->id[1] = 0x40;
    flash->id[2] = (uint8_t)log_size;
    flash->asleep = 1;
    flash->miso = 1;
}

static void spi_flash_store(SpiFlash* flash, const uint8_t* bytes, uint64_t n, uint64_t offset) {
    if (offset < flash->size && n <= flash->size - offset) memcpy(flash->contents + offset, bytes, n);
}

/* The byte that follows those that have come, or 1s where there is none. */
static uint8_t spi_flash_next(SpiFlash* flash) {
    const uint64_t bytes = flash->bits / 8; /* with the command */
    uint64_t first;
    if (!flash->obeys) return 0xff;
    switch (flash->command) {
        case FLASH_ID:
            return bytes <= 3 ? flash->id[bytes - 1] : 0xff;
        case FLASH_WAKE:
            return bytes < 4 ? 0xff : (uint8_t)(flash->id[2] - 1);
        case FLASH_READ:
        case FLASH_FAST:
            first = flash->command == FLASH_READ ? 4 : 5;
            if (bytes == 4) flash->place = flash->taken & 0xffffff;
            if (bytes < first) return 0xff;
            ++flash->read;
            return flash->contents[flash->place++ & (flash->size - 1)];
        default:
            return 0xff;
    }
}

/* A command takes effect when the select ends. */
static void spi_flash_end(SpiFlash* flash, double seconds) {
    if (flash->bits < 8 || flash->bits % 8 || !flash->obeys) return;
    if (flash->command == FLASH_WAKE && flash->asleep) {
        flash->asleep = 0;
        flash->awake_from = seconds + FLASH_WAKES_S;
    }
    if (flash->command == FLASH_SLEEP) flash->asleep = 1;
}

/* The level of `miso` (1 while it drives nothing) for the levels of the other pins at that time. */
static int spi_flash_pins(SpiFlash* flash, int cs, int clock, int mosi, double seconds) {
    const int rises = clock && !flash->clock, falls = !clock && flash->clock;
    flash->clock = clock;
    if (cs) {
        if (flash->selected) spi_flash_end(flash, seconds);
        flash->selected = 0;
        return flash->miso = 1;
    }
    if (!flash->selected) {
        flash->selected = 1;
        flash->bits = 0;
        flash->out = 0xff;
        flash->obeys = seconds >= flash->awake_from;
        return flash->miso;
    }
    if (rises) {
        flash->taken = flash->taken << 1 | (uint32_t)(mosi != 0);
        if (++flash->bits == 8) {
            flash->command = (uint8_t)flash->taken;
            if (flash->asleep && flash->command != FLASH_WAKE) flash->obeys = 0;
        }
        if (flash->bits % 8 == 0) flash->out = spi_flash_next(flash);
    }
    if (falls && flash->bits >= 8) {
        flash->miso = flash->out >> 7;
        flash->out = (uint8_t)(flash->out << 1 | 1);
    }
    return flash->miso;
}

#ifdef SPI_FLASH_LIBRARY

SpiFlash* spikelet_flash_create(int64_t log_size) {
    SpiFlash* flash = (SpiFlash*)malloc(sizeof *flash);
    spi_flash_init(flash, (int)log_size);
    return flash;
}

void spikelet_flash_destroy(SpiFlash* flash) {
    free(flash->contents);
    free(flash);
}

void spikelet_flash_store(SpiFlash* flash, const uint8_t* bytes, int64_t n, int64_t offset) {
    spi_flash_store(flash, bytes, (uint64_t)n, (uint64_t)offset);
}

int64_t spikelet_flash_read(SpiFlash* flash) { return (int64_t)flash->read; }

int64_t spikelet_flash_pins(SpiFlash* flash, int64_t cs, int64_t clock, int64_t mosi, double seconds) {
    return spi_flash_pins(flash, (int)cs, (int)clock, (int)mosi, seconds);
}

#endif
