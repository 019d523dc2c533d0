/* What daemons say: every field set there was, and what no daemon would say. */
#include "mycelium_reply.h"
#include "yggdrasil_reply.h"
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>
#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define KEY "07a37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c"
#define ADDRESS "5a6:f0c6:f365:177d:66be:4a2b:d9fd:b59e"
#define OTHER_KEY "8520f0098930a754748b7ddcb43ef75a0dbf3a0d26381af4eba4a98eaa9b4e6a"
#define OTHER_ADDRESS "520:c662:fd00:9e92:5d99:34ed:ab8:82ab"
#define SUBNET "\"nodeSubnet\":\"5a6:f0c6:f365:177d::/64\""

static int enter(void **state)
{
        *state = calloc(1, sizeof(struct arena));
        return 0;
}

static int leave(void **state)
{
        arena_deinit(*state);
        free(*state);
        return 0;
}

/* The same by both ways. */
static int read_info(struct arena *arena, const char *object, struct mycelium_info *ret)
{
        const char *why = NULL;
        struct mycelium_info by_rest;
        int r, rest;

        rest = mycelium_read_info(MYCELIUM_REST, str_of(object), arena, &by_rest, &why);
        r = mycelium_read_info(MYCELIUM_JSONRPC, arena_format(arena, "{\"jsonrpc\":\"2.0\",\"id\":1,\"result\":%s}", object), arena, ret, &why);
        assert_int_equal(r, rest);
        assert_true(r ? why != NULL : why == NULL);
        if (!r)
                assert_memory_equal(ret->address.s6_addr, by_rest.address.s6_addr, 16);
        return r;
}

static void is(const struct in6_addr *address, const char *expected)
{
        char text[INET6_ADDRSTRLEN];

        assert_string_equal(inet_ntop(AF_INET6, address, text, sizeof(text)), expected);
}

static void every_release_says_its_part(void **state)
{
        struct mycelium_info info;

        /* 0.5.0 to 0.5.3 */
        assert_int_equal(read_info(*state, "{" SUBNET "}", &info), 0);
        is(&info.subnet, "5a6:f0c6:f365:177d::");
        assert_false(info.has_key || info.has_address);
        /* 0.5.4 to 0.7.7: the key tells the address */
        assert_int_equal(read_info(*state, "{" SUBNET ",\"nodePubkey\":\"" KEY "\"}", &info), 0);
        assert_true(info.has_key && info.has_address);
        is(&info.address, ADDRESS);
        /* 0.7.8 and later, and what may come */
        assert_int_equal(read_info(*state, "{" SUBNET ",\"nodeIp\":\"" ADDRESS "\",\"nodePubkey\":\"" KEY "\",\"nodeStartTime\":1780000000,"
                                           "\"load\":[0.25,{\"more\":null}]}", &info), 0);
        assert_true(info.has_key && info.has_address);
        is(&info.address, ADDRESS);
}

static void what_does_not_agree_with_itself_is_refused(void **state)
{
        static const char *const wrong[] = {
                "{}", "[]", "null", "7", "\"5a6::/64\"", "", "{\"nodeSubnet\":null}", "{\"nodeSubnet\":7}", "{\"nodeSubnet\":\"\"}",
                "{\"nodeSubnet\":\"5a6:f0c6:f365:177d::\"}",            /* no length */
                "{\"nodeSubnet\":\"5a6:f0c6:f365:177d::/48\"}",         /* another one */
                "{\"nodeSubnet\":\"5a6:f0c6:f365:177d::/640\"}",
                "{\"nodeSubnet\":\"2001:db8::/64\"}",                   /* another network */
                "{\"nodeSubnet\":\"127.0.0.1/64\"}",
                "{\"nodeSubnet\":\"5a6:f0c6:f365:177d::\\u0000/64\"}",
                "{" SUBNET "," SUBNET "}",
                "{" SUBNET ",\"nodeIp\":\"" OTHER_ADDRESS "\"}",        /* not in the network */
                "{" SUBNET ",\"nodeIp\":\"\"}",
                "{" SUBNET ",\"nodePubkey\":\"" OTHER_KEY "\"}",        /* another node's */
                "{" SUBNET ",\"nodePubkey\":\"07a3\"}",
                "{" SUBNET ",\"nodePubkey\":\"" KEY "00\"}",
                "{" SUBNET ",\"nodePubkey\":\"zza37cbc142093c8b755dc1b10e86cb426374ad16aa853ed0bdfc0b2b86d1c7c\"}",
                "{" SUBNET ",\"nodeIp\":\"5a6:f0c6:f365:177d::1\",\"nodePubkey\":\"" KEY "\"}", /* not the key's own */
        };
        struct mycelium_info info;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(read_info(*state, wrong[i], &info), -EBADMSG);
}

