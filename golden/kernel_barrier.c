/* Threads that go from tick to tick together; golden/kernel.py puts it before kernel.c. */
#include <pthread.h>
#include <sched.h>
#include <time.h>

/* Looks at the others before the processor is given to somebody else: some microseconds. */
#ifndef LOOKS
#define LOOKS 4096
#endif
/* Time that the first thread may lose before it goes on alone, and as a share of all: 1 of these. */
#ifndef MOST_LOST_NS
#define MOST_LOST_NS 200000
#define MOST_LOST_SHARE 3
#endif

/* The first thread writes what is behind `round`. */
struct barrier {
    int32_t threads, waiting, round;
    int32_t alone; /* round behind which the others leave, as the processors have other work; 0: none */
    int64_t begun, lost; /* in ns: when the run began; and what was waited in it, after all looks */
};

static int64_t nanoseconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * (int64_t)1000000000 + now.tv_nsec;
}

INLINE void pause_thread(void)
{
#if defined(__x86_64__) || defined(__i386__)
    __builtin_ia32_pause();
#elif defined(__aarch64__)
    __asm__ volatile("yield");
#endif
}

/* Wait until all threads are here; what they wrote before, all see behind it. Return the round. */
static int32_t meet(struct barrier *barrier, int first)
{
    if (barrier->threads == 1)
        return 0;
    const int32_t round = __atomic_load_n(&barrier->round, __ATOMIC_RELAXED);
    if (__atomic_add_fetch(&barrier->waiting, 1, __ATOMIC_ACQ_REL) == barrier->threads) {
        __atomic_store_n(&barrier->waiting, 0, __ATOMIC_RELAXED);
        __atomic_store_n(&barrier->round, round + 1, __ATOMIC_RELEASE);
        return round + 1;
    }
    for (int looks = 0; looks < LOOKS; looks++) {
        if (__atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE) != round)
            return round + 1;
        pause_thread();
    }
    const int64_t since = first ? nanoseconds() : 0;
    while (__atomic_load_n(&barrier->round, __ATOMIC_ACQUIRE) == round)
        sched_yield();
    if (first)
        barrier->lost += nanoseconds() - since;
    return round + 1;
}

/* Let the others leave at the next meeting if the first thread would be faster without them. */
INLINE void weigh_losses(struct barrier *barrier)
{
    if (barrier->threads > 1 && barrier->lost > MOST_LOST_NS &&
        barrier->lost * MOST_LOST_SHARE > nanoseconds() - barrier->begun)
        __atomic_store_n(&barrier->alone, barrier->round + 1, __ATOMIC_RELAXED);
}

/* Whether the meeting just over, of which a thread may come late, was the last of all. */
INLINE int was_last(const struct barrier *barrier, int32_t round)
{
    return round && round == __atomic_load_n(&barrier->alone, __ATOMIC_RELAXED);
}
