/* For tests: a SQLite VFS named "fault" that passes everything on to the usual one, and fails what it is told to: the n-th
 * write, sync or truncate from now on, or all of them while the "disk" is full. */
#pragma once
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct fault_file {
        sqlite3_file base;
        sqlite3_file *real;
};

static struct {
        _Atomic long calls;     /* that could fail, so far */
        _Atomic long fail_at;   /* this one does; 0: none */
        _Atomic int full;       /* every write does */
} fault_plan;

static inline int fault_now(int error)
{
        long call = ++fault_plan.calls;

        return call == fault_plan.fail_at ? error : SQLITE_OK;
}

#define REAL(file) (((struct fault_file *)(file))->real)

static inline int fault_close(sqlite3_file *f)
{
        int r = REAL(f)->pMethods ? REAL(f)->pMethods->xClose(REAL(f)) : SQLITE_OK;

        free(REAL(f));
        return r;
}
static inline int fault_read(sqlite3_file *f, void *p, int n, sqlite3_int64 at)
{
        return REAL(f)->pMethods->xRead(REAL(f), p, n, at);
}
static inline int fault_write(sqlite3_file *f, const void *p, int n, sqlite3_int64 at)
{
        int r = fault_plan.full ? SQLITE_FULL : fault_now(SQLITE_IOERR_WRITE);

        if (r && !fault_plan.full && n > 1) /* torn, as a real disk would leave it */
                REAL(f)->pMethods->xWrite(REAL(f), p, n / 2, at);
        return r ? r : REAL(f)->pMethods->xWrite(REAL(f), p, n, at);
}
static inline int fault_truncate(sqlite3_file *f, sqlite3_int64 size)
{
        int r = fault_now(SQLITE_IOERR_TRUNCATE);

        return r ? r : REAL(f)->pMethods->xTruncate(REAL(f), size);
}
static inline int fault_sync(sqlite3_file *f, int flags)
{
        int r = fault_now(SQLITE_IOERR_FSYNC);

        return r ? r : REAL(f)->pMethods->xSync(REAL(f), flags);
}
static inline int fault_size(sqlite3_file *f, sqlite3_int64 *ret)
{
        return REAL(f)->pMethods->xFileSize(REAL(f), ret);
}
static inline int fault_lock(sqlite3_file *f, int level)
{
        return REAL(f)->pMethods->xLock(REAL(f), level);
}
static inline int fault_unlock(sqlite3_file *f, int level)
{
        return REAL(f)->pMethods->xUnlock(REAL(f), level);
}
static inline int fault_reserved(sqlite3_file *f, int *ret)
{
        return REAL(f)->pMethods->xCheckReservedLock(REAL(f), ret);
}
static inline int fault_control(sqlite3_file *f, int op, void *p)
{
        return REAL(f)->pMethods->xFileControl(REAL(f), op, p);
}
static inline int fault_sector(sqlite3_file *f)
{
        return REAL(f)->pMethods->xSectorSize(REAL(f));
}
static inline int fault_device(sqlite3_file *f)
{
        return REAL(f)->pMethods->xDeviceCharacteristics(REAL(f));
}
static inline int fault_shm_map(sqlite3_file *f, int page, int size, int extend, void volatile **ret)
{
        return REAL(f)->pMethods->xShmMap(REAL(f), page, size, extend, ret);
}
static inline int fault_shm_lock(sqlite3_file *f, int at, int n, int flags)
{
        return REAL(f)->pMethods->xShmLock(REAL(f), at, n, flags);
}
static inline void fault_shm_barrier(sqlite3_file *f)
{
        REAL(f)->pMethods->xShmBarrier(REAL(f));
}
static inline int fault_shm_unmap(sqlite3_file *f, int delete)
{
        return REAL(f)->pMethods->xShmUnmap(REAL(f), delete);
}

static inline int fault_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *ret_flags)
{
        static const sqlite3_io_methods methods = {
                2, fault_close, fault_read, fault_write, fault_truncate, fault_sync, fault_size, fault_lock, fault_unlock, fault_reserved,
                fault_control, fault_sector, fault_device, fault_shm_map, fault_shm_lock, fault_shm_barrier, fault_shm_unmap, NULL, NULL,
        };
        sqlite3_vfs *usual = vfs->pAppData;
        int r;

        REAL(f) = calloc(1, (size_t)usual->szOsFile);
        if (!REAL(f))
                return SQLITE_NOMEM;
        r = usual->xOpen(usual, name, REAL(f), flags, ret_flags);
        f->pMethods = REAL(f)->pMethods ? &methods : NULL;
        if (!f->pMethods)
                free(REAL(f));
        return r;
}

/* Once a process. */
static inline void fault_register(void)
{
        static sqlite3_vfs vfs;
        sqlite3_vfs *usual = sqlite3_vfs_find(NULL);

        vfs = *usual;
        vfs.pNext = NULL;
        vfs.zName = "fault";
        vfs.szOsFile = sizeof(struct fault_file);
        vfs.xOpen = fault_open;
        vfs.pAppData = usual;
        sqlite3_vfs_register(&vfs, 0);
}
