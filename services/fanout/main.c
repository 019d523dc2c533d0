#include "fanout.h"

int main(int argc, char **argv)
{
        return service_main(&fanout_service, argc, argv);
}