static void an_envelope_that_is_none_is_refused(void **state)
{
        static const char *const wrong[] = {
                "", "{", "[]", "null", "<html></html>", "{\"result\":null}", "{\"jsonrpc\":\"2.0\",\"id\":1}",
                "{\"error\":{\"code\":-32601,\"message\":\"Method not found\"}}", "{\"error\":7,\"result\":{" SUBNET "}}",
                "{\"error\":{\"code\":1},\"result\":{" SUBNET "}}", "{\"result\":{" SUBNET "},\"result\":{" SUBNET "}}",
                "{\"result\":{" SUBNET "}", "{\"result\":{" SUBNET "}}x",
        };
        struct mycelium_info info;
        const char *why;

        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(mycelium_read_info(MYCELIUM_JSONRPC, str_of(wrong[i]), *state, &info, &why), -EBADMSG);
}

static void depth_and_length_end_in_a_refusal(void **state)
{
        struct buf deep = { 0 };
        struct mycelium_info info;
        const char *why;
        size_t alive;

        buf_text(&deep, "{\"result\":");
        for (int i = 0; i < 100000; i++)
                buf_char(&deep, '[');
        assert_int_equal(mycelium_read_info(MYCELIUM_JSONRPC, buf_view(&deep), *state, &info, &why), -EBADMSG);
        assert_int_equal(mycelium_read_peers(MYCELIUM_JSONRPC, buf_view(&deep), *state, &alive), -EBADMSG);
        buf_clear(&deep);
        buf_text(&deep, "[{}");
        for (int i = 0; i < 5000; i++)  /* more than anybody has */
                buf_text(&deep, ",{}");
        buf_char(&deep, ']');
        assert_int_equal(mycelium_read_peers(MYCELIUM_REST, buf_view(&deep), *state, &alive), -EBADMSG);
        buf_deinit(&deep);
}

static void connected_peers_are_counted_as_old_and_new_daemons_list_them(void **state)
{
        static const char old[] = "[{\"socketAddr\":\"192.0.2.1:9651\",\"type\":\"static\",\"connectionState\":\"alive\"},"
                                  "{\"socketAddr\":\"192.0.2.2:9651\",\"type\":\"static\",\"connectionState\":\"connecting\"}]";
        static const char new[] = "[{\"endpoint\":{\"proto\":\"tcp\",\"addr\":{\"socket\":\"192.0.2.1:9651\"}},\"type\":\"static\","
                                  "\"connectionState\":\"dead\",\"txBytes\":0},{\"connectionState\":\"alive\"},{\"connectionState\":\"alive\"}]";
        size_t alive = 7;

        assert_int_equal(mycelium_read_peers(MYCELIUM_REST, str_of(old), *state, &alive), 0);
        assert_int_equal(alive, 1);
        assert_int_equal(mycelium_read_peers(MYCELIUM_JSONRPC, arena_format(*state, "{\"result\":%s}", new), *state, &alive), 0);
        assert_int_equal(alive, 2);
        assert_int_equal(mycelium_read_peers(MYCELIUM_REST, STR("[]"), *state, &alive), 0);
        assert_int_equal(alive, 0);
        alive = 7;
        assert_int_equal(mycelium_read_peers(MYCELIUM_REST, STR("{}"), *state, &alive), -EBADMSG);
        assert_int_equal(mycelium_read_peers(MYCELIUM_REST, STR("[7]"), *state, &alive), -EBADMSG);
        assert_int_equal(mycelium_read_peers(MYCELIUM_REST, STR("[],\"peers\":[{\"connectionState\":\"alive\"}]"), *state, &alive), -EBADMSG);
        assert_int_equal(alive, 7);
}

static int read_key(struct arena *arena, enum mycelium_api api, const char *body, const char *of, uint8_t ret_key[32])
{
        struct in6_addr address;

        assert_int_equal(inet_pton(AF_INET6, of, &address), 1);
        return mycelium_read_key(api, str_of(body), arena, &address, ret_key);
}

