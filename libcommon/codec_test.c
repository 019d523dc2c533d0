/* The codec against descriptors written by hand: round trips, limits, and hostile bytes. */
#include "codec.h"

#include <errno.h>
#include <msgpack.h>
#include <setjmp.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

static const char *const colours[] = { "red", "green" };
static const struct schema_enum colour = { "Colour", "", colours, NULL, 2 };

struct leaf {
        struct ulid id;
        struct str name;
};
static const struct schema_field leaf_fields[] = {
        { .name = "id", .kind = SCHEMA_ULID, .offset = offsetof(struct leaf, id), .size = sizeof(struct ulid) },
        { .name = "name", .kind = SCHEMA_STRING, .offset = offsetof(struct leaf, name), .size = sizeof(struct str), .min = 1, .max = 5 },
};
static const struct schema_struct leaf_type = { "Leaf", "", leaf_fields, 2, sizeof(struct leaf) };

struct tree {
        int64_t count;
        bool flag;
        int colour;
        int has_owner;
        struct ulid owner;
        bool has_note;
        struct str note;
        struct str blob;
        struct {
                struct leaf *items;
                size_t n;
        } leaves;
        struct leaf *best;
        int64_t limit;
        bool has_raw;
        struct str raw;
        bool has_tags;
        struct {
                struct str *items;
                size_t n;
        } tags;
};
#define AT(member) .offset = offsetof(struct tree, member), .size = sizeof(((struct tree *)0)->member)
static const struct schema_field tree_fields[] = {
        { .name = "count", .kind = SCHEMA_UINT, AT(count), .min = 0, .max = 100 },
        { .name = "flag", .kind = SCHEMA_BOOL, AT(flag) },
        { .name = "colour", .kind = SCHEMA_ENUM, AT(colour), .values = &colour },
        { .name = "owner", .kind = SCHEMA_ULID, .flags = SCHEMA_NULLABLE, AT(owner), .has_offset = offsetof(struct tree, has_owner) },
        { .name = "note", .kind = SCHEMA_STRING, .flags = SCHEMA_OPTIONAL, AT(note), .has_offset = offsetof(struct tree, has_note),
          .min = 0, .max = 4 },
        { .name = "blob", .kind = SCHEMA_BYTES, AT(blob), .min = 0, .max = 8 },
        { .name = "leaves", .kind = SCHEMA_STRUCT, .flags = SCHEMA_LIST, .offset = offsetof(struct tree, leaves),
          .size = sizeof(struct leaf), .type = &leaf_type, .list_max = 12 },
        { .name = "best", .kind = SCHEMA_STRUCT, .flags = SCHEMA_OPTIONAL, AT(best), .type = &leaf_type },
        { .name = "limit", .kind = SCHEMA_INT, .flags = SCHEMA_DEFAULT, AT(limit), .min = -5, .max = 50, .default_value = 7 },
        { .name = "raw", .kind = SCHEMA_JSON, .flags = SCHEMA_OPTIONAL, AT(raw), .has_offset = offsetof(struct tree, has_raw),
          .min = 1, .max = 100 },
        { .name = "tags", .kind = SCHEMA_STRING, .flags = SCHEMA_SET | SCHEMA_OPTIONAL, .offset = offsetof(struct tree, tags),
          .size = sizeof(struct str), .has_offset = offsetof(struct tree, has_tags), .min = 1, .max = 3, .list_max = 2 },
};
static const struct schema_struct tree_type = { "Tree", "", tree_fields, sizeof(tree_fields) / sizeof(tree_fields[0]), sizeof(struct tree) };

#define LEAF "{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"name\":\"l\xc3\xa9\\u00e9f\"}"
#define WHOLE                                                                                                        \
        "{\"count\":3,\"flag\":true,\"colour\":\"green\",\"owner\":null,\"note\":\"a\\\"b\",\"blob\":\"AAEC_w\","    \
        "\"leaves\":[" LEAF "," LEAF "],\"best\":" LEAF ",\"limit\":-5,\"raw\":{\"x\": [1,\"]\"]},\"tags\":[\"a\",\"b\"]}"
#define LEAST "{\"count\":0,\"flag\":false,\"colour\":\"red\",\"blob\":\"\",\"leaves\":[]"

struct fixture {
        struct arena arena;
        struct codec_error error;
        struct tree tree;
        struct buf out;
};

