/* Whole files: hashed, copied, removed. */
#include "file.h"
#include "str.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

struct room {
        char folder[64], path[4][128];
        atomic_bool over;
};

static int set_up(void **state)
{
        struct room *room = calloc(1, sizeof(*room));

        snprintf(room->folder, sizeof(room->folder), "/tmp/file_test.XXXXXX");
        if (!mkdtemp(room->folder))
                return -1;
        for (int i = 0; i < 4; i++)
                snprintf(room->path[i], sizeof(room->path[i]), "%s/%d", room->folder, i);
        *state = room;
        return 0;
}

static int tear_down(void **state)
{
        struct room *room = *state;
        int r = file_remove(room->folder);

        free(room);
        return r;
}

static void make(const char *path, size_t n)
{
        char *bytes = malloc(n + 1);
        int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0640);

        for (size_t i = 0; i < n; i++)
                bytes[i] = (char)(i * 31 + i / 4096);
        assert_int_equal(write(fd, bytes, n), n);
        close(fd);
        free(bytes);
}

static void hash(const char *path, uint8_t ret[FILE_HASH_BYTES], int64_t *ret_bytes)
{
        int fd = open(path, O_RDONLY | O_CLOEXEC);

        assert_int_equal(lseek(fd, 0, SEEK_END) >= 0, 1);
        assert_int_equal(file_hash(fd, ret, ret_bytes), 0);
        close(fd);
}

static void test_a_file_is_hashed_from_its_first_byte(void **state)
{
        struct room *room = *state;
        uint8_t expected[FILE_HASH_BYTES], actual[FILE_HASH_BYTES];
        int64_t bytes;

        make(room->path[0], 0);
        crypto_generichash(expected, sizeof(expected), (const uint8_t *)"", 0, NULL, 0);
        hash(room->path[0], actual, &bytes);
        assert_memory_equal(actual, expected, sizeof(expected));
        assert_int_equal(bytes, 0);
        assert_int_equal(file_hash(-1, actual, NULL), -EBADF);
}

