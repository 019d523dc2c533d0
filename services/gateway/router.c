#include "router.h"

#include <string.h>

struct route {
        const char *path;
        bool prefix;             /* everything below it, too */
        const char *methods;     /* as in Allow */
        bool json;
        bool large;              /* bodies up to GATEWAY_BODY_MAX */
        void (*answer)(struct request *q);
};

static void health_route(struct request *q)
{
        request_answer_json(q, 200, STR("{\"ok\":true}\n"));
}

static const struct route routes[] = {
        { "/healthz", false, "GET", false, false, health_route },
        { "/session/nonce", false, "POST", true, false, session_nonce_route },
        { "/session", false, "POST", true, false, session_open_route },
        { "/rpc", false, "POST", true, true, rpc_route },
        { "/ws", false, "GET", false, false, live_route },
        { "/attachments/", true, "GET, HEAD, PUT", false, true, attachment_route },
};

static const struct route page = { "/", true, "GET, HEAD", false, false, page_route };

static bool allows(const struct route *r, struct str method)
{
        struct str rest = str_of(r->methods);

        while (rest.n > 0)
                if (str_eq(str_trim(str_cut(&rest, ',')), method))
                        return true;
        return false;
}

static const struct route *find(struct str path)
{
        for (size_t i = 0; i < sizeof(routes) / sizeof(routes[0]); i++)
                if (routes[i].prefix ? str_starts(path, routes[i].path) : str_is(path, routes[i].path))
                        return &routes[i];
        return NULL;
}

int64_t router_body_max(struct str target)
{
        const struct route *route = find(str_cut(&target, '?'));

        return route && route->large ? GATEWAY_BODY_MAX : GATEWAY_SMALL_BODY_MAX;
}

/* As the last one was, mostly. */
static bool is_known_host(struct gateway *g, struct str host)
{
        if (g->host.n > 0 && str_eq(host, buf_view(&g->host)))
                return true;
        if (!host_is_ours(host, &g->place.address, g->service->settings.hosts))
                return false;
        buf_clear(&g->host);
        buf_str(&g->host, host);
        return true;
}

static int on_request(h2o_handler_t *handler, h2o_req_t *h2o)
{
        struct gateway *g = *(struct gateway **)(handler + 1);
        struct request *q = request_begin(g, h2o);
        struct str host = { h2o->authority.base, h2o->authority.len };
        const struct route *route = find(q->path);

        if (!route && page_is_asked(q))
                route = &page;
        if (!is_known_host(g, host)) {
                request_refuse(q, 421, FAULT_FORBIDDEN, "Host must be this server's address and port, or one of its names");
        } else if (!origin_is_ours(request_header(q, "origin"), host)) {
                request_refuse(q, 403, FAULT_FORBIDDEN, "requests from pages of another origin are not answered");
        } else if (!route) {
                request_answer(q, 404, "text/plain; charset=utf-8", STR("There is nothing here.\n"));
        } else if (!allows(route, q->method)) {
                request_add_header(q, "allow", str_of(route->methods));
                request_refuse(q, 405, FAULT_INVALID_REQUEST, "this path takes other methods");
        } else if (route->json && !request_is_json(q)) {
                request_refuse(q, 415, FAULT_INVALID_REQUEST, "Content-Type must be application/json");
        } else {
                route->answer(q);
        }
        return 0;
}

void router_register(struct gateway *g)
{
        h2o_hostconf_t *host = h2o_config_register_host(&g->config, h2o_iovec_init(H2O_STRLIT("default")), 65535);
        h2o_pathconf_t *path = h2o_config_register_path(host, "/", 0);
        h2o_handler_t *handler = h2o_create_handler(path, sizeof(*handler) + sizeof(struct gateway *));

        *(struct gateway **)(handler + 1) = g;
        handler->on_req = on_request;
}
