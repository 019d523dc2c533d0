#include "identity.h"

int main(int argc, char **argv)
{
        return service_main(&identity_service, argc, argv);
}