static int setup(void **state)
{
        *state = calloc(1, sizeof(struct fixture));
        return 0;
}

static int teardown(void **state)
{
        struct fixture *f = *state;

        arena_deinit(&f->arena);
        buf_deinit(&f->out);
        free(f);
        return 0;
}

static int read_json(struct fixture *f, const char *text)
{
        /* exactly so many bytes on the heap, so that a sanitizer sees reads past the end */
        size_t n = strlen(text);
        char *copy = memcpy(malloc(n ? n : 1), text, n);
        int r = json_read(&tree_type, (struct str){ copy, n }, &f->arena, &f->tree, &f->error);

        buf_clear(&f->out);
        if (!r)
                json_write(&tree_type, &f->tree, &f->out);
        free(copy);
        return r;
}

static void everything_survives_json_and_msgpack_and_back(void **state)
{
        struct fixture *f = *state;
        struct buf packed = { 0 };
        struct tree again;

        assert_int_equal(json_read(&tree_type, str_of(WHOLE), &f->arena, &f->tree, &f->error), 0);
        assert_int_equal(f->tree.has_owner, SCHEMA_NULL);
        assert_int_equal(f->tree.leaves.n, 2);
        assert_true(str_is(f->tree.leaves.items[1].name, "l\xc3\xa9\xc3\xa9" "f"));
        assert_memory_equal(f->tree.blob.p, "\0\1\2\377", 4);
        assert_int_equal(schema_check(&tree_type, &f->tree, &f->error), 0);
        msgpack_write(&tree_type, &f->tree, &packed);
        assert_int_equal(msgpack_read(&tree_type, buf_view(&packed), &f->arena, &again, &f->error), 0);
        json_write(&tree_type, &again, &f->out);
        assert_string_equal(buf_z(&f->out),
                            "{\"count\":3,\"flag\":true,\"colour\":\"green\",\"owner\":null,\"note\":\"a\\\"b\",\"blob\":\"AAEC_w\","
                            "\"leaves\":[{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"name\":\"l\xc3\xa9\xc3\xa9" "f\"},"
                            "{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"name\":\"l\xc3\xa9\xc3\xa9" "f\"}],"
                            "\"best\":{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"name\":\"l\xc3\xa9\xc3\xa9" "f\"},"
                            "\"limit\":-5,\"raw\":{\"x\": [1,\"]\"]},\"tags\":[\"a\",\"b\"]}");
        buf_deinit(&packed);
}

static void what_is_absent_gets_its_default_or_stays_absent(void **state)
{
        struct fixture *f = *state;

        assert_int_equal(read_json(f, LEAST ",\"unknown\":{\"deep\":[[]]},\"note\":null}"), 0);
        assert_string_equal(buf_z(&f->out), LEAST ",\"limit\":7}");
        assert_int_equal(f->tree.has_owner, SCHEMA_ABSENT);
        assert_null(f->tree.best);
}