static void a_key_is_believed_only_of_its_own_network(void **state)
{
        uint8_t key[32], expected[32];

        str_from_hex(STR(KEY), expected, sizeof(expected));
        assert_int_equal(read_key(*state, MYCELIUM_JSONRPC, "{\"result\":\"" KEY "\"}", ADDRESS, key), 0);
        assert_memory_equal(key, expected, sizeof(key));
        assert_int_equal(read_key(*state, MYCELIUM_REST, "{\"publicKey\":\"" KEY "\"}", "5a6:f0c6:f365:177d::77", key), 0);
        assert_int_equal(read_key(*state, MYCELIUM_JSONRPC, "{\"result\":\"" OTHER_KEY "\"}", ADDRESS, key), -EKEYREJECTED);
        assert_int_equal(read_key(*state, MYCELIUM_REST, "{\"publicKey\":\"" OTHER_KEY "\"}", ADDRESS, key), -EKEYREJECTED);
        assert_int_equal(read_key(*state, MYCELIUM_JSONRPC, "{\"error\":{\"code\":-32008,\"message\":\"no\"}}", ADDRESS, key), -ENOENT);
        assert_int_equal(read_key(*state, MYCELIUM_JSONRPC, "{\"error\":{\"code\":-32007,\"message\":\"no\"}}", ADDRESS, key), -EBADMSG);
        assert_int_equal(read_key(*state, MYCELIUM_JSONRPC, "{\"result\":{}}", ADDRESS, key), -EBADMSG);
        assert_int_equal(read_key(*state, MYCELIUM_JSONRPC, "{\"result\":\"07a3\"}", ADDRESS, key), -EBADMSG);
        assert_int_equal(read_key(*state, MYCELIUM_REST, "{}", ADDRESS, key), -EBADMSG);
        assert_int_equal(read_key(*state, MYCELIUM_REST, "", ADDRESS, key), -EBADMSG);
        assert_memory_equal(key, expected, sizeof(key));
}

#define YKEY "433a8de99a22233ef6cc7cc5bbc5d5098ccbbc429a7938bf655d27d69e4ed791"
#define YSELF(key, address, subnet)                                                                                  \
        "{\"status\":\"success\",\"request\":null,\"response\":{\"build_name\":\"unknown\",\"key\":\"" key "\",\"address\":\"" address \
        "\",\"coords\":[],\"subnet\":\"" subnet "\"}}\n"
#define YADDRESS "201:f315:c859:9777:7304:24ce:ce9:10e8"
#define YSUBNET "301:f315:c859:9777::/64"

static void a_yggdrasil_daemon_is_understood(void **state)
{
        static const char *const wrong[] = {
                "", "{}", "[]", "{\"status\":\"error\",\"error\":\"x\",\"response\":null}", "{\"status\":\"success\",\"response\":null}",
                "{\"status\":\"success\",\"response\":{}}", YSELF("43", YADDRESS, YSUBNET), YSELF(YKEY, "2001:db8::1", YSUBNET),
                YSELF(YKEY, "301:f315:c859:9777::1", YSUBNET), YSELF(YKEY, YADDRESS, "201:f315:c859:9777::/64"),
                YSELF(YKEY, YADDRESS, "301:f315:c859:9777::"), YSELF(YKEY, "", ""), YSELF(YKEY, YADDRESS, YSUBNET) "x",
        };
        struct yggdrasil_self self;
        size_t n = 7;

        assert_int_equal(yggdrasil_read_self(STR(YSELF(YKEY, YADDRESS, YSUBNET)), *state, &self), 0);
        is(&self.address, YADDRESS);
        is(&self.subnet, "301:f315:c859:9777::");
        for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
                assert_int_equal(yggdrasil_read_self(str_of(wrong[i]), *state, &self), -EBADMSG);
        assert_int_equal(yggdrasil_read_peers(STR("{\"status\":\"success\",\"response\":{\"peers\":[]}}"), *state, &n), 0);
        assert_int_equal(n, 0);
        assert_int_equal(yggdrasil_read_peers(STR("{\"status\":\"success\",\"response\":{\"peers\":[{\"address\":\"200::1\",\"uptime\":1.5},"
                                                  "{\"up\":false},{\"up\":true}]}}"), *state, &n), 0);
        assert_int_equal(n, 2);
        assert_int_equal(yggdrasil_read_peers(STR("{\"status\":\"success\",\"response\":{\"peers\":7}}"), *state, &n), -EBADMSG);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, enter, leave)

int main(void)
{
        const struct CMUnitTest tests[] = {
                TEST(every_release_says_its_part),
                TEST(what_does_not_agree_with_itself_is_refused),
                TEST(an_envelope_that_is_none_is_refused),
                TEST(depth_and_length_end_in_a_refusal),
                TEST(connected_peers_are_counted_as_old_and_new_daemons_list_them),
                TEST(a_key_is_believed_only_of_its_own_network),
                TEST(a_yggdrasil_daemon_is_understood),
        };

        return cmocka_run_group_tests(tests, NULL, NULL);
}
