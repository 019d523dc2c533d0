#include "supervisor.h"

int main(int argc, char **argv)
{
        return service_main(&supervisor_service, argc, argv);
}
