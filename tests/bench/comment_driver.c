/* comment_driver N: a store in one process, that adds N comments to a ticket; for tools that count what that takes. */
#include "services/store/store_room.h"

int main(int argc, char **argv)
{
        int n = argc == 2 ? atoi(argv[1]) : 0;
        struct ticket ticket;
        struct room *room;
        void *state;

        if (n <= 0 || room_setup(&state))
                return 2;
        room = state;
        ticket = room_ticket(room, ALICE, "A question");
        for (int i = 0; i < n; i++) {
                room->now_ms++;
                if (room_reply(room, AGNES, ticket.id, "The toner is new, the test page is fine, and still every page is blank; what now?", NULL))
                        return 1;
                arena_reset(&room->arena);
        }
        return room_teardown(&state);
}