static void each_wrong_value_is_named(void **state)
{
        static const struct {
                const char *json, *field, *reason;
        } bad[] = {
                { "[]", "", "must be an object" },
                { "7", "", "must be an object" },
                { "{}", "count", "is missing" },
                { "{\"count\":101", "count", "is 101; must be 0 to 100" },
                { "{\"count\":-1", "count", "is -1; must be 0 to 100" },
                { "{\"count\":1.5", "count", "must be a whole number" },
                { "{\"count\":1e3", "count", "must be a whole number" },
                { "{\"count\":9223372036854775808", "count", "is too large a number" },
                { "{\"count\":\"1\"", "count", "must be a whole number" },
                { "{\"count\":null", "count", "must be a whole number" },
                { "{\"count\":[1]", "count", "must be a whole number" },
                { "{\"count\":{}", "count", "must be a whole number" },
                { "{\"count\":1,\"count\":1", "count", "is there twice" },
                { "{\"flag\":1", "flag", "must be true or false" },
                { "{\"colour\":\"blue\"", "colour", "is \"blue\"; must be one of red, green" },
                { "{\"owner\":\"x\"", "owner", "must be a ULID of 26 characters" },
                { "{\"owner\":\"81ARZ3NDEKTSV4RRFFQ69G5FAV\"", "owner", "must be a ULID of 26 characters" },
                { "{\"note\":\"12345\"", "note", "has 5 characters; must have 0 to 4" },
                { "{\"note\":\"\\u0000\"", "note", "has a NUL character; leave it out" },
                { "{\"note\":\"\xc0\x80\"", "note", "is not valid UTF-8" },
                { "{\"note\":\"\xed\xa0\x80\"", "note", "is not valid UTF-8" },
                { "{\"blob\":\"A\"", "blob", "must be a string in base64url without padding" },
                { "{\"blob\":\"AB\"", "blob", "must be a string in base64url without padding" },
                { "{\"blob\":\"AAAAAAAAAAAA\"", "blob", "has 9 bytes; must have 0 to 8" },
                { "{\"leaves\":{}", "leaves", "must be an array" },
                { "{\"leaves\":[7]", "leaves[0]", "must be an object" },
                { "{\"leaves\":[" LEAF ",{\"id\":7}]", "leaves[1].id", "must be a ULID of 26 characters" },
                { "{\"leaves\":[" LEAF ",{\"name\":\"abc\"}]", "leaves[1].id", "is missing" },
                { "{\"leaves\":[" LEAF ",{\"name\":\"\"}]", "leaves[1].name", "has 0 characters; must have 1 to 5" },
                { "{\"best\":[]", "best", "must be an object" },
                { "{\"best\":{\"name\":7}", "best.name", "must be a string" },
                { "{\"limit\":51", "limit", "is 51; must be -5 to 50" },
                { "{\"tags\":[\"a\",\"b\",\"c\"]", "tags", "has 3 items; must have 0 to 2" },
                { "{\"tags\":[\"aaaa\"]", "tags[0]", "has 4 characters; must have 1 to 3" },
                { "{\"tags\":\"a\"", "tags", "must be an array" },
        };
        struct fixture *f = *state;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                struct buf text = { 0 };

                buf_text(&text, bad[i].json);
                if (text.p[0] == '{' && text.n > 2)
                        buf_char(&text, '}');
                assert_int_equal(read_json(f, buf_z(&text)), -EINVAL);
                assert_string_equal(f->error.field, bad[i].field);
                assert_string_equal(f->error.reason, bad[i].reason);
                buf_deinit(&text);
        }
}

static void what_is_not_json_is_told_apart_from_what_is_wrong(void **state)
{
        static const char *const bad[] = { "", "{", "{]", "nul", "{\"count\":}", "{} {}", "{\"a\":1,}", "{'a':1}", "{\"a\":01}", "{\"a\":\"\x01\"}",
                                           "{\"a\":\"\\ud800\"}", "{\"a\":\"\\ud800\\u0041\"}", "{\"a\":\"\\udc00\"}" };
        struct fixture *f = *state;

        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
                int r = json_read(&tree_type, str_of(bad[i]), &f->arena, &f->tree, &f->error);

                /* an object that ends too early for its fields is wrong in either way */
                assert_true(r == -EBADMSG || (r == -EINVAL && strstr(bad[i], "\"a\"")) || (r == -EINVAL && i == 5));
        }
        assert_int_equal(json_read(&leaf_type, STR("{\"id\":\"01ARZ3NDEKTSV4RRFFQ69G5FAV\",\"name\":\"\\ud83d\\ude00\"}"), &f->arena,
                                   &(struct leaf){ 0 }, &f->error), 0);
}

static void what_yajl_lets_pass_is_refused(void **state)
{
        static const char *const bad[] = { LEAST "}\"a", LEAST "} tru", LEAST "}\v", LEAST ",\v\"b\":1}", LEAST ",\f\"b\":1}",
                                           LEAST ",\"b\":\"\xff\"}", LEAST ",\"\xff\":1}", LEAST ",\"raw\":\"\xc0\x80\"}",
                                           LEAST ",\"raw\":[\"\xc0\x80\"]}" };
        struct fixture *f = *state;

        assert_int_equal(json_read(&tree_type, STR(LEAST "} \t\r\n"), &f->arena, &f->tree, &f->error), 0);
        for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
                assert_int_equal(json_read(&tree_type, str_of(bad[i]), &f->arena, &f->tree, &f->error), -EBADMSG);
}

static void nesting_past_the_limit_is_refused_not_followed(void **state)
{
        struct fixture *f = *state;
        struct buf deep = { 0 };

        buf_text(&deep, LEAST ",\"raw\":");
        for (int i = 0; i < 100000; i++)
                buf_char(&deep, '[');
        assert_int_equal(json_read(&tree_type, buf_view(&deep), &f->arena, &f->tree, &f->error), -EINVAL);
        assert_string_equal(f->error.reason, "is nested too deep; at most 32 levels");
        buf_deinit(&deep);
}