static void test_a_copy_has_the_same_bytes_and_replaces_nothing(void **state)
{
        struct room *room = *state;
        uint8_t expected[FILE_HASH_BYTES], told[FILE_HASH_BYTES], actual[FILE_HASH_BYTES];
        int64_t bytes, there;
        struct stat st;

        make(room->path[0], 300001);
        hash(room->path[0], expected, &bytes);
        assert_int_equal(bytes, 300001);
        assert_int_equal(file_copy(AT_FDCWD, room->path[0], room->path[1], told, &bytes), 0);
        hash(room->path[1], actual, &there);
        assert_memory_equal(told, expected, sizeof(expected));
        assert_memory_equal(actual, expected, sizeof(expected));
        assert_true(bytes == 300001 && there == 300001);
        assert_int_equal(stat(room->path[1], &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);

        make(room->path[2], 1);
        assert_int_equal(file_copy(AT_FDCWD, room->path[0], room->path[2], told, &bytes), -EEXIST);
        hash(room->path[2], actual, &there);
        assert_int_equal(there, 1);
        assert_int_equal(file_copy(AT_FDCWD, room->path[3], room->path[3], told, &bytes), -ENOENT);
        assert_int_equal(symlink(room->path[0], room->path[3]), 0);
        assert_int_equal(file_copy(AT_FDCWD, room->path[3], "/tmp/file_test-none", told, &bytes), -ELOOP);
}

static void test_a_copy_that_fails_leaves_nothing(void **state)
{
        struct room *room = *state;
        uint8_t told[FILE_HASH_BYTES];

        assert_int_equal(mkdir(room->path[0], 0700), 0); /* opens, and can't be read */
        assert_int_equal(file_copy(AT_FDCWD, room->path[0], room->path[1], told, NULL), -EISDIR);
        assert_int_equal(access(room->path[1], F_OK), -1);
}

static void test_a_tree_goes_away_and_what_it_links_to_stays(void **state)
{
        struct room *room = *state;
        char path[160];

        make(room->path[0], 10);
        assert_int_equal(mkdir(room->path[1], 0700), 0);
        snprintf(path, sizeof(path), "%s/deep", room->path[1]);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/deep/link", room->path[1]);
        assert_int_equal(symlink(room->path[0], path), 0);
        assert_int_equal(file_sync(room->path[1]), 0);
        assert_int_equal(file_remove(room->path[1]), 0);
        assert_int_equal(access(room->path[1], F_OK), -1);
        assert_int_equal(access(room->path[0], F_OK), 0);
        assert_int_equal(file_remove(room->path[1]), 0);
        assert_int_equal(file_sync(room->path[1]), -ENOENT);
}

static void test_what_is_no_file_is_neither_waited_for_nor_read(void **state)
{
        struct room *room = *state;
        uint8_t told[FILE_HASH_BYTES];

        assert_int_equal(mkfifo(room->path[0], 0600), 0);
        assert_int_equal(file_open(AT_FDCWD, room->path[0]), -EINVAL);
        assert_int_equal(file_copy(AT_FDCWD, room->path[0], room->path[1], told, NULL), -EINVAL);
        assert_int_equal(file_copy(AT_FDCWD, "/dev/zero", room->path[1], told, NULL), -EINVAL);
        assert_int_equal(access(room->path[1], F_OK), -1);
}

static void test_a_file_of_holes_does_not_fill_the_disk(void **state)
{
        struct room *room = *state;
        uint8_t told[FILE_HASH_BYTES];

        make(room->path[0], 1);
        assert_int_equal(truncate(room->path[0], INT64_C(1) << 43), 0);
        assert_int_equal(file_copy(AT_FDCWD, room->path[0], room->path[1], told, NULL), -ENOSPC);
        assert_int_equal(access(room->path[1], F_OK), -1);
}

static void test_a_folder_is_found_through_no_link(void **state)
{
        struct room *room = *state;
        char path[160];
        int fd;

        assert_int_equal(mkdir(room->path[0], 0700), 0);
        snprintf(path, sizeof(path), "%s/deep", room->path[0]);
        assert_int_equal(mkdir(path, 0700), 0);
        snprintf(path, sizeof(path), "%s/deep/file", room->path[0]);
        make(path, 1);
        assert_int_equal(symlink("0", room->path[1]), 0);
        fd = file_folder(room->folder, "0/deep");
        assert_true(fd >= 0);
        assert_int_equal(close(file_open(fd, "file")), 0);
        close(fd);
        assert_int_equal(file_folder(room->folder, "1/deep"), -ENOTDIR);
        assert_int_equal(file_folder(room->folder, "0/deep/file"), -ENOTDIR);
        assert_int_equal(file_folder(room->folder, "0/none"), -ENOENT);
        fd = file_folder(room->path[1], ""); /* the top is the caller's own word */
        assert_true(fd >= 0);
        close(fd);
}

/* Without end: the folder is a link whenever whoever looked at it comes back. */
static void *swap(void *data)
{
        struct room *room = data;

        while (!atomic_load(&room->over)) {
                (void)mkdir(room->path[1], 0700);
                (void)syscall(SYS_renameat2, AT_FDCWD, room->path[1], AT_FDCWD, room->path[2], RENAME_EXCHANGE);
        }
        return NULL;
}

static void test_a_folder_that_becomes_a_link_while_it_goes_away_leads_nowhere(void **state)
{
        struct room *room = *state;
        char path[160];
        pthread_t thread;

        assert_int_equal(mkdir(room->path[0], 0700), 0);
        snprintf(path, sizeof(path), "%s/precious", room->path[0]);
        make(path, 1);
        assert_int_equal(symlink(room->path[0], room->path[2]), 0);
        assert_int_equal(pthread_create(&thread, NULL, swap, room), 0);
        for (int i = 0; i < 5000 && access(path, F_OK) == 0; i++) {
                (void)file_remove(room->path[1]);
                assert_true(symlink(room->path[0], room->path[2]) == 0 || errno == EEXIST);
        }
        atomic_store(&room->over, true);
        pthread_join(thread, NULL);
        assert_int_equal(access(path, F_OK), 0);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(test_a_file_is_hashed_from_its_first_byte, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_copy_has_the_same_bytes_and_replaces_nothing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_copy_that_fails_leaves_nothing, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_what_is_no_file_is_neither_waited_for_nor_read, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_file_of_holes_does_not_fill_the_disk, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_folder_is_found_through_no_link, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_folder_that_becomes_a_link_while_it_goes_away_leads_nowhere, set_up, tear_down),
                cmocka_unit_test_setup_teardown(test_a_tree_goes_away_and_what_it_links_to_stays, set_up, tear_down),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
