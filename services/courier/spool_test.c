#include "spool.h"
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static void a_mail_becomes_one_private_file_and_again_the_same_one(void **state)
{
        char root[] = "/tmp/assist-spool-test-XXXXXX", folder[64], path[128], content[64] = "";
        struct ulid id;
        struct dirent *e;
        struct stat st;
        size_t files = 0;
        FILE *f;
        DIR *d;

        (void)state;
        assert_non_null(mkdtemp(root));
        snprintf(folder, sizeof(folder), "%s/mail", root);
        snprintf(path, sizeof(path), "%s/01KQ8X3V00AAAAAAAAAAAAAAAA.eml", folder);
        assert_int_equal(ulid_parse(STR("01KQ8X3V00AAAAAAAAAAAAAAAA"), &id), 0);
        assert_int_equal(spool_write(folder, id, STR("first, and longer")), 0);
        assert_int_equal(spool_write(folder, id, STR("second")), 0);
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0600);
        f = fopen(path, "re");
        assert_non_null(f);
        assert_non_null(fgets(content, sizeof(content), f));
        fclose(f);
        assert_string_equal(content, "second");
        d = opendir(folder);
        while ((e = readdir(d)))
                files += strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0;
        closedir(d);
        assert_int_equal(files, 1);
        unlink(path);
        rmdir(folder);
        rmdir(root);
}

static void a_folder_that_cannot_be_made_is_an_error(void **state)
{
        (void)state;
        assert_int_equal(spool_write("/proc/no/such/folder", (struct ulid){ { 0 } }, STR("x")), -ENOENT);
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test(a_mail_becomes_one_private_file_and_again_the_same_one),
                cmocka_unit_test(a_folder_that_cannot_be_made_is_an_error),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