static void a_batch_is_split_into_its_texts(void **state)
{
        struct fixture *f = *state;
        struct str *items;
        size_t n;

        assert_int_equal(json_split(STR(" [ {\"a\":[1,2]} , 7,\"x\" ,null,[] ]"), &f->arena, 5, &items, &n, &f->error), 0);
        assert_int_equal(n, 5);
        assert_true(str_is(items[0], "{\"a\":[1,2]}"));
        assert_true(str_is(items[1], "7"));
        assert_true(str_is(items[2], "\"x\""));
        assert_true(str_is(items[3], "null"));
        assert_true(str_is(items[4], "[]"));
        assert_int_equal(json_split(STR("[]"), &f->arena, 5, &items, &n, &f->error), 0);
        assert_int_equal(n, 0);
        assert_int_equal(json_split(STR("[1,2,3]"), &f->arena, 2, &items, &n, &f->error), -EINVAL);
        assert_int_equal(json_split(STR("{}"), &f->arena, 2, &items, &n, &f->error), -EINVAL);
        assert_int_equal(json_split(STR("[1,"), &f->arena, 2, &items, &n, &f->error), -EBADMSG);
}

static void hostile_msgpack_takes_no_memory_and_no_byte_too_many(void **state)
{
        struct fixture *f = *state;
        struct buf packed = { 0 };
        uint32_t seed = 1;

        assert_int_equal(json_read(&tree_type, str_of(WHOLE), &f->arena, &f->tree, &f->error), 0);
        msgpack_write(&tree_type, &f->tree, &packed);
        for (size_t cut = 0; cut < packed.n; cut++) { /* every prefix, on the heap for the sanitizer */
                char *part = memcpy(malloc(cut + 1), packed.p, cut);
                struct tree t;

                assert_int_not_equal(msgpack_read(&tree_type, (struct str){ part, cut }, &f->arena, &t, &f->error), 0);
                free(part);
        }
        for (int i = 0; i < 20000; i++) { /* and every kind of damage */
                char *copy = memcpy(malloc(packed.n), packed.p, packed.n);
                struct str rest = { copy, packed.n };
                struct tree t;

                for (int k = 0; k < 3; k++) {
                        seed = seed * 1664525 + 1013904223;
                        copy[seed / 65536 % packed.n] = (char)(seed >> 8);
                }
                if (msgpack_read(&tree_type, (struct str){ copy, packed.n }, &f->arena, &t, &f->error) == 0)
                        assert_int_equal(schema_check(&tree_type, &t, &f->error), 0);
                msgpack_skip(&rest);
                arena_reset(&f->arena);
                free(copy);
        }
        assert_int_equal(msgpack_read(&tree_type, STR("\xdd\xff\xff\xff\xff"), &f->arena, &f->tree, &f->error), -EINVAL);
        buf_deinit(&packed);
}

static void our_msgpack_is_what_msgpack_c_reads_and_writes(void **state)
{
        static const int64_t numbers[] = { 0, 1, -1, 31, -32, -33, 127, 128, 255, 256, -128, -129, 32767, 65535, 65536, -32768, -32769,
                                           INT32_MAX, UINT32_MAX, (int64_t)UINT32_MAX + 1, INT32_MIN, (int64_t)INT32_MIN - 1, INT64_MAX, INT64_MIN };
        struct fixture *f = *state;

        for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
                msgpack_sbuffer theirs;
                msgpack_packer packer;
                struct str in;
                int64_t v;

                msgpack_sbuffer_init(&theirs);
                msgpack_packer_init(&packer, &theirs, msgpack_sbuffer_write);
                msgpack_pack_int64(&packer, numbers[i]);
                buf_clear(&f->out);
                msgpack_put_int(&f->out, numbers[i]);
                assert_int_equal(f->out.n, theirs.size);
                assert_memory_equal(f->out.p, theirs.data, theirs.size);
                in = buf_view(&f->out);
                assert_int_equal(msgpack_get_int(&in, &v), 0);
                assert_true(v == numbers[i] && in.n == 0);
                msgpack_sbuffer_destroy(&theirs);
        }
        for (uint32_t n = 0; n < 70000; n = n * 3 + 1) {
                char *bytes = calloc(1, n + 1);
                msgpack_unpacked result;
                struct str in, back;

                buf_clear(&f->out);
                msgpack_put_str(&f->out, (struct str){ bytes, n });
                msgpack_unpacked_init(&result);
                assert_int_equal(msgpack_unpack_next(&result, f->out.p, f->out.n, NULL), MSGPACK_UNPACK_SUCCESS);
                assert_int_equal(result.data.via.str.size, n);
                msgpack_unpacked_destroy(&result);
                in = buf_view(&f->out);
                assert_int_equal(msgpack_get_str(&in, &back), 0);
                assert_int_equal(back.n, n);
                in = buf_view(&f->out);
                assert_int_equal(msgpack_skip(&in), 0);
                assert_int_equal(in.n, 0);
                free(bytes);
        }
}

static void a_newer_peers_extra_members_are_skipped_and_missing_ones_absent(void **state)
{
        struct fixture *f = *state;
        struct leaf leaf;
        struct buf b = { 0 };

        msgpack_put_array(&b, 3);
        msgpack_put_bin(&b, "0123456789abcdef", 16);
        msgpack_put_str(&b, STR("leaf"));
        msgpack_put_array(&b, 1);
        msgpack_put_nil(&b);
        assert_int_equal(msgpack_read(&leaf_type, buf_view(&b), &f->arena, &leaf, &f->error), 0);
        assert_true(str_is(leaf.name, "leaf"));
        buf_clear(&b);
        msgpack_put_array(&b, 1);
        msgpack_put_bin(&b, "0123456789abcdef", 16);
        assert_int_equal(msgpack_read(&leaf_type, buf_view(&b), &f->arena, &leaf, &f->error), -EINVAL);
        assert_string_equal(f->error.field, "name");
        buf_deinit(&b);
}

static const char *escape(int c, char ret[8])
{
        static const struct {
                int c;
                const char *text;
        } known[] = { { '"', "\\\"" }, { '\\', "\\\\" }, { '\n', "\\n" }, { '\t', "\\t" }, { '\r', "\\r" } };

        for (size_t i = 0; i < sizeof(known) / sizeof(known[0]); i++)
                if (known[i].c == c)
                        return known[i].text;
        if (c < 0x20)
                snprintf(ret, 8, "\\u%04x", (unsigned)c);
        else
                snprintf(ret, 8, "%c", c);
        return ret;
}

static void what_json_escapes_is_found_at_every_place(void **state)
{
        (void)state;
        for (int c = 1; c < 256; c++) {
                for (size_t at = 0; at < 20; at++) {
                        char text[] = "abcdefghijklmnopqrst", escaped[8], expected[40];
                        struct buf out = { 0 };

                        text[at] = (char)c;
                        snprintf(expected, sizeof(expected), "\"%.*s%s%s\"", (int)at, text, escape(c, escaped), text + at + 1);
                        json_string(&out, str_of(text));
                        assert_string_equal(buf_z(&out), expected);
                        buf_deinit(&out);
                }
        }
}

int main(void)
{
        const struct CMUnitTest tests[] = {
                cmocka_unit_test_setup_teardown(everything_survives_json_and_msgpack_and_back, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_absent_gets_its_default_or_stays_absent, setup, teardown),
                cmocka_unit_test_setup_teardown(each_wrong_value_is_named, setup, teardown),
                cmocka_unit_test_setup_teardown(what_yajl_lets_pass_is_refused, setup, teardown),
                cmocka_unit_test_setup_teardown(what_is_not_json_is_told_apart_from_what_is_wrong, setup, teardown),
                cmocka_unit_test_setup_teardown(nesting_past_the_limit_is_refused_not_followed, setup, teardown),
                cmocka_unit_test_setup_teardown(a_batch_is_split_into_its_texts, setup, teardown),
                cmocka_unit_test_setup_teardown(hostile_msgpack_takes_no_memory_and_no_byte_too_many, setup, teardown),
                cmocka_unit_test_setup_teardown(our_msgpack_is_what_msgpack_c_reads_and_writes, setup, teardown),
                cmocka_unit_test(what_json_escapes_is_found_at_every_place),
                cmocka_unit_test_setup_teardown(a_newer_peers_extra_members_are_skipped_and_missing_ones_absent, setup, teardown),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
